"""How far a run is, in a small file of its folder, so that another terminal or another machine can see it."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from biorlhf.runs.folder import PROGRESS, seconds_in
from biorlhf.runs.keeping import lock
from biorlhf.runs.listener import Listener
from biorlhf.runs.store import RunStore
from biorlhf.stage import StepResult

EVERY_S = 1.0
#: A run on another machine whose file is older than this is taken for dead.
SILENT_S = 1800.0


class Noted:
    """A listener that passes all on, and keeps ``progress.json`` no more than a second behind."""

    def __init__(self, inner: Listener, store: RunStore) -> None:
        self._inner, self._store = inner, store
        self._written = self._began = 0.0
        self._done_before = 0
        # Of earlier processes too: a run that was resumed took them as well.
        self._seconds = seconds_in(read_progress(store.folder))
        self._spent, self._going = 0.0, False
        self._row: dict[str, Any] = {
            "state": "running",
            "pid": os.getpid(),
            "host": platform.node(),
            "phase": "starting",
            "unit": "",
            "done": 0,
            "total": 0,
            "left_s": None,
            "seconds": self._seconds,
        }

    def phase(self, text: str) -> None:
        self._inner.phase(text)

    def begin(self, name: str, total: int, done: int, unit: str) -> None:
        self._began, self._done_before = time.monotonic(), done
        self._spent, self._going = self._seconds.get(name, 0.0), True
        self._note(phase=name, total=total, done=done, unit=unit, left_s=None, now=True)
        self._inner.begin(name, total, done, unit)

    def step(self, result: StepResult) -> None:
        self._moved(result.metrics.step)
        self._inner.step(result)

    def advance(self, count: int) -> None:
        self._moved(self._row["done"] + count)
        self._inner.advance(count)

    def end(self) -> None:
        if self._going:
            self._clock()
        self._going = False
        self._inner.end()

    def ended(self, state: str) -> None:
        """``complete`` or ``stopped``: the last word of this process."""
        self._note(state=state, left_s=None, now=True)

    def _clock(self) -> None:
        self._seconds[self._row["phase"]] = round(self._spent + time.monotonic() - self._began, 1)

    def _moved(self, done: int) -> None:
        self._clock()
        made = done - self._done_before
        # The rate of this process alone: what was made before a resume took no time here.
        each = (time.monotonic() - self._began) / made if made > 0 else None
        left = None if each is None else round(each * max(0, self._row["total"] - done), 1)
        self._note(done=done, left_s=left, now=done >= self._row["total"])

    def _note(self, *, now: bool, **changed: Any) -> None:
        self._row |= changed
        if now or time.monotonic() - self._written >= EVERY_S:
            self._written = time.monotonic()
            self._store.write_text(PROGRESS, json.dumps({**self._row, "updated": time.time()}) + "\n")


@contextmanager
def noted(listener: Listener, store: RunStore) -> Iterator[Noted]:
    """A listener for one run; the file says in the end whether the run is complete."""
    one = Noted(listener, store)
    try:
        yield one
    except BaseException:
        one.end()
        one.ended("stopped")
        raise
    one.ended("complete")


def read_progress(folder: Path) -> dict[str, Any]:
    """What the file says, empty where there is none or where it is not whole."""
    try:
        row = json.loads((folder / PROGRESS).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # a run of an older version, or one that has only begun
        return {}
    return dict(row) if isinstance(row, Mapping) else {}


def is_live(folder: Path, row: Mapping[str, Any] | None = None) -> bool:
    """Whether a process works on this run: whether one holds its lock.

    Not every file system shows the locks of other machines: there a fresh file counts, too.
    """
    if lock.is_held(folder):
        return True
    row = read_progress(folder) if row is None else row
    if row.get("state") != "running" or row.get("host") == platform.node():
        return False
    updated = row.get("updated")
    return isinstance(updated, int | float) and time.time() - updated < SILENT_S
