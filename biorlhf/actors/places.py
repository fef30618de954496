"""Places on a cluster, asked of Ray before any actor starts: all of them, or none.

The learners are one group, on one node wherever a node can hold them, since they sum their gradients. Each
rollout actor has a group of its own, so that a node that goes takes no other's place with it; scorers are
spread. A learner and the rollout actors that share its GPU are one bundle.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import ray
from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from biorlhf.actors.connection import alive
from biorlhf.errors import ResourceError
from biorlhf.recipe.labels import selector
from biorlhf.workers.plan import Node, Request, amounts, place_for, together

Place = PlacementGroupSchedulingStrategy | str


class Grant(NamedTuple):
    """A placement group, and by bundle the actors that it is for."""

    group: PlacementGroup
    bundles: Sequence[Sequence[Request]]


def place(asked: Sequence[Request], timeout_s: float) -> list[Grant]:
    """Wait up to ``timeout_s`` until every group is there.

    Raises:
        ResourceError: one is not, or Ray refuses it; the others are given back.
    """
    grants: list[Grant] = []
    end = time.monotonic() + timeout_s
    try:
        for strategy, bundles in grouped(asked, list(alive().values())):
            grants.append(Grant(_asked_for(strategy, bundles), bundles))
        for grant in grants:
            if not grant.group.wait(max(0.1, end - time.monotonic())):
                raise _not_free(asked, timeout_s)
    except BaseException:
        give_back(grants)
        raise
    return grants


def give_back(grants: Sequence[Grant]) -> None:
    for grant in grants:
        remove_placement_group(grant.group)


def grouped(asked: Sequence[Request], nodes: Sequence[Node]) -> list[tuple[str, list[list[Request]]]]:
    """Who is placed with whom, by Ray's strategy; who asks for nothing may run anywhere and is left out."""
    bundles = [actors for actors in together(asked) if place_for(actors).bundle()]
    learners = [actors for actors in bundles if actors[0].name.startswith("learner")]
    scorers = [actors for actors in bundles if actors[0].name.startswith("scorer")]
    rollouts = [actors for actors in bundles if actors not in learners and actors not in scorers]
    groups = [("STRICT_PACK" if _one_node_holds(learners, nodes) else "PACK", learners)]
    groups += [("PACK", [actors]) for actors in rollouts]
    return [(strategy, members) for strategy, members in [*groups, ("SPREAD", scorers)] if members]


def _one_node_holds(bundles: Sequence[Sequence[Request]], nodes: Sequence[Node]) -> bool:
    places = [place_for(actors) for actors in bundles]
    cpus, gpus = sum(p.cpus for p in places), sum(p.gpus for p in places)
    return any(node.get("CPU", 0) >= cpus and node.get("GPU", 0) >= gpus for node in nodes)


def _asked_for(strategy: str, bundles: Sequence[Sequence[Request]]) -> PlacementGroup:
    places = [place_for(actors) for actors in bundles]
    labels = [selector(p.labels) for p in places]
    try:
        return placement_group([p.bundle() for p in places], strategy=strategy, bundle_label_selector=labels)
    except ValueError as error:
        # Ray has rules of its own for some GPUs: with GB200 every bundle has to ask for one.
        raise ResourceError("learner.labels, rollout.labels", f"Ray refuses these places: {error}") from None


def _not_free(asked: Sequence[Request], timeout_s: float) -> ResourceError:
    free = ray.available_resources()
    have = {kind: free.get(kind, 0.0) for kind in ("CPU", "GPU")}
    return ResourceError(
        "resources",
        f"nothing became free in {timeout_s:g} s: asked for {', '.join(map(str, asked))}; "
        f"free now: {amounts(have)}",
        hint="wait for other jobs to end, or raise cluster.start_timeout_s",
    )


def places(asked: Sequence[Request], grants: Sequence[Grant]) -> dict[str, Place]:
    """Each actor's place, in the order of ``asked``: its bundle, or anywhere where it asked for nothing."""
    found: dict[str, Place] = {
        actor.name: PlacementGroupSchedulingStrategy(grant.group, placement_group_bundle_index=number)
        for grant in grants
        for number, actors in enumerate(grant.bundles)
        for actor in actors
    }
    return {request.name: found.get(request.name, "DEFAULT") for request in asked}
