"""What ``biorlhf run --dry-run`` prints: the plan, without a GPU and without the model."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import typer

from biorlhf.commands.gpu_plan import gpu_lines, gpu_plan
from biorlhf.inputs import yaml12
from biorlhf.recipe import Recipe
from biorlhf.recipe.schema import Data
from biorlhf.runs import data, expect, forecast, launch, pipeline
from biorlhf.workers.memory import object_store_bytes
from biorlhf.workers.plan import Request, requests

GB = 1e9


def plan(recipe: Recipe, address: str | None = None) -> dict[str, Any]:
    """The resolved recipe, counts of the data, the actors' requests, whether they fit, what it will take."""
    # The run's own preparation: what would be refused there is refused here.
    prepared = pipeline.prepare(recipe)
    asked = requests(recipe, samples=prepared.samples)
    return {
        "recipe": {**recipe.to_json(), "data": [_in_effect(section) for section in recipe.data]},
        "data": data.counts(prepared.dataset),
        "evaluation_questions": len(prepared.questions),
        "stages": [_stage(prepared, index) for index in range(len(recipe.stages))],
        "actors": [{"name": r.name, "cpus": r.cpus, "gpus": r.gpus, "labels": r.labels} for r in asked],
        **outlook(prepared, address),
        "gpu": gpu_plan(recipe, samples=prepared.samples),
        "forecast": forecast.forecast(prepared),
    }


def _in_effect(section: Data) -> dict[str, Any]:
    """A dataset's settings as far as the recipe decides them: beside a ``lab`` nothing else may stand, and
    the defaults that a resolved recipe writes out are not what the lab's file says."""
    lab = section.settings.get("lab")
    if section.dataset != "tables" or lab is None:
        return section.model_dump(mode="json")
    return {"dataset": section.dataset, "lab": lab}


def outlook(prepared: pipeline.Prepared, address: str | None) -> dict[str, Any]:
    """``where``; ``cannot_start``, empty where it can; ``expected``: minutes, memory, disk; ``object_store``:
    the bytes that Ray's needs on a node, and those of the smallest one that there is (None: none yet)."""
    where, nodes = launch.machines(address)
    problem = launch.cannot_start(prepared.recipe, nodes, samples=prepared.samples)
    known = [int(node["object_store_memory"]) for node in nodes if "object_store_memory" in node]
    return {
        "where": where,
        "cannot_start": problem,
        "expected": expect.expected(prepared, nodes),
        "object_store": {"needed": object_store_bytes(prepared.recipe), "smallest": min(known, default=None)},
    }


def outlook_lines(seen: Mapping[str, Any]) -> Iterator[str]:
    """The outlook for a person."""
    problem, expected = seen["cannot_start"], seen["expected"]
    yield f"{seen['where']} cannot start it: {problem}" if problem else f"{seen['where']} can start it"
    store = seen["object_store"]
    if store["smallest"] is not None and store["smallest"] < store["needed"]:
        yield (
            f"a node's object store holds {store['smallest'] / GB:.1f} GB, and this recipe needs "
            f"{store['needed'] / GB:.1f}: ray start --object-store-memory={store['needed']}"
        )
    if expected["memory_gb"]:
        parts = ", ".join(f"{name} {gb:g}" for name, gb in expected["memory_gb"].items())
        time = f"{expected['minutes']:g} minutes, " if expected["minutes"] is not None else ""
        yield (
            f"expect about {time}{sum(expected['memory_gb'].values()):.1f} GB of memory ({parts}), "
            f"{expected['disk_gb']:g} GB of disk"
        )
    yield from expected["notes"]


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
        if lag := recipe.lag_of(index):
            row["lag"] = lag
        completions = int(settings.get("prompts_per_step", 0)) * int(settings.get("generations", 0))
        if completions:
            row["completions_a_step"] = completions
            row["completion_tokens_a_step_at_most"] = completions * recipe.rollout.max_completion_tokens
    else:
        row["tokens_an_epoch_about"] = math.ceil(expect.tokens_an_epoch(prepared))
    return row


def show_plan(recipe: Recipe, *, as_json: bool, address: str | None = None) -> None:
    """Print the plan for a person, or as JSON for a program."""
    dry_run = plan(recipe, address)
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
        typer.echo(f"  {Request(**actor)}")
    if recipe.cluster.backend == "ray":
        needed = dry_run["object_store"]["needed"] / GB
        typer.echo(f"  Ray's object store on each node: {needed:.1f} GB (a Ray that is started here has it)")
    for line in (*outlook_lines(dry_run), *gpu_lines(dry_run["gpu"])):
        typer.echo(line)
    for line in forecast.forecast_lines(dry_run["forecast"], dry_run["recipe"]["forecast"]):
        typer.echo(line)
