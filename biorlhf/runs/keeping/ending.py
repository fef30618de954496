"""How a run ends before its end: asked to by a signal, or because what it stands on died.

A request to end (SIGTERM, Ctrl-C) becomes an exception, so that workers stop and half-written files go on the
way out, and what is kept is said, with the command that goes on. What does not stop in time is ended.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from biorlhf.runs.keeping import checkpoints

# Of the 30 s that a cluster leaves a job between SIGTERM and SIGKILL.
GRACE_S = 20.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def how_to_go_on(folder: Path, address: str | None = None) -> str:
    """What is kept of a run that did not come to its end, and the exact command that goes on with it."""
    last = checkpoints.last(folder / "checkpoints")
    kept = f"its checkpoint after step {last[1]} of {last[0]}" if last else "no checkpoint yet"
    command = ["biorlhf", "run", "--resume", str(folder), *(["--address", address] if address else [])]
    return f"kept: {folder}, {kept}\ngo on with: {shlex.join(command)}"


class Ending:
    """Within it, in the main thread, signals unwind the run; ``folder`` is told as soon as there is one."""

    def __init__(self, address: str | None = None) -> None:
        self.address = address
        self.folder: Path | None = None
        self._timer: threading.Timer | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Ending:
        # Only the main thread may set handlers; elsewhere (a notebook's server) its own stay.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._ask) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        # A notebook lives on after its run.
        if self._timer is not None:
            self._timer.cancel()

    def _ask(self, number: int, frame: object) -> None:
        if self._timer is not None:
            self._leave(number)
        # Workers that do not answer must not hold up the end.
        self._timer = threading.Timer(GRACE_S, self._leave, (number,))
        self._timer.daemon = True
        self._timer.start()
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)

    def _leave(self, number: int) -> NoReturn:
        self._last_words("")
        # Verifiers' processes end with their pipe, and a Ray that was started here with this process.
        os._exit(128 + number)

    def advice(self) -> str:
        """:func:`how_to_go_on`, or nothing where no folder has been made."""
        return how_to_go_on(self.folder, self.address) if self.folder else ""

    def lost(self, what: str) -> NoReturn:
        """Say that something died without which nothing can be cleaned up any more, and end with 1.

        For other threads: Ray ends this process in the same moment, without a word.
        """
        self._last_words(f"error: {what}")
        os._exit(1)

    def _last_words(self, text: str) -> None:
        for words in (text, self.advice()):
            if words:
                print(words, file=sys.stderr, flush=True)
