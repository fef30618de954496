"""Runs of a tiny model whose rollouts are ahead, and what happens to their actors."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tiny_run import family, write_tiny_run

STEPS, MANY = 10, 24


def written(folder: Path, lag: int, steps: int = STEPS, **sections: Any) -> Path:
    """A recipe whose answers, rewards and so policies change with every step."""
    stage = {
        "trainer": "grpo",
        "prompts_per_step": 3,
        "generations": 4,
        "steps": steps,
        "lag": lag,
        "iterations": 2,
        # An untrained model's answers end at the limit.
        "mask_truncated": False,
        "beta": 0.01,
        "optimizer": {"learning_rate": 1e-2, "schedule": "cosine"},
    }
    common = {
        "lora": {"dropout": 0.1},
        "rollout": {"engine": "transformers"},
        # A busy machine takes its time to judge.
        "scorer": {"timeout_s": 60},
        "verifiers": [{"verifier": "vowels", "weight": 1.0}],
        "stages": [stage],
    }
    return write_tiny_run(folder, **{**common, **sections})


def one_core() -> None:
    """How many threads there are may change how a sum is rounded."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


@contextmanager
def on_one_core() -> Iterator[None]:
    """This process and what it starts meanwhile."""
    before = os.sched_getaffinity(0)
    one_core()
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def kill_one(pid: int, name: str, spared: Collection[int]) -> int:
    """Kill an actor of that name below a process, once there is one that is not spared; gives its process."""
    end = time.monotonic() + 300
    while time.monotonic() < end:
        found = [one for one, command in family(pid).items() if name in command and one not in spared]
        if found:
            os.kill(found[0], signal.SIGKILL)
            return found[0]
        time.sleep(0.02)
    raise AssertionError(f"no {name} in five minutes")
