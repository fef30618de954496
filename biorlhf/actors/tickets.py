"""The row of what is asked of the fleet, and the policies that it is asked of."""

from __future__ import annotations

import heapq
import queue
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from biorlhf.errors import LearnerLost, RunFailure

Answers = queue.SimpleQueue[Any]  # what was asked for, as it gets done; or what stands against it


def given(answers: Answers) -> Any:
    """The next answer, when it is there.

    Raises:
        RunFailure: too few engines are left, or one of them failed; or the question was given up.
    """
    answer = answers.get()
    if isinstance(answer, BaseException):
        raise answer
    return answer


@dataclass(frozen=True, slots=True, order=True)
class Ticket:
    """One question: a place in the row, what is asked, its sequences, the policy, and where the answer
    goes. Its engine may take ``takes_s`` seconds for it beyond the fleet's limit."""

    number: int
    work: Any = field(compare=False, repr=False)
    sequences: int = field(compare=False)
    policy: str = field(compare=False)
    answers: Answers = field(compare=False, repr=False)
    takes_s: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """``prove`` is given an engine's place (its number) and what :meth:`Engine.hold` gave; it raises where
    that is no proof."""

    name: str
    load: Any = field(repr=False)
    prove: Callable[[int, Any], None] = field(repr=False)


class Row:
    """Who waits for an engine, and the policies that are served, the newest last.

    Whoever waits for what cannot be answered any more is told so at once.
    """

    def __init__(self) -> None:
        self.waiting: list[Ticket] = []  # a heap: the oldest first
        self.policies: dict[str, Policy] = {}
        self.error: BaseException | None = None  # that ended it all
        self._lost: dict[str, LearnerLost] = {}  # policies that nobody can load any more
        self.first = 0  # questions of smaller numbers were withdrawn

    def add(self, tickets: Iterable[Ticket]) -> None:
        for ticket in tickets:
            if error := self._refused(ticket):
                ticket.answers.put(error)
            else:
                heapq.heappush(self.waiting, ticket)

    def _refused(self, ticket: Ticket) -> BaseException | None:
        if error := self.error or self._lost.get(ticket.policy):
            return error
        if ticket.number < self.first:
            return RunFailure("the question was withdrawn")
        if ticket.policy not in self.policies:
            return RunFailure(f"policy {ticket.policy[:12]} is asked, and is not served any more")
        return None

    def _look_again(self) -> None:
        waiting, self.waiting = self.waiting, []
        self.add(waiting)

    def serve(self, policy: Policy, most: int) -> None:
        """Serve this one as the newest, and no more than ``most``."""
        for names in (self.policies, self._lost):
            names.pop(policy.name, None)
        self.policies[policy.name] = policy
        for old in list(self.policies)[:-most]:
            del self.policies[old]
        self._look_again()

    def lose(self, policy: Policy, error: LearnerLost) -> None:
        """It cannot be loaded."""
        if self.policies.get(policy.name) is policy:
            del self.policies[policy.name]
            self._lost[policy.name] = error
            self._look_again()

    def withdraw(self, first: int, asked: Iterable[Ticket]) -> None:
        """Give up all questions below a number; ``asked`` are those that engines have."""
        self.first = first
        self._look_again()
        for ticket in asked:
            if ticket.number < first:
                ticket.answers.put(self._refused(ticket))

    def fail(self, error: BaseException, asked: Iterable[Ticket]) -> None:
        """Nobody will be answered any more."""
        self.error = self.error or error
        self.add(asked)
        self._look_again()
