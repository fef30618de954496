"""Does the stated confidence mean what it says? The numbers are explained in docs/calibration.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from biorlhf import EvaluatorPlugin, Group, Reward, hookimpl
from biorlhf.statistics.assessment import apart, assess
from biorlhf.statistics.intervals import share
from biorlhf_plugins.evaluators import _judgement


class Calibration:
    """Every number of ``statistics.assessment``, over answers that can be judged and state a confidence.

    An abstention is no forecast about an answer: it is counted, and left out of the calibration.
    """

    def __init__(self, names: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.names = names or {}

    def evaluate(self, groups: Sequence[tuple[Group, Sequence[Reward]]]) -> Mapping[str, Any]:
        rows = list(_judgement.judged(groups, self.names))
        known = [row for row in rows if row.correct is not None]
        # An abstention forecasts nothing; counted as wrong, it would punish knowing one's limits.
        answered = [row for row in known if not row.abstained]
        stated = [row for row in answered if row.confidence is not None]
        assessment = assess(
            [float(row.confidence or 0.0) for row in stated],
            [float(row.correct or 0) for row in stated],
            [row.cluster for row in stated],
        )
        shares = {
            "coverage": share(len(stated), len(answered)),
            "abstained": share(sum(row.abstained for row in known), len(known)),
        }
        kept = [row for row in stated if row.question.taught is not None]
        known_apart = apart(
            [float(row.confidence or 0.0) for row in kept],
            [bool(row.question.taught) for row in kept],
            [row.cluster for row in kept],
        )
        left_out = dict(assessment.left_out)
        left_out |= {name: "no answer could be judged" for name, rate in shares.items() if rate is None}
        return {
            "answers_given": len(answered),
            "with_confidence": len(stated),
            "not_judged": len(rows) - len(known),
            "distinct_confidences": assessment.distinct_confidences,
            **{name: rate.to_json() for name, rate in shares.items() if rate},
            **{name: rate.to_json() for name, rate in assessment.rates.items()},
            **({"taught_minus_untaught": known_apart.to_json()} if known_apart else {}),
            **({"null_ece": assessment.null} if assessment.null else {}),
            "reliability_diagram": assessment.diagram,
            "risk_coverage": assessment.curve,
            "left_out": left_out,
            "answers": _judgement.answers(
                known,
                {
                    "confidence": [None if row.abstained else row.confidence for row in known],
                    "correct": [row.correct for row in known],
                    "coverage": [None if row.abstained else int(row.confidence is not None) for row in known],
                    "abstained": [int(row.abstained) for row in known],
                },
            ),
        }


@hookimpl
def biorlhf_evaluators():
    yield EvaluatorPlugin(
        name="calibration",
        summary="Brier score, ECE beside its null, AUROC, risk and coverage, reliability diagram",
        config=_judgement.NamesSettings,
        build=lambda config: Calibration(config.names),
    )
