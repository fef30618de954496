"""Scorer actors: groups are scored while others are still being generated."""

from __future__ import annotations

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


class RayScorers:
    """All scorer actors as one; meets :class:`biorlhf.stage.Scorers`."""

    def __init__(self, recipe: Recipe, places: Sequence[Any]) -> None:
        self.recipe, self.places = recipe, list(places)
        self.actors = [self._start(place) for place in self.places]
        self.kills = [0] * len(self.actors)

    def _start(self, place: Any) -> Any:
        return ScorerActor.options(num_cpus=self.recipe.scorer.cpus, scheduling_strategy=place).remote(
            self.recipe.to_json()
        )

    def score(self, groups: Iterable[Group]) -> Iterator[ScoredGroup]:
        pending: dict[Any, tuple[Group, int, int]] = {}
        for turn, group in enumerate(groups):
            number = turn % len(self.actors)
            pending[self._submit(number, group)] = (group, number, 1)
            # Between two groups only what is done is taken: sampling does not wait for scores.
            yield from self._finished(pending, timeout_s=0)
        while pending:
            yield from self._finished(pending, timeout_s=self._patience(pending))

    def _patience(self, pending: dict[Any, tuple[Group, int, int]]) -> float:
        """The longest that the pending scores may take if every verifier uses all of its time."""
        completions = sum(len(group.completions) for group, _, _ in pending.values())
        return 60 + completions * len(self.recipe.verifiers) * self.recipe.scorer.timeout_s * 2

    def _submit(self, number: int, group: Group) -> Any:
        items = [(group.question, completion.text) for completion in group.completions]
        return self.actors[number].score.remote(items)

    def _finished(
        self, pending: dict[Any, tuple[Group, int, int]], timeout_s: float
    ) -> Iterator[ScoredGroup]:
        ready, _ = ray.wait(list(pending), num_returns=1, timeout=timeout_s) if pending else ([], [])
        if not ready and timeout_s:
            self._replace(pending, timeout_s)
        for ref in ready:
            group, number, tries = pending.pop(ref)
            try:
                rewards, self.kills[number] = ray.get(ref)
            except RayTaskError as error:
                raise root_cause(error, f"scorer actor {number + 1}") from error
            except ActorLost as error:
                if tries == MAX_TRIES:
                    raise RunFailure(
                        f"scorer actor {number + 1} died {tries} times over one group"
                    ) from error
                self.actors[number] = self._start(self.places[number])
                pending[self._submit(number, group)] = (group, number, tries + 1)
            else:
                yield ScoredGroup(group, tuple(rewards))

    def _replace(self, pending: dict[Any, tuple[Group, int, int]], timeout_s: float) -> None:
        """Take the actors from which nothing came for dead: a verifier that hangs is ended within them."""
        waiting = list(pending.values())
        if any(tries == MAX_TRIES for _, _, tries in waiting):
            raise RunFailure(f"no score came in {timeout_s:g} s for {len(waiting)} groups, {MAX_TRIES} times")
        for number in {number for _, number, _ in waiting}:
            ray.kill(self.actors[number])
            self.actors[number] = self._start(self.places[number])
        pending.clear()
        for group, number, tries in waiting:
            pending[self._submit(number, group)] = (group, number, tries + 1)

    def close(self) -> None:
        for actor in self.actors:
            ray.kill(actor)
