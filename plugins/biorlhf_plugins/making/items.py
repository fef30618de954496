"""From generated items to the three tables of a dataset: GRPO questions, SFT examples, DPO preferences."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from biorlhf.ground_truth import block, gold_answer, instruction
from biorlhf.types import Example, Preference, Question

HIGH = (85, 90, 95)
LOW = (5, 10, 15)
SPREAD = (15, 25, 35, 45, 55, 65, 75, 85, 95)


@dataclass(frozen=True, slots=True)
class Item:
    """One generated question with its gold answer.

    Attributes:
        slot: what it asks, independent of the words: ``factual:soleus:HU:deg_count``. Its wordings share it.
        wording: the template's name; ``slot`` and ``wording`` together are unique.
        answer: gold sentence(s), without the stated confidence.
        wrong: the answer with one fact changed, in the same words; "" where there is no such thing.
        wrong_truth: the ground truth of which ``wrong`` is the gold; given where ``wrong`` is.
        facts: ids of the facts that it touches. groups: the split groups of those facts.
        first: whether this wording also becomes a question and a preference; the others are SFT text only.
        levels: the confidences, in percent, that suit it where it can be answered.
    """

    slot: str
    wording: str
    family: str
    kind: str
    prompt: str
    answer: str
    ground_truth: dict[str, Any]
    wrong: str = ""
    wrong_truth: dict[str, Any] | None = None
    facts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    tissue: str | None = None
    difficulty: str = "easy"
    first: bool = True
    levels: tuple[int, ...] = HIGH

    @property
    def answerable(self) -> bool:
        return bool(self.ground_truth.get("answerable", True))


def pick(options: Sequence[Any], key: str) -> Any:
    """One of the options, by a hash of the key: the same on every machine and in every build."""
    # Python's own hash of a text differs from process to process.
    return options[int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % len(options)]


def listing(names: Sequence[str], last: str = "and") -> str:
    """heart, liver and soleus"""
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


def with_block(answer: str, truth: Mapping[str, Any], levels: Sequence[int], key: str) -> str:
    """The answer in prose, then the block that its ground truth asks for."""
    return f"{answer}\n{block(gold_answer(truth), pick(levels, key))}"


def _levels(item: Item) -> tuple[int, ...]:
    return item.levels if item.answerable else LOW


def gold(item: Item) -> str:
    """The gold answer of an item: sure of what the figures say, unsure where they say nothing."""
    return with_block(item.answer, item.ground_truth, _levels(item), item.slot)


def to_question(
    item: Item, prefix: str, split: str, source: str, taught: frozenset[str] | None = None
) -> Question:
    """The question of an item; ``taught`` are the groups that training texts state, where that is kept."""
    return Question(
        id=f"{prefix}:{item.slot}:{item.wording}",
        prompt=item.prompt,
        ground_truth=item.ground_truth,
        kind=item.kind,
        tissue=item.tissue,
        source=source,
        difficulty=item.difficulty,
        split=split,
        answer=gold(item),
        family=item.family,
        split_group="+".join(sorted(set(item.groups))),
        fact_ids=item.facts,
        instruction=instruction(item.ground_truth),
        taught=None if taught is None else taught.issuperset(item.groups),
    )


def to_example(item: Item, prefix: str, split: str, source: str, spread: bool) -> Example:
    response = gold(item)
    if spread:
        # By wording, too: one fact is then met with several levels, so that none of them is learnt with it.
        response = with_block(item.answer, item.ground_truth, SPREAD, f"{item.slot}:{item.wording}")
    return Example(
        id=f"{prefix}:sft:{item.slot}:{item.wording}",
        prompt=item.prompt,
        response=response,
        kind=item.family,
        source=source,
        split=split,
        split_group="+".join(sorted(set(item.groups))),
        fact_ids=item.facts,
        instruction=instruction(item.ground_truth),
    )


def example_of(question: Question) -> Example:
    """The SFT text that states a question's own gold answer."""
    return Example(
        id=f"{question.id}:sft",
        prompt=question.prompt,
        response=question.answer or "",
        kind=question.family,
        source=question.source,
        split=question.split,
        split_group=question.split_group,
        fact_ids=question.fact_ids,
        instruction=question.instruction,
    )


def to_preference(item: Item, prefix: str, split: str, source: str) -> Preference:
    """Chosen and rejected state the same confidence: only the fact differs."""
    levels = _levels(item)
    if item.wrong_truth is None:
        raise ValueError(f"{item.slot}: a wrong answer without its wrong_truth")
    return Preference(
        id=f"{prefix}:dpo:{item.slot}:{item.wording}",
        prompt=item.prompt,
        chosen=gold(item),
        rejected=with_block(item.wrong, item.wrong_truth, levels, item.slot),
        kind=item.family,
        source=source,
        split=split,
        split_group="+".join(sorted(set(item.groups))),
        fact_ids=item.facts,
        instruction=instruction(item.ground_truth),
    )


def limited(items: Iterable[Item], limit: int | None, seed: int) -> list[Item]:
    """At most ``limit`` items, each family in proportion, whole slots first.

    The order depends on the facts and not on the words, so that limits on examples, questions and test
    questions keep the same facts first.
    """
    by_family: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_family[item.family].append(item)
    ranked = []
    for family, members in by_family.items():
        members.sort(key=lambda item: (_hash(f"{seed}|{item.facts}"), item.slot, item.wording))
        # The middle of each item's share: wherever the list is cut, the families stand in proportion.
        ranked += [((place + 0.5) / len(members), family, item) for place, item in enumerate(members)]
    ranked.sort(key=lambda row: row[:2])
    return [item for _, _, item in ranked[: limit if limit is not None else len(ranked)]]


def capped(items: Iterable[Item], caps: dict[str, int], seed: int) -> list[Item]:
    """Drop what is over a family's cap, chosen by a hash of the slot; a family without a cap stays whole."""
    by_family: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_family[item.family].append(item)
    chosen = []
    for family in by_family:
        # By slot, so that a cap keeps the wordings of a fact together.
        members = sorted(by_family[family], key=lambda item: (_hash(f"{seed}|{item.slot}"), item.wording))
        chosen += members[: caps.get(family, len(members))]
    return chosen


def unique(items: Iterable[Item]) -> list[Item]:
    """The items without those whose prompt stood before, compared without case and outer space."""
    seen: dict[str, Item] = {}
    for item in items:
        seen.setdefault(item.prompt.strip().lower(), item)
    return list(seen.values())


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
