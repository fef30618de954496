"""Rollout actors: each wraps a sampler; the fleet gives them questions and takes in their groups."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any

import ray

from biorlhf.actors.devices import hide_gpus, thread_count
from biorlhf.actors.fetch import fetch, future_of
from biorlhf.actors.fleet import Fleet
from biorlhf.actors.held import HeldAdapter, reference
from biorlhf.actors.members import ActorDied, Limits
from biorlhf.actors.tickets import Policy
from biorlhf.engines.samplers.build import SamplerSpec, build_sampler
from biorlhf.engines.samplers.contract import Held
from biorlhf.engines.samplers.serving import Serving
from biorlhf.errors import LearnerLost, RunFailure
from biorlhf.recipe import Recipe
from biorlhf.recipe.labels import selector
from biorlhf.stage import CANARY_ANSWER, CANARY_PROMPT, Adapter, Sampling
from biorlhf.types import AdapterRef, Group, Question, TrainGroup
from biorlhf.workers.crew import Canary, ControlledLearner, highest_rank

CALLS = 4  # that an actor takes at once: one waits for answers, others put in questions and adapters


class RolloutWorker:
    """A sampler in a process of its own."""

    def __init__(self, recipe: dict[str, Any]) -> None:
        parsed = Recipe.model_validate(recipe)
        hide_gpus(parsed.rollout.gpus)
        threads = thread_count(parsed, "rollout")
        spec = SamplerSpec(parsed, highest_rank(parsed), threads, on_gpu=parsed.rollout.gpus > 0)
        self.serving = Serving(partial(build_sampler, spec))

    def ready(self) -> bool:
        return True

    def put(self, tickets: Sequence[tuple[int, tuple[Question, Sampling]]]) -> None:
        self.serving.put(tickets)

    def take(self, tickets: Sequence[tuple[int, tuple[Question, Sampling]]]) -> list[tuple[int, Group]]:
        self.serving.put(tickets)
        return self.serving.take()

    def sleep(self) -> None:
        self.serving.call(self.serving.sampler.sleep)

    def hold(
        self, adapter: Adapter, prompt: str, ids: tuple[Sequence[int], Sequence[int]]
    ) -> tuple[list[int], list[float]]:
        """Serve this adapter. Gives the prompt's tokens as they are here, and the log-probabilities, in
        nats, of the tokens ``ids[1]`` after ``ids[0]``."""
        # Every rollout row names this hash as the policy that made it, so it is checked where it is used.
        arrived = hashlib.sha256(adapter.tensors).hexdigest()
        if arrived != adapter.ref.sha256:
            raise RunFailure(
                f"adapter version {adapter.ref.version} arrived damaged: its sha256 is {arrived}"
            )
        sampler = self.serving.sampler

        def load() -> tuple[list[int], list[float]]:
            sampler.load_adapter(adapter)
            served = sampler.logprobs(*ids, adapter.ref) if ids[1] else []
            return list(sampler.encode(prompt)), list(served)

        return self.serving.call(load)


RolloutActor: Any = ray.remote(RolloutWorker)


class RayEngine:
    """One rollout actor as the fleet sees it; meets :class:`biorlhf.actors.members.Engine`."""

    def __init__(self, recipe: Recipe, place: Any, name: str) -> None:
        self.name = name
        self.actor = RolloutActor.options(
            num_cpus=recipe.rollout.cpus,
            num_gpus=recipe.rollout.gpus,
            label_selector=selector(recipe.rollout.labels),
            scheduling_strategy=place,
            max_concurrency=CALLS,
        ).remote(recipe.to_json())

    def ready(self) -> Future[Any]:
        return future_of(self.actor.ready.remote(), self.name)

    def hold(self, policy: Any) -> Future[Any]:
        return future_of(self.actor.hold.remote(*policy), self.name)

    def sleep(self) -> Future[Any]:
        return future_of(self.actor.sleep.remote(), self.name)

    def put(self, tickets: Sequence[tuple[int, Any]]) -> None:
        self.actor.put.remote(tickets)

    def take(self, tickets: Sequence[tuple[int, Any]]) -> Future[list[tuple[int, Any]]]:
        return future_of(self.actor.take.remote(tickets), self.name)

    def end(self) -> None:
        ray.kill(self.actor)


class RayRollouts:
    """All rollout actors as one; meets :class:`biorlhf.stage.Rollouts`. See :mod:`biorlhf.actors.fleet`."""

    def __init__(self, recipe: Recipe, places: Sequence[Any]) -> None:
        rollout = recipe.rollout
        self.recipe, self.first = recipe, list(range(len(places)))
        # Those that may join have no place yet: they are asked for, and stay pending until there is one.
        all_places = [*places, *["DEFAULT"] * max(0, (rollout.most or 0) - len(places))]
        names = [f"rollout actor {number + 1}" for number in range(len(all_places))]
        start_s = recipe.cluster.start_timeout_s
        limits = Limits(rollout.concurrency, rollout.timeout_s, start_s, rollout.fewest, 1 + recipe.lag)
        starts = [partial(RayEngine, recipe, *at) for at in zip(all_places, names, strict=True)]
        self.fleet = Fleet(starts, len(places), limits, "rollout actor")
        self.told = 0
        self.canaries = [Canary(name, rollout.canary_tolerance) for name in names]
        self.watched: tuple[ControlledLearner, TrainGroup] | None = None
        # Of each: where it lies in Ray's object store, and what the learner said of the fixed text.
        self.policies: Held[tuple[Any, tuple[float, ...]]] = Held(1 + recipe.lag)
        # vLLM takes a share of its GPU by what is free when it starts, and fails where that changes
        # meanwhile: those that share one start after each other.
        self.one_by_one = 0 < rollout.gpus < 1
        try:
            for number in self.first:
                self.fleet.launch([number])
                if self.one_by_one:
                    self.fleet.wait([number])
        except BaseException:
            self.close()
            raise

    def wait(self) -> None:
        """Return when every actor of the start has its model loaded; ask for those that may join."""
        self.fleet.wait(self.first)
        self.fleet.open()

    def watch(self, learner: ControlledLearner) -> None:
        """From now on compare every policy, at each actor, with the learner's own log-probabilities."""
        self.watched = learner, learner.tokenize([(CANARY_PROMPT, CANARY_ANSWER)])[0]

    def load_adapter(self, adapter: Adapter, *, learnt: bool = True) -> None:
        ids: tuple[Sequence[int], Sequence[int]] = (), ()
        own = adapter.canary
        if self.watched is not None and (learnt or own):
            learner, probe = self.watched
            ids = probe.prompt_ids, probe.completions[0].token_ids
            if learnt:
                # Now, while the learner still has this policy.
                own = tuple(learner.logprobs(*ids))

        def prove(number: int, proof: tuple[list[int], list[float]]) -> None:
            seen, theirs = proof
            # Ids that differ would be trained on as what they are not, and no log-probability would show it.
            if ids[0] and tuple(seen) != tuple(ids[0]):
                raise RunFailure("learner and rollout turn the same prompt into different tokens")
            self.canaries[number].check(own, theirs)

        # Once in the object store: every actor reads that copy, and so does one that is started later.
        shared = reference(adapter)
        # Before it is known here: whoever asks for it finds it served.
        self.fleet.publish(Policy(adapter.ref.sha256, (shared, CANARY_PROMPT, ids), prove))
        self.policies.add(adapter.ref, (shared, own))

    def held(self, ref: AdapterRef) -> Adapter:
        shared, canary = self.policies.get(ref)[1]
        return HeldAdapter(ref, shared, _given, canary)

    def sample(self, questions: Sequence[Question], sampling: Sampling) -> Iterator[Group]:
        policy, _ = self.policies.get(sampling.policy)
        # By name: the newest may be another one when an actor comes to it.
        pinned = replace(sampling, policy=policy)
        works = [((question, pinned), sampling.n) for question in questions]
        yield from self.fleet.answers(works, policy.sha256)

    def sleep(self) -> None:
        """Have every actor give back its GPU's memory, until a policy is loaded or a question is asked."""
        self.fleet.sleep()

    def news(self) -> list[str]:
        """Who died and who joined since this was asked last, in words."""
        told, self.told = self.told, len(self.fleet.news)
        return self.fleet.news[told : self.told]

    def close(self) -> None:
        self.fleet.close()


def _given(held: Any) -> Adapter:
    """A policy as the learner gave it: it lies on the learner's node, and is lost with that.

    Raises:
        LearnerLost: it is lost.
    """
    try:
        adapter: Adapter = fetch(held, "a learner actor")
    except ActorDied as error:
        raise LearnerLost(str(error)) from error
    return adapter
