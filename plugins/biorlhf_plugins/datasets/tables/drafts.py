"""One question before it is written: what it asks, its gold, a wrong answer, and each split's wordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from biorlhf_plugins.datasets.tables.phrases import Row
from biorlhf_plugins.datasets.tables.slots import SHARES

MOST_OF_A_FAMILY = 10_000
"""Beside the directions, of which every row has one: more of a kind teach nothing new."""

KINDS = {
    "direction": "factual", "figure": "factual", "enrichment": "factual", "ranking": "reasoning",
    "top": "reasoning", "comparison": "reasoning", "false_premise": "calibration",
    "not_tested": "calibration",
}  # fmt: skip
"""The category under which the accuracy of a family is reported."""


class Pair(Protocol):
    """One sentence in two wordings: [0] for training, [1] for the other splits."""

    def __getitem__(self, wording: int, /) -> str: ...


@dataclass(frozen=True, slots=True)
class Draft:
    """A question about one row or several, which lie in one split.

    Attributes:
        family: what a lab may leave out. shown_family: the same more closely: "not_significant".
        wording: key of :data:`WORDINGS`; set from the family where they are one.
        slot: its name, unique within the lab.
        bits: drawn from the slot; they choose wording and confidence.
        gold: the right sentence, without capital and full stop: for training, and for the other splits.
        wrong: (the same of a wrong answer, what stands behind its "Answer:"); None where there is none.
        words: for the wording's places, beside those of the first row.
        levels: confidences, in percent.
    """

    family: str
    shown_family: str
    slot: str
    rows: tuple[Row, ...]
    bits: int
    truth: Mapping[str, Any]
    gold: Pair
    wrong: tuple[Pair, str] | None
    words: Mapping[str, str]
    difficulty: str
    levels: tuple[int, ...]
    unanswerable: bool

    @property
    def wording(self) -> str:
        return self.shown_family if self.shown_family in WORDINGS else self.family


class Budget:
    """How many items of a family a split may still have, where the lab gives a limit."""

    def __init__(self, limits: Sequence[int | None]) -> None:
        self.most = {
            (name, split): MOST_OF_A_FAMILY if limit is None else int(share * limit)
            for split, limit in enumerate(limits)
            for name, share in SHARES.items()
        }

    def takes(self, family: str, split: int) -> bool:
        # Which rows are kept for "direction" was decided with the splits.
        if (family, split) not in self.most:
            return True
        self.most[family, split] -= 1
        return self.most[family, split] >= 0


Wordings = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
WORDINGS: dict[str, Wordings] = {
    "direction": (
        (
            "In {where}, is {subject} up, down or not significantly changed in {num} relative to {den}, "
            "{rule}?",
            "Relative to {den}, how does {subject} stand in {num} in {where}, {rule}: up, down, or neither?",
            "When {num} is set against {den}, which way does {subject} go in {where}, if it changes at all "
            "{rule}?",
            "{Rule}, does {subject} change in {where} for {num} against {den}: up, down or not at all?",
        ),
        ("{Rule}, does {subject} differ between {num} and {den} in {where}, and is it then up or down?",),
        ("What does comparing {num} with {den} say of {subject} in {where}, {rule}: up, down or neither?",),
    ),
    "figure": (
        (
            "What is the {quantity} of the {noun} {name} in {num} relative to {den} in {where}?",
            "In {where}, by what {quantity} does the {noun} {name} differ in {num} from {den}?",
        ),
        ("State the {quantity} of the {noun} {name} for {num} against {den} in {where}.",),
        ("Which {quantity} do the results give for the {noun} {name} in {where}, comparing {num} with "
         "{den}?",),
    ),
    "false_premise": (
        (
            "A draft says that {subject} is {said}, and not {other}, in {num} relative to {den} in {where}. "
            "Is that so, {rule}?",
            "Somebody asks why {subject} is {said} rather than {other} in {num} relative to {den} in "
            "{where}. Is the premise right, {rule}?",
        ),
        ("Is it right to write that {subject} goes {said}, not {other}, in {num} against {den} in {where}, "
         "{rule}?",),
        ("A reader takes it that, comparing {num} with {den} in {where}, {subject} is {said} and not "
         "{other}. Do the data bear that out, {rule}?",),
    ),
    "unanswerable_gene": (
        (
            "Is the protein that {subject} encodes up, down or unchanged in {num} relative to {den} in "
            "{where}?",
        ),
        ("At the level of protein, does the product of {subject} go up or down in {num} against {den} in "
         "{where}?",),
        ("Comparing {num} with {den} in {where}, is there more or less protein made from {subject}?",),
    ),
    "unanswerable_pathway": (
        (
            "By how many percent does the mean expression of the genes in {subject} differ in {num} from "
            "{den} in {where}?",
        ),
        ("How large, in percent, is the change of the average gene of {subject} in {num} against {den} in "
         "{where}?",),
        ("Comparing {num} with {den} in {where}, what is the percentage by which the genes of {subject} "
         "change on average?",),
    ),
    "enrichment": (
        (
            "In {where}, is {subject} enriched among the genes {list}?",
            "Among the genes {list} in {where}, is {subject} over-represented?",
            "Do the genes {list} in {where} hold more of {subject} than chance would give?",
        ),
        ("Is {subject} significantly over-represented among the genes {list} in {where}?",),
        ("Does a test of over-representation find {subject} enriched among the genes {list} in {where}?",),
    ),
    "enrichment_of_two": (
        ("Among the genes {list} in {where}, which of the two gene sets is enriched: {first} or {second}?",),
        ("Which gene set is over-represented among the genes {list} in {where}: {first} or {second}?",),
        ("Of {first} and {second}, which gene set is enriched among the genes {list} in {where}?",),
    ),
    "ranking": (
        ("Order {names} by their {quantity} in {num} relative to {den} in {where}, highest first.",),
        ("Sort {names} from the highest to the lowest {quantity}, for {num} against {den} in {where}.",),
        ("Comparing {num} with {den} in {where}, in which order do {names} come when the highest {quantity} "
         "goes first?",),
    ),
    "top": (
        ("Which of {names} has the {extreme} {quantity} in {num} relative to {den} in {where}?",),
        ("Name the one of {names} whose {quantity} is the {extreme}, for {num} against {den} in {where}.",),
        ("Comparing {num} with {den} in {where}, {names} have different values: whose {quantity} is the "
         "{extreme}?",),
    ),
    "first": (
        ("Of all {noun}s that change {rule}, which has the {extreme} {quantity} in {num} relative to {den} "
         "in {where}?",),
        ("Name the {noun} with the {extreme} {quantity} of all that differ {rule}, for {num} against {den} "
         "in {where}.",),
        ("Comparing {num} with {den} in {where}, which {noun} stands at the {extreme} {quantity}, counting "
         "changes {rule}?",),
    ),
    "comparison": (
        (
            "Does {subject} change {rule}, and the same way, in both of these: {first}; {second}?",
            "Two comparisons: {first}, and {second}. {Rule}, does {subject} change in both of them, and in "
            "one direction?",
        ),
        ("{Rule}, is {subject} up in both, or down in both, when {first} is set beside {second}?",),
        ("Do {first} and {second} agree on {subject}: two changes of the same sign, {rule}?",),
    ),
}  # fmt: skip
"""Per family: for training, for validation, for the test."""
