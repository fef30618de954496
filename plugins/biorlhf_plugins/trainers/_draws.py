"""Which items a step uses: batches by epoch, draws without repetition, all from the stage's seed alone."""

from __future__ import annotations

import numpy as np


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


def others(count: int, items: int, used: set[int], seed: int) -> list[int]:
    """Up to ``count`` items that are not in ``used``, without repetition."""
    free = [index for index in range(items) if index not in used]
    drawn = np.random.default_rng(seed).permutation(len(free))[:count]
    return [free[int(index)] for index in drawn]
