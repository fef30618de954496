"""``biorlhf report``: what a run learnt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biorlhf.errors import InputError
from biorlhf.inputs.rows import check_output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biorlhf.reports.run import RunReport
    from biorlhf.runs.watching.terminal import Terminal
    from biorlhf.statistics.intervals import Rate
    from biorlhf.statistics.paired import Row

DETAILS = ("accuracy_clustered", "within_bins")


def report(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    every: Annotated[bool, typer.Option("--all", help="Every number, not the main ones alone.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the report as one HTML file.")] = None,
) -> None:
    """Show what a run learnt: in words first, then before and after with intervals, and curves."""
    from biorlhf.reports.run import load_run
    from biorlhf.reports.summary import to_json

    if html is not None:
        check_output("--html", html, (".html", ".htm"))
    loaded = load_run(run)
    for problem in loaded.problems if as_json or html is not None else ():
        typer.echo(f"unreadable: {problem}", err=True)
    if html is not None:
        _write_page(loaded, html)
    if as_json:
        typer.echo(json.dumps(to_json(loaded), ensure_ascii=False, allow_nan=False))
    elif html is None:
        _print(loaded, every)
    if html is not None:
        typer.echo(f"report: {html}", err=as_json)


def _write_page(run: RunReport, path: Path) -> None:
    from biorlhf.reports.page import page

    text = page(run)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError("--html", f"{path} cannot be written: {error.strerror}") from None


def _print(run: RunReport, every: bool) -> None:
    from biorlhf.reports.run import rows_of
    from biorlhf.reports.text import report_lines

    for line in report_lines(run):
        typer.echo(line)
    if not run.evaluations:
        return
    if not every:
        typer.echo("every number: biorlhf report RUN --all; as a page: --html report.html")
        return
    from biorlhf.runs.watching.terminal import Terminal

    print_rows(Terminal(highlight=False), rows_of(run), [evaluation.when for evaluation in run.evaluations])


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
    shown = [row for row in rows if not _is_detail(row)]
    group = ""
    for row in shown:
        if row.evaluator != group:
            group = row.evaluator
            table.add_row(f"[bold]{escape(group)}[/]")
        cells = [f"  {row.metric}", *map(_cell, row.rates, most)]
        if len(heads) > 1:
            cells += [show_difference(row.difference), row.verdict]
        quiet = row.difference is not None and row.difference.is_noise
        table.add_row(*(escape(cell) for cell in cells), style="dim" if quiet else "")
    width = console.measure(table, options=console.options.update(max_width=10_000)).maximum
    if console.is_terminal and width > console.width:
        _print_stacked(console, shown, heads, most)
        return
    # A pipe gets whole numbers on long lines, never numbers cut short.
    console.width = max(console.width, width)
    console.print(table)


def _is_detail(row: Row) -> bool:
    kind = row.metric.split(".")[-1]
    return kind in DETAILS or (kind == "failure_rate" and not any(rate and rate.value for rate in row.rates))


def _print_stacked(console: Terminal, rows: Sequence[Row], heads: Sequence[str], most: Sequence[int]) -> None:
    """The same below each other, for a terminal that is too narrow for the table."""
    from biorlhf.reports.run import show_difference

    for row in rows:
        console.print(f"{row.evaluator}: {row.metric}", style="bold", markup=False)
        for head, rate, count in zip(heads, row.rates, most, strict=True):
            console.print(f"  {head:16} {_cell(rate, count)}", markup=False)
        if row.difference is not None:
            text = f"  {'difference':16} {show_difference(row.difference)}: {row.verdict}"
            console.print(text, markup=False)


def _cell(rate: Rate | None, most: int) -> str:
    """A rate, with its count where it rests on fewer answers than others of its evaluation."""
    from biorlhf.reports.run import show

    return show(rate) + (f" n={rate.n}" if rate and rate.n < most else "")
