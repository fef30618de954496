"""What tests with several raylets share: a recipe of scripted answers, a node's size, and waiting."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray

from biorlhf.recipe import Recipe, from_data
from tiny_model import write_tiny_model

NODE = {"object_store_memory": 80_000_000}
# As a run does it: Ray would have its workers give way to everything else.
os.environ.setdefault("RAY_worker_niceness", "0")


def recipe_of(folder: Path) -> Recipe:
    """Three scripted rollout actors with a pace, of one CPU each."""
    (folder / "script.json").write_text(json.dumps({"default": ["67 genes. Confidence: 90%"]}))
    return from_data(
        {
            "name": "nodes",
            "model": {"base": str(write_tiny_model(folder)), "dtype": "fp32"},
            "prompt": {"template": "plain", "answer": "free", "max_tokens": 64},
            "data": [{"dataset": "kmp"}],
            "verifiers": [{"verifier": "factual", "weight": 1}],
            "stages": [{"trainer": "sft", "optimizer": {"learning_rate": 1e-3}}],
            "rollout": {
                "engine": "scripted",
                "script": str(folder / "script.json"),
                "simulated": {"token_s": [[1, 0.01]], "mean_tokens": 40},
                "actors": 3,
                "cpus": 1,
                "concurrency": 8,
            },
        }
    )


def until(true: Callable[[], object], timeout_s: float) -> float:
    """Seconds until it was true."""
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, f"not in {timeout_s} s"
        time.sleep(0.05)
    return timeout_s - (end - time.monotonic())


def place_of(actor: Any) -> str:
    """The id of the node that an actor runs on."""
    # In place: an actor cannot import this module.
    where = actor.__ray_call__.remote(lambda _: ray.get_runtime_context().get_node_id())
    return str(ray.get(where, timeout=60))
