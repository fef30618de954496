"""The learner actors: each holds base model, LoRA adapter and optimizer in a process of its own."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import ray
from ray.util import placement_group, placement_group_table, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from biorlhf.actors.connection import alive
from biorlhf.actors.devices import hide_gpus, learner_options, thread_count
from biorlhf.actors.fetch import fetch, silent
from biorlhf.actors.held import HeldAdapter, HeldFiles
from biorlhf.actors.members import ActorDied
from biorlhf.engines.cpu import native
from biorlhf.engines.learning.learner import Learner, LearnerSpec
from biorlhf.engines.learning.ranks import Collective, join_store, open_store
from biorlhf.errors import BiorlhfError, LearnerLost, RunFailure
from biorlhf.recipe import Recipe
from biorlhf.recipe.labels import in_words, selector
from biorlhf.stage import Adapter, Update
from biorlhf.types import AdapterRef, TrainGroup
from biorlhf.workers.plan import Request, lacking


class LearnerWorker(Learner):
    """The learner in a process of its own, built from plain data where its device is."""

    def __init__(self, recipe: dict[str, Any]) -> None:
        parsed = Recipe.model_validate(recipe)
        hide_gpus(parsed.learner.gpus)
        threads = thread_count(parsed, "learner")
        super().__init__(LearnerSpec(parsed, threads, on_gpu=parsed.learner.gpus > 0))

    def open(self) -> tuple[str, int]:
        """Of rank 0: where the other ranks find it, as (address, port)."""
        host = ray.util.get_node_ip_address()
        self.store, port = open_store(host, self.recipe.learner.actors)
        return host, port

    def join(self, rank: int, address: tuple[str, int]) -> None:
        """Become one of the learners that update as one; returns when all of them have joined."""
        size, on_gpu = self.recipe.learner.actors, self.recipe.learner.gpus > 0
        store = self.store if rank == 0 else join_store(*address, size)
        host, shards = ray.util.get_node_ip_address(), self.recipe.learner.shard
        self.join_ranks(Collective(store, rank, size, host, on_gpu=on_gpu, shards=shards))

    def step_apart(
        self, groups: Sequence[TrainGroup], loss: Mapping[str, Any], *, seed: int
    ) -> tuple[tuple[Mapping[str, float], AdapterRef | None], Adapter | None]:
        """A step's metrics with its adapter's name, and the adapter: values of their own, so that who asked
        fetches the one, and the object store keeps the other."""
        update = self.step(groups, loss, seed=seed)
        name = update.adapter.ref if update.adapter else None
        return (update.metrics, name), self._first_only(update.adapter)

    def adapter_apart(self) -> tuple[AdapterRef, Adapter | None]:
        """The adapter's name, and the adapter."""
        adapter = self.adapter()
        return adapter.ref, self._first_only(adapter)

    def _first_only(self, adapter: Adapter | None) -> Adapter | None:
        # All ranks hold the same: one copy is enough.
        return adapter if self.ranks.rank == 0 else None

    def ready(self) -> list[str]:
        """Loaded; what a person should know of it."""
        # Read in the actor's process: what could not be compiled there is known nowhere else.
        return native.LACKING


PLACED_S = 45.0  # until Ray knows that a node is gone, and has placed anew what it held
ONE_NODE_S = 5.0  # of these, until it has found one node for all where there is one
LOOK_S = 1.0
NOTICE_S = 10.0  # until Ray says of a process that it is gone
UNREACHABLE_S = 75.0  # until it says so of a node that it does not reach: 65 s, if nobody set it lower
START = "cluster.start_timeout_s"
LearnerActor: Any = ray.remote(LearnerWorker)


class RayLearners:
    """All learner actors as one; meets :class:`biorlhf.workers.crew.ControlledLearner`.

    What they do together is called on all of them with the same arguments, and rank 0's answer is given back.
    """

    def __init__(self, recipe: Recipe, places: Sequence[Any]) -> None:
        self.recipe, self.places = recipe, list(places)
        self.actors = self._start()

    def _start(self) -> list[Any]:
        section = self.recipe.learner
        return [
            LearnerActor.options(
                num_cpus=section.cpus,
                num_gpus=section.gpus,
                label_selector=selector(section.labels),
                scheduling_strategy=place,
                **learner_options(section.gpus),
            ).remote(self.recipe.to_json())
            for place in self.places
        ]

    def renew(self) -> None:
        """Start all of them anew after ``LearnerLost``: who is left may wait for the one that died."""
        self.close()
        self.actors = self._start()
        if self._moved():
            # What was started before died with its node, or may yet.
            self.close()
            self.actors = self._start()
        self.wait()

    def _moved(self) -> bool:
        """Whether places went with a node that died; returns when they are elsewhere, or all have started.

        Raises:
            RunFailure: no other node has room for them.
        """
        section, end = self.recipe.learner, time.monotonic() + PLACED_S
        asked = Request("", section.cpus, section.gpus, section.labels)
        waiting, lost, moved = [actor.ready.remote() for actor in self.actors], 0, False
        since = math.inf  # when they were first seen to be nowhere
        while time.monotonic() < end:
            if waiting:
                _, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=LOOK_S)
            else:
                time.sleep(LOOK_S)
            nodes = alive()
            lost = [_node_of(place, nodes) in nodes for place in self.places].count(False)
            moved = moved or lost > 0
            since = min(since, time.monotonic()) if lost else math.inf
            if time.monotonic() - since > ONE_NODE_S:
                _loosen(self.places, section.labels)
            # Where no node could ever hold them there is nothing to wait for.
            if lost and lacking([asked] * lost, list(nodes.values())):
                break
            if not lost and (moved or not waiting):
                break
        if lost:
            where = f" with {in_words(section.labels)}" if section.labels else ""
            raise RunFailure(
                f"the node of {lost} of {len(self.places)} learners is gone, and no other{where} has room for"
                f" {section.cpus:g} CPU and {section.gpus:g} GPU each"
            )
        return moved

    def wait(self) -> list[str]:
        """Until they are loaded and have found each other; gives what a person should know of it."""
        notes = self._results([actor.ready.remote() for actor in self.actors], START)[0]
        if len(self.actors) > 1:
            address = self._results([self.actors[0].open.remote()], START)[0]
            joined = [actor.join.remote(rank, address) for rank, actor in enumerate(self.actors)]
            self._results(joined, START)
        return notes

    def _ask(self, method: str, *args: Any, values: int = 1, **named: Any) -> list[Any]:
        """References to what all answer; lists of them for a method that gives several ``values``."""
        # Once into the object store, not once for each actor.
        if len(self.actors) > 1:
            args = tuple(ray.put(value) for value in args)
        options = {"num_returns": values}
        return [getattr(actor, method).options(**options).remote(*args, **named) for actor in self.actors]

    def _all(self, method: str, *args: Any) -> Any:
        return self._results(self._ask(method, *args))[0]

    def _apart(self, method: str, *args: Any, **named: Any) -> tuple[Any, Any]:
        """Rank 0's first value, and a reference to its second."""
        pairs = self._ask(method, *args, values=2, **named)
        return self._results([first for first, _ in pairs])[0], pairs[0][1]

    def _first(self, method: str, *args: Any) -> Any:
        """Of rank 0 alone: what every rank would answer alike."""
        return self._results([getattr(self.actors[0], method).remote(*args)])[0]

    def _results(self, refs: Sequence[Any], setting: str = "learner.timeout_s") -> list[Any]:
        """The answers by rank. The first error ends the wait: the others may be held by whoever raised it.

        Raises:
            LearnerLost: the process of one of them is gone.
        """
        limit_s = self.recipe.cluster.start_timeout_s if setting == START else self.recipe.learner.timeout_s
        rank_of = {ref: rank for rank, ref in enumerate(refs)}
        values: dict[int, Any] = {}
        waiting: list[Any] = list(refs)
        while waiting:
            done, waiting = ray.wait(waiting, timeout=limit_s)
            if not done:
                _raise_if_lost(waiting, NOTICE_S)
                raise silent(self._name(rank_of[waiting[0]]), limit_s, setting)
            for ref in done:
                try:
                    values[rank_of[ref]] = fetch(ref, self._name(rank_of[ref]), limit_s, setting)
                except ActorDied as error:
                    raise LearnerLost(str(error)) from error
                except RunFailure:
                    _raise_if_lost(waiting, UNREACHABLE_S)
                    raise
        return [values[rank] for rank in range(len(refs))]

    def _name(self, rank: int) -> str:
        return "learner actor" if len(self.actors) == 1 else f"learner actor {rank + 1}"

    def _fetch(self, held: Any) -> Any:
        return self._results([held])[0]

    def tokenize(self, pairs: Sequence[tuple[str, str]]) -> list[TrainGroup]:
        return self._first("tokenize", pairs)

    def step(self, groups: Sequence[TrainGroup], loss: Mapping[str, Any], *, seed: int) -> Update:
        (metrics, name), held = self._apart("step_apart", groups, loss, seed=seed)
        return Update(metrics, HeldAdapter(name, held, self._fetch) if name else None)

    def evaluate(self, groups: Sequence[TrainGroup], loss: Mapping[str, Any]) -> Mapping[str, float]:
        return self._all("evaluate", groups, loss)

    def adapter(self) -> Adapter:
        return HeldAdapter(*self._apart("adapter_apart"), self._fetch)

    def begin_stage(self, index: int, total_steps: int) -> None:
        self._all("begin_stage", index, total_steps)

    def checkpoint(self) -> Mapping[str, bytes]:
        # Asked for now, that is before the next step; whoever writes it waits until it is made.
        held = self.actors[0].checkpoint.remote()
        return HeldFiles(lambda: self._fetch(held))

    def restore(self, files: Mapping[str, bytes], index: int, total_steps: int) -> None:
        self._all("restore", files, index, total_steps)

    def logprobs(self, prompt_ids: Sequence[int], token_ids: Sequence[int]) -> list[float]:
        # A sharded base takes all ranks for every pass.
        ask = self._all if self.recipe.learner.shard else self._first
        return ask("logprobs", prompt_ids, token_ids)

    def close(self) -> None:
        for actor in self.actors:
            ray.kill(actor)


def _node_of(place: Any, nodes: Iterable[str]) -> str:
    """The node that holds a place: that of its bundle, empty where Ray has none for it, or any."""
    if not isinstance(place, PlacementGroupSchedulingStrategy):
        return next(iter(nodes))
    bundles = placement_group_table(place.placement_group)["bundles_to_node_id"]
    return str(bundles.get(place.placement_group_bundle_index, ""))


def _loosen(places: Sequence[Any], labels: Mapping[str, tuple[str, ...]]) -> None:
    """Ask for these places anew, on several nodes, if Ray was asked for one node that holds them all."""
    for group in {place.placement_group for place in places}:
        if placement_group_table(group)["strategy"] != "STRICT_PACK":
            continue
        bundles = group.bundle_specs
        selectors = [selector(labels)] * len(bundles)
        try:
            wider = placement_group(bundles, strategy="PACK", bundle_label_selector=selectors)
        except ValueError:
            continue  # Ray has rules of its own for some GPUs: these stay on one node
        # A rollout actor that shares a learner's place has the same object, and is started there again.
        for place in places:
            place.placement_group = wider
        remove_placement_group(group)


def _raise_if_lost(refs: Sequence[Any], notice_s: float) -> None:
    """Where a learner dies, another one may be the first to fail: of the connection to it."""
    end, waiting = time.monotonic() + notice_s, list(refs)
    while waiting:
        done, waiting = ray.wait(waiting, timeout=max(0.0, end - time.monotonic()))
        if not done:
            return
        for ref in done:
            try:
                fetch(ref, "a learner actor")
            except ActorDied as error:
                raise LearnerLost(str(error)) from error
            except BiorlhfError:
                continue
