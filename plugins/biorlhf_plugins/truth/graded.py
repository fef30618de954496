"""Credits of gold slots and of claims, with the lines that explain them to a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from biorlhf_plugins.language.records import Claim
from biorlhf_plugins.truth.credits import OPEN_GUESS, RIGHT


@dataclass(slots=True)
class Graded:
    """Credits of the gold slots and of the claims, with lines that explain them."""

    credits: list[float] = field(default_factory=list)
    claims: list[float] = field(default_factory=list)
    guesses: list[float] = field(default_factory=list)
    matched: list[dict[str, Any]] = field(default_factory=list)
    missed: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[dict[str, Any]] = field(default_factory=list)
    answered: bool = False
    penalty: float = 1.0
    primary: list[float] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return sum(self.credits) / len(self.credits) if self.credits else 0.0

    @property
    def precision(self) -> float:
        return sum(self.claims) / len(self.claims) if self.claims else 0.0

    @property
    def f1(self) -> float:
        whole = self.recall + self.precision
        return round(2 * self.recall * self.precision / whole, 12) if whole else 0.0

    @property
    def guess(self) -> float:
        return sum(self.guesses) / len(self.guesses) if self.guesses else OPEN_GUESS


def right(graded: Graded) -> bool:
    """Is a graded part right as a whole?"""
    # The overall direction decides: one wrong mission beside it does not make the answer wrong.
    if graded.primary:
        return all(credit == 1 for credit in graded.primary)
    # Precision as well: the right figure among wrong ones is no answer.
    return bool(graded.credits) and min(graded.credits) >= RIGHT and graded.precision >= RIGHT


def line(expected: str, claim: Claim, why: str = "") -> dict[str, Any]:
    shown = claim.label if claim.label is not None else _figure(claim)
    place = " ".join(str(x) for x in (claim.slot.entity, claim.slot.treatment, claim.slot.condition) if x)
    line: dict[str, Any] = {
        "expected": expected,
        "found": f"{place}: {shown}" if place else shown,
        "where": list(claim.span),
    }
    return {**line, "why": why} if why else line


def _figure(claim: Claim) -> str:
    if claim.low is not None and claim.high is not None:
        return f"{claim.low:g} to {claim.high:g}"
    return f"{claim.value:g}" if claim.value is not None else ""


def spans(lines: Iterable[dict[str, Any]]) -> list[list[int]]:
    return [line["where"] for line in lines if "where" in line]
