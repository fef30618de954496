"""Credits of gold slots and of claims, with the lines that explain them to a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from biorlhf_plugins.language.records import Claim
from biorlhf_plugins.truth.credits import FEW, MANY, OPEN_GUESS, RIGHT, shared

Line = dict[str, Any]


@dataclass(slots=True)
class Graded:
    """Credits of the gold slots and of the claims, with lines that explain them."""

    credits: list[float] = field(default_factory=list)
    claims: list[float] = field(default_factory=list)
    guesses: list[float] = field(default_factory=list)
    matched: list[Line] = field(default_factory=list)
    missed: list[Line] = field(default_factory=list)
    wrong: list[Line] = field(default_factory=list)
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

    def settle(self, expected: str, told: Sequence[tuple[float, Line]], rivals: int) -> None:
        """Enter what a text tells for one slot, each with its credit: ``rivals`` candidates, of which some
        may have no line. The guess of the slot is entered before."""
        for credit, line in told:
            self.claims.append(credit)
            (self.matched if credit >= RIGHT else self.wrong).append(line)
        self.claims.extend([0.0] * ((max(rivals, MANY) if rivals >= FEW else rivals) - len(told)))
        best = max((credit for credit, _ in told), default=0.0)
        self.credits.append(shared(best, rivals, self.guesses[-1]))
        self.answered = self.answered or bool(told)
        if best < RIGHT:
            self.missed.append({"expected": expected})

    def weigh(self, details: Sequence[float]) -> None:
        """An overall direction and its parts weigh one half each."""
        # Or ten missions would outvote the one answer that was asked for.
        if details and self.primary:
            self.credits = [sum(self.primary) / len(self.primary), sum(details) / len(details)]

    def charge(self, lines: Sequence[Line]) -> None:
        """Lower the penalty by what is wrong beside the answers."""
        self.wrong.extend(lines)
        good = max(1, sum(credit > 0 for credit in self.credits))
        self.penalty *= good / (good + len(lines))


def right(graded: Graded) -> bool:
    """Is a graded part right as a whole?"""
    # The overall direction decides: one wrong mission beside it does not make the answer wrong.
    if graded.primary:
        return all(credit == 1 for credit in graded.primary)
    # Precision as well: the right figure among wrong ones is no answer.
    return bool(graded.credits) and min(graded.credits) >= RIGHT and graded.precision >= RIGHT


def line(expected: str, claim: Claim, why: str = "") -> Line:
    shown = claim.label if claim.label is not None else _figure(claim)
    place = " ".join(str(x) for x in (claim.slot.entity, claim.slot.treatment, claim.slot.condition) if x)
    line: Line = {
        "expected": expected,
        "found": f"{place}: {shown}" if place else shown,
        "where": list(claim.span),
    }
    return {**line, "why": why} if why else line


def _figure(claim: Claim) -> str:
    if claim.low is not None and claim.high is not None:
        return f"{claim.low:g} to {claim.high:g}"
    return f"{claim.value:g}" if claim.value is not None else ""


def spans(lines: Iterable[Line]) -> list[list[int]]:
    return [line["where"] for line in lines if "where" in line]
