"""What passes between the fleet and its engines: an engine, a policy, a ticket, and a place."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from biorlhf.errors import RunFailure


class EngineDied(RunFailure):
    """An engine is gone, and took with it what it was asked."""


class Engine(Protocol):
    """One sampler somewhere else. Its futures fail with :class:`EngineDied`; other errors end the run."""

    def ready(self) -> Future[Any]:
        """Done when its model is loaded."""
        ...

    def hold(self, policy: Any) -> Future[Any]:
        """Have it serve a policy as well; gives what proves that it does."""
        ...

    def put(self, tickets: Sequence[tuple[int, Any]]) -> None:
        """Begin to answer these, by number."""
        ...

    def take(self) -> Future[list[tuple[int, Any]]]:
        """The answers that are there, by number; done when there is at least one."""
        ...

    def end(self) -> None:
        """Kill it, wherever it is."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """``room``: sequences of one engine; ``timeout_s``: for one answer; ``start_s``: for an engine to come;
    ``fewest``: engines to go on with; ``policies``: how many are served side by side, the newest."""

    room: int
    timeout_s: float
    start_s: float
    fewest: int = 1
    policies: int = 1


@dataclass(frozen=True, slots=True)
class Policy:
    """``prove`` is given an engine's place (its number) and what :meth:`Engine.hold` gave; it raises where
    that is no proof."""

    name: str
    load: Any = field(repr=False)
    prove: Callable[[int, Any], None] = field(repr=False)


@dataclass(frozen=True, slots=True, order=True)
class Ticket:
    """One question: a place in the row, what is asked, its sequences, the policy, and where the answer
    goes."""

    number: int
    work: Any = field(compare=False, repr=False)
    sequences: int = field(compare=False)
    policy: str = field(compare=False)
    answers: queue.SimpleQueue[Any] = field(compare=False, repr=False)


@dataclass
class Slot:
    """A place for an engine. ``life`` counts the engines that it had, so that late words of one are known."""

    number: int
    start: Callable[[], Engine]
    expected: bool
    engine: Engine | None = None
    life: int = 0
    deaths: int = 0
    alive: bool = False
    trusted: set[str] = field(default_factory=set)
    holding: dict[str, float] = field(default_factory=dict)
    due: list[Policy] = field(default_factory=list)
    asked: dict[int, tuple[Ticket, float]] = field(default_factory=dict)

    @property
    def busy(self) -> int:
        return sum(ticket.sequences for ticket, _ in self.asked.values())
