"""Does the policy hold what it does not state? How likely it found its own words, against right and wrong.

Language models often give their right answers a higher probability than their wrong ones (Kadavath et al.
2022), whatever confidence they write down. These numbers say whether that knowledge is there to be taught as
a stated confidence. They never earn a reward, and are no forecast: a likelihood has no calibration.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from biorlhf import Completion, EvaluatorPlugin, Group, Reward, hookimpl
from biorlhf.statistics.assessment import apart, assess
from biorlhf_plugins.evaluators import _judgement

KEPT = ("auroc", "surest_half_wrong")


def likelihood(completion: Completion) -> float | None:
    """exp of the mean log-probability of the completion's tokens under the policy that sampled it, in (0, 1]:
    the geometric mean of their probabilities, so that a long answer is not unlikely for being long. None
    where the sampler gave none, or one that is no number."""
    logprobs = completion.logprobs
    mean = math.fsum(logprobs) / len(logprobs) if logprobs else math.nan
    return math.exp(min(0.0, mean)) if math.isfinite(mean) else None


class Likelihood:
    """AUROC and the surer half's error by the likelihood of each given answer, as ``calibration`` has them by
    what is stated; and the mean likelihood, on taught facts minus on the others too."""

    def __init__(self, names: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.names = names or {}

    def evaluate(self, groups: Sequence[tuple[Group, Sequence[Reward]]]) -> Mapping[str, Any]:
        completions = [completion for group, _ in groups for completion in group.completions]
        rows = list(_judgement.judged(groups, self.names))
        held = [
            (row, value)
            for row, completion in zip(rows, completions, strict=True)
            if row.correct is not None
            and not row.abstained
            and not completion.truncated  # what loops to the limit is likely, and no answer
            and (value := likelihood(completion)) is not None
        ]
        given = sum(row.correct is not None and not row.abstained for row in rows)
        clusters = [row.cluster for row, _ in held]
        values = [value for _, value in held]
        assessment = assess(values, [float(row.correct or 0) for row, _ in held], clusters)
        parts = [(row, value) for row, value in held if row.question.taught is not None]
        gap = apart(
            [value for _, value in parts],
            [bool(row.question.taught) for row, _ in parts],
            [row.cluster for row, _ in parts],
        )
        rates = {name: assessment.rates[name].to_json() for name in KEPT if name in assessment.rates}
        if "mean_confidence" in assessment.rates:
            rates["likelihood"] = assessment.rates["mean_confidence"].to_json()
        left_out = {name: assessment.left_out[name] for name in KEPT if name in assessment.left_out}
        if not held:
            left_out = dict.fromkeys(KEPT, "no whole, judged answer came with log-probabilities")
        return {
            "answers_given": given,
            "with_likelihood": len(held),
            **rates,
            **({"taught_minus_untaught": gap.to_json()} if gap else {}),
            "left_out": left_out,
            "answers": _judgement.answers([row for row, _ in held], {"likelihood": values}),
        }


@hookimpl
def biorlhf_evaluators():
    yield EvaluatorPlugin(
        name="likelihood",
        summary="how likely the policy found its right and its wrong answers, whatever it states",
        config=_judgement.NamesSettings,
        build=lambda config: Likelihood(config.names),
    )
