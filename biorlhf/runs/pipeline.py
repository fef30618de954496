"""The whole way: recipe, data, workers, stages, evaluations, report. Only this module knows all of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from biorlhf.errors import InputError, RecipeError, RunFailure
from biorlhf.recipe import Recipe
from biorlhf.reward import FailureBudget
from biorlhf.runs import baseline, evaluation, launch, manifest
from biorlhf.runs.course import Course
from biorlhf.runs.keeping.ending import Ending
from biorlhf.runs.listener import Listener
from biorlhf.runs.preparing import Prepared, composer_of, prepare, with_names
from biorlhf.runs.store import RunStore, refuse_unwritable
from biorlhf.runs.watching import progress_file, tracking
from biorlhf.types import ScoredGroup


def run(
    recipe: Recipe,
    listener: Listener,
    *,
    resume: RunStore | None = None,
    address: str | None = None,
    accept_changes: bool = False,
) -> Path:
    """Run a recipe from its start, or from the last checkpoint of ``resume``; returns the run's folder.

    A run that is complete is left as it is. ``accept_changes`` goes on though recipe, data or plugins are not
    those that ``resume`` was started with, or rows of its metrics are lost, and records that.

    Raises:
        InputError: another process holds the folder, or what it would go on with differs.
        RunFailure: the disk, an actor or a verifier failed; what is kept and how to go on is noted on it.
    """
    with Ending(address) as ending:
        store = resume
        try:
            if resume is not None:
                ending.folder = resume.folder
                resume.hold()
                if resume.finished:
                    listener.phase(f"{resume.folder}: this run is complete")
                    return resume.folder
            else:
                refuse_unwritable(recipe)
            prepared = prepare(recipe)
            recipe = prepared.recipe
            identity = manifest.identity(recipe, prepared.catalogue, prepared.dataset)
            known = {} if resume is None else _compared(resume, identity, listener, accept_changes)
            _announce(recipe, listener)
            lost, say = ending.lost, listener.phase
            with launch.start(recipe, samples=prepared.samples, address=address, lost=lost, say=say) as crew:
                for note in crew.notes:
                    listener.phase(note)
                # After the start: what cannot start leaves no folder.
                store = store or RunStore.create(recipe)
                ending.folder = store.folder
                listener.phase(f"run folder: {store.folder}")
                fresh = manifest.build(
                    recipe, prepared.catalogue, prepared.dataset.provenance, crew.description
                )
                known = known or {**fresh, **identity}
                with (
                    progress_file.noted(listener, store) as noted,
                    tracking.Tracking(prepared.trackers, noted) as trackers,
                ):
                    return Course(prepared, store, crew, noted, trackers, known, accept_changes).go()
        except RunFailure as error:
            if ending.folder is not None:
                error.add_note(ending.advice())
            raise
        except (KeyboardInterrupt, SystemExit):
            listener.phase(ending.advice() or "stopped before there was a run: nothing is kept")
            raise
        finally:
            if store is not None:
                store.release()


def _announce(recipe: Recipe, listener: Listener) -> None:
    if recipe.model.trust_remote_code:
        listener.phase("model.trust_remote_code is on: code of the model's own will be executed")
    listener.phase("starting the workers")


def _compared(
    store: RunStore, identity: Mapping[str, Any], listener: Listener, accept: bool
) -> dict[str, Any]:
    """The manifest that a run goes on with; empty where it is lost, so that it is written again."""
    try:
        known = store.read_json("manifest.json")
    except InputError as error:
        listener.phase(f"{error.where}: {error.found}; it is written again, and nothing is compared with it")
        return {}
    lines = manifest.differences(known, identity)
    if not lines:
        return dict(known)
    if not accept:
        raise manifest.refuse(str(store.folder), lines)
    for line in lines:
        listener.phase(f"accepted: {line}")
    return manifest.accepted(known, identity, lines)


def evaluate(
    recipe: Recipe, listener: Listener, *, when: str, address: str | None = None
) -> tuple[dict[str, Any], list[ScoredGroup]]:
    """Ask the recipe's evaluation questions of the policy that its first stage would start from.

    Returns what an evaluation's JSON file holds, and the answers with their rewards.
    """
    prepared = prepare(recipe, trains=False)
    recipe = prepared.recipe
    if not prepared.questions:
        raise RecipeError("evaluation.questions", "0: nothing would be asked", "a number above 0")
    listener.phase("starting the workers")
    lost, say = Ending(address).lost, listener.phase
    with launch.start(recipe, samples=True, address=address, lost=lost, say=say) as crew:
        # No step will be made; a stage is what gives the learner its adapter.
        crew.learner.begin_stage(0, 1)
        if crew.rollouts is not None:
            crew.rollouts.load_adapter(crew.learner.adapter())
        groups = evaluation.ask(recipe, prepared.questions, crew, listener, when)
        constant = baseline.best_constant(prepared.questions, crew.scorers) if crew.scorers else None
    budget = FailureBudget(recipe.scorer.failure_budget)
    for scored in groups:
        budget.add(scored.rewards)
    return evaluation.report(recipe, prepared.evaluators, groups, when, constant), groups


__all__ = ["Prepared", "composer_of", "evaluate", "prepare", "run", "with_names"]
