"""Ray: connecting, asking for resources, starting the actors and stopping them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import ray
from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from biorlhf.actors.bases import prepare_bases
from biorlhf.actors.connection import agents, alive, connect, parts, watched
from biorlhf.actors.learner import RayLearners
from biorlhf.actors.remains import guarded
from biorlhf.actors.rollout import RayRollouts
from biorlhf.actors.scorer import RayScorers
from biorlhf.errors import ResourceError
from biorlhf.recipe import Recipe
from biorlhf.recipe.labels import selector
from biorlhf.workers.crew import Workers
from biorlhf.workers.layouts import Group, layouts
from biorlhf.workers.memory import object_store_bytes
from biorlhf.workers.plan import Node, Request, amounts, lacking, place_for, requests
from biorlhf.workers.turns import in_turn

Place = PlacementGroupSchedulingStrategy | str

ANSWER_S = 30.0  # how long a cluster that is only looked at may take to answer
FREE_S = 5.0  # until Ray has given what is free: it takes hundredths of a second for a group


@contextmanager
def ray_workers(
    recipe: Recipe,
    *,
    samples: bool,
    address: str | None,
    lost: Callable[[str], object] | None = None,
    waits: Callable[[str], object] = lambda what: None,
) -> Iterator[Workers]:
    """Connect to Ray (``address``, RAY_ADDRESS, or a local one), place the actors, start them.

    ``waits`` is told what is waited for.
    """
    waits("Ray")
    with ExitStack() as ends:
        if not ray.is_initialized():
            connect(address, recipe.cluster.start_timeout_s, object_store_bytes(recipe))
            ends.enter_context(guarded([*parts(), *agents()]))
            # Only a Ray that was started here: a notebook's own goes on.
            ends.callback(ray.shutdown)
        asked = requests(recipe, samples=samples)
        # Ray would wait for what can never come, until the timeout.
        _refuse_impossible(asked)
        waits("room for all actors")
        places = place(asked, recipe.cluster.start_timeout_s)
        ends.callback(give_back, places.values())
        waits("the base model's files")
        prepare_bases(recipe, places)
        with watched(lost), _actors(recipe, places, describe(asked), waits) as workers:
            yield workers


def _refuse_impossible(asked: list[Request]) -> None:
    """Say at once what no node of this cluster will ever have."""
    if problem := lacking(asked, list(alive().values())):
        raise ResourceError(
            "resources",
            problem,
            hint="use a larger cluster (--address or RAY_ADDRESS), or lower rollout, learner and scorer "
            "in the recipe; --dry-run shows the plan without any of this",
        )


def nodes_of(address: str) -> list[Node]:
    """What each node of a running cluster has; connects, asks and goes."""
    connect(address, ANSWER_S)
    try:
        return list(alive().values())
    finally:
        ray.shutdown()


def place(asked: Sequence[Request], timeout_s: float) -> dict[str, Place]:
    """Each actor's place, in the order of ``asked``: its bundle, or anywhere where it asks for nothing.

    Several groups are held in part until the last of them is there, and two runs that each hold half of what
    they need would wait for each other. So these are taken where they are free now, and given back where they
    are not; what is waited for is one group, of which nothing is held before all of it is.

    Raises:
        ResourceError: it is not there within ``timeout_s``, or Ray refuses it; nothing is held any more.
    """
    end = time.monotonic() + timeout_s
    *tried, last = layouts(asked, list(alive().values()))
    for layout in tried:
        if (places := _granted(layout, end, min(FREE_S, timeout_s / 10))) is not None:
            break
    else:
        places = _granted(last, end, timeout_s)
    if places is None:
        free = ray.available_resources()
        have = {kind: free.get(kind, 0.0) for kind in ("CPU", "GPU")}
        raise ResourceError(
            "resources",
            f"nothing became free in {timeout_s:g} s: asked for {', '.join(map(str, asked))}; "
            f"free now: {amounts(have)}",
            hint="wait for other jobs to end, or raise cluster.start_timeout_s",
        )
    return {request.name: places.get(request.name, "DEFAULT") for request in asked}


def _granted(layout: Sequence[Group], end: float, patience_s: float) -> dict[str, Place] | None:
    """The places of a layout by actor. None, and nothing held, if a group is not there ``patience_s`` after
    the one before it, or at ``end``."""
    groups: list[PlacementGroup] = []
    there = False
    try:
        for strategy, bundles in layout:
            groups.append(_group(strategy, [place_for(actors) for actors in bundles]))
        there = all(_is_there(group, min(patience_s, end - time.monotonic())) for group in groups)
    finally:
        if not there:
            for group in groups:
                remove_placement_group(group)
    if not there:
        return None
    places: dict[str, Place] = {}
    for group, (_, bundles) in zip(groups, layout, strict=True):
        for number, actors in enumerate(bundles):
            # One object for all actors of a bundle: where the learners move, who shares their places does.
            place = PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=number)
            places |= {actor.name: place for actor in actors}
    return places


def _group(strategy: str, bundles: Sequence[Request]) -> PlacementGroup:
    labels = [selector(bundle.labels) for bundle in bundles]
    try:
        return placement_group(
            [bundle.bundle() for bundle in bundles], strategy=strategy, bundle_label_selector=labels
        )
    except ValueError as error:
        # Ray has rules of its own for some GPUs: with GB200 every bundle of a group has to ask for one.
        raise ResourceError(
            "learner.labels, rollout.labels",
            f"Ray refuses these places as one group: {error}",
            hint="such places are not waited for; start the run when they are free",
        ) from None


def _is_there(group: PlacementGroup, timeout_s: float) -> bool:
    # Ray counts whole seconds, and takes less than one for none.
    return group.wait(max(1, math.ceil(timeout_s)))


def give_back(places: Iterable[Place]) -> None:
    """Give the groups of these places back to the cluster, and end what is left in them."""
    for group in {place.placement_group for place in places if not isinstance(place, str)}:
        remove_placement_group(group)


@contextmanager
def _actors(
    recipe: Recipe,
    places: Mapping[str, Place],
    description: Mapping[str, Any],
    waits: Callable[[str], object],
) -> Iterator[Workers]:
    with ExitStack() as ends:  # what did start is stopped, whatever fails to start or to stop
        learner = RayLearners(recipe, [p for n, p in places.items() if n.startswith("learner")])
        ends.callback(learner.close)
        waits("the learner")
        # vLLM charges itself whatever is allocated on its GPU while it starts, and stops where memory is
        # freed: the learner has its base in place before.
        notes = learner.wait() if recipe.learner.gpus and recipe.rollout.gpus else None
        rollouts = scorers = None
        if "rollout 1" in places:
            rollouts = RayRollouts(recipe, [p for n, p in places.items() if n.startswith("rollout")])
            ends.callback(rollouts.close)
            scorers = RayScorers(recipe, [p for n, p in places.items() if n.startswith("scorer")])
            ends.callback(scorers.close)
        # All actors have been started by now and load their models side by side, unless they share a GPU.
        notes = learner.wait() if notes is None else notes
        if rollouts is None or scorers is None:
            yield Workers(learner, None, None, description, notes, beside=True, renew=learner.renew)
            return
        waits("the rollout actors (the learner is ready)")
        rollouts.wait()
        rollouts.watch(learner)
        waits("the scorer actors (the others are ready)")
        scorers.wait()
        pools = rollouts, scorers

        def withdraw() -> None:
            for pool in pools:
                pool.fleet.withdraw()

        yield Workers(
            in_turn(learner, rollouts.sleep) if recipe.rollout.sleep else learner,
            rollouts,
            scorers,
            description,
            notes,
            beside=True,
            withdraw=withdraw,
            renew=learner.renew,
        )


def describe(asked: list[Request]) -> dict[str, Any]:
    """For the manifest: Ray's version, the nodes, and what each actor was given."""
    keep = ("CPU", "GPU", "memory")
    return {
        "ray": ray.__version__,
        "nodes": [{k: v for k, v in node.items() if k in keep} for node in alive().values()],
        "actors": [{"name": r.name, "cpus": r.cpus, "gpus": r.gpus} for r in asked],
    }
