"""A run's report as plain JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from biorlhf.reports.headline import known
from biorlhf.reports.run import RunReport, few_risk_points, figures, rows_of
from biorlhf.reports.stages import by_stage
from biorlhf.reports.words import paragraph
from biorlhf.statistics.paired import Report


def to_json(run: RunReport) -> dict[str, Any]:
    """The report as plain JSON; docs/schemas/report.json describes it."""
    head = known(run)
    return {
        "folder": str(run.folder),
        "made_by": _made_by(run),
        "complete": run.finished,
        "stages": list(run.stages),
        "steps": len(run.metrics),
        "words": paragraph(run, head),
        "tiles": [tile.to_json() for tile in head.tiles.values()] if head else [],
        "evaluations": [
            {
                "when": e.when,
                "split": e.split,
                "questions": e.questions,
                "best_constant": dict(e.constant),
                "left_out": _left_out(e.reports),
                "distinct_confidences": (e.reports.get("calibration") or {}).get("distinct_confidences"),
                "risk_coverage": [{"coverage": x, "wrong": y} for x, y in few_risk_points(e)],
            }
            for e in run.evaluations
        ],
        "by_stage": [change.to_json() for change in by_stage(run)],
        "metrics": [row.to_json() for row in (head.rows if head else rows_of(run))],
        "figures": figures(run),
        "problems": list(run.problems),
    }


def _made_by(run: RunReport) -> dict[str, Any]:
    """What has to be said beside the numbers: recipe, seed, when, how long, on what.

    ``seconds``: of each stage and evaluation by the clock; ``seconds_a_step``: of each stage.
    """
    kept = ("started", "git_commit", "hardware", "versions", "sampler")
    found = {key: run.manifest[key] for key in kept if key in run.manifest}
    if run.finished_at:
        found["finished"] = run.finished_at
    if run.seconds:
        steps = Counter(row["stage"] for row in run.metrics)
        found["seconds"] = dict(run.seconds)
        each = {name: run.seconds[name] / steps[name] for name in steps if name in run.seconds}
        found["seconds_a_step"] = {name: round(value, 2) for name, value in each.items()}
    return {"recipe": run.recipe.get("name"), "seed": run.recipe.get("seed"), **found}


def _left_out(reports: Mapping[str, Report]) -> dict[str, Any]:
    return {name: report["left_out"] for name, report in reports.items() if report.get("left_out")}
