"""Ray: connecting, asking for resources, starting the actors and stopping them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ray
from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from biorlhf.actors.learner import RayLearners
from biorlhf.actors.rollout import RayRollouts
from biorlhf.actors.scorer import RayScorers
from biorlhf.errors import ResourceError
from biorlhf.recipe import Recipe
from biorlhf.workers.crew import Workers
from biorlhf.workers.plan import Request, requests

Place = PlacementGroupSchedulingStrategy | str

LOCAL_OBJECT_STORE_BYTES = 2**30  # adapters and texts only: Ray's own default would take 30 % of memory


@contextmanager
def ray_workers(recipe: Recipe, *, samples: bool, address: str | None) -> Iterator[Workers]:
    """Connect to Ray (``address``, RAY_ADDRESS, or a local one), place the actors, start them."""
    started_here = not ray.is_initialized()
    if started_here:
        _connect(address)
    group = None
    try:
        asked = requests(recipe, samples=samples)
        # Ray would wait for what can never come, until the timeout.
        _refuse_impossible(asked)
        group = _place(asked, recipe.cluster.start_timeout_s)
        with _actors(recipe, _places(asked, group), describe(asked)) as workers:
            yield workers
    finally:
        if group is not None:
            remove_placement_group(group)
        if started_here:
            # Only a Ray that was started here: a notebook's own goes on.
            ray.shutdown()


def _connect(address: str | None) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Ray lowers its workers' priority; a run would then crawl beside anything else on the machine.
    os.environ.setdefault("RAY_worker_niceness", "0")
    address = address or os.environ.get("RAY_ADDRESS")
    local: dict[str, Any] = (
        {} if address else {"object_store_memory": LOCAL_OBJECT_STORE_BYTES, "include_dashboard": False}
    )
    try:
        ray.init(
            address=address or "local",
            log_to_driver=bool(os.environ.get("BIORLHF_VERBOSE")),
            logging_level=logging.WARNING,
            **local,
        )
    except ConnectionError as error:
        raise ResourceError(f"Ray at {address}", f"cannot be reached: {error}") from None


def _refuse_impossible(asked: list[Request]) -> None:
    """Say at once what no node of this cluster will ever have."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    have = {kind: sum(node.get(kind, 0) for node in nodes) for kind in ("CPU", "GPU")}
    want = {"CPU": sum(r.cpus for r in asked), "GPU": sum(r.gpus for r in asked)}
    lacking = [kind for kind in have if want[kind] > have[kind]]
    # The sums may fit where no single node can hold one actor.
    lonely = [
        r for r in asked if not any(n.get("CPU", 0) >= r.cpus and n.get("GPU", 0) >= r.gpus for n in nodes)
    ]
    if lacking or lonely:
        names = ", ".join(str(request) for request in asked)
        raise ResourceError(
            "resources",
            f"the recipe asks for {_amounts(want)} ({names}); this cluster has {_amounts(have)}"
            + (f", and no single node fits {lonely[0]}" if lonely and not lacking else ""),
            hint="use a larger cluster (--address or RAY_ADDRESS), or lower rollout, learner and scorer "
            "in the recipe; --dry-run shows the plan without any of this",
        )


def _amounts(resources: Mapping[str, float]) -> str:
    return " and ".join(
        f"{amount:g} {kind}" + ("s" if amount != 1 else "") for kind, amount in resources.items()
    )


def _place(asked: list[Request], timeout_s: float) -> PlacementGroup | None:
    bundles = [request.bundle() for request in asked if request.bundle()]
    if not bundles:
        return None
    # All bundles or none: two runs that each hold half of what they need would wait for each other.
    group = placement_group(bundles, strategy="PACK")
    if not group.wait(timeout_s):
        free = ray.available_resources()
        have = {kind: free.get(kind, 0.0) for kind in ("CPU", "GPU")}
        remove_placement_group(group)
        raise ResourceError(
            "resources",
            f"nothing became free in {timeout_s:g} s: asked for {', '.join(map(str, asked))}; "
            f"free now: {_amounts(have)}",
            hint="wait for other jobs to end, or raise cluster.start_timeout_s",
        )
    return group


def _places(asked: list[Request], group: PlacementGroup | None) -> dict[str, Place]:
    """Each actor's place: its bundle of the group, or anywhere where it asked for nothing."""
    numbers = iter(range(len(asked)))
    return {
        request.name: PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=next(numbers))
        if group is not None and request.bundle()
        else "DEFAULT"
        for request in asked
    }


@contextmanager
def _actors(recipe: Recipe, places: Mapping[str, Place], description: Mapping[str, Any]) -> Iterator[Workers]:
    rollouts = scorers = None
    learner = RayLearners(recipe, [p for n, p in places.items() if n.startswith("learner")])
    try:
        if "rollout 1" in places:
            rollouts = RayRollouts(recipe, [p for n, p in places.items() if n.startswith("rollout")])
            scorers = RayScorers(recipe, [p for n, p in places.items() if n.startswith("scorer")])
        # All actors have been started by now and load their models side by side; the waits come after.
        notes = learner.wait()
        if rollouts is not None:
            rollouts.wait()
            rollouts.watch(learner)
        yield Workers(learner, rollouts, scorers, description, notes)
    finally:
        # What failed to start leaves None, and what did start is stopped all the same.
        for pool in (learner, rollouts, scorers):
            if pool is not None:
                pool.close()


def describe(asked: list[Request]) -> dict[str, Any]:
    """For the manifest: Ray's version, the nodes, and what each actor was given."""
    nodes = [node for node in ray.nodes() if node["Alive"]]
    keep = ("CPU", "GPU", "memory")
    return {
        "ray": ray.__version__,
        "nodes": [{k: v for k, v in node["Resources"].items() if k in keep} for node in nodes],
        "actors": [{"name": r.name, "cpus": r.cpus, "gpus": r.gpus} for r in asked],
    }
