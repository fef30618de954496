"""What takes minutes before an actor can start, done on its node before its time is counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ray

from biorlhf.actors.devices import hide_gpus
from biorlhf.actors.fetch import fetch
from biorlhf.engines.models.dequantised import dequantised_base
from biorlhf.engines.models.hub import on_hub
from biorlhf.engines.models.load import resolve_base
from biorlhf.engines.samplers.contract import SamplerSpec
from biorlhf.recipe import Recipe
from biorlhf.recipe.labels import selector


def prepare_bases(recipe: Recipe, places: Mapping[str, Any]) -> None:
    """Have the base model fetched from the hub, and its NF4 weights expanded, on every node that needs it.

    Where the base is a folder or a file of this machine and is served as it is, nothing is started.

    Raises:
        InputError: it cannot be fetched or loaded.
    """
    rollout, expands = recipe.rollout, _expands(recipe)
    if not on_hub(recipe.model.base) and not expands:
        return
    waits = []
    for name, place in places.items():
        if name.startswith("scorer"):
            continue
        samples = name.startswith("rollout")
        labels = selector(rollout.labels if samples else recipe.learner.labels)
        where: dict[str, Any] = {"scheduling_strategy": place, "label_selector": labels}
        if samples and expands:
            # In the actor's own bundle and on its GPU, where quantising rounds as it will for the learner.
            given = {"num_cpus": rollout.cpus, "num_gpus": rollout.gpus}
            waits.append((name, _expand.options(**given, **where)))
        else:
            waits.append((name, _resolve.options(num_cpus=0, **where)))
    # One after the other on a GPU that they share; a node's second finds the first one's work done.
    for name, task in waits:
        fetch(task.remote(recipe.to_json()), f"the base model of {name}")


def _expands(recipe: Recipe) -> bool:
    spec = SamplerSpec(recipe, 1, 1, on_gpu=recipe.rollout.gpus > 0)
    return recipe.rollout.engine == "vllm" and spec.dequantises


@ray.remote
def _resolve(recipe: dict[str, Any]) -> None:
    model = Recipe.model_validate(recipe).model
    resolve_base(model.base, model.revision)


@ray.remote(max_calls=1)  # the process ends, and with it all that it held on the GPU
def _expand(recipe: dict[str, Any]) -> None:
    parsed = Recipe.model_validate(recipe)
    hide_gpus(parsed.rollout.gpus)
    dequantised_base(parsed.model, "cuda" if parsed.rollout.gpus else "cpu")
