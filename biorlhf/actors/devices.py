"""Which of a node's GPUs an actor sees: those that the recipe gives it, and none where it gives none."""

from __future__ import annotations

import os
from typing import Any


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
