"""Writing behind the steps: what is handed over is written in that order, while the run goes on.

A crash therefore leaves a beginning of what was handed over: no row without its rollouts, and no checkpoint
without the rows before it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any


class Background:
    """One thread that writes. Leaving it waits until everything is on the disk."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="writing")
        self._handed: list[Future[None]] = []
        self._failure: BaseException | None = None

    def put(self, write: Callable[..., object], *args: Any, **named: Any) -> None:
        """Hand over a call. Raises what one before it raised; nothing is written after that."""
        self._raise()
        self._handed = [one for one in self._handed if not one.done()]
        self._handed.append(self._pool.submit(self._write, write, args, named))

    def wait(self) -> None:
        """Until all that was handed over is written. Raises what one of it raised."""
        for one in self._handed:
            one.result()
        self._handed.clear()
        self._raise()

    def _write(self, write: Callable[..., object], args: tuple[Any, ...], named: dict[str, Any]) -> None:
        if self._failure is not None:
            return
        try:
            write(*args, **named)
        except BaseException as failure:  # the run's own thread raises it
            self._failure = failure

    def _raise(self) -> None:
        if self._failure is not None:
            raise self._failure

    def __enter__(self) -> Background:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True)
        if error is None:
            self._raise()
        elif self._failure is not None and self._failure is not error:
            error.add_note(f"and what was still to be written is not: {self._failure}")
