"""How a run's actors may be grouped on a cluster, from the best way to the one that can be waited for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from biorlhf.recipe.labels import matches
from biorlhf.workers.plan import Node, Request, place_for, together


class Group(NamedTuple):
    """Bundles that are given together or not at all, and Ray's strategy for them; a bundle is one place on
    one node, for all the actors that it lists."""

    strategy: str
    bundles: Sequence[Sequence[Request]]


def layouts(asked: Sequence[Request], nodes: Sequence[Node]) -> list[list[Group]]:
    """The ways to place these actors, the best first; who asks for nothing may run anywhere and is left out.

    First the learners are one group, on one node if one of ``nodes`` can hold them all, since they sum their
    gradients; each rollout actor is a group of its own, so that it is placed again whatever becomes of the
    others; scorers are spread. The last way is one group of all, the only one in which nothing is held before
    all is there.
    """
    bundles = [actors for actors in together(asked) if place_for(actors).bundle()]
    # Ray divides a node's GPUs in this order, and small shares that come first leave no room for large ones.
    bundles.sort(key=lambda actors: _size([actors]), reverse=True)
    learners = _of(bundles, "learner")
    found = [_apart("PACK", bundles)]
    if len(learners) > 1 and any(holds(node, learners) for node in nodes):
        found.insert(0, _apart("STRICT_PACK", bundles))
    if len(found[-1]) > 1:
        found.append([Group("PACK", bundles)])
    return found


def _of(bundles: Sequence[Sequence[Request]], kind: str) -> list[Sequence[Request]]:
    # A learner is the first of its bundle.
    return [actors for actors in bundles if actors[0].name.startswith(kind)]


def _apart(strategy: str, bundles: Sequence[Sequence[Request]]) -> list[Group]:
    """With this strategy for the learners; the largest group first, since fewest nodes have room for it."""
    groups = [
        Group(strategy, _of(bundles, "learner")),
        *(Group("PACK", [actors]) for actors in _of(bundles, "rollout")),
        Group("SPREAD", _of(bundles, "scorer")),
    ]

    def on_one_node(group: Group) -> tuple[float, float]:
        return _size(group.bundles if group.strategy == "STRICT_PACK" else group.bundles[:1])

    return sorted((group for group in groups if group.bundles), key=on_one_node, reverse=True)


def _size(bundles: Sequence[Sequence[Request]]) -> tuple[float, float]:
    """GPUs and CPUs."""
    places = [place_for(actors) for actors in bundles]
    return sum(place.gpus for place in places), sum(place.cpus for place in places)


def holds(node: Node, bundles: Sequence[Sequence[Request]]) -> bool:
    """Whether a node, while nothing else runs there, has room for all of these.

    A share of a GPU is of one GPU: two of them hold two shares of 0.6, not three. It is taken where least is
    left, as Ray does it.
    """
    places = sorted((place_for(actors) for actors in bundles), key=lambda place: -place.gpus)
    if not all(matches(place.labels, node) for place in places):
        return False
    free = [1.0] * int(node.get("GPU", 0))
    for place in places:
        shares = [1.0] * math.ceil(place.gpus) if place.gpus > 1 else [place.gpus] * (place.gpus > 0)
        for share in shares:
            left = min((each for each in free if each >= share), default=None)
            if left is None:
                return False
            free.remove(left)
            free.append(round(left - share, 4))
    return bool(round(sum(place.cpus for place in places), 4) <= node.get("CPU", 0))
