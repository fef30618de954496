"""What an actor computes with: which of a node's GPUs it sees, and how many threads it takes."""

from __future__ import annotations

import os
from typing import Any, Literal

from biorlhf.recipe import Recipe
from biorlhf.scoring.cores import cores


def hide_gpus(gpus: float) -> None:
    """In an actor's process, before CUDA is first used: without a GPU in the recipe there is none.

    Ray hides them no longer from actors that ask for none, and what they hold would then depend on the node.
    """
    if not gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def learner_options(gpus: float) -> dict[str, Any]:
    """What Ray is told of a learner's process: rows of changing lengths split CUDA's memory into pieces that
    no later one fits, unless its segments can grow. Read when torch is loaded, hence here."""
    if not gpus:
        return {}
    return {"runtime_env": {"env_vars": {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}}}


def thread_count(recipe: Recipe, kind: Literal["learner", "rollout"]) -> int:
    """Compute threads of one actor of a kind, on its own node: the CPUs that it asks for, or its share of the
    node's cores where that is more.

    The share is that of a node which holds all of them. Without a lag learners and rollouts take turns, and
    each kind uses what the other leaves idle; with one both compute at once.
    """
    numbers = {
        "learner": recipe.learner.actors,
        "rollout": max(recipe.rollout.actors, recipe.rollout.most or 0),
    }
    beside = sum(numbers.values()) if recipe.lag else numbers[kind]
    own = recipe.learner.cpus if kind == "learner" else recipe.rollout.cpus
    return max(1, int(own), cores() // beside)
