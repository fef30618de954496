"""How often a policy is right where it states a confidence, measured on questions that it was not trained on.

On what it was trained on, a policy is surer than it can be elsewhere; so what an answer is worth is looked up
among answers to the validation split that stated about the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from biorlhf.errors import InputError


@dataclass(frozen=True, slots=True)
class Level:
    """Answers that stated about the same: from which confidence on (0 to 1), how many, how many right."""

    lowest: float
    answers: int
    right: int

    @property
    def share(self) -> float:
        """p as so few answers allow to expect it: the mean under Jeffreys' prior."""
        return (self.right + 0.5) / (self.answers + 1)


@dataclass(frozen=True, slots=True)
class Reliability:
    """Levels by rising confidence, with rising shares of right answers."""

    levels: tuple[Level, ...]

    def __call__(self, confidence: float) -> float:
        """What answers that stated this were worth, from 0 to 1."""
        at = bisect_right([level.lowest for level in self.levels], confidence) - 1
        return self.levels[max(at, 0)].share


def reliability(stated: Iterable[tuple[float, int]]) -> Reliability:
    """From (confidence, right: 1 or 0) of each answer. Neighbouring levels are joined until more confidence
    never means fewer right answers (isotonic regression by pooling adjacent violators).

    Raises:
        InputError: there is no answer.
    """
    levels: list[Level] = []
    for confidence, answers in groupby(sorted(stated), key=lambda pair: pair[0]):
        rights = [right for _, right in answers]
        levels.append(Level(confidence, len(rights), sum(rights)))
        while len(levels) > 1 and levels[-2].share >= levels[-1].share:
            one, two = levels[-2:]
            levels[-2:] = [Level(one.lowest, one.answers + two.answers, one.right + two.right)]
    if not levels:
        raise InputError(
            "confidence: measured",
            "no answer to the validation split states a confidence and can be judged",
            "such answers: a dataset with a validation split, after a stage that teaches to state one",
            hint="set validation_fraction of the dataset above 0",
        )
    return Reliability(tuple(levels))
