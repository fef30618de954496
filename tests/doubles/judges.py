"""Scorers over actors that judge in threads of this process."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from biorlhf.actors import scorer
from biorlhf.actors.members import ActorDied
from biorlhf.types import AdapterRef, Completion, Group, Question


class Judge:
    """A scorer's actor: judges one group after the other; ``held`` keeps it from it until it is set."""

    def __init__(self, held: Event | None = None) -> None:
        self.held = held
        self.judged: list[str] = []
        self.calls: list[Future[Any]] = []
        self.ready = self.score = SimpleNamespace(remote=self.ask)
        self.hand = ThreadPoolExecutor(1)

    def ask(self, items: Any = None) -> SimpleNamespace:
        call: Future[Any] = Future()
        self.calls.append(call)
        self.hand.submit(self.judge, call, items)
        return SimpleNamespace(future=lambda: call)

    def judge(self, call: Future[Any], items: Any) -> None:
        while items is not None and self.held is not None and not call.done():
            if self.held.wait(0.01):
                break
        if not call.done():
            self.judged += [question.id for question, _ in (items or ())[:1]]
            call.set_result(([0.5] * len(items or ()), len(self.judged)))

    def die(self) -> None:
        for call in self.calls:
            if not call.done():
                call.set_exception(ActorDied("its process died"))


def scorers_of(monkeypatch: pytest.MonkeyPatch, actors: Iterable[Judge], places: int) -> scorer.RayScorers:
    """Over these actors, one for each place; more of them stand in for those that die."""
    waiting = iter(actors)
    options = SimpleNamespace(remote=lambda _: next(waiting))
    monkeypatch.setattr(scorer, "ScorerActor", SimpleNamespace(options=lambda **_: options))
    monkeypatch.setattr(scorer.ray, "kill", Judge.die)
    recipe: Any = SimpleNamespace(
        scorer=SimpleNamespace(cpus=0, timeout_s=1),
        cluster=SimpleNamespace(start_timeout_s=30),
        verifiers=["one"],
        to_json=dict,
    )
    made = scorer.RayScorers(recipe, [None] * places)
    made.wait()
    return made


def groups_of(names: Iterable[str]) -> list[Group]:
    row = Completion("x", (1,), (-0.1,), False, AdapterRef(0, "a"))
    return [Group(Question(name, "?", {}), (1,), (row, row)) for name in names]
