"""The fleet: which actor answers which question, and what is done where one dies, hangs or joins.

One thread holds all of it. Callers put in tickets (a question with all its answers is one, so that its prompt
is computed once) and each reads a queue of its own; engines report through futures. The oldest ticket goes to
the actor with most room, so a slow actor takes fewer. None is given to an actor before its policy was proved
there, and one that slept has to prove it again. Nothing in here knows Ray: see :mod:`biorlhf.actors.members`.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from biorlhf.actors.members import ActorDied, Engine, Limits, Slot, deal
from biorlhf.actors.tickets import Answers, Policy, Row, Ticket, given
from biorlhf.errors import LearnerLost, RunFailure

MAX_DEATHS = 3  # of one actor's place in one run: more than that is no accident
LOOK_S = 0.5  # how often it is looked whether something takes too long
SLEEP = "sleep"  # beside policies' names, what an engine is told to do


class Fleet:
    """All engines as one. ``expected`` of ``starts`` have to come; the others join when they can.

    Args:
        starts: what starts an engine at each place.
        name: what a person calls one of them.
    """

    def __init__(
        self, starts: Sequence[Callable[[], Engine]], expected: int, limits: Limits, name: str
    ) -> None:
        self.limits, self.name = limits, name
        self.slots = [Slot(n, start, n < expected) for n, start in enumerate(starts)]
        self.news: list[str] = []
        self._events: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._numbers = itertools.count()
        self._row = Row()
        self._short_since: float | None = None
        self._asleep = False
        self._began = threading.Event()  # those that have to be there are
        self._thread = threading.Thread(target=self._run, daemon=True, name="fleet")
        self._thread.start()

    @property
    def error(self) -> BaseException | None:
        """What ended it all."""
        return self._row.error

    # What callers may do, each from its own thread.

    def launch(self, numbers: Sequence[int]) -> None:
        """Start the engines of these places."""
        for number in numbers:
            self._events.put(partial(self._launch, self.slots[number]))

    def wait(self, numbers: Sequence[int]) -> None:
        """Return when the engines of these places are there.

        Raises:
            RunFailure: one is not within ``start_s``, or failed to start.
        """
        self._until([self.slots[number] for number in numbers], lambda slot: slot.alive)

    def sleep(self) -> None:
        """Return when every engine has given back its GPU's memory. The next policy or question wakes them.

        Raises:
            RunFailure: they answer, or one does not fall asleep within ``start_s``.
        """
        told = threading.Event()
        self._events.put(partial(self._sleep, told))
        # One that is started just now takes memory as well.
        self._until(self.slots, lambda slot: told.is_set() and (slot.engine is None or slot.asleep))

    def _until(self, slots: Sequence[Slot], reached: Callable[[Slot], bool]) -> None:
        end = time.monotonic() + self.limits.start_s
        for slot in slots:
            while not reached(slot) and self.error is None:
                if time.monotonic() > end:
                    waited = f"no sign of life in {self.limits.start_s:g} s"
                    way = "it hangs, or needs a larger cluster.start_timeout_s"
                    raise RunFailure(f"{self.title(slot)}: {waited}; {way}")
                time.sleep(0.01)
        if self.error is not None:
            raise self.error

    def open(self) -> None:
        """Those that have to be there are; from now on others join, and start again, in the background."""
        self._began.set()
        self.launch([slot.number for slot in self.slots if not slot.expected])

    def publish(self, policy: Policy) -> None:
        """Have every engine serve this policy as well, and every one that comes later; returns at once."""
        self._events.put(partial(self._publish, policy))

    def ask(
        self, works: Sequence[tuple[Any, int]], policy: str, answers: Answers, *, takes_s: float = 0.0
    ) -> None:
        """Have (what is asked, its sequences) answered, into ``answers`` as each is done; returns at once.
        Each may take ``takes_s`` seconds beyond the limit."""
        tickets = [Ticket(next(self._numbers), work, n, policy, answers, takes_s) for work, n in works]
        self._events.put(partial(self._add, tickets))

    def answers(self, works: Sequence[tuple[Any, int]], policy: str) -> Iterator[Any]:
        """The answers to (what is asked, its sequences), in the order in which they finish."""
        answers: Answers = queue.SimpleQueue()
        self.ask(works, policy, answers)
        for _ in works:
            yield given(answers)

    def withdraw(self) -> None:
        """Give up what was asked until now: whoever waits for it gets a RunFailure. What an engine has begun
        it finishes, for nobody, before it takes another policy. Returns at once."""
        self._events.put(partial(self._withdraw, next(self._numbers)))

    def close(self) -> None:
        """End the thread, and every engine."""
        self._events.put(None)
        self._thread.join()
        for slot in self.slots:
            if slot.engine is not None:
                slot.engine.end()

    def title(self, slot: Slot) -> str:
        return f"{self.name} {slot.number + 1}"

    # What only the thread does.

    def _run(self) -> None:
        looked = time.monotonic()
        while (event := self._next()) is not None:
            try:
                event()
                if time.monotonic() - looked > LOOK_S:
                    looked = time.monotonic()
                    self._look(looked)
                self._dispatch()
            except BaseException as error:
                self._fail(error)

    def _next(self) -> Callable[[], object] | None:
        """What came, or nothing to do where nothing came for a while; None at the end."""
        try:
            return self._events.get(timeout=LOOK_S)
        except queue.Empty:
            return lambda: None

    def _fail(self, error: BaseException) -> None:
        self._row.fail(error, [ticket for slot in self.slots for ticket in slot.drop()])

    def _add(self, tickets: Sequence[Ticket]) -> None:
        if self._asleep and tickets:
            for policy in list(self._row.policies.values()):
                self._publish(policy)
        self._row.add(tickets)

    def _withdraw(self, first: int) -> None:
        # What engines were asked stays with them: they are busy with it.
        self._row.withdraw(first, [ticket for slot in self.slots for ticket, *_ in slot.asked.values()])

    def _sleep(self, told: threading.Event) -> None:
        if self._row.waiting:
            waiting = len(self._row.waiting)
            raise RunFailure(f"the {self.name}s cannot sleep: {waiting} questions wait for them")
        self._asleep = True
        for slot in self.slots:
            if slot.alive:
                self._hold_next(slot)
        told.set()

    def _sleeps(self, slot: Slot, _: Any) -> None:
        slot.asleep = True
        slot.holding.clear()
        self._hold_next(slot)

    def _launch(self, slot: Slot) -> None:
        slot.life += 1
        slot.engine = slot.start()
        self._when(slot, slot.engine.ready(), self._is_there)

    def _when(self, slot: Slot, future: Future[Any], then: Callable[..., None], *args: Any) -> None:
        """Have this thread call ``then(slot, value, *args)`` once the future is done, if the engine lives."""
        life = slot.life

        def told() -> None:
            if slot.life != life or slot.engine is None:
                return  # a late word of one that was given up
            try:
                value = future.result()
            except ActorDied as error:
                self._lost(slot, error)
            except LearnerLost as error:
                self._cannot_load(slot, error, *args)
            except Exception as error:
                # A place where engines cannot start is no reason to end what goes on elsewhere.
                if slot.alive or not self._began.is_set():
                    raise
                self._lost(slot, error)
            else:
                then(slot, value, *args)

        future.add_done_callback(lambda _: self._events.put(told))

    def _is_there(self, slot: Slot, _: Any) -> None:
        assert slot.engine is not None
        slot.alive = True
        if self._began.is_set():
            self.news.append(f"{self.title(slot)} has joined")
        for policy in self._row.policies.values():
            self._hold(slot, policy)
        self._hold_next(slot)

    def _publish(self, policy: Policy) -> None:
        self._row.serve(policy, self.limits.policies)
        woken, self._asleep = self._asleep, False
        for slot in self.slots:
            if slot.alive:
                self._hold(slot, policy)
            elif woken and slot.engine is None and 0 < slot.deaths < MAX_DEATHS:
                self._launch(slot)

    def _hold(self, slot: Slot, policy: Policy) -> None:
        slot.trusted.discard(policy.name)
        slot.due.append(policy)
        self._hold_next(slot)

    def _hold_next(self, slot: Slot) -> None:
        """One after the other: an engine takes calls side by side, and the newest has to be the last."""
        assert slot.engine is not None
        # What was withdrawn is finished first: the policy that it was asked of may be the one to go.
        busy = slot.asked and (self._asleep or min(slot.asked) < self._row.first)
        if slot.holding or busy or (self._asleep and slot.asleep):
            return
        if self._asleep:
            slot.forget()
            slot.holding[SLEEP] = time.monotonic()
            self._when(slot, slot.engine.sleep(), self._sleeps)
        elif slot.due:
            policy = slot.due.pop(0)
            slot.asleep = False
            slot.holding[policy.name] = time.monotonic()
            self._when(slot, slot.engine.hold(policy.load), self._held, policy)

    def _held(self, slot: Slot, proof: Any, policy: Policy) -> None:
        policy.prove(slot.number, proof)
        slot.holding.pop(policy.name, None)
        slot.trusted.add(policy.name)
        slot.trusted &= set(self._row.policies)
        self._hold_next(slot)

    def _cannot_load(self, slot: Slot, error: LearnerLost, policy: Policy) -> None:
        """A policy lay on a node that is gone. The engines are not: whoever asks goes back to a policy of
        before, and publishes that."""
        slot.holding.pop(policy.name, None)
        self._row.lose(policy, error)
        self._hold_next(slot)

    def _answered(self, slot: Slot, answers: Sequence[tuple[int, Any]]) -> None:
        slot.taking = False
        for number, answer in answers:
            slot.done(number).answers.put(answer)
        self._hold_next(slot)

    def _dispatch(self) -> None:
        dealt = deal(self._row.waiting, self.slots, self.limits.room)
        for slot in self.slots:
            tickets = dealt.get(slot.number, ())
            if slot.engine is None or not slot.alive:
                continue
            if slot.taking and tickets:
                slot.engine.put(tickets)
            elif not slot.taking:
                # One call for both: on Ray a call costs the driver more than all else of a question.
                slot.taking = True
                self._when(slot, slot.engine.take(tickets), self._answered)

    def _look(self, now: float) -> None:
        """What takes too long: an answer, a policy, or the coming of enough engines."""
        for slot in self.slots:
            if slot.alive and (had_s := slot.overdue(now, self.limits.timeout_s)):
                late = f"no answer in {had_s:g} s ({self.limits.setting})"
                self._lost(slot, ActorDied(f"{self.title(slot)}: {late}"))
        there = sum(slot.alive for slot in self.slots)
        if there >= self.limits.fewest or self._asleep or not self._began.is_set():
            self._short_since = None
            return
        self._short_since = self._short_since or now
        if now - self._short_since > self.limits.start_s:
            few = f", fewer than rollout.fewest ({self.limits.fewest})," if self.limits.fewest > 1 else ""
            late = f"no other came in {self.limits.start_s:g} s"
            raise RunFailure(": ".join([f"{there} {self.name}s are left{few} and {late}", *self.news[-1:]]))

    def _lost(self, slot: Slot, error: BaseException) -> None:
        """Give an engine up: what it was asked goes back to the front, and another takes its place."""
        assert slot.engine is not None
        # It may live on behind a broken network, and hold its GPU.
        slot.engine.end()
        slot.engine, slot.took_s = None, 0.0
        slot.alive = slot.asleep = slot.taking = False
        self._row.add(slot.drop())
        slot.forget()
        slot.deaths += 1
        self.news.append(str(error))
        if self._asleep:
            return  # started when the others wake: it would load beside a learner that learns
        if slot.deaths < MAX_DEATHS:
            self._launch(slot)
        elif sum(s.engine is not None for s in self.slots) < self.limits.fewest:
            raise RunFailure(f"{self.title(slot)} died {slot.deaths} times: {error}") from error
