"""Starting the workers of a run where the recipe says: on Ray, or in this process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from biorlhf.recipe import Recipe
from biorlhf.workers.crew import Workers
from biorlhf.workers.plan import Node, lacking, refuse_without_gpu, requests, this_machine

SAY_S = 30.0  # how often a slow start says what it waits for

Say = Callable[[str], object]


@contextmanager
def start(
    recipe: Recipe,
    *,
    samples: bool,
    address: str | None = None,
    lost: Say | None = None,
    say: Say | None = None,
) -> Iterator[Workers]:
    """Start the workers that a recipe asks for, and stop them at the end.

    ``lost`` is called, from another thread, where a part of Ray dies without which this process will end;
    ``say``, from another thread too, every ``SAY_S`` seconds with what is waited for, until they are there.

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

        with ExitStack() as ends:
            with saying(say or (lambda text: None)) as waits:
                workers = ends.enter_context(
                    ray_workers(recipe, samples=samples, address=address, lost=lost, waits=waits)
                )
            yield workers


@contextmanager
def saying(say: Say, every_s: float = SAY_S) -> Iterator[Say]:
    """Within it ``say`` is called every so often with what was last given to the function that this gives."""
    began, ended, waited = time.monotonic(), threading.Event(), ["Ray"]

    def tick() -> None:
        while not ended.wait(every_s):
            say(f"starting the workers: waiting for {waited[0]}, {time.monotonic() - began:.0f} s")

    def waits(what: str) -> None:
        waited[0] = what

    thread = threading.Thread(target=tick, daemon=True, name="starting")
    thread.start()
    try:
        yield waits
    finally:
        ended.set()
        thread.join()


def machines(address: str | None = None) -> tuple[str, list[Node]]:
    """(in words, what each has): the cluster of ``address`` or RAY_ADDRESS, or this machine."""
    address = address or os.environ.get("RAY_ADDRESS")
    if not address:
        return "this machine", [this_machine()]
    from biorlhf.actors.cluster import nodes_of

    return f"the cluster at {address}", list(nodes_of(address))


def cannot_start(recipe: Recipe, nodes: Sequence[Node], *, samples: bool) -> str:
    """Why these machines cannot start a recipe's actors; empty where they can."""
    if recipe.cluster.backend == "inline":
        return ""
    return lacking(requests(recipe, samples=samples), nodes)
