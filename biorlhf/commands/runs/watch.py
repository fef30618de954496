"""``biorlhf runs watch``: a run as its files tell, live, from another terminal or another machine."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from biorlhf.commands.runs.listing import folders
from biorlhf.errors import InputError
from biorlhf.reports.plots import sparkline
from biorlhf.runs.folder import METRICS, no_run, read_metrics, read_run
from biorlhf.runs.progress import SHOWN, duration
from biorlhf.runs.watching.progress_file import is_live, read_progress

if TYPE_CHECKING:
    from rich.console import RenderableType

EVERY_S = 1.0
WIDTH = 30


def newest(place: Path) -> Path:
    """The newest run in a folder. Raises ``InputError`` where there is none."""
    found = folders(place)
    if not found:
        raise InputError(str(place), "no run here", "a folder of runs, or a run")
    return found[0]


def follow(folder: Path) -> None:
    """Show the run until it ends; in a pipe, a line for each change."""
    from rich.live import Live

    from biorlhf.runs.watching.terminal import Terminal

    if not (folder / "recipe.yaml").is_file():
        raise no_run(folder)
    console = Terminal()
    if not console.is_terminal:
        _lines(folder)
        return
    with Live(console=console, refresh_per_second=4) as live:
        while True:
            live.update(view(folder))
            if not is_live(folder):
                return
            time.sleep(EVERY_S)


def _lines(folder: Path) -> None:
    said = ""
    while True:
        text = status(folder)
        if text != said:
            print(text, flush=True)
            said = text
        if not is_live(folder):
            return
        time.sleep(EVERY_S)


def status(folder: Path) -> str:
    """One line: ``quickstart-…: grpo 4/10, reward 0.31, 2:10 left``."""
    progress = read_progress(folder)
    if not is_live(folder, progress):
        return f"{folder.name}: {'complete' if read_run(folder).finished else 'stopped'}"
    left = progress.get("left_s")
    rows, _ = read_metrics(folder / METRICS)
    numbers = [f"{name} {rows[-1][name]:.4g}" for name in SHOWN if rows and name in rows[-1]]
    time_left = [f"{duration(left)} left"] if left is not None else []
    # Between its folder and its first step a run has said nothing yet.
    done = f"{progress['phase']} {progress.get('done')}/{progress.get('total')}" if progress else "starting"
    return f"{folder.name}: {', '.join([done, *numbers, *time_left])}"


def view(folder: Path) -> RenderableType:
    """A bar, the numbers that a person watches with their way so far, and the last warnings."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    progress = read_progress(folder)
    rows, _ = read_metrics(folder / METRICS)
    total, done = int(progress.get("total") or 0), int(progress.get("done") or 0)
    parts: list[Any] = [Text(status(folder), style="bold"), ProgressBar(total=max(total, 1), completed=done)]
    parts += [Text(line) for line in _numbers(rows)]
    warnings = [text for row in rows[-20:] for text in row.get("warnings") or ()]
    parts += [Text(f"warning: {text}", style="yellow") for text in warnings[-3:]]
    parts.append(Text("Ctrl-C leaves; the run goes on", style="dim"))
    return Group(*parts)


def _numbers(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    # Of the stage that runs: a loss of SFT and one of GRPO are two things.
    stage = [row for row in rows if row["stage"] == rows[-1]["stage"]]
    lines = []
    for name in SHOWN:
        values = [float(row[name]) for row in stage if name in row]
        if values:
            lines.append(f"  {name:12} {sparkline(values, WIDTH):{WIDTH}} {values[-1]:.4g}")
    return lines
