"""What ``biorlhf score`` shows: progress, the table of means, and one answer with its spans marked."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from rich.table import Table
from rich.text import Text

from biorlhf.reward.explanation import explain, spans
from biorlhf.runs.progress import duration
from biorlhf.runs.watching.terminal import Terminal
from biorlhf.scoring.pool import Summary, Tally
from biorlhf.scoring.rows import Row
from biorlhf.types import Reward

LINE_EVERY_S = 10.0
COLOURS = ("cyan", "magenta", "yellow", "blue")
GOOD = ("match", "correct", "right", "passed")
BAD = ("wrong", "contradict", "failed", "rival", "opposite", "violat", "unknown")


class RowProgress:
    """Rows done, rows per second and time left: a bar on a terminal, a line every ten seconds elsewhere."""

    def __init__(self, stream: TextIO, unit: str = "rows") -> None:
        self._stream, self._unit = stream, unit
        self._bar: Any = None
        self._total = self._done = 0
        self._began = self._printed = time.monotonic()

    def start(self, total: int) -> None:
        self._total = total
        self._began = self._printed = time.monotonic()
        if self._stream.isatty():
            from rich import progress

            self._bar = progress.Progress(
                progress.TextColumn("scoring"),
                progress.BarColumn(),
                progress.MofNCompleteColumn(),
                progress.TextColumn("{task.fields[rate]}"),
                console=Terminal(file=self._stream),
                transient=True,
            )
            self._bar.start()
            self._bar.add_task("", total=total, rate="")

    def advance(self, count: int) -> None:
        self._done += count
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self._done, rate=self._rate())
        elif time.monotonic() - self._printed > LINE_EVERY_S:
            self._printed = time.monotonic()
            print(
                f"{self._done:,} of {self._total:,} {self._unit}, {self._rate()}",
                file=self._stream,
                flush=True,
            )

    def _rate(self) -> str:
        rate = self._done / max(time.monotonic() - self._began, 1e-6)
        return f"{rate:,.0f} {self._unit}/s, {duration((self._total - self._done) / rate)} left"

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def print_summary(summary: Summary, out: Path) -> None:
    """The table of means and counts on standard output; failures and their reasons below it."""
    table = Table(box=None, pad_edge=False)
    table.add_column("verifier")
    for title in ("mean", "95 % interval", "scored", "not applicable", "failed"):
        table.add_column(title, justify="right")
    for name, tally in summary.verifiers.items():
        counts = [f"{tally.counts[status]:,}" for status in ("scored", "not_applicable", "failed")]
        table.add_row(name, *_interval(tally), *counts)
    table.add_row("reward", *_interval(summary.reward), f"{summary.reward.counts['scored']:,}", "", "")
    console = Terminal(highlight=False, emoji=False)
    console.print(table)
    for name, tally in summary.verifiers.items():
        for reason, count in tally.reasons.most_common(3):
            console.print(f"{name} failed {count:,} x: {reason}", markup=False)
    rate = summary.rows / summary.seconds if summary.seconds else 0.0
    restarts = f", {summary.restarts} restarts" if summary.restarts else ""
    processes = f"{summary.jobs} process{'es' if summary.jobs > 1 else ''}"
    console.print(
        f"{summary.rows:,} rows in {duration(summary.seconds)} ({rate:,.0f} rows/s, {processes}{restarts})"
        f" -> {out}",
        markup=False,
        soft_wrap=True,
    )


def _interval(tally: Tally) -> tuple[str, str]:
    row = tally.to_json()
    if row["mean"] is None:
        return "-", "-"
    return f"{row['mean']:.3f}", f"{row['low']:.3f} - {row['high']:.3f}"


def print_explanation(row: Row, reward: Reward, weights: Mapping[str, float]) -> None:
    """The answer with what each verifier read in it marked, the reward's parts, and all details."""
    console = Terminal(highlight=False, emoji=False)
    text = Text(row.response)
    marks = []
    for number, (name, score) in enumerate(reward.scores.items()):
        marked = list(spans(score.details))
        labelled = {(start, end) for label, start, end in marked if label}
        for label, start, end in marked:
            if 0 <= start < end <= len(row.response) and (label or (start, end) not in labelled):
                style = _style(label, COLOURS[number % len(COLOURS)])
                text.stylize(style, start, end)
                marks.append((name, label, row.response[start:end], style))
    console.rule(f"{row.id}", align="left")
    console.print(Text(row.question.prompt, style="dim"))
    console.print()
    console.print(text)
    console.print()
    if marks:
        table = Table("verifier", "reads as", "text", box=None, pad_edge=False)
        for name, label, words, style in dict.fromkeys(marks):
            table.add_row(name, label.replace("_", " "), Text(words, style=style))
        console.print(table)
        console.print()
    console.print(str(explain(reward, weights)), markup=False, soft_wrap=True)
    for name, score in reward.scores.items():
        console.print()
        console.print(f"{name}: {score.status.value}", style="bold", markup=False)
        details = json.dumps(dict(score.details), indent=2, ensure_ascii=False)
        # A span over four lines hides the text between spans.
        console.print(re.sub(r"\[\s*(\d+),\s*(\d+)\s*\]", r"[\1, \2]", details), markup=False)


def _style(label: str, colour: str) -> str:
    if any(word in label for word in BAD):
        return "bold red"
    return "bold green" if any(word in label for word in GOOD) else f"bold {colour}"
