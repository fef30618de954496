"""biorlhf in a notebook: load a recipe, run it, evaluate what came out.

from biorlhf import load_recipe, run, evaluate

done = run("recipes/quickstart.yaml", overrides={"stages.1.steps": 20})
done.metrics[-1]["reward"], done.evaluations["after-grpo"]["evaluators"]["reward"]
evaluate(done, overrides={"evaluation.temperature": 0.0}).report
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from biorlhf import recipe as recipes
from biorlhf.errors import InputError
from biorlhf.recipe import Recipe
from biorlhf.recipe.policy import Trained, serving
from biorlhf.runs.folder import Run, read_run
from biorlhf.runs.listener import Listener, Silence
from biorlhf.runs.store import RunStore
from biorlhf.serving import policy

if TYPE_CHECKING:
    from biorlhf.types import ScoredGroup

#: ``{"lora.r": 8}`` or ``("lora.r=8",)``, as ``--set`` takes them.
Overrides = Mapping[str, Any] | Sequence[str]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One evaluation: ``report`` is what its JSON file holds, ``groups`` the answers with their rewards."""

    report: dict[str, Any] = field(repr=False)
    groups: tuple[ScoredGroup, ...] = field(repr=False)


def load_recipe(recipe: str | Path | Mapping[str, Any], overrides: Overrides = ()) -> Recipe:
    """A checked recipe from a YAML or JSON file, or from plain data.

    Raises:
        RecipeError: with file, line, dotted path, what was found, and the nearest name that exists.
    """
    changes = _as_set(overrides)
    if isinstance(recipe, Mapping):
        # Overrides change the data in place; it is the caller's.
        return recipes.from_data(copy.deepcopy(dict(recipe)), overrides=changes)
    return recipes.load(recipe, changes)


def run(
    recipe: str | Path | Mapping[str, Any] | Recipe | None = None,
    overrides: Overrides = (),
    quiet: bool = False,
    *,
    resume: str | Path | None = None,
    address: str | None = None,
    accept_changes: bool = False,
) -> Run:
    """Train as a recipe says; what ``biorlhf run`` does.

    Args:
        recipe: a file, plain data, or a loaded recipe.
        overrides: changes to it, by dotted path.
        quiet: show no progress.
        resume: a run's folder to go on with instead of a recipe, from its last checkpoint.
        address: a Ray cluster; otherwise RAY_ADDRESS, otherwise a local one.
        accept_changes: resume though recipe, data or plugins are not what the run was started with.
    """
    from biorlhf.runs import pipeline

    if (recipe is None) == (resume is None):
        raise InputError("run", "give either a recipe or resume with a run's folder")
    store = RunStore.open(resume) if resume is not None else None
    if store is not None and overrides:
        raise InputError("overrides", "a resumed run keeps its recipe", "start a new run to change it")
    parsed = store.recipe if store is not None else _loaded(recipe, overrides)
    folder = pipeline.run(
        parsed, _listener(quiet), resume=store, address=address, accept_changes=accept_changes
    )
    return read_run(folder)


def evaluate(
    what: Run | str | Path | Recipe | Mapping[str, Any],
    overrides: Overrides = (),
    quiet: bool = False,
    *,
    adapter: str | Path | None = None,
    address: str | None = None,
) -> Evaluated:
    """Ask a model its evaluation questions; writes nothing.

    Args:
        what: a run (its record or folder), or a recipe (its file, data or record): then the policy is the
            base model, with ``model.adapter`` where the recipe names one.
        overrides: changes to the recipe, by dotted path: ``{"evaluation.split": "train"}``.
        quiet: show no progress.
        adapter: another adapter's folder.
        address: a Ray cluster; otherwise RAY_ADDRESS, otherwise a local one.
    """
    folder = what.folder if isinstance(what, Run) else what
    if isinstance(folder, str | Path) and Path(folder).is_dir():
        chosen = policy.of_run(folder, adapter=adapter, overrides=_as_set(overrides))
    else:
        recipe = _loaded(folder, overrides)
        if adapter is not None:
            recipe = _loaded(recipe, {"model.adapter": str(adapter)})
        chosen = policy.of_recipe(recipe)
    return evaluate_trained(chosen, _listener(quiet), when="evaluation", address=address)


def evaluate_trained(
    chosen: Trained, listener: Listener, *, when: str, address: str | None = None
) -> Evaluated:
    """Ask a policy the evaluation questions of its recipe."""
    from biorlhf.runs import pipeline

    report, groups = pipeline.evaluate(serving(chosen), listener, when=when, address=address)
    return Evaluated({**report, "policy": chosen.origin}, tuple(groups))


def write_evaluation(store: RunStore, path: str, evaluated: Evaluated) -> None:
    """``<path>.json`` and ``<path>.parquet`` in a store, each whole or not at all."""
    from biorlhf.runs import evaluation

    evaluation.write(store, path, evaluated.report, evaluated.groups)


def _loaded(recipe: Any, overrides: Overrides) -> Recipe:
    return load_recipe(recipe.to_json() if isinstance(recipe, Recipe) else recipe, overrides)


def _as_set(overrides: Overrides) -> tuple[str, ...]:
    if isinstance(overrides, str):
        return (overrides,)
    if isinstance(overrides, Mapping):
        return tuple(f"{path}={json.dumps(value)}" for path, value in overrides.items())
    return tuple(overrides)


def _listener(quiet: bool) -> Listener:
    if quiet:
        return Silence()
    from biorlhf.runs.progress import listener

    return listener()


if "IPython" in sys.modules:
    from biorlhf.reports import shown

    shown.register()

__all__ = [
    "Evaluated",
    "Overrides",
    "Run",
    "evaluate",
    "evaluate_trained",
    "load_recipe",
    "read_run",
    "run",
    "write_evaluation",
]
