"""One sampler for several callers: a thread alone touches it, and takes in what is asked between steps."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from biorlhf.engines.samplers.contract import Sampler
from biorlhf.stage import Sampling
from biorlhf.types import AdapterRef, Group, Question


@dataclass(frozen=True, slots=True)
class _Asked:
    """``policy``: the one that is asked, None for a thing that touches them all."""

    do: Callable[[], Any]
    policy: AdapterRef | None = None
    done: Future[Any] = field(default_factory=Future)


class Serving:
    """Questions by number go in with :meth:`put`, and their groups come out of :meth:`take`.

    The sampler is built in its thread: how many threads torch and vLLM compute with is set for each thread.
    """

    def __init__(self, build: Callable[[], Sampler]) -> None:
        self._asked: queue.SimpleQueue[_Asked] = queue.SimpleQueue()
        self._finished: queue.SimpleQueue[tuple[int, Group] | BaseException] = queue.SimpleQueue()
        self._running: dict[Hashable, int] = {}
        built: Future[Sampler] = Future()
        threading.Thread(target=self._serve, args=(build, built), daemon=True, name="serving").start()
        self.sampler = built.result()

    def put(self, tickets: Sequence[tuple[int, tuple[Question, Sampling]]]) -> None:
        """Begin to answer these; returns at once."""
        for number, (question, sampling) in tickets:
            self._asked.put(_Asked(partial(self._begin, number, question, sampling), sampling.policy))

    def take(self) -> list[tuple[int, Group]]:
        """The groups that are complete; waits until there is one.

        Raises:
            Exception: what the sampler raised over any of its questions.
        """
        taken = [self._finished.get()]
        while not self._finished.empty():
            taken.append(self._finished.get())
        for item in taken:
            if isinstance(item, BaseException):
                raise item
        return [item for item in taken if not isinstance(item, BaseException)]

    def call(self, do: Callable[[], Any]) -> Any:
        """What ``do()`` gives, while nothing else touches the sampler. Where it can hold but one policy at a
        time, no question is being answered meanwhile."""
        asked = _Asked(do)
        self._asked.put(asked)
        return asked.done.result()

    def _begin(self, number: int, question: Question, sampling: Sampling) -> None:
        try:
            self._running[self.sampler.add(question, sampling)] = number
        except Exception as error:
            self._finished.put(error)

    def _serve(self, build: Callable[[], Sampler], built: Future[Sampler]) -> None:
        try:
            sampler = build()
        except BaseException as error:
            built.set_exception(error)
            return
        built.set_result(sampler)
        served: AdapterRef | None = None
        held: _Asked | None = None
        while True:
            # In their order: what has to wait for what runs is not overtaken by what comes later.
            while held is not None or not self._running or not self._asked.empty():
                held = held or self._asked.get()
                other = held.policy is None or held.policy != served
                if other and self._running and not sampler.beside:
                    break
                served = held.policy
                _do(held)
                held = None
            try:
                for key, group in sampler.step():
                    self._finished.put((self._running.pop(key), group))
            except Exception as error:
                self._running.clear()
                self._finished.put(error)


def _do(asked: _Asked) -> None:
    try:
        asked.done.set_result(asked.do())
    except Exception as error:
        asked.done.set_exception(error)
