"""A run's report as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from biorlhf.reports.headline import known
from biorlhf.reports.run import RunReport, figures, rows_of
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
            }
            for e in run.evaluations
        ],
        "by_stage": [change.to_json() for change in by_stage(run)],
        "metrics": [row.to_json() for row in (head.rows if head else rows_of(run))],
        "figures": figures(run),
        "problems": list(run.problems),
    }


def _made_by(run: RunReport) -> dict[str, Any]:
    """What has to be said beside the numbers: recipe, seed, when, on what."""
    kept = ("started", "git_commit", "hardware", "versions", "sampler")
    manifest = {key: run.manifest[key] for key in kept if key in run.manifest}
    return {"recipe": run.recipe.get("name"), "seed": run.recipe.get("seed"), **manifest}


def _left_out(reports: Mapping[str, Report]) -> dict[str, Any]:
    return {name: report["left_out"] for name, report in reports.items() if report.get("left_out")}
