"""``biorlhf report``: what a run learnt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biorlhf.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biorlhf.reports.run import RunReport
    from biorlhf.runs.terminal import Terminal
    from biorlhf.statistics.intervals import Rate
    from biorlhf.statistics.paired import Row

DETAILS = ("accuracy_clustered", "within_bins")


def report(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the report as one HTML file.")] = None,
) -> None:
    """Show what a run learnt: before and after with intervals, training curves, reliability."""
    from biorlhf.reports.run import load_run, to_json

    loaded = load_run(run)
    for problem in loaded.problems if as_json or html is not None else ():
        typer.echo(f"unreadable: {problem}", err=True)
    if html is not None:
        _write_page(loaded, html)
    if as_json:
        typer.echo(json.dumps(to_json(loaded), ensure_ascii=False, allow_nan=False))
    elif html is None:
        _print(loaded)
    if html is not None:
        typer.echo(f"report: {html}", err=as_json)


def _write_page(run: RunReport, path: Path) -> None:
    from biorlhf.reports.page import page

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(run), encoding="utf-8")
    except OSError as error:
        raise InputError("--html", f"{path} cannot be written: {error.strerror}") from None


def _print(run: RunReport) -> None:
    from biorlhf.reports import run as report
    from biorlhf.reports.plots import sparkline
    from biorlhf.runs.terminal import Terminal

    console = Terminal(highlight=False)
    console.print(f"{run.recipe.get('name') or run.folder.name}  {report.state(run)}", markup=False)
    for problem in run.problems:
        console.print(f"unreadable: {problem}", markup=False)
    if run.evaluations:
        whens = [evaluation.when for evaluation in run.evaluations]
        print_rows(console, report.rows_of(run), whens)
    else:
        console.print("no evaluation: nothing was measured on held-out questions")
    for figure, curves in report.figures(run).items():
        for name, points in curves.items():
            values = [value for _, value in points]
            text = f"{figure}, {name}: {values[0]:.4g} {sparkline(values)} {values[-1]:.4g}"
            console.print(text, markup=False, soft_wrap=True)
    _print_reliability(console, run)
    console.print(f"run folder: {run.folder}", markup=False, soft_wrap=True)


def print_rows(console: Terminal, rows: Sequence[Row], heads: Sequence[str]) -> None:
    """A table of rates, one column an evaluation, with the paired difference of the last and the first.
    ``DETAILS``, and verifiers that never failed, are left to ``--json`` and the HTML page."""
    from rich.markup import escape
    from rich.table import Table

    from biorlhf.reports.run import show_difference

    table = Table(box=None, pad_edge=False, title_justify="left")
    table.add_column("metric")
    for head in heads:
        table.add_column(escape(head), no_wrap=True)
    if len(heads) > 1:
        table.add_column("difference", no_wrap=True)
        table.add_column("")
    most = [max((r.n for row in rows if (r := row.rates[i])), default=0) for i in range(len(heads))]
    group = ""
    for row in rows:
        kind = row.metric.split(".")[-1]
        never = kind == "failure_rate" and not any(rate and rate.value for rate in row.rates)
        if kind in DETAILS or never:
            continue
        if row.evaluator != group:
            group = row.evaluator
            table.add_row(f"[bold]{escape(group)}[/]")
        cells = [f"  {row.metric}", *map(_cell, row.rates, most)]
        if len(heads) > 1:
            cells += [show_difference(row.difference), row.verdict]
        quiet = row.difference is not None and row.difference.is_noise
        table.add_row(*(escape(cell) for cell in cells), style="dim" if quiet else "")
    # A narrow terminal or a pipe gets whole numbers on long lines, never numbers cut short.
    width = console.measure(table, options=console.options.update(max_width=10_000)).maximum
    console.width = max(console.width, width)
    console.print(table)


def _cell(rate: Rate | None, most: int) -> str:
    """A rate, with its count where it rests on fewer answers than others of its evaluation."""
    from biorlhf.reports.run import show

    return show(rate) + (f" n={rate.n}" if rate and rate.n < most else "")


def _print_reliability(console: Terminal, run: RunReport) -> None:
    from biorlhf.reports.run import show
    from biorlhf.statistics.intervals import Rate

    for name, report in run.evaluations[-1].reports.items() if run.evaluations else ():
        rows = report.get("reliability_diagram") or ()
        if rows:
            console.print(f"reliability, {run.evaluations[-1].when} ({name}):", markup=False)
        for row in rows:
            accuracy = Rate(**{key: row["accuracy"][key] for key in ("value", "low", "high", "n")})
            bar = "█" * round(20 * accuracy.value)
            text = f"  stated {row['confidence']:.2f}  right {show(accuracy)}  n={accuracy.n:<4} {bar}"
            console.print(text, markup=False, soft_wrap=True)
