"""What ``biorlhf run --dry-run`` prints: the plan, without a GPU and without the model."""

from __future__ import annotations

import json
import math
from typing import Any

import typer

from biorlhf.commands.gpu_plan import gpu_lines, gpu_plan
from biorlhf.inputs import yaml12
from biorlhf.recipe import Recipe
from biorlhf.runs import data, pipeline
from biorlhf.workers.plan import requests

CHARACTERS_PER_TOKEN = 3.5  # of English with figures; only the model's tokenizer knows better
BYTES = {"fp32": 4.0, "bf16": 2.0, "nf4": 0.56}  # per weight; NF4 with double quantisation


def plan(recipe: Recipe) -> dict[str, Any]:
    """The resolved recipe, the data's counts, the actors' requests, and tokens and memory to expect."""
    # The run's own preparation: what would be refused there is refused here.
    prepared = pipeline.prepare(recipe)
    asked = requests(recipe, samples=prepared.samples)
    return {
        "recipe": recipe.to_json(),
        "data": data.counts(prepared.dataset),
        "evaluation_questions": len(prepared.questions),
        "stages": [_stage(prepared, index) for index in range(len(recipe.stages))],
        "actors": [{"name": r.name, "cpus": r.cpus, "gpus": r.gpus} for r in asked],
        "memory": _memory(recipe),
        "gpu": gpu_plan(recipe, samples=prepared.samples),
    }


def _stage(prepared: pipeline.Prepared, index: int) -> dict[str, Any]:
    recipe, trainer = prepared.recipe, prepared.trainers[index]
    steps = prepared.total_steps(index)
    row: dict[str, Any] = {
        "name": recipe.stage_name(index),
        "steps": steps,
        "samples": trainer.needs_rollouts,
    }
    settings = recipe.stages[index].settings
    if trainer.needs_rollouts:
        completions = int(settings.get("prompts_per_step", 0)) * int(settings.get("generations", 0))
        if completions:
            row["completions_a_step"] = completions
            row["completion_tokens_a_step_at_most"] = completions * recipe.rollout.max_completion_tokens
    else:
        texts = [e.asked + e.response for e in prepared.dataset.examples if e.split == "train"]
        row["tokens_an_epoch_about"] = math.ceil(sum(map(len, texts)) / CHARACTERS_PER_TOKEN)
    return row


def _memory(recipe: Recipe) -> dict[str, Any]:
    """Weights alone: what they take in each process, where the base's size can be told from its name."""
    billions = _billions(recipe.model.base)
    if billions is None:
        return {"note": f"the size of {recipe.model.base} is not known before it is loaded"}
    served = recipe.rollout.dtype or ("bf16" if recipe.model.dtype == "nf4" else recipe.model.dtype)
    return {
        "parameters_billions": billions,
        "learner_weights_gb": round(billions * BYTES[recipe.model.dtype], 2),
        "rollout_weights_gb": round(billions * BYTES[served], 2),
        "note": "weights only; activations, optimizer state of the adapter and the KV cache come on top",
    }


def _billions(base: str) -> float | None:
    import re

    size = re.search(r"(\d+(?:\.\d+)?)\s*([bm])(?![a-z])", base.lower())
    if not size:
        return None
    return float(size[1]) / (1000 if size[2] == "m" else 1)


def show_plan(recipe: Recipe, *, as_json: bool) -> None:
    """Print the plan for a person, or as JSON for a program."""
    dry_run = plan(recipe)
    if as_json:
        typer.echo(json.dumps(dry_run, ensure_ascii=False))
        return
    typer.echo(yaml12.dump(dry_run["recipe"]))
    typer.echo("data")
    for kind, splits in dry_run["data"].items():
        typer.echo(f"  {kind}: " + (", ".join(f"{n} {split}" for split, n in splits.items()) or "none"))
    typer.echo(f"  evaluation: {dry_run['evaluation_questions']} questions, before and after each stage")
    typer.echo("stages")
    for stage in dry_run["stages"]:
        rest = ", ".join(f"{key.replace('_', ' ')}: {value}" for key, value in stage.items() if key != "name")
        typer.echo(f"  {stage['name']}: {rest}")
    typer.echo("actors")
    for actor in dry_run["actors"]:
        typer.echo(f"  {actor['name']}: {actor['cpus']:g} CPU, {actor['gpus']:g} GPU")
    for line in gpu_lines(dry_run["gpu"]):
        typer.echo(line)
    typer.echo("memory")
    for key, value in dry_run["memory"].items():
        typer.echo(f"  {key.replace('_', ' ')}: {value}")
