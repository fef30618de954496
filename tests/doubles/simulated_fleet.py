"""Engines of a fleet that sleep in threads of this process: as many as a cluster has, for no CPU."""

from __future__ import annotations

import pickle
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from biorlhf.actors.fleet import Fleet
from biorlhf.actors.members import ActorDied, Limits
from biorlhf.actors.tickets import Policy
from biorlhf.testing import Decoder, Pace, length_of


class SleepingEngine:
    """Answers (seed, question, sequences, policy) after as long as its pace and ``speed`` say.

    Attributes:
        log: every (engine's name, question, policy) that was asked of any engine which shares the list.
    """

    def __init__(
        self, name: str, pace: Pace, log: list[Any], *, speed: float = 1.0, delay_s: float = 0.0
    ) -> None:
        self.name, self.log, self.speed, self.delay_s = name, log, speed, delay_s
        self.decoder = Decoder(pace)
        self.held: list[str] = []
        self.changed = threading.Condition()
        self.works: dict[int, Any] = {}
        self.finished: list[tuple[int, bytes]] = []
        self.taker: Future[Any] | None = None
        self.futures: list[Future[Any]] = []
        self.dead = self.asleep = False
        self.since = time.monotonic()
        threading.Thread(target=self._decode, daemon=True).start()

    def ready(self) -> Future[Any]:
        return self._soon(True)

    def hold(self, policy: str) -> Future[Any]:
        assert all(future.done() for future in self.futures), "one policy has to come after the other"
        self.held.append(policy)
        self.asleep = False
        return self._soon(policy)

    def sleep(self) -> Future[Any]:
        assert all(future.done() for future in self.futures), "it was still taking a policy"
        assert not self.works, "it was still answering"
        self.held, self.asleep = [], True
        return self._soon(True)

    def put(self, tickets: Sequence[tuple[int, Any]]) -> None:
        with self.changed:
            self._pass()
            for number, work in tickets:
                seed, question, sequences, policy = work
                assert policy in self.held, "asked for a policy that it was not given"
                self.log.append((self.name, question, policy))
                self.works[number] = work
                self.decoder.add(number, lengths_of(seed, question, sequences))
            self.changed.notify()

    def take(self, tickets: Sequence[tuple[int, Any]]) -> Future[Any]:
        self.put(tickets)
        with self.changed:
            self.taker = Future()
            if self.dead:
                self.taker.set_exception(ActorDied(f"{self.name} died"))
            self.changed.notify()
            return self.taker

    def end(self) -> None:
        self.die()

    def die(self) -> None:
        with self.changed:
            self.dead = True
            waiting = [f for f in (self.taker, *self.futures) if f is not None and not f.done()]
            for future in waiting:
                future.set_exception(ActorDied(f"{self.name} died"))
            self.changed.notify()

    def _soon(self, value: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.futures.append(future)
        if self.delay_s:
            timer = threading.Timer(self.delay_s, self._say, args=(future, value))
            timer.daemon = True
            timer.start()
        else:
            future.set_result(value)
        return future

    def _say(self, future: Future[Any], value: Any) -> None:
        with self.changed:
            if not future.done():
                future.set_result(value)

    def _pass(self) -> None:
        now = time.monotonic()
        done = self.decoder.advance((now - self.since) * self.speed)
        self.since = now
        for number in done:
            seed, question, sequences, policy = self.works.pop(number)  # type: ignore[index]
            lengths = lengths_of(seed, question, sequences)
            self.finished.append((number, pickle.dumps(answer_of(seed, question, lengths, policy))))

    def _decode(self) -> None:
        while not self.dead:
            with self.changed:
                wait_s = self.decoder.next_s() / self.speed if self.decoder.running else None
                if not (self.finished and self.taker is not None and not self.taker.done()):
                    self.changed.wait(wait_s)
                self._pass()
                taken, taker = self.finished, self.taker
                if self.dead or not taken or taker is None or taker.done():
                    continue
                self.finished = []
            # Read where the driver's own threads would, as it counts as the driver's work.
            answers = [(number, pickle.loads(data)) for number, data in taken]  # noqa: S301
            with self.changed:
                if not self.dead:
                    taker.set_result(answers)


MEAN, SPREAD, LIMIT = 350, 0.6, 1024


def lengths_of(seed: int, question: str, sequences: int) -> list[int]:
    return [length_of(MEAN, SPREAD, LIMIT, seed, question, n) for n in range(sequences)]


def answer_of(seed: int, question: str, lengths: Sequence[int], policy: str) -> dict[str, Any]:
    """As much as a group has: ids and log-probabilities of every token."""
    draw = random.Random(f"{seed}:{question}")
    rows = [(tuple([draw.randrange(32_000)] * n), tuple([-draw.random()] * n)) for n in lengths]
    return {"question": question, "policy": policy, "rows": rows}


def a_fleet(
    starts: Sequence[Callable[[], Any]], *, expected: int | None = None, room: int = 64, **limits: Any
) -> Fleet:
    """A fleet whose engines of the start are there, and which serves the policy ``first``."""
    settings = {"timeout_s": 60.0, "start_s": 60.0, **limits}
    count = len(starts) if expected is None else expected
    fleet = Fleet(starts, count, Limits(room, **settings), "engine")
    fleet.launch(range(count))
    fleet.wait(range(count))
    fleet.open()
    serve(fleet, "first")
    return fleet


def serve(fleet: Fleet, name: str, prove: Callable[[int, Any], None] = lambda number, proof: None) -> None:
    fleet.publish(Policy(name, name, prove))


def works_of(
    questions: Sequence[str], *, seed: int = 1, sequences: int = 4, policy: str = "first"
) -> list[Any]:
    return [((seed, question, sequences, policy), sequences) for question in questions]
