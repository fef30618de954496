"""Scorer actors: groups are scored while others are still being generated."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

import ray

from biorlhf.actors.devices import hide_gpus
from biorlhf.actors.fetch import future_of
from biorlhf.actors.fleet import Fleet
from biorlhf.actors.members import Limits
from biorlhf.actors.tickets import Answers, Policy, given
from biorlhf.recipe import Recipe
from biorlhf.scoring.isolated import IsolatedScorer, ScorerSpec
from biorlhf.types import Group, Question, Reward, ScoredGroup

ROOM = 2  # groups that an actor has: one is judged, and the next is there when it is done
# A child that imports every plugin: three seconds on a busy machine.
RESTART_S = 10.0
NO_POLICY = ""  # who judges serves none


class ScorerWorker:
    """Verifiers in a child process, which is killed and replaced when one of them hangs or crashes."""

    def __init__(self, recipe: dict[str, Any]) -> None:
        hide_gpus(0)
        self.scorer = IsolatedScorer(ScorerSpec.from_recipe(Recipe.model_validate(recipe)))

    def ready(self) -> bool:
        return True

    def score(self, items: Sequence[tuple[Question, str]]) -> tuple[list[Reward], int]:
        """Rewards in order, and how often the child process had to be replaced so far."""
        return self.scorer.score(items), self.scorer.restarts


ScorerActor: Any = ray.remote(ScorerWorker)


class ScorerEngine:
    """One scorer actor as the fleet sees it; meets :class:`biorlhf.actors.members.Engine`.

    It knows no policies: it holds whatever it is given, and sleeps at once.
    """

    def __init__(self, recipe: Recipe, place: Any, number: int, kills: list[int]) -> None:
        self.name, self.number, self.kills = f"scorer actor {number + 1}", number, kills
        self.actor = ScorerActor.options(num_cpus=recipe.scorer.cpus, scheduling_strategy=place).remote(
            recipe.to_json()
        )
        self.lock = threading.Lock()  # over what follows: scores come in Ray's own thread
        self.scored: list[tuple[int, ScoredGroup]] = []
        self.error: BaseException | None = None
        self.taker: Future[Any] | None = None

    def ready(self) -> Future[Any]:
        return future_of(self.actor.ready.remote(), self.name)

    def hold(self, policy: Any) -> Future[Any]:
        at_once: Future[Any] = Future()
        at_once.set_result(policy)
        return at_once

    def sleep(self) -> Future[Any]:
        return self.hold(None)

    def put(self, tickets: Sequence[tuple[int, Group]]) -> None:
        for number, group in tickets:
            items = [(group.question, completion.text) for completion in group.completions]
            judged = future_of(self.actor.score.remote(items), self.name)
            judged.add_done_callback(partial(self._judged, number, group))

    def take(self, tickets: Sequence[tuple[int, Group]]) -> Future[list[tuple[int, Any]]]:
        self.put(tickets)
        taker: Future[Any] = Future()
        with self.lock:
            self.taker = taker
        self._give()
        return taker

    def end(self) -> None:
        ray.kill(self.actor)

    def _judged(self, number: int, group: Group, done: Future[Any]) -> None:
        error = done.exception()
        with self.lock:
            if error is None:
                rewards, self.kills[self.number] = done.result()
                self.scored.append((number, ScoredGroup(group, tuple(rewards))))
            else:
                self.error = self.error or error
        self._give()

    def _give(self) -> None:
        """What is there to whoever takes it: scores first, and then why there are no more."""
        with self.lock:
            if self.taker is None or not (self.scored or self.error):
                return
            taker, self.taker = self.taker, None
            scored, self.scored = self.scored, []
        if scored:
            taker.set_result(scored)
        else:
            taker.set_exception(self.error)


class RayScorers:
    """All scorer actors as one; meets :class:`biorlhf.stage.Scorers`. See :mod:`biorlhf.actors.fleet`: a
    group is one ticket, so that a slow actor judges fewer."""

    def __init__(self, recipe: Recipe, places: Sequence[Any]) -> None:
        self.recipe = recipe
        self.kills = [0] * len(places)
        starts = [partial(ScorerEngine, recipe, place, n, self.kills) for n, place in enumerate(places)]
        limits = Limits(ROOM, 60, recipe.cluster.start_timeout_s, setting="scorer.timeout_s")
        self.fleet = Fleet(starts, len(places), limits, "scorer actor")
        self.fleet.launch(range(len(places)))
        self.fleet.publish(Policy(NO_POLICY, None, lambda number, proof: None))

    def wait(self) -> None:
        """Return when every actor is there."""
        self.fleet.wait(range(len(self.kills)))
        self.fleet.open()

    def score(self, groups: Iterable[Group]) -> Iterator[ScoredGroup]:
        answers: Answers = queue.SimpleQueue()
        asked = 0
        for group in groups:
            self.fleet.ask([(group, 1)], NO_POLICY, answers, takes_s=self._takes_s(group))
            asked += 1
            # Between two groups only what is done is taken: sampling does not wait for scores.
            while not answers.empty():
                asked -= 1
                yield given(answers)
        for _ in range(asked):
            yield given(answers)

    def _takes_s(self, group: Group) -> float:
        """How long its verifiers may take for it, in seconds, and their process to be started anew each time
        that one of them takes too long."""
        timeout_s = self.recipe.scorer.timeout_s
        calls = len(group.completions) * len(self.recipe.verifiers)
        return calls * (timeout_s + max(timeout_s, RESTART_S))

    def close(self) -> None:
        self.fleet.close()
