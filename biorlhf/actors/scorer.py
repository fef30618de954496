"""Scorer actors: groups are scored while others are still being generated."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import ray
from ray.exceptions import RayTaskError

from biorlhf.actors.devices import hide_gpus
from biorlhf.actors.fetch import ActorLost, root_cause
from biorlhf.errors import RunFailure
from biorlhf.recipe import Recipe
from biorlhf.scoring.isolated import IsolatedScorer, ScorerSpec
from biorlhf.types import Group, Question, Reward, ScoredGroup

MAX_TRIES = 3  # for one group: the scorer's own child process already contains what a verifier may do


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

    def close(self) -> None:
        self.scorer.close()


ScorerActor: Any = ray.remote(ScorerWorker)
#: What is being judged: the group, its actor's number, how often it was asked, and the actor itself.
Pending = tuple[Group, int, int, Any]


class RayScorers:
    """All scorer actors as one; meets :class:`biorlhf.stage.Scorers`."""

    def __init__(self, recipe: Recipe, places: Sequence[Any]) -> None:
        self.recipe, self.places = recipe, list(places)
        self.actors = [self._start(place) for place in self.places]
        self.kills = [0] * len(self.actors)
        self.lock = threading.Lock()  # over actors: scores may be waited for in several threads

    def _start(self, place: Any) -> Any:
        return ScorerActor.options(num_cpus=self.recipe.scorer.cpus, scheduling_strategy=place).remote(
            self.recipe.to_json()
        )

    def score(self, groups: Iterable[Group]) -> Iterator[ScoredGroup]:
        pending: dict[Any, Pending] = {}
        for turn, group in enumerate(groups):
            number = turn % len(self.actors)
            self._ask(pending, group, number, 1)
            # Between two groups only what is done is taken: sampling does not wait for scores.
            yield from self._finished(pending, timeout_s=0)
        while pending:
            yield from self._finished(pending, timeout_s=self._patience(pending))

    def _patience(self, pending: dict[Any, Pending]) -> float:
        """The longest that the pending scores may take if every verifier uses all of its time."""
        completions = sum(len(group.completions) for group, *_ in pending.values())
        own_s = completions * len(self.recipe.verifiers) * self.recipe.scorer.timeout_s * 2
        # Those of the steps before may still be judged first.
        return 60 + own_s * (1 + self.recipe.lag)

    def _ask(self, pending: dict[Any, Pending], group: Group, number: int, tries: int) -> None:
        items = [(group.question, completion.text) for completion in group.completions]
        actor = self.actors[number]
        pending[actor.score.remote(items)] = (group, number, tries, actor)

    def _renew(self, number: int, dead: Any) -> None:
        """Start an actor in the place of one that died, once for all who waited for it."""
        with self.lock:
            if self.actors[number] is dead:
                self.actors[number] = self._start(self.places[number])

    def _finished(self, pending: dict[Any, Pending], timeout_s: float) -> Iterator[ScoredGroup]:
        ready, _ = ray.wait(list(pending), num_returns=1, timeout=timeout_s) if pending else ([], [])
        if not ready and timeout_s:
            self._replace(pending, timeout_s)
        for ref in ready:
            group, number, tries, actor = pending.pop(ref)
            try:
                rewards, self.kills[number] = ray.get(ref)
            except RayTaskError as error:
                raise root_cause(error, f"scorer actor {number + 1}") from error
            except ActorLost as error:
                if tries == MAX_TRIES:
                    raise RunFailure(
                        f"scorer actor {number + 1} died {tries} times over one group"
                    ) from error
                self._renew(number, actor)
                self._ask(pending, group, number, tries + 1)
            else:
                yield ScoredGroup(group, tuple(rewards))

    def _replace(self, pending: dict[Any, Pending], timeout_s: float) -> None:
        """Take the actors from which nothing came for dead: a verifier that hangs is ended within them."""
        waiting = list(pending.values())
        if any(tries == MAX_TRIES for _, _, tries, _ in waiting):
            raise RunFailure(f"no score came in {timeout_s:g} s for {len(waiting)} groups, {MAX_TRIES} times")
        for number, actor in {number: actor for _, number, _, actor in waiting}.items():
            ray.kill(actor)
            self._renew(number, actor)
        pending.clear()
        for group, number, tries, _ in waiting:
            self._ask(pending, group, number, tries + 1)

    def close(self) -> None:
        for actor in self.actors:
            ray.kill(actor)
