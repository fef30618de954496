"""What a run learnt, as records for pages, tables and JSON. A run that is still going, or was cut short, is
reported as far as it came."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from biorlhf.errors import InputError
from biorlhf.reports.shapes import recipe_problem, whole_reports
from biorlhf.runs.folder import read_run
from biorlhf.statistics.differences import Difference
from biorlhf.statistics.intervals import Rate
from biorlhf.statistics.paired import Report, Row, compare, rate_in

Curve = list[tuple[int, float]]

# Figure -> the metrics of a step that it shows; `*` stands for a verifier's name.
FIGURES = {
    "Reward": ("reward",),
    "Score of each verifier": ("score.*",),
    "Share of the advantage": ("advantage_share.*",),
    "Share of the answers with a block that is read": ("block_read_share",),
    "Share of the answers that consistency judges": ("applied.consistency",),
    "Loss": ("loss",),
    "Margin of preference": ("margin",),
    "KL to the reference (nats)": ("kl",),
    "Entropy (nats)": ("entropy",),
    "Sampler against learner, KL (nats)": ("mismatch_kl",),
    "Tokens per completion": ("completion_tokens_mean", "completion_tokens_max"),
    "Shares": ("zero_variance_share", "truncated_share", "clip_share", "unscored_share"),
    "Stated confidence and correctness": ("confidence", "correct"),
    "Facts that were taught, and others": ("reward.*", "correct.*", "confidence.*"),
    # Above its share in the truth, or a spread of nothing: the policy no longer looks at the question.
    "One answer to everything?": (
        "commonest_answer_share",
        "commonest_answer_truth_share",
        "confidence_spread",
    ),
}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation: when, each evaluator's report, and what the best constant answer would earn."""

    when: str
    split: str
    questions: int
    reports: Mapping[str, Report]
    constant: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunReport:
    """A run as a report shows it; see :class:`biorlhf.runs.folder.Run` for the fields that both have.

    ``recipe`` is as it was written, unchecked. ``evaluations`` are those before and after the stages, in
    order; ``others`` were asked for later. ``seconds`` are those that each stage and evaluation took by the
    clock, restarts included, as far as the run kept them.
    """

    folder: Path
    recipe: Mapping[str, Any]
    manifest: Mapping[str, Any]
    metrics: tuple[Mapping[str, Any], ...]
    evaluations: tuple[Evaluation, ...]
    finished: bool
    stages: tuple[str, ...]
    others: tuple[Evaluation, ...] = ()
    problems: tuple[str, ...] = ()
    finished_at: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)


def load_run(folder: str | Path) -> RunReport:
    """Read a run's folder for a report; raises what :func:`biorlhf.runs.folder.read_run` does."""
    run = read_run(folder)
    order = ("start", *(f"after-{stage}" for stage in run.stages))
    known, problems = [], [*run.problems, *recipe_problem(run.settings)]
    for name, data in run.evaluations.items():
        reports, damage = whole_reports(name, data)
        problems += damage
        if reports:
            known.append(_evaluation(name, data, reports))
    own = tuple(evaluation for evaluation in known if evaluation.when in order)
    by_hand = tuple(evaluation for evaluation in known if evaluation.when not in order)
    return RunReport(
        folder=run.folder,
        recipe=run.settings,
        manifest=run.manifest,
        metrics=tuple(run.metrics),
        # A folder may hold only what was asked for by hand.
        evaluations=own or by_hand,
        finished=run.finished,
        stages=tuple(run.stages),
        others=by_hand if own else (),
        problems=tuple(problems),
        finished_at=str(run.summary.get("finished") or ""),
        seconds=run.seconds,
    )


def _evaluation(name: str, data: Mapping[str, Any], reports: Mapping[str, Report]) -> Evaluation:
    when, questions = str(data.get("when", name)), data.get("questions")
    count = questions if isinstance(questions, int) else 0
    constant = data.get("best_constant")
    constant = constant if isinstance(constant, Mapping) else {}
    return Evaluation(when, str(data.get("split", "")), count, reports, constant)


def rows_of(run: RunReport) -> list[Row]:
    """Every rate through the run's evaluations; the difference is last minus first, paired by question."""
    return compare([evaluation.reports for evaluation in run.evaluations])


def figures(run: RunReport) -> dict[str, dict[str, Curve]]:
    """Figure -> curve -> points (step of the whole run, value); one curve per metric and stage. A figure
    without numbers is absent."""
    curves_of: dict[str, dict[tuple[str, str], Curve]] = {}
    for place, row in enumerate(run.metrics, 1):
        for name, value in row.items():
            if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
                continue
            for figure, patterns in FIGURES.items():
                if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
                    curves = curves_of.setdefault(figure, {})
                    curves.setdefault((name, row["stage"]), []).append((place, float(value)))
    return {figure: _labelled(curves_of[figure]) for figure in FIGURES if figure in curves_of}


def _labelled(
    curves: Mapping[tuple[str, str], list[tuple[int, float]]],
) -> dict[str, list[tuple[int, float]]]:
    """Curves by the metric's name, with its stage where several stages have it."""
    names = [name for name, _ in curves]
    return {
        name if names.count(name) == 1 else f"{name}, {stage}": points
        for (name, stage), points in curves.items()
    }


def diagram_of(report: Mapping[str, Any]) -> list[tuple[float, Rate]]:
    """(stated confidence, share that is right) of each bin; rows that are not whole are left out."""
    found = []
    for row in _mappings(report.get("reliability_diagram")):
        confidence, rate = row.get("confidence"), rate_in(row.get("accuracy"))
        if isinstance(confidence, int | float) and rate is not None:
            found.append((float(confidence), rate))
    return found


#: The shares of the answers, surest first, that a few points of risk and coverage stand for.
KEPT = (0.25, 0.5, 0.75, 1.0)


def risk_points(evaluation: Evaluation) -> list[tuple[float, float]]:
    """(share of the answers that is kept, surest first; share of those that is wrong); none where no
    confidence was stated. Rows that are not whole are left out."""
    rows = (evaluation.reports.get("calibration") or {}).get("risk_coverage")
    pairs = [(row.get("coverage"), row.get("risk")) for row in _mappings(rows)]
    return [(x, y) for x, y in pairs if isinstance(x, int | float) and isinstance(y, int | float)]


def few_risk_points(evaluation: Evaluation) -> list[tuple[float, float]]:
    """Of :func:`risk_points` those from which on at least ``KEPT`` are kept: answers of one confidence are
    kept together."""
    points = risk_points(evaluation)
    found = (next((p for p in points if p[0] >= share - 1e-9), None) for share in KEPT)
    return list(dict.fromkeys(point for point in found if point is not None))


def _mappings(rows: Any) -> list[Mapping[str, Any]]:
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def show(rate: Rate | None) -> str:
    """``0.512 [0.467, 0.558]``, or a dash."""
    return f"{rate.value:.3f} [{rate.low:.3f}, {rate.high:.3f}]" if rate else "–"


def show_difference(difference: Difference | None) -> str:
    if difference is None:
        return "–"
    return f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"


def state(run: RunReport) -> str:
    """One line: how far the run came."""
    steps: dict[str, int] = {}
    for row in run.metrics:
        steps[row["stage"]] = max(steps.get(row["stage"], 0), row["step"])
    done = ", ".join(f"{stage} {step} steps" for stage, step in steps.items()) or "no step yet"
    return f"{'complete' if run.finished else 'not complete'}: {done}"


def evaluation_at(run: RunReport, when: str | None) -> Evaluation:
    """The named evaluation, or the last one.

    Raises:
        InputError: the run has none, or none of that name.
    """
    if not run.evaluations:
        raise InputError(str(run.folder), "this run has no evaluation to compare", "a file in evaluations/")
    if when is None:
        return run.evaluations[-1]
    every = [*run.evaluations, *run.others]
    named = [e for e in every if e.when == when]
    if not named:
        choices = [e.when for e in every]
        raise InputError(str(run.folder), f"no evaluation named {when!r}", choices=choices, name=when)
    return named[0]
