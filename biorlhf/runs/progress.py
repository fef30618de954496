"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import html
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from biorlhf.stage import StepResult

SHOWN = ("loss", "reward", "accuracy", "kl", "grad_norm")


def listener(stream: TextIO | None = None) -> PlainListener | RichListener | NotebookListener:
    """Bars where ``stream`` (stderr by default) is a terminal or a notebook, lines where it is a file."""
    if stream is None and in_notebook():
        return NotebookListener()
    # Looked up now: what stderr was when this module was imported may be closed.
    stream = stream or sys.stderr
    return RichListener() if stream.isatty() else PlainListener(stream)


@contextmanager
def working(text: str) -> Iterator[None]:
    """Says on a terminal that something is being done; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield
        return
    from biorlhf.runs.watching.terminal import Terminal

    with Terminal(stderr=True).status(text):
        yield


def in_notebook() -> bool:
    """Whether this process is a notebook's kernel."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and hasattr(shell, "kernel")


def step_text(result: StepResult) -> str:
    """The numbers of a step that a person watches."""
    values = result.metrics.values
    return "  ".join(f"{name} {values[name]:.4g}" for name in SHOWN if name in values)


def duration(seconds: float) -> str:
    """``1:02:03`` or ``2:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class PlainListener:
    """One line per step, and about ten per evaluation."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.name, self.unit, self.total, self.done, self.start, self.began_at = "", "", 0, 0, 0.0, 0

    def _print(self, text: str) -> None:
        # In one piece: what Ctrl-C brings next would else stand behind half a line.
        self.stream.write(f"{text}\n")
        self.stream.flush()

    def phase(self, text: str) -> None:
        self._print(text)

    def begin(self, name: str, total: int, done: int, unit: str) -> None:
        self.name, self.unit, self.total, self.done, self.began_at = name, unit, total, done, done
        self.start = time.monotonic()
        # After a resume nothing may be left; what comes next takes its time.
        self._print(f"{name}: {total - done} {unit}s" if done < total else f"{name}: every {unit} is made")

    def _rate(self) -> str:
        elapsed = time.monotonic() - self.start
        made = self.done - self.began_at
        # The rate of this process alone: steps from before a resume took no time here.
        left = elapsed / made * (self.total - self.done) if made else 0.0
        return f"{elapsed / max(made, 1):.1f} s/{self.unit}, {duration(left)} left"

    def step(self, result: StepResult) -> None:
        self.done = result.metrics.step
        self._print(f"{self.name} {self.done}/{self.total}  {step_text(result)}  ({self._rate()})")
        for warning in result.warnings:
            self._print(f"warning: {warning}")

    def advance(self, count: int) -> None:
        before, self.done = self.done, self.done + count
        tenth = max(1, self.total // 10)
        if self.done // tenth > before // tenth or self.done == self.total:
            self._print(f"{self.name} {self.done}/{self.total}  ({self._rate()})")

    def end(self) -> None:
        pass


class RichListener:
    """A progress bar with rate, the step's numbers and the time left."""

    def __init__(self) -> None:
        from biorlhf.runs.watching.terminal import Terminal

        self.console = Terminal(stderr=True)
        self.progress: Any = None
        self.task: Any = None

    def phase(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False)

    def begin(self, name: str, total: int, done: int, unit: str) -> None:
        from rich import progress

        self.progress = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(),
            progress.TextColumn("left"),
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.fields[numbers]}"),
            console=self.console,
        )
        self.progress.start()
        self.task = self.progress.add_task(name, total=total, completed=done, numbers="")

    def step(self, result: StepResult) -> None:
        self.progress.update(self.task, completed=result.metrics.step, numbers=step_text(result))
        for warning in result.warnings:
            self.phase(f"warning: {warning}")

    def advance(self, count: int) -> None:
        self.progress.update(self.task, advance=count)

    def end(self) -> None:
        # Also called where a loop was broken off: a bar that is not stopped keeps the cursor hidden.
        if self.progress is not None:
            self.progress.stop()
            self.progress = None


class NotebookListener:
    """One line with a bar that is drawn anew, below the cell; phases and warnings stand under each other."""

    def __init__(self) -> None:
        self.name, self.unit, self.total, self.done, self.start, self.began_at = "", "", 0, 0, 0.0, 0
        self.handle: Any = None

    def phase(self, text: str) -> None:
        print(text)

    def begin(self, name: str, total: int, done: int, unit: str) -> None:
        from IPython.display import HTML, display

        self.name, self.unit, self.total, self.done, self.began_at = name, unit, total, done, done
        self.start = time.monotonic()
        self.handle = display(HTML(self._bar("")), display_id=True)

    def step(self, result: StepResult) -> None:
        self.done = result.metrics.step
        self._draw(step_text(result))
        for warning in result.warnings:
            self.phase(f"warning: {warning}")

    def advance(self, count: int) -> None:
        self.done += count
        self._draw("")

    def end(self) -> None:
        self.handle = None

    def _draw(self, numbers: str) -> None:
        from IPython.display import HTML

        if self.handle is not None:
            self.handle.update(HTML(self._bar(numbers)))

    def _bar(self, numbers: str) -> str:
        made = self.done - self.began_at
        left = (time.monotonic() - self.start) / made * (self.total - self.done) if made else None
        text = f"{self.done}/{self.total} {self.unit}s  {numbers}"
        text += f"  {duration(left)} left" if left else ""
        return (
            f"{html.escape(self.name)} <progress value='{self.done}' max='{max(self.total, 1)}'></progress> "
            f"{html.escape(text)}"
        )
