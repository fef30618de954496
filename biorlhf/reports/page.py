"""A run's report as one HTML file that needs nothing else: style, figures and Plotly stand inside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from biorlhf.inputs.extras import need
from biorlhf.reports import plots
from biorlhf.reports.answers import changes
from biorlhf.reports.headline import asked, known
from biorlhf.reports.run import (
    RunReport,
    diagram_of,
    figures,
    risk_points,
    rows_of,
    show,
    show_difference,
    state,
)
from biorlhf.reports.stages import by_stage
from biorlhf.reports.words import sentences
from biorlhf.statistics.paired import Row


def page(run: RunReport) -> str:
    """The whole report.

    Raises:
        ResourceError: Plotly or Jinja2 is not installed.
    """
    template = template_of("report.html.j2")
    offline = need("plotly.offline", "--html")
    head = known(run)
    text: str = template.render(
        title=str(run.recipe.get("name") or run.folder.name),
        state=state(run),
        folder=str(run.folder),
        problems=run.problems,
        words=sentences(run, head),
        asked=asked(head) if head else "",
        tiles=list(head.tiles.values()) if head else [],
        show=show,
        difference=show_difference,
        stages=by_stage(run) if len(run.evaluations) > 2 else [],
        reliability=reliability(run) | risk_coverage(run),
        curves=curves(run),
        changes=changes(run),
        heads=[evaluation.when for evaluation in run.evaluations],
        rows=[_cells(row) for row in (head.rows if head else rows_of(run))],
        left_out=_left_out(run),
        plotly=offline.get_plotlyjs(),
    )
    return text


def template_of(name: str) -> Any:
    """A template of this package, in which every text is escaped.

    Raises:
        ResourceError: Jinja2 is not installed.
    """
    jinja = need("jinja2", "--html")
    environment = jinja.Environment(
        loader=jinja.PackageLoader("biorlhf.reports", "templates"), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=jinja.StrictUndefined,
    )  # fmt: skip
    return environment.get_template(name)


def reliability(run: RunReport) -> dict[str, plots.Figure]:
    """Caption -> reliability diagram of the first and the last evaluation that have one, by evaluator."""
    drawn: dict[str, plots.Figure] = {}
    for evaluator in dict.fromkeys(name for e in run.evaluations for name in e.reports):
        reports = {e.when: e.reports.get(evaluator) or {} for e in run.evaluations}
        series = [
            (f"{when} ({report.get('with_confidence', '?')} answers)", rows)
            for when, report in reports.items()
            if (rows := diagram_of(report))
        ]
        if series:
            name, _, part = evaluator.partition(" (")
            name = "all questions" if evaluator == "calibration" else part.rstrip(")") or name
            drawn[f"Reliability, {name}"] = plots.reliability_diagram(dict([series[0], series[-1]]))
    return drawn


def risk_coverage(run: RunReport) -> dict[str, plots.Figure]:
    """Caption -> what is wrong among the surest answers after each evaluation, for all questions at once."""
    series = {e.when: points for e in run.evaluations if (points := risk_points(e))}
    return {"Wrong among the surest answers": plots.risk_coverage_chart(series)} if series else {}


def curves(run: RunReport) -> dict[str, plots.Figure]:
    """Caption -> chart of each figure that the run has numbers for."""
    return {name: plots.line_chart(lines) for name, lines in figures(run).items()}


def _cells(row: Row) -> Mapping[str, Any]:
    quiet = row.difference is None or row.difference.is_noise
    return {
        "evaluator": row.evaluator,
        "metric": row.metric,
        "rates": [(show(rate), rate.n if rate else 0) for rate in row.rates],
        "difference": show_difference(row.difference),
        "verdict": row.verdict,
        "noise": quiet,
    }


def _left_out(run: RunReport) -> Sequence[str]:
    if not run.evaluations:
        return ()
    return [
        f"{name}, {metric}: {reason}"
        for name, report in run.evaluations[-1].reports.items()
        for metric, reason in (report.get("left_out") or {}).items()
    ]
