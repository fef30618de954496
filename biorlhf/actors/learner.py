"""The learner actor: base model, LoRA adapter and optimizer in a process of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ray

from biorlhf.actors.devices import hide_gpus, learner_options
from biorlhf.actors.fetch import fetch
from biorlhf.actors.rollout import thread_count
from biorlhf.engines.cpu import native
from biorlhf.engines.learning.learner import Learner, LearnerSpec
from biorlhf.recipe import Recipe
from biorlhf.stage import Adapter, Update
from biorlhf.types import TrainGroup


class LearnerWorker(Learner):
    """The learner in a process of its own, built from plain data where its device is."""

    def __init__(self, recipe: dict[str, Any]) -> None:
        parsed = Recipe.model_validate(recipe)
        hide_gpus(parsed.learner.gpus)
        threads = thread_count(parsed.learner.cpus, 1)
        super().__init__(LearnerSpec(parsed, threads, on_gpu=parsed.learner.gpus > 0))

    def ready(self) -> list[str]:
        """Loaded; what a person should know of it."""
        # Read in the actor's process: what could not be compiled there is known nowhere else.
        return native.LACKING


LearnerActor: Any = ray.remote(LearnerWorker)


class RayLearner:
    """The learner actor; meets :class:`biorlhf.workers.crew.ControlledLearner`."""

    def __init__(self, recipe: Recipe, place: Any) -> None:
        self.recipe = recipe
        self.actor = LearnerActor.options(
            num_cpus=recipe.learner.cpus,
            num_gpus=recipe.learner.gpus,
            scheduling_strategy=place,
            **learner_options(recipe.learner.gpus),
        ).remote(recipe.to_json())

    def wait(self) -> list[str]:
        """Until it is loaded; gives what a person should know of it."""
        limit_s = self.recipe.cluster.start_timeout_s
        return fetch(self.actor.ready.remote(), "learner actor", limit_s, "cluster.start_timeout_s")

    def _fetch(self, ref: Any) -> Any:
        return fetch(ref, "learner actor", self.recipe.learner.timeout_s, "learner.timeout_s")

    def tokenize(self, pairs: Sequence[tuple[str, str]]) -> list[TrainGroup]:
        return self._fetch(self.actor.tokenize.remote(pairs))

    def step(self, groups: Sequence[TrainGroup], loss: Mapping[str, Any], *, seed: int) -> Update:
        return self._fetch(self.actor.step.remote(groups, loss, seed=seed))

    def evaluate(self, groups: Sequence[TrainGroup], loss: Mapping[str, Any]) -> Mapping[str, float]:
        return self._fetch(self.actor.evaluate.remote(groups, loss))

    def adapter(self) -> Adapter:
        return self._fetch(self.actor.adapter.remote())

    def begin_stage(self, index: int, total_steps: int) -> None:
        self._fetch(self.actor.begin_stage.remote(index, total_steps))

    def checkpoint(self) -> Mapping[str, bytes]:
        return self._fetch(self.actor.checkpoint.remote())

    def restore(self, files: Mapping[str, bytes], index: int, total_steps: int) -> None:
        self._fetch(self.actor.restore.remote(files, index, total_steps))

    def logprobs(self, prompt_ids: Sequence[int], token_ids: Sequence[int]) -> list[float]:
        return self._fetch(self.actor.logprobs.remote(prompt_ids, token_ids))

    def close(self) -> None:
        ray.kill(self.actor)
