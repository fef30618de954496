"""What each stage changed: every evaluation beside the one before it, not beside the untrained model."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from biorlhf.reports.run import Evaluation, RunReport
from biorlhf.statistics.paired import Report, Row, compare

#: (evaluator, number) -> its name in words.
MAIN = {
    ("reward", "reward"): "reward",
    ("question_answering", "overall.accuracy"): "accuracy",
    ("question_answering", "overall.balanced_accuracy"): "balanced accuracy",
    ("calibration", "mean_confidence"): "confidence",
    ("calibration", "taught_minus_untaught"): "taught − untaught",
    ("calibration", "brier"): "Brier score",
    ("calibration", "brier_skill"): "Brier skill",
    ("calibration", "ece"): "calibration error",
    ("calibration", "auroc"): "AUROC",
    ("calibration", "surest_half_wrong"): "surer half wrong",
}
PARTS = ("taught", "untaught")
#: What is worth a line of its own for each part of the questions.
OF_A_PART = (("question_answering", "overall.accuracy"), ("calibration", "mean_confidence"))


@dataclass(frozen=True, slots=True)
class StageChange:
    """One stage: the names of the evaluations before and after it, and name -> number of both."""

    before: str
    after: str
    rows: Mapping[str, Row]

    @property
    def name(self) -> str:
        return self.after.removeprefix("after-")

    @property
    def moved(self) -> dict[str, str]:
        """Number -> verdict of each that changed beyond noise."""
        rows = self.rows.items()
        return {name: row.verdict for name, row in rows if row.difference and not row.difference.is_noise}

    def to_json(self) -> dict[str, Any]:
        return {
            "before": self.before,
            "after": self.after,
            "metrics": [{"name": name, **row.to_json()} for name, row in self.rows.items()],
        }


def by_stage(run: RunReport) -> list[StageChange]:
    """The main numbers of each evaluation but the first, with the paired difference to the one before."""
    return [
        StageChange(first.when, second.when, _rows(first, second))
        for first, second in itertools.pairwise(run.evaluations)
    ]


def _rows(first: Evaluation, second: Evaluation) -> dict[str, Row]:
    rows = {(r.evaluator, r.metric): r for r in compare([_main(first), _main(second)])}
    names = dict(MAIN)
    for part in PARTS:
        names |= {(f"{key[0]} ({part})", key[1]): f"{MAIN[key]}, {part}" for key in OF_A_PART}
    return {name: rows[key] for key, name in names.items() if key in rows}


def _main(evaluation: Evaluation) -> Mapping[str, Report]:
    wanted = {evaluator for evaluator, _ in MAIN}
    return {name: report for name, report in evaluation.reports.items() if name.partition(" (")[0] in wanted}
