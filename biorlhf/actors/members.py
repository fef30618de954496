"""The members of a fleet: an engine, what dies, the limits, a place for an engine, and who is asked what."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from biorlhf.actors.tickets import Policy, Ticket
from biorlhf.errors import RunFailure


class ActorDied(RunFailure):
    """An actor is gone, or out of reach, and with it what it was asked."""


class Engine(Protocol):
    """One sampler somewhere else. Its futures fail with :class:`ActorDied`; other errors end the run."""

    def ready(self) -> Future[Any]:
        """Done when its model is loaded."""
        ...

    def hold(self, policy: Any) -> Future[Any]:
        """Have it serve a policy as well; gives what proves that it does."""
        ...

    def sleep(self) -> Future[Any]:
        """Have it give back its GPU's memory; the next policy wakes it."""
        ...

    def put(self, tickets: Sequence[tuple[int, Any]]) -> None:
        """Begin to answer these, by number."""
        ...

    def take(self, tickets: Sequence[tuple[int, Any]]) -> Future[list[tuple[int, Any]]]:
        """Begin to answer these too; gives the answers that are there, by number, when there is one."""
        ...

    def end(self) -> None:
        """Kill it, wherever it is."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """``room``: sequences of one engine; ``timeout_s``: for one answer, by the recipe's ``setting``;
    ``start_s``: for an engine to come; ``fewest``: engines to go on with; ``policies``: how many are served
    side by side, the newest."""

    room: int
    timeout_s: float
    start_s: float
    fewest: int = 1
    policies: int = 1
    setting: str = "rollout.timeout_s"


@dataclass
class Slot:
    """A place for an engine. ``life`` counts the engines that it had, so that late words of one are known;
    ``took_s`` is what its last answers took, the newer the more it counts, and 0 where there is none."""

    number: int
    start: Callable[[], Engine]
    expected: bool
    engine: Engine | None = None
    life: int = 0
    deaths: int = 0
    alive: bool = False
    asleep: bool = False
    taking: bool = False  # it was asked for its next answers, and has not given them
    trusted: set[str] = field(default_factory=set)
    holding: dict[str, float] = field(default_factory=dict)
    due: list[Policy] = field(default_factory=list)
    # By number: the ticket, when it was asked, and the seconds beyond the limit that it has.
    asked: dict[int, tuple[Ticket, float, float]] = field(default_factory=dict)
    took_s: float = 0.0

    @property
    def busy(self) -> int:
        return sum(ticket.sequences for ticket, *_ in self.asked.values())

    def ask(self, ticket: Ticket, now: float) -> None:
        """Note that it is asked this: it may first finish what it was asked before."""
        before_s = sum(other.takes_s for other, *_ in self.asked.values())
        self.asked[ticket.number] = (ticket, now, before_s + ticket.takes_s)

    def done(self, number: int) -> Ticket:
        """Note that it answered what it was asked under this number; gives the ticket."""
        ticket, began, _ = self.asked.pop(number)
        took_s = time.monotonic() - began
        self.took_s = (self.took_s + took_s) / 2 if self.took_s else took_s
        return ticket

    def drop(self) -> list[Ticket]:
        """Take from it what it was asked and has not answered."""
        tickets = [ticket for ticket, *_ in self.asked.values()]
        self.asked.clear()
        return tickets

    def forget(self) -> None:
        """What it was told of policies."""
        for record in (self.trusted, self.holding, self.due):
            record.clear()

    def overdue(self, now: float, limit_s: float) -> float:
        """The seconds that it had for something that it should have done by now; 0 where there is nothing."""
        told = [(began, limit_s) for began in self.holding.values()]
        asked = [(began, limit_s + more_s) for _, began, more_s in self.asked.values()]
        return max((had_s for began, had_s in told + asked if now - began > had_s), default=0.0)


def deal(waiting: list[Ticket], slots: Sequence[Slot], room: int) -> dict[int, list[tuple[int, Any]]]:
    """The oldest ticket of the heap ``waiting`` to the engine with most of its ``room`` sequences free, as
    long as there is one with enough of it that would not be the last to finish; gives each engine's new ones.
    The others stay in the heap."""
    given: dict[int, list[tuple[int, Any]]] = {}
    kept, now = [], time.monotonic()
    free = {slot.number: room - slot.busy for slot in slots if slot.alive}
    while waiting and any(left > 0 for left in free.values()):
        ticket = heapq.heappop(waiting)
        trusted = [n for n in free if ticket.policy in slots[n].trusted]
        # A question with more answers than an engine has room for goes to one that has nothing else.
        able = [n for n in trusted if ticket.sequences <= free[n] or free[n] == room]
        able.sort(key=lambda n: -free[n])
        all_of_them = [slots[n] for n in trusted]
        left = len(waiting) + 1
        chosen = next((n for n in able if not _later(slots[n], all_of_them, left, now)), None)
        if chosen is None:
            kept.append(ticket)
            if trusted:
                break
            continue
        free[chosen] -= ticket.sequences
        slots[chosen].ask(ticket, now)
        given.setdefault(chosen, []).append((ticket.number, ticket.work))
    for ticket in kept:
        heapq.heappush(waiting, ticket)
    return given


def _later(slot: Slot, all_of_them: Sequence[Slot], left: int, now: float) -> bool:
    """Whether the others would answer all that is left before this one answers one more: then it gets none.

    Of the others those count that are at work and not overdue: from one that hangs nothing is expected.
    """
    a_second = slowest_s = 0.0
    for other in all_of_them:
        if other is slot or not other.asked or not other.took_s:
            continue
        oldest = next(iter(other.asked.values()))[1]
        if now - oldest < 2 * other.took_s:
            a_second += len(other.asked) / other.took_s
            slowest_s = max(slowest_s, other.took_s)
    return a_second > 0 and slot.took_s > left / a_second + slowest_s
