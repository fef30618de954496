"""Which items a step uses: batches by epoch, draws without repetition, all from the stage's seed alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from biorlhf.ground_truth.forms import slots


def steps_per_epoch(items: int, batch: int) -> int:
    """The last batch of an epoch holds what is left, so that no item comes twice before all came once."""
    return -(-items // batch)


def epoch_of(step: int, items: int, batch: int) -> int:
    """0 for the first pass over the data; ``step`` counts from 1."""
    return (step - 1) // steps_per_epoch(items, batch)


def batch_of(step: int, items: int, batch: int, seed: int) -> list[int]:
    """Which items step ``step`` (from 1) uses: each epoch has an order of its own."""
    place = (step - 1) % steps_per_epoch(items, batch)
    # From seed and epoch alone: an interrupted run goes on with the same batches.
    order = np.random.default_rng([seed, epoch_of(step, items, batch)]).permutation(items)
    return [int(index) for index in order[place * batch : (place + 1) * batch]]


def ends_epoch(step: int, items: int, batch: int) -> bool:
    """Whether every item has been met once more with this step."""
    return step % steps_per_epoch(items, batch) == 0


def others(count: int, items: int, used: set[int], seed: int, classes: Sequence[str] = ()) -> list[int]:
    """Up to ``count`` items that are not in ``used``, without repetition; with ``classes`` as many of each as
    far as there are items."""
    free = [index for index in range(items) if index not in used]
    drawn = [free[int(index)] for index in np.random.default_rng(seed).permutation(len(free))]
    if classes:
        met: Counter[str] = Counter()
        places: dict[int, int] = {}
        for index in drawn:
            places[index] = met[classes[index]]
            met[classes[index]] += 1
        drawn.sort(key=places.__getitem__)
    return drawn[:count]


def class_of(truth: Mapping[str, Any]) -> str:
    """The right answer where it is one direction, or yes or no; "" for everything else."""
    asked = [slot for slot in slots(truth) if not slot.detail]
    few = len(asked) == 1 and asked[0].kind in ("direction", "yes_no")
    return str(asked[0].value) if few else ""


def balanced_batch(step: int, classes: Sequence[str], batch: int, seed: int) -> list[int]:
    """Which items step ``step`` (from 1) uses, where each class is to come equally often.

    ``classes``: the class of each item. A class with fewer items than its share of a batch is in every batch
    as a whole; the others take turns for what is left. Each class goes through its items in one order again
    and again, so that none comes twice before all came once, and none twice in a batch.
    """
    members: dict[str, list[int]] = {}
    for index in np.random.default_rng(seed).permutation(len(classes)):
        members.setdefault(classes[index], []).append(int(index))
    drawn: list[int] = []
    turns = sorted(members, key=lambda name: len(members[name]))
    while turns and len(members[turns[0]]) <= (batch - len(drawn)) // len(turns):
        drawn += members[turns.pop(0)]
    left = batch - len(drawn) if turns else 0
    for place in range((step - 1) * left, step * left):
        # Of the places before this one, each class had every len(turns)-th.
        own = members[turns[place % len(turns)]]
        drawn.append(own[place // len(turns) % len(own)])
    return drawn
