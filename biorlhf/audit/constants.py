"""What a constant answer earns, beside an honest guess that knows no more than the shares of the classes.

Of questions with the same form (the same choices), p is the share of the commonest right answer. Who knows
nothing else does best by giving that answer with the confidence p, and then earns on average

    p                  from a verifier that pays 1 for right and 0 for wrong (V1, V2)
    (1 + p²)/2         from the bounded rule of confidence (V4)

No constant may earn more: with any other confidence it earns less, and a wording that earned more would be
read wrongly. That a constant of the commonest class may earn more than an abstention is no fault, and cannot
be otherwise: the base rate is knowledge, and an abstention gives it away.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from biorlhf.ground_truth import block, slots
from biorlhf.ground_truth.forms import CANNOT
from biorlhf.types import Question, Reward

CONFIDENCES = (0, 25, 50, 75, 100)
FEWEST = 10
"""Questions of one form below which shares say nothing."""

EPSILON = 1e-6
Rewards = Callable[[Iterable[Sequence[tuple[Question, str]]]], Iterator[Sequence[Reward]]]


@dataclass(frozen=True, slots=True)
class Constant:
    """The best constant of one form of question for one verifier.

    ``share`` is how often it is right; ``mean`` what it earns with ``confidence`` (percent), ``bound`` what
    the honest guess earns, ``abstention`` what declining earns. It pays where the mean is above the bound.
    """

    form: str
    questions: int
    answer: str
    share: float
    verifier: str
    confidence: int
    mean: float
    bound: float
    abstention: float

    @property
    def pays(self) -> bool:
        return self.mean > self.bound + EPSILON

    def to_json(self) -> dict[str, Any]:
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**values, "pays": self.pays}


def best_constants(questions: Sequence[Question], rewards: Rewards) -> list[Constant]:
    """For each form and verifier, the constant that earns most over all questions of the form.

    Args:
        questions: in block form (with an ``instruction``).
        rewards: scores batches of (question, text), in order.
    """
    constants: list[Constant] = []
    for form, members in _forms(questions).items():
        shares = Counter(answer for _, answer in members)
        commonest = shares.most_common(1)[0][1] / len(members)
        abstained = _means([(q, block(CANNOT, 10)) for q, _ in members], rewards)
        best: dict[str, Constant] = {}
        for answer, count in sorted(shares.items()):
            # The share itself too: it is the most profitable confidence of a constant.
            for confidence in sorted({*CONFIDENCES, round(100 * count / len(members))}):
                means = _means([(q, block(answer, confidence)) for q, _ in members], rewards)
                for name, mean in means.items():
                    bound = _bound(name, commonest)
                    if bound is None:
                        continue
                    one = Constant(
                        form, len(members), answer, count / len(members), name, confidence, mean, bound,
                        abstained.get(name, math.nan),
                    )  # fmt: skip
                    if name not in best or mean > best[name].mean:
                        best[name] = one
        constants += best.values()
    return constants


def _forms(questions: Sequence[Question]) -> dict[str, list[tuple[Question, str]]]:
    """Form -> (question, its right answer), of questions with one slot of closed choices."""
    forms: dict[str, list[tuple[Question, str]]] = defaultdict(list)
    for question in questions:
        asked = slots(question.ground_truth)
        if len(asked) == 1 and asked[0].choices and isinstance(asked[0].value, str):
            forms[" / ".join(asked[0].choices)].append((question, asked[0].value))
    return {form: members for form, members in sorted(forms.items()) if len(members) >= FEWEST}


def _bound(verifier: str, p: float) -> float | None:
    """What the honest guess earns; None for a verifier that does not judge by the ground truth's answer."""
    return {"factual": p, "pathway": p, "uncertainty": (1 + p * p) / 2}.get(verifier)


def _means(pairs: Sequence[tuple[Question, str]], rewards: Rewards) -> Mapping[str, float]:
    values_of: dict[str, list[float]] = defaultdict(list)
    for batch in rewards([pairs]):
        for reward in batch:
            for name, score in reward.scores.items():
                if score.value is not None:
                    values_of[name].append(score.value)
    return {name: math.fsum(values) / len(values) for name, values in values_of.items()}
