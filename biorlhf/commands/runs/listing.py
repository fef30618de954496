"""The rows of ``biorlhf runs``, and one run in full."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.filesize import decimal

from biorlhf.errors import InputError
from biorlhf.runs.folder import RECIPE, Run, read_run
from biorlhf.runs.progress import duration
from biorlhf.runs.watching.progress_file import is_live, read_progress
from biorlhf.statistics.intervals import Rate
from biorlhf.statistics.paired import rate_in

#: Where runs lie if a recipe does not say.
USUAL = Path("runs")


def folders(place: Path) -> list[Path]:
    """The runs in a folder, the newest first.

    Raises:
        InputError: what was named is no folder, or a run itself. The usual one may not be there yet.
    """
    if place.exists() and not place.is_dir():
        raise InputError("--folder", f"{place} is a file", "a folder of runs")
    if (place / RECIPE).is_file():
        raise InputError("--folder", f"{place} is a run itself", f"the folder of runs: {place.parent}")
    if not place.exists() and place != USUAL:
        near = {str(path.parent.parent) for path in place.parent.glob(f"*/*/{RECIPE}")}
        raise InputError("--folder", f"no such folder: {place}", choices=near, name=str(place))
    found = [path.parent for path in place.glob(f"*/{RECIPE}")]
    # The recipe is written once, at the start; a folder's own time changes with every file in it.
    return sorted(found, key=lambda path: (path / RECIPE).stat().st_mtime, reverse=True)


def listing(place: Path) -> list[dict[str, Any]]:
    """One row a run; one that may not be read is named on stderr."""
    rows = []
    for folder in folders(place):
        try:
            rows.append(row(read_run(folder)))
        except OSError as error:
            print(f"unreadable: {error.filename or folder}: {error.strerror}", file=sys.stderr)
    return rows


def row(run: Run) -> dict[str, Any]:
    """A run in a line."""
    progress = read_progress(run.folder)
    live = is_live(run.folder, progress)
    last = run.metrics[-1] if run.metrics else {}
    return {
        "run": str(run.folder),
        "name": run.folder.name,
        "state": "complete" if run.finished else "running" if live else "stopped",
        "stage": str(last.get("stage") or (run.stages[0] if run.stages else "")),
        "step": int(last.get("step") or 0),
        "steps": int(progress.get("total") or 0) if progress.get("unit") == "step" else None,
        "phase": str(progress.get("phase") or "") if live else "",
        "left_s": progress.get("left_s") if live else None,
        "result": _result(run),
        "bytes": size(run.folder),
    }


def _result(run: Run) -> dict[str, float]:
    """Mean reward of the first and the last evaluation, as far as there are any."""
    own = [
        contents for name, contents in run.evaluations.items() if name == "start" or name.startswith("after-")
    ]
    values = [rate.value for contents in (own[:1] + own[1:][-1:]) if (rate := _reward(contents))]
    return dict(zip(("before", "after"), values, strict=False))


def _reward(evaluation: Mapping[str, Any]) -> Rate | None:
    node: Any = evaluation
    for key in ("evaluators", "reward", "reward"):
        node = node.get(key) if isinstance(node, Mapping) else None
    return rate_in(node)


def size(folder: Path) -> int:
    """Bytes in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def result_text(result: dict[str, float]) -> str:
    """``0.05 → 0.31``."""
    return " → ".join(f"{value:.2f}" for value in result.values()) or "-"


def print_listing(rows: Sequence[dict[str, Any]], place: Path) -> None:
    """A table that fits 80 columns."""
    if not rows:
        typer.echo(f"no run in {place}")
        return
    from rich.table import Table

    from biorlhf.runs.watching.terminal import Terminal

    table = Table(box=None, pad_edge=False)
    # Nothing is cut off where the terminal is narrow: it goes on below.
    table.add_column("run", overflow="fold", min_width=10)
    for name in ("state", "step", "left", "reward", "size"):
        table.add_column(name, overflow="fold")
    for one in rows:
        step = f"{one['stage']} {one['step']}" + (f"/{one['steps']}" if one["steps"] else "")
        left = duration(one["left_s"]) if one["left_s"] is not None else "-"
        cells = (one["name"], one["state"], step, left, result_text(one["result"]), decimal(one["bytes"]))
        table.add_row(*cells)
    Terminal(highlight=False).print(table, markup=False)


def details(folder: Path) -> dict[str, Any]:
    """One run, with what it learnt in words and the size of each part."""
    from biorlhf.reports.text import summary_lines

    run = read_run(folder)
    parts = {path.name: size(path) if path.is_dir() else path.stat().st_size for path in folder.iterdir()}
    return {
        **row(run),
        "stages": run.stages,
        "started": str(run.manifest.get("started") or ""),
        "base": str((run.settings.get("model") or {}).get("base") or ""),
        "parts": dict(sorted(parts.items())),
        "summary": summary_lines(folder),
    }


def print_details(found: dict[str, Any]) -> None:
    """The same for a person, with the commands that come next."""
    for line in found["summary"]:
        typer.echo(line)
    typer.echo(f"\n{found['state']}; base {found['base']}; started {found['started']}")
    for name, count in found["parts"].items():
        typer.echo(f"  {name:16} {decimal(count):>10}")
    run = found["run"]
    following = {
        "complete": (f"biorlhf report {run} --html report.html", f"biorlhf generate {run}"),
        "running": (f"biorlhf runs watch {run}",),
        "stopped": (f"biorlhf run --resume {run}",),
    }
    for command in following[found["state"]]:
        typer.echo(f"next: {command}")
