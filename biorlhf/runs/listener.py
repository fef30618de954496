"""Whoever shows a run's progress, as the pipeline sees them."""

from __future__ import annotations

from typing import Protocol

from biorlhf.stage import StepResult


class Listener(Protocol):
    """Told what a run does: phases in words, and loops of steps or questions between begin and end."""

    def phase(self, text: str) -> None: ...

    def begin(self, name: str, total: int, done: int, unit: str) -> None: ...

    def step(self, result: StepResult) -> None: ...

    def advance(self, count: int) -> None: ...

    def end(self) -> None: ...


class Silence:
    """A listener that shows nothing."""

    def phase(self, text: str) -> None: ...

    def begin(self, name: str, total: int, done: int, unit: str) -> None: ...

    def step(self, result: StepResult) -> None: ...

    def advance(self, count: int) -> None: ...

    def end(self) -> None: ...
