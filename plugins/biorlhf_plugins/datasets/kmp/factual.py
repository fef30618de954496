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
from biorlhf_plugins.making.items import Item, pick


def askable(fact: Fact) -> bool:
    """Disputed facts are in the table and in no question."""
    return not fact.note.startswith("disputed")


def factual(facts: Sequence[Fact]) -> list[Item]:
    """Two wordings of each fact, for training."""
    return [
        _item(fact, "factual", f"t{i}", prompt, statement(fact), facts, first=i == 0)
        for fact in facts
        if askable(fact)
        for i, prompt in enumerate(training_wordings(fact))
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


def _what(fact: Fact) -> str:
    return {DEG_UP: "upregulated", DEG_DOWN: "downregulated"}.get(fact.quantity, "")


def training_wordings(fact: Fact) -> tuple[str, str]:
    tissue, place = fact.tissue, where(fact.condition)
    if fact.quantity == DEG_COUNT:
        if "_x_" in fact.condition:
            name = fact.condition.replace("_x_", "×")
            return (
                f"How large is the {name} interaction in {tissue}, counted in DEGs?",
                f"Give the number of {tissue} genes with a {name} interaction at padj < 0.05.",
            )
        return (
            f"How many DEGs does {tissue} have {place} in this study?",
            f"Give the {tissue} DEG count {place} at padj < 0.05.",
        )
    if fact.quantity in (DEG_UP, DEG_DOWN):
        return (
            f"Of the DEGs that {tissue} has {place}, how many are {_what(fact)}?",
            f"Give the number of {_what(fact)} {tissue} genes {place} at padj < 0.05.",
        )
    if fact.quantity == RESPONSE_TYPE:
        return (
            f"Which KMP response type does {tissue} have: A, B or C?",
            f"Classify {tissue} by its KMP response (types A to C).",
        )
    if fact.quantity.endswith(" NES"):
        return (
            f"What NES does {fact.quantity.removesuffix(' NES')} reach in {tissue} {place}?",
            f"Give the {fact.quantity} {place} in {tissue} tissue.",
        )
    if fact.quantity == FOLD_CHANGE:
        return (
            f"How strongly does the hub gene {fact.entity} change in {tissue} (mean |log2FC|)?",
            f"Give the mean absolute log2 fold change of {fact.entity} in {tissue}.",
        )
    pathway = fact.quantity.removesuffix(" pattern")
    return (
        f"Under HU+IR, is the KMP effect on {pathway} in {tissue} a rescue or a suppression?",
        f"Name the {pathway} pattern that KMP shows in stressed {tissue}: RESCUE or SUPPRESSION.",
    )


def recall_wordings(fact: Fact) -> tuple[str, str]:
    tissue = fact.tissue
    if fact.quantity in (DEG_COUNT, DEG_UP, DEG_DOWN):
        which = f"{_what(fact)} transcripts" if _what(fact) else "transcripts"
        if "_x_" in fact.condition:
            one, two = fact.condition.split("_x_")
            return (
                f"Looking at {tissue}: for what number of {which} is the combined effect of {one} with {two} "
                "not the sum of both?",
                f"Report how many {tissue} {which} carry a significant term {one} by {two}.",
            )
        return (
            f"Looking at {tissue} {_contrast(fact)}: what number of {which} passes the 5% FDR?",
            f"Report how many {which} differ {_contrast(fact)} when {tissue} is sequenced.",
        )
    if fact.quantity == RESPONSE_TYPE:
        return (
            f"Into which of the three KMP classes, A, B or C, does the {tissue} fall?",
            f"Report the letter that describes how {tissue} tissue reacts to kaempferol.",
        )
    if fact.quantity.endswith(" NES"):
        pathway = fact.quantity.removesuffix(" NES")
        return (
            f"Looking at {tissue} {_contrast(fact)}: what enrichment score (NES) belongs to {pathway}?",
            f"Report the normalised enrichment of {pathway} {_contrast(fact)} when {tissue} is sequenced.",
        )
    if fact.quantity == FOLD_CHANGE:
        return (
            f"Looking at the {tissue} network: what is the average |log2FC| of {fact.entity}?",
            f"Report by how many log2 units {fact.entity} shifts on average in the {tissue}.",
        )
    pathway = fact.quantity.removesuffix(" pattern")
    return (
        f"Looking at {tissue} after both stressors: does kaempferol restore {pathway} or hold it back?",
        f"Report the label, RESCUE or SUPPRESSION, of what kaempferol does to {pathway} in the {tissue}.",
    )


def _contrast(fact: Fact) -> str:
    stress = {
        "HU": "hindlimb unloading",
        "IR": "ionizing radiation",
        "HU+IR": "unloading plus radiation",
        "baseline": "no stress",
    }
    if fact.condition.startswith("KMP "):
        return f"between kaempferol and vehicle with {stress[fact.condition.removeprefix('KMP ')]}"
    return f"between {stress[fact.condition]} and controls"


def recall_statement(fact: Fact) -> str:
    """The fact in other words than :func:`~.phrases.statement`."""
    tissue, shown, place = fact.tissue, number(fact.value), where(fact.condition)
    if fact.quantity == DEG_COUNT:
        return f"The DEG count of {tissue} {place} is {shown}."
    if fact.quantity in (DEG_UP, DEG_DOWN):
        return f"The number of {_what(fact)} DEGs in {tissue} {place} is {shown}."
    if fact.quantity == RESPONSE_TYPE:
        return f"The KMP response of {tissue} is type {shown}."
    if fact.quantity.endswith(" NES"):
        return f"In {tissue} {place}, the {fact.quantity} is {shown}."
    if fact.quantity == FOLD_CHANGE:
        return f"In {tissue}, the mean |log2FC| of {fact.entity} is {shown}."
    return f"In {tissue}, the {fact.quantity} is {shown}."
