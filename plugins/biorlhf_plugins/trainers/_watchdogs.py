"""Does the policy still answer the question, or one thing to everything? Numbers of a step, and warnings.

A reward alone does not tell: a constant answer with the right base rate as its confidence earns more than an
honest beginner, and every number but these goes up while it takes over.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from biorlhf.ground_truth.forms import gold_answer, gradable, last_answer
from biorlhf.types import Question, ScoredGroup
from biorlhf_plugins.trainers._rollout_metrics import stated_and_correct

#: Above this share of the answers, one answer is nearly all that is said.
MOST = 0.9
#: By how much it must outnumber itself in the truth: where most answers are NS, saying so is no collapse.
EXCESS = 0.3
#: In how many steps in a row, for a step has few questions.
IN_A_ROW = 5


@dataclass(slots=True)
class Watch:
    """What one stage watches for; it counts the steps in a row that look collapsed.

    ``truth_shares``: answer -> its share among the gold answers of the stage's questions, in [0, 1].
    """

    truth_shares: Mapping[str, float]
    in_a_row: int = 0

    @classmethod
    def over(cls, questions: Sequence[Question]) -> Watch:
        gold = Counter(gold_answer(q.ground_truth).lower() for q in questions if gradable(q.ground_truth))
        return cls({answer: count / gold.total() for answer, count in gold.items()})

    def metrics(self, groups_P: Sequence[ScoredGroup]) -> dict[str, float]:
        """Share of the commonest answer of a step, beside its share in the truth; and how far the stated
        confidence differs between questions (standard deviation of their means)."""
        answers = [last_answer(c.text).lower() for scored in groups_P for c in scored.group.completions]
        said = Counter(answer for answer in answers if answer)
        values: dict[str, float] = {}
        if said:
            commonest, count = said.most_common(1)[0]
            values["commonest_answer_share"] = count / said.total()
            values["commonest_answer_truth_share"] = self.truth_shares.get(commonest, 0.0)
        means = [mean for scored in groups_P if (mean := _mean_confidence(scored)) is not None]
        if len(means) > 1:
            middle = math.fsum(means) / len(means)
            values["confidence_spread"] = math.sqrt(math.fsum((m - middle) ** 2 for m in means) / len(means))
        return values

    @property
    def collapsed(self) -> bool:
        return self.in_a_row >= IN_A_ROW

    def warnings(self, values: Mapping[str, float], collapse: str) -> Iterator[str]:
        """A word once the answers of ``IN_A_ROW`` steps were one and the same, unless ``collapse`` is off."""
        share = values.get("commonest_answer_share", 0.0)
        truth = values.get("commonest_answer_truth_share", 0.0)
        alike = collapse != "off" and share > MOST and share - truth > EXCESS
        self.in_a_row = self.in_a_row + 1 if alike else 0
        if self.collapsed:
            yield (
                f"collapsing: {share:.0%} of the answers are one and the same, right for {truth:.0%} of the "
                f"questions, {self.in_a_row} steps in a row; a higher beta, a lower learning rate or more "
                "SFT keeps the others alive"
            )


def _mean_confidence(scored: ScoredGroup) -> float | None:
    pairs = [pair for reward in scored.rewards if (pair := stated_and_correct(reward))]
    stated = [confidence for confidence, _ in pairs if confidence is not None]
    return math.fsum(stated) / len(stated) if stated else None
