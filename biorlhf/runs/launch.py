"""Starting the workers of a run where the recipe says: on Ray, or in this process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from biorlhf.recipe import Recipe
from biorlhf.workers.crew import Workers
from biorlhf.workers.plan import refuse_without_gpu, requests


@contextmanager
def start(
    recipe: Recipe,
    *,
    samples: bool,
    address: str | None = None,
    lost: Callable[[str], object] | None = None,
) -> Iterator[Workers]:
    """Start the workers that a recipe asks for, and stop them at the end.

    ``lost`` is called, from another thread, where a part of Ray dies without which this process will end.

    Raises:
        ResourceError: this machine or cluster lacks what the recipe asks for.
    """
    if recipe.cluster.backend == "inline":
        from biorlhf.workers.inline import inline_workers

        with inline_workers(recipe, samples=samples) as workers:
            yield workers
    else:
        # A cluster elsewhere may have the GPUs that this machine lacks.
        if not (address or os.environ.get("RAY_ADDRESS")):
            refuse_without_gpu(requests(recipe, samples=samples))
        from biorlhf.actors.cluster import ray_workers

        with ray_workers(recipe, samples=samples, address=address, lost=lost) as workers:
            yield workers
