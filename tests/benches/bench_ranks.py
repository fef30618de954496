"""Two learners of one thread beside one of two threads, on SmolLM2-135M: what dealing and summing cost.

Part of ``make bench-scale``; alone: ``python tests/benches/bench_ranks.py``. Both take the same batch, in
turns: a machine whose speed drifts treats them alike. Of GPUs, where sums go over NCCL, it says nothing.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from multiprocessing.connection import Connection

import torch
from bench_learner import GRPO, batch, learner_of

from biorlhf.engines.learning.ranks import Collective, join_store, open_store

HOST, RANKS, STEPS = "127.0.0.1", 2, 3
BATCH = {"prompts": 4, "prompt": 70, "completions": (58,) * 8}


def learn(pipe: Connection, rank: int, size: int, threads: int) -> None:
    """One learner in a process of its own: a step for each message, answered by the seconds that it took."""
    torch.set_num_threads(threads)
    learner = learner_of(rank=32, threads=threads)
    if size > 1 and rank == 0:
        store, port = open_store(HOST, size)
        pipe.send(port)
    elif size > 1:
        store = join_store(HOST, pipe.recv(), size)
    if size > 1:
        learner.join_ranks(Collective(store, rank, size, HOST, on_gpu=False))
    learner.begin_stage(0, STEPS + 1)
    pipe.send("there")
    groups = batch(**BATCH)
    for step in range(STEPS + 1):
        pipe.recv()
        start = time.perf_counter()
        learner.step(groups, GRPO, seed=step)
        pipe.send(time.perf_counter() - start)


def two_for_one() -> float:
    """The speed of two learners of a thread each, as a share of that of one learner with two threads."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for rank, size, threads in ((0, 1, RANKS), *((rank, RANKS, 1) for rank in range(RANKS))):
        ours, theirs = context.Pipe()
        process = context.Process(target=learn, args=(theirs, rank, size, threads), daemon=True)
        process.start()
        pipes.append(ours)
        processes.append(process)
        if size > 1 and rank == 0:
            port = ours.recv()
        elif size > 1:
            ours.send(port)
    alone, *together = pipes
    for pipe in pipes:
        pipe.recv()
    seconds: dict[str, list[float]] = {"alone": [], "together": []}
    for _ in range(STEPS + 1):
        for name, side in (("alone", [alone]), ("together", together)):
            for pipe in side:
                pipe.send("step")
            seconds[name].append(max(pipe.recv() for pipe in side))
    for process in processes:
        process.join()
    # The first step of each also warms up.
    one, two = (statistics.median(seconds[name][1:]) for name in ("alone", "together"))
    print(f"one learner of {RANKS} threads: {one:.2f} s a step, {RANKS} of one: {two:.2f} s", flush=True)
    return one / two


if __name__ == "__main__":
    print(f"of its speed: {two_for_one():.2f}")
