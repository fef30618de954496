"""Does the policy still answer the question, or one thing to everything? Numbers of a step, and warnings.

A reward alone does not tell: a constant answer with the right base rate as its confidence earns more than an
honest beginner, and every number but these goes up while it takes over.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from biorlhf.ground_truth.forms import gold_answer, gradable, last_answer
from biorlhf.types import Question, ScoredGroup, StepMetrics
from biorlhf_plugins.trainers._rollout_metrics import stated_and_correct

#: Above this share of the answers, one answer is nearly all that is said.
MOST = 0.9
#: By how much it must outnumber itself in the truth: where most answers are NS, saying so is no collapse.
EXCESS = 0.3
#: Below this deviation between questions, one confidence is stated whatever is asked.
SPREAD = 0.01
#: Below this share of readable blocks, most of what is learnt is no longer what is asked for.
READ = 0.8
#: Above this share of groups without an advantage, few of those that were paid for teach anything.
SILENT = 0.7
#: Nats per token. Over the thirty to forty tokens of an answer, 0.01 is a third of a nat: of two answers to a
#: question, the second is the first again at least seven times in ten. Of the recorded runs (docs/results.md)
#: open_book_smol fell to 0.003 where its groups fell silent, and not below 0.012 where they did not.
ENTROPY = 0.01
#: In how many steps in a row, for a step has few questions.
IN_A_ROW = 5


#: The signs after which nothing is left of what was to be learnt. The others are also seen where everything
#: is known.
COLLAPSES = ("answer", "confidence", "block")


def signs(values: Mapping[str, float]) -> Iterator[tuple[str, bool, str]]:
    """What the numbers of a step can show: a name, whether it is seen, and what to say of it.

    ``{steps}`` stands there for how often in a row. What a step has no number of is left out.
    """
    if (share := values.get("commonest_answer_share")) is not None:
        truth = values.get("commonest_answer_truth_share", 0.0)
        yield (
            "answer",
            share > MOST and share - truth > EXCESS,
            f"collapsing: {share:.0%} of the answers are one and the same, right for {truth:.0%} of the "
            "questions, {steps}; a higher beta, a lower learning rate or more SFT keeps the others alive",
        )
    if (spread := values.get("confidence_spread")) is not None:
        yield (
            "confidence",
            spread < SPREAD,
            f"collapsing: the stated confidence differs by {spread:.3f} between questions, {{steps}}; a rate "
            "that falls, a higher beta or fewer steps keep it from being one figure whatever is asked",
        )
    if (read := values.get("block_read_share")) is not None:
        yield (
            "block",
            read < READ,
            f"collapsing: {read:.0%} of the answers have a block that is read, {{steps}}; a lower learning "
            "rate, a higher beta or more SFT keeps the form",
        )
    if (silent := values.get("zero_variance_share")) is not None:
        yield (
            "silence",
            silent > SILENT,
            f"{silent:.0%} of the groups had no advantage, {{steps}}: all answers to a question earn the "
            "same; where not all is known, more generations or a higher temperature",
        )
    if (entropy := values.get("entropy")) is not None:
        yield (
            "entropy",
            entropy < ENTROPY,
            f"the entropy is {entropy:.3f} nats per token, {{steps}}: answers to a question come out alike; "
            "where not all is known, a higher beta or a lower learning rate",
        )


@dataclass(slots=True)
class Watch:
    """What one stage watches for.

    ``truth_shares``: answer -> its share among the gold answers of the stage's questions, in [0, 1].
    ``in_a_row``: sign -> in how many steps in a row it was seen.
    """

    truth_shares: Mapping[str, float]
    in_a_row: Counter[str] = field(default_factory=Counter)

    @classmethod
    def over(cls, questions: Sequence[Question], before: Iterable[StepMetrics] = ()) -> Watch:
        """A watch over a stage's questions that has seen the steps ``before``."""
        gold = Counter(gold_answer(q.ground_truth).lower() for q in questions if gradable(q.ground_truth))
        watch = cls({answer: count / gold.total() for answer, count in gold.items()})
        for metrics in before:
            list(watch.warnings(metrics.values))
        return watch

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
        return any(self.in_a_row[name] >= IN_A_ROW for name in COLLAPSES)

    def warnings(self, values: Mapping[str, float]) -> Iterator[str]:
        """A word for each sign that ``IN_A_ROW`` steps have shown, this one the last of them.

        A step without the number, as of a single question, neither counts nor ends a row.
        """
        for name, seen, words in signs(values):
            self.in_a_row[name] = self.in_a_row[name] + 1 if seen else 0
            if self.in_a_row[name] >= IN_A_ROW:
                yield words.replace("{steps}", f"{self.in_a_row[name]} steps in a row")


def alarms(values: Mapping[str, float], mismatch_alarm: float, lag: int) -> Iterator[str]:
    """What a person should look at in one step alone."""
    mismatch = values.get("mismatch_kl", 0.0)
    if mismatch > mismatch_alarm and not lag:
        yield (
            f"sampler and learner disagree: KL {mismatch:.3g} nats per token, over mismatch_alarm = "
            f"{mismatch_alarm:g}; compare rollout.dtype with model.dtype"
        )
    idle = values.get("idle_learners", 0.0)
    if idle and values["trained_groups"] > 0:
        groups = f"{values['trained_groups']:.0f} groups"
        yield f"{idle:.0f} learners had nothing to do: only {groups} had an advantage"
    if values["trained_groups"] == 0:
        yield "no group had an advantage: nothing was learnt in this step"


def _mean_confidence(scored: ScoredGroup) -> float | None:
    pairs = [pair for reward in scored.rewards if (pair := stated_and_correct(reward))]
    stated = [confidence for confidence, _ in pairs if confidence is not None]
    return math.fsum(stated) / len(stated) if stated else None
