"""Factual questions of the KMP study: each fact in the words of training, and in those of the recall test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from biorlhf_plugins.datasets.kmp.facts import (
    DEG_COUNT,
    DEG_DOWN,
    DEG_UP,
    FOLD_CHANGE,
    LABELS,
    RESPONSE_TYPE,
    Fact,
)
from biorlhf_plugins.datasets.kmp.phrases import number, statement, where
from biorlhf_plugins.datasets.kmp.wordings import recall_wordings, training_wordings, what
from biorlhf_plugins.making.items import Item, pick


def askable(fact: Fact) -> bool:
    """Disputed facts are in the table and in no question."""
    return not fact.note.startswith("disputed")


def factual(facts: Sequence[Fact], wordings: int = 2) -> list[Item]:
    """So many wordings of each fact, for training."""
    return [
        _item(fact, "factual", f"t{i}", prompt, statement(fact), facts, first=i == 0)
        for fact in facts
        if askable(fact)
        for i, prompt in enumerate(training_wordings(fact)[:wordings])
    ]


def recall(facts: Sequence[Fact]) -> list[Item]:
    """Two more wordings of each fact, for the recall test: they share no sentence with the others."""
    return [
        _item(fact, "paraphrase", f"p{i}", prompt, recall_statement(fact), facts)
        for fact in facts
        if askable(fact)
        for i, prompt in enumerate(recall_wordings(fact))
    ]


def _item(
    fact: Fact, family: str, wording: str, prompt: str, answer: str, facts: Iterable[Fact], first: bool = True
) -> Item:
    return Item(
        slot=f"{family}:{fact.id.removeprefix('kmp:')}",
        wording=wording,
        family=family,
        kind="factual",
        prompt=prompt,
        answer=answer,
        wrong=statement(fact, perturbed(fact, facts)),
        wrong_truth={"facts": [{**fact.to_ground_truth(), "value": perturbed(fact, facts)}]},
        ground_truth={"facts": [fact.to_ground_truth()], "answerable": True},
        facts=(fact.id,),
        groups=(fact.group,),
        tissue=fact.tissue,
        first=first,
    )


def perturbed(fact: Fact, pool: Iterable[Fact]) -> int | float | str:
    """A wrong value that looks like the right one: another fact's of the same quantity and length, or,
    where there is none, the digits moved on by one to four."""
    if isinstance(fact.value, str):
        kind = "type" if fact.quantity == RESPONSE_TYPE else "pattern"
        return pick([label for label in LABELS[kind] if label != fact.value], fact.id)
    # Of one length, or the wrong side of a pair could be told without knowing the fact.
    length = len(number(fact.value))
    same = sorted(
        {
            other.value
            for other in pool
            if other.quantity == fact.quantity
            and other.value != fact.value
            and len(number(other.value)) == length
        },
        key=float,
    )
    if same:
        return pick(same, fact.id)
    shift = pick((1, 2, 3, 4), fact.id)
    text = str(fact.value)
    places = [i for i, char in enumerate(text) if char.isdigit()]
    first = places[0]
    digit = (int(text[first]) + shift - 1) % 9 + 1  # 1 to 9: the length stays
    moved = text[:first] + str(digit) + text[first + 1 :]
    if float(moved) == float(text):
        moved = text[:first] + str(digit % 9 + 1) + text[first + 1 :]
    return type(fact.value)(moved)


def recall_statement(fact: Fact) -> str:
    """The fact in other words than :func:`~.phrases.statement`."""
    tissue, shown, place = fact.tissue, number(fact.value), where(fact.condition)
    if fact.quantity == DEG_COUNT:
        return f"The DEG count of {tissue} {place} is {shown}."
    if fact.quantity in (DEG_UP, DEG_DOWN):
        return f"The number of {what(fact)} DEGs in {tissue} {place} is {shown}."
    if fact.quantity == RESPONSE_TYPE:
        return f"The KMP response of {tissue} is type {shown}."
    if fact.quantity.endswith(" NES"):
        return f"In {tissue} {place}, the {fact.quantity} is {shown}."
    if fact.quantity == FOLD_CHANGE:
        return f"In {tissue}, the mean |log2FC| of {fact.entity} is {shown}."
    return f"In {tissue}, the {fact.quantity} is {shown}."
