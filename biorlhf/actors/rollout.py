"""Rollout actors: prompts are spread over them, groups come back as they finish."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayTaskError

from biorlhf.actors.devices import hide_gpus
from biorlhf.actors.fetch import ActorDied, ActorLost, fetch, root_cause
from biorlhf.engines.samplers.build import Sampler, SamplerSpec, build_sampler
from biorlhf.engines.samplers.contract import Held
from biorlhf.errors import RunFailure
from biorlhf.recipe import Recipe
from biorlhf.scoring.cores import cores
from biorlhf.stage import CANARY_ANSWER, CANARY_PROMPT, Adapter, Sampling
from biorlhf.types import AdapterRef, Group, Question, TrainGroup
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

    def load_adapter(
        self, adapter: Adapter, prompt_ids: Sequence[int] = (), token_ids: Sequence[int] = ()
    ) -> list[float]:
        """Hold a policy; gives what log-probabilities it has for a text, if there is one."""
        # Every rollout row names this hash as the policy that made it, so it is checked where it is used.
        arrived = hashlib.sha256(adapter.tensors).hexdigest()
        if arrived != adapter.ref.sha256:
            raise RunFailure(
                f"adapter version {adapter.ref.version} arrived damaged: its sha256 is {arrived}"
            )
        self.sampler.load_adapter(adapter)
        return self.sampler.logprobs(prompt_ids, token_ids, adapter.ref) if token_ids else []


@dataclass(frozen=True, slots=True)
class Arrival:
    """A policy on its way to an actor: the actor's answer, and what the learner says of the same text."""

    policy: AdapterRef
    own: Sequence[float]
    actor: Any
    ref: Any


RolloutActor: Any = ray.remote(RolloutWorker)


class RayRollouts:
    """All rollout actors as one; meets :class:`biorlhf.stage.Rollouts`.

    An actor whose process dies, at work or idle, is started again in its place, given the policies that are
    held, and asked again for what it had not finished. No answer is given out before its actor was seen to
    serve the policy that was asked: at once where one policy is held, else with the first answer.
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
        self.policies: Held[tuple[Any, Sequence[float]]] = Held(1 + recipe.lag)
        self.arrivals: list[list[Arrival]] = [[] for _ in self.actors]
        self.lock = threading.RLock()  # over actors, policies and arrivals
        self.closed = False
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
        # Once into the object store: every actor reads that copy, and so does one that is started again
        # later.
        shared = ray.put(adapter)
        # Now, because the learner will have moved on when the actors answer.
        own = self.watched[0].logprobs(*self._probe()) if self.watched is not None else []
        with self.lock:
            self.policies.add(adapter.ref, (shared, own))
            for number, actor in enumerate(self.actors):
                self.arrivals[number].append(Arrival(adapter.ref, own, actor, self._given(number, shared)))
        if self.policies.count == 1:
            for number in range(len(self.actors)):
                self._trust(number, adapter.ref)

    def held(self, ref: AdapterRef) -> Adapter:
        adapter: Adapter = ray.get(self.policies.get(ref)[1][0])
        return adapter

    def _probe(self) -> tuple[Sequence[int], Sequence[int]]:
        if self.watched is None:
            return (), ()
        return self.watched[1].prompt_ids, self.watched[1].completions[0].token_ids

    def _trust(self, number: int, policy: AdapterRef | None) -> None:
        """Return when an actor was seen to serve a policy (None: the newest), and those that came before it.

        Raises:
            PolicyMismatch: it serves another, and so it will be said of every later one.
        """
        with self.lock:
            arrivals = self.arrivals[number]
            while arrivals and (policy is None or any(one.policy == policy for one in arrivals)):
                one = arrivals[0]
                try:
                    served = self._fetch(one.ref, number)
                except ActorDied as error:
                    # A successor is given them all, and is seen to serve them, before it answers anything.
                    self._restart(number, one.actor, error)
                else:
                    self.canaries[number].check(one.own, served)
                    arrivals.pop(0)

    def _on_all(self, method: str, *args: Any) -> list[Any]:
        # All are asked before any is waited for, so that they work side by side.
        asked = [(actor, getattr(actor, method).remote(*args)) for actor in self.actors]
        return [self._answer(number, *pair, method, args) for number, pair in enumerate(asked)]

    def _answer(self, number: int, actor: Any, ref: Any, method: str, args: tuple[Any, ...]) -> Any:
        """What an actor answers, or a successor of it where it died while nothing was asked of it."""
        while True:
            try:
                return self._fetch(ref, number)
            except ActorDied as error:
                self._restart(number, actor, error)
                actor = self.actors[number]
                ref = getattr(actor, method).remote(*args)

    def sample(self, questions: Sequence[Question], sampling: Sampling) -> Iterator[Group]:
        share = {n: list(questions[n :: len(self.actors)]) for n in range(len(self.actors))}
        streams = dict(self._ask(n, part, sampling) for n, part in share.items() if part)
        # What was asked for the steps before may still be answered first.
        timeout_s = self.recipe.rollout.timeout_s * (1 + self.recipe.lag)
        while streams:
            ready: list[Any]
            ready, _ = ray.wait(list(streams), timeout=timeout_s)
            if not ready:
                who = ", ".join(str(n + 1) for n, _ in streams.values())
                raise RunFailure(f"no completion came in {timeout_s:g} s from rollout actor {who}")
            stream = ready[0]
            number, actor = streams[stream]
            try:
                group: Group = ray.get(next(stream))
            except StopIteration:
                del streams[stream]
            except RayTaskError as error:
                raise root_cause(error, f"rollout actor {number + 1}") from error
            except ActorLost as error:
                del streams[stream]
                self._restart(number, actor, error)
                if share[number]:
                    streams |= dict([self._ask(number, share[number], sampling)])
            else:
                self._trust(number, sampling.policy)
                # What is left of a share is what a successor of a dead actor is asked.
                share[number] = [q for q in share[number] if q.id != group.question.id]
                yield group

    def _ask(self, number: int, questions: list[Question], sampling: Sampling) -> tuple[Any, Any]:
        actor = self.actors[number]
        return actor.sample.options(num_returns="streaming").remote(questions, sampling), (number, actor)

    def _restart(self, number: int, dead: Any, error: BaseException) -> None:
        """Start an actor again in its place, as often as it dies on the way, and give it the policies."""
        with self.lock:
            # Several threads may have waited for the same one.
            if self.actors[number] is dead:
                self._start_again(number, error)

    def _start_again(self, number: int, error: BaseException) -> None:
        while True:
            if self.closed:
                raise RunFailure("the rollout actors are stopped") from error
            self.restarts[number] += 1
            if self.restarts[number] > MAX_RESTARTS:
                raise RunFailure(f"rollout actor {number + 1} died {self.restarts[number]} times") from error
            self.actors[number] = self._start(self.places[number])
            try:
                self._ready(number)
                for shared, own in self.policies.by_ref.values():
                    served = self._fetch(self._given(number, shared), number)
                    self.canaries[number].check(own, served)
                self.arrivals[number].clear()
            except ActorDied as again:
                error = again
            else:
                return

    def _given(self, number: int, shared: Any) -> Any:
        return self.actors[number].load_adapter.remote(shared, *self._probe())

    def close(self) -> None:
        self.closed = True
        for actor in self.actors:
            ray.kill(actor)
