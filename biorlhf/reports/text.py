"""A run's report for a terminal of 80 columns: what it learnt in words, four numbers, curves."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

from biorlhf.reports.headline import Known, asked, known
from biorlhf.reports.plots import sparkline
from biorlhf.reports.run import (
    RunReport,
    diagram_of,
    few_risk_points,
    figures,
    load_run,
    show,
    show_difference,
    state,
)
from biorlhf.reports.stages import by_stage
from biorlhf.reports.words import sentences

WIDTH = 80


def summary_lines(run_folder: str | Path) -> list[str]:
    """The end of ``biorlhf run``: what it learnt in words, four numbers before and after, and the path."""
    run = load_run(run_folder)
    return [*head_lines(run), f"{state(run)}; run folder: {run.folder}"]


def report_lines(run: RunReport) -> list[str]:
    """``biorlhf report``, without the table of every number."""
    name = str(run.recipe.get("name") or run.folder.name)
    lines = [f"{name}  {state(run)}", *head_lines(run), *_stage_lines(run)]
    drawn = [line for curves in figures(run).values() for line in _curve_lines(curves)]
    if drawn:
        lines += ["", "training, first value to last", *drawn]
    return [*lines, *_reliability_lines(run), f"run folder: {run.folder}"]


def head_lines(run: RunReport) -> list[str]:
    """The paragraph and the four numbers; files that could not be read are named after them."""
    head = known(run)
    lines = [line for text in sentences(run, head) for line in ["", *textwrap.wrap(text, WIDTH)]][1:]
    lines += _tile_lines(head) if head else ()
    return [*lines, *(f"unreadable: {problem}" for problem in run.problems)]


def _tile_lines(head: Known) -> list[str]:
    lines = ["", *textwrap.wrap(asked(head), WIDTH)]
    for tile in head.tiles.values():
        before = f"before {show(tile.before)}, " if tile.before else ""
        lines.append(f"  {tile.name}: {tile.note}")
        if tile.after:
            lines.append(f"    {before}{'after ' if before else ''}{show(tile.after)}")
        if tile.difference:
            lines.append(f"    difference {show_difference(tile.difference)}: {tile.verdict}")
    return lines


def _stage_lines(run: RunReport) -> list[str]:
    """What each stage changed, where there is more than one."""
    changes = by_stage(run) if len(run.evaluations) > 2 else []
    lines = ["", "each stage against the one before, paired by question"] if changes else []
    for change in changes:
        lines.append(f"  {change.after} against {change.before}")
        for name, row in change.rows.items():
            values = " → ".join(f"{rate.value:.3f}" if rate else "  –  " for rate in row.rates)
            difference = f"{show_difference(row.difference)}  {row.verdict}" if row.difference else ""
            lines.append(f"    {name:20} {values}  {difference}".rstrip())
    return lines


def _curve_lines(curves: Mapping[str, list[tuple[int, float]]]) -> list[str]:
    lines = []
    for name, points in curves.items():
        values = [value for _, value in points]
        lines.append(f"  {_cut(name, 34):34} {values[0]:>9.4g} {sparkline(values, 23)} {values[-1]:.4g}")
    return lines


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _reliability_lines(run: RunReport) -> list[str]:
    lines = []
    last = run.evaluations[-1] if run.evaluations else None
    for name, report in last.reports.items() if last else ():
        rows = diagram_of(report)
        if rows and last:
            lines += ["", f"reliability, {last.when} ({name})"]
        for confidence, accuracy in rows:
            bar = "█" * round(14 * accuracy.value)
            lines.append(f"  stated {confidence:.2f}  right {show(accuracy)}  n={accuracy.n:<4} {bar}")
    points = few_risk_points(last) if last else []
    if points:
        wrong = ", ".join(f"{risk:.0%} of {coverage:.0%}" for coverage, risk in points)
        lines += ["", f"wrong among the surest answers: {wrong}"]
    return lines
