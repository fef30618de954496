"""Answers sampled ahead of the step that learns them, by a schedule that the recipe alone fixes.

With a lag of k, what step t learns was answered by exactly the policy that step t - 1 - k left (the stage's
first one before there is such a step). Which policy that is never depends on who was faster, so a run repeats
itself, on one worker or on many, and one that was cut off asks again what had been under way.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from biorlhf.types import AdapterRef

Prepared = TypeVar("Prepared")

_LOG = logging.getLogger(__name__)

ENDS_S = 10.0  # how long what was given up may take to end


class Policies:
    """Which policy each of the last ``lag + 1`` steps left.

    Args:
        refs: of the last steps, oldest first; the last one is what step ``done`` left.
        lag: by how many steps answers are ahead of the step before the one that learns them.
        done: steps that are finished; 0: ``refs`` is what the stage starts from.
    """

    def __init__(self, refs: Sequence[AdapterRef], lag: int, done: int = 0) -> None:
        self.lag, self.done = lag, done
        kept = tuple(refs)[-lag - 1 :]
        self.left = tuple(zip(range(done + 1 - len(kept), done + 1), kept, strict=True))

    @property
    def refs(self) -> tuple[AdapterRef, ...]:
        """Oldest first."""
        return tuple(ref for _, ref in self.left)

    def of(self, step: int) -> AdapterRef | None:
        """The policy that answers the questions of a step; None, which is the newest, where none is known."""
        known = [ref for number, ref in self.left if number <= max(0, step - 1 - self.lag)]
        # Where the lag was raised between two parts of a run, the oldest that was kept is as near as it gets.
        return known[-1] if known else self.left[0][1] if self.left else None

    def behind(self, step: int) -> dict[str, float]:
        """How old the answers of the next step are: ``lag`` in steps, ``staleness`` in updates. Nothing where
        answers are always the newest policy's."""
        answering = self.of(step)
        if not self.lag or answering is None:
            return {}
        steps = self.done - next(number for number, ref in self.left if ref == answering)
        return {"lag": float(steps), "staleness": float(self.refs[-1].version - answering.version)}

    def add(self, ref: AdapterRef | None) -> None:
        """What one more step left; None: what was there before, because nothing was learnt."""
        self.done += 1
        newest = ref or (self.left[-1][1] if self.left else None)
        if newest is not None:
            self.left = (*self.left, (self.done, newest))[-self.lag - 1 :]


class Ahead(Generic[Prepared]):
    """What the next ``lag`` steps need, prepared while a step is learnt, given out in order.

    A context: where it ends early what is under way is given up, so that nobody who goes on waits for it;
    what has not ended ``ENDS_S`` seconds later is named in a warning.

    Args:
        prepare: (step, the policy that answers it) -> what the step needs.
        policies: those of the steps before, to which whoever takes a step adds what it left.
        last: the last step of the stage.
        beside: whether ``prepare`` may run in threads beside the learner. If not, one is called after the
            other, with the same policies.
        withdraw: ends the wait for whatever was asked until now, with an error; None where nothing can.
    """

    def __init__(
        self,
        prepare: Callable[[int, AdapterRef | None], Prepared],
        policies: Policies,
        last: int,
        *,
        beside: bool,
        withdraw: Callable[[], object] | None = None,
    ) -> None:
        self.prepare, self.policies, self.last, self.withdraw = prepare, policies, last, withdraw
        self.beside = beside and policies.lag > 0
        self.begun = policies.done
        self.jobs: dict[int, Future[Prepared]] = {}
        self.threads: list[threading.Thread] = []

    def __enter__(self) -> Ahead[Prepared]:
        return self

    def __exit__(self, *_: Any) -> None:
        end = time.monotonic() + ENDS_S
        while self.withdraw is not None and (alive := self._alive()) and time.monotonic() < end:
            # Until all have ended: one may be about to ask again when the others are told.
            self.withdraw()
            alive[0].join(0.1)
        if alive := self._alive():
            # It ends with this process at the latest, but may keep an actor busy until then.
            names = " and ".join(thread.name for thread in alive)
            _LOG.warning("%s: given up, not ended yet, and at work beside what comes now", names)

    def _alive(self) -> list[threading.Thread]:
        return [thread for thread in self.threads if thread.is_alive()]

    def take(self, step: int) -> Prepared:
        """What ``step`` needs. The policy of the step before is known by now, so more is begun first."""
        while self.begun < min(step + self.policies.lag, self.last):
            self.begun += 1
            self.jobs[self.begun] = self._begin(self.begun, self.policies.of(self.begun))
        return self.jobs.pop(step).result()

    def _begin(self, step: int, policy: AdapterRef | None) -> Future[Prepared]:
        job: Future[Prepared] = Future()
        if self.beside:
            # No pool, for whose threads a process would wait when it ends.
            thread = threading.Thread(
                target=self._work,
                args=(job, step, policy),
                daemon=True,
                name=f"sampling ahead for step {step}",
            )
            thread.start()
            self.threads = [*self._alive(), thread]
        else:
            job.set_result(self.prepare(step, policy))
        return job

    def _work(self, job: Future[Prepared], step: int, policy: AdapterRef | None) -> None:
        try:
            job.set_result(self.prepare(step, policy))
        except BaseException as error:  # raised where the step is taken
            job.set_exception(error)
