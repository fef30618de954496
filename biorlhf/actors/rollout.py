"""Rollout actors: prompts are spread over them, groups come back as they finish."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

import ray
from ray.exceptions import RayTaskError

from biorlhf.actors.devices import hide_gpus
from biorlhf.actors.fetch import ActorDied, ActorLost, fetch, root_cause
from biorlhf.actors.held import reference
from biorlhf.engines.samplers.build import Sampler, SamplerSpec, build_sampler
from biorlhf.errors import RunFailure
from biorlhf.recipe import Recipe
from biorlhf.scoring.cores import cores
from biorlhf.stage import CANARY_ANSWER, CANARY_PROMPT, Adapter, Sampling
from biorlhf.types import Group, Question, TrainGroup
from biorlhf.workers.crew import Canary, ControlledLearner, highest_rank

MAX_RESTARTS = 3  # of one actor in one run: more than that is no accident


def thread_count(cpus: float, actors: int) -> int:
    """Compute threads of one actor: its CPUs, or its share of the node where that is more.

    Rollout and learner take turns within a step, so each may use what the other leaves idle.
    """
    return max(1, int(cpus), cores() // actors)


class RolloutWorker:
    """A sampler in a process of its own."""

    def __init__(self, recipe: dict[str, Any]) -> None:
        parsed = Recipe.model_validate(recipe)
        hide_gpus(parsed.rollout.gpus)
        threads = thread_count(parsed.rollout.cpus, parsed.rollout.actors)
        spec = SamplerSpec(parsed, highest_rank(parsed), threads, on_gpu=parsed.rollout.gpus > 0)
        self.sampler: Sampler = build_sampler(spec)

    def ready(self) -> int:
        return os.getpid()

    def encode(self, text: str) -> list[int]:
        return self.sampler.encode(text)

    def sample(self, questions: Sequence[Question], sampling: Sampling) -> Iterator[Group]:
        yield from self.sampler.sample(questions, sampling)

    def load_adapter(self, adapter: Adapter) -> None:
        # Every rollout row names this hash as the policy that made it, so it is checked where it is used.
        arrived = hashlib.sha256(adapter.tensors).hexdigest()
        if arrived != adapter.ref.sha256:
            raise RunFailure(
                f"adapter version {adapter.ref.version} arrived damaged: its sha256 is {arrived}"
            )
        self.sampler.load_adapter(adapter)

    def logprobs(self, prompt_ids: Sequence[int], token_ids: Sequence[int]) -> list[float]:
        return self.sampler.logprobs(prompt_ids, token_ids)

    def sleep(self) -> None:
        self.sampler.sleep()  # type: ignore[attr-defined]  # a recipe that asks for it has vLLM

    def wake(self) -> None:
        self.sampler.wake()  # type: ignore[attr-defined]


RolloutActor: Any = ray.remote(RolloutWorker)


class RayRollouts:
    """All rollout actors as one; meets :class:`biorlhf.stage.Rollouts`.

    An actor whose process dies, at work or idle, is started again in its place, given the current adapter,
    and asked again for what it had not finished.
    """

    def __init__(self, recipe: Recipe, places: Sequence[Any]) -> None:
        self.recipe, self.places = recipe, list(places)
        # vLLM takes a share of its GPU by what is free when it starts, and fails where that changes
        # meanwhile: those that share one start after each other.
        one_by_one = 0 < recipe.rollout.gpus < 1
        self.actors: list[Any] = []
        for place in self.places:
            self.actors.append(self._start(place))
            if one_by_one:
                self._ready(len(self.actors) - 1)
        self.restarts = [0] * len(self.actors)
        self.adapter: Any = None  # a reference to the adapter in Ray's object store
        self.watched: tuple[ControlledLearner, TrainGroup] | None = None
        tolerance = recipe.rollout.canary_tolerance
        self.canaries = [Canary(f"rollout actor {number + 1}", tolerance) for number in range(len(places))]

    def _start(self, place: Any) -> Any:
        rollout = self.recipe.rollout
        return RolloutActor.options(
            num_cpus=rollout.cpus, num_gpus=rollout.gpus, scheduling_strategy=place
        ).remote(self.recipe.to_json())

    def wait(self) -> None:
        """Return when every actor has its model loaded."""
        for number in range(len(self.actors)):
            self._ready(number)

    def _ready(self, number: int) -> None:
        self._fetch(self.actors[number].ready.remote(), number, self.recipe.cluster.start_timeout_s)

    def _fetch(self, ref: Any, number: int, timeout_s: float | None = None) -> Any:
        setting = "cluster.start_timeout_s" if timeout_s else "rollout.timeout_s"
        limit_s = timeout_s or self.recipe.rollout.timeout_s
        return fetch(ref, f"rollout actor {number + 1}", limit_s, setting)

    def watch(self, learner: ControlledLearner) -> None:
        """From now on compare every adapter that is loaded with the learner's own log-probabilities."""
        probe = learner.tokenize([(CANARY_PROMPT, CANARY_ANSWER)])[0]
        # Ids that differ would be trained on as what they are not, and no log-probability would show it.
        seen = self._on_all("encode", CANARY_PROMPT)[0]
        if tuple(seen) != tuple(probe.prompt_ids):
            raise RunFailure("learner and rollout turn the same prompt into different tokens")
        self.watched = (learner, probe)

    def load_adapter(self, adapter: Adapter) -> None:
        # Once in the object store: every actor reads that copy, and so does one that is started again later.
        self.adapter = reference(adapter)
        self._on_all("load_adapter", self.adapter)
        if self.watched is None:
            return
        learner, probe = self.watched
        ids = (probe.prompt_ids, probe.completions[0].token_ids)
        theirs = self._on_all("logprobs", *ids)
        own = learner.logprobs(*ids)
        for canary, values in zip(self.canaries, theirs, strict=True):
            canary.check(own, values)

    def sleep(self) -> None:
        """Give the GPU's memory away, until :meth:`wake`."""
        self._on_all("sleep")

    def wake(self) -> None:
        self._on_all("wake")

    def _on_all(self, method: str, *args: Any) -> list[Any]:
        # All are asked before any is waited for, so that they work side by side.
        refs = [getattr(actor, method).remote(*args) for actor in self.actors]
        return [self._answer(ref, number, method, args) for number, ref in enumerate(refs)]

    def _answer(self, ref: Any, number: int, method: str, args: tuple[Any, ...]) -> Any:
        """What an actor answers, or a successor of it where it died while nothing was asked of it."""
        while True:
            try:
                return self._fetch(ref, number)
            except ActorDied as error:
                self._restart(number, error)
                ref = getattr(self.actors[number], method).remote(*args)

    def sample(self, questions: Sequence[Question], sampling: Sampling) -> Iterator[Group]:
        share = {n: list(questions[n :: len(self.actors)]) for n in range(len(self.actors))}
        streams = {self._ask(n, part, sampling): n for n, part in share.items() if part}
        timeout_s = self.recipe.rollout.timeout_s
        while streams:
            ready: list[Any]
            ready, _ = ray.wait(list(streams), timeout=timeout_s)
            if not ready:
                who = ", ".join(str(n + 1) for n in streams.values())
                raise RunFailure(f"no completion came in {timeout_s:g} s from rollout actor {who}")
            stream = ready[0]
            number = streams[stream]
            try:
                group: Group = ray.get(next(stream))
            except StopIteration:
                del streams[stream]
            except RayTaskError as error:
                raise root_cause(error, f"rollout actor {number + 1}") from error
            except ActorLost as error:
                del streams[stream]
                self._restart(number, error)
                if share[number]:
                    streams[self._ask(number, share[number], sampling)] = number
            else:
                # What is left of a share is what a successor of a dead actor is asked.
                share[number] = [q for q in share[number] if q.id != group.question.id]
                yield group

    def _ask(self, number: int, questions: list[Question], sampling: Sampling) -> Any:
        return self.actors[number].sample.options(num_returns="streaming").remote(questions, sampling)

    def _restart(self, number: int, error: BaseException) -> None:
        """Start an actor again in its place, as often as it dies on the way, and give it the adapter."""
        while True:
            self.restarts[number] += 1
            if self.restarts[number] > MAX_RESTARTS:
                raise RunFailure(f"rollout actor {number + 1} died {self.restarts[number]} times") from error
            self.actors[number] = self._start(self.places[number])
            try:
                self._ready(number)
                if self.adapter is not None:
                    self._fetch(self.actors[number].load_adapter.remote(self.adapter), number)
            except ActorDied as again:
                error = again
            else:
                return

    def close(self) -> None:
        for actor in self.actors:
            ray.kill(actor)
