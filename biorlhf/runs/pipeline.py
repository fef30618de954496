"""The whole way: recipe, data, workers, stages, evaluations, report. Only this module knows all of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from biorlhf.errors import InputError, RecipeError, RunFailure
from biorlhf.recipe import Recipe
from biorlhf.reward import FailureBudget
from biorlhf.runs import baseline, evaluation, launch, manifest
from biorlhf.runs import data as datasets
from biorlhf.runs.folder import lost_rows
from biorlhf.runs.keeping.background import Background
from biorlhf.runs.keeping.ending import Ending
from biorlhf.runs.listener import Listener
from biorlhf.runs.preparing import Prepared, composer_of, prepare, with_names
from biorlhf.runs.store import RunStore
from biorlhf.runs.watching import progress_file, tracking
from biorlhf.seeds import seed_of
from biorlhf.stage import Adapter, Stage
from biorlhf.types import AdapterRef, ScoredGroup, Split
from biorlhf.workers.crew import Workers


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
            prepared = prepare(recipe)
            recipe = prepared.recipe
            identity = manifest.identity(recipe, prepared.catalogue, prepared.dataset)
            known = {} if resume is None else _compared(resume, identity, listener, accept_changes)
            if recipe.model.trust_remote_code:
                listener.phase("model.trust_remote_code is on: code of the model's own will be executed")
            listener.phase("starting the workers")
            with launch.start(recipe, samples=prepared.samples, address=address, lost=ending.lost) as crew:
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
                    return _Run(prepared, store, crew, noted, trackers, known, accept_changes).go()
        except RunFailure as error:
            if ending.folder is not None:
                error.add_note(ending.advice())
            raise
        except (KeyboardInterrupt, SystemExit):
            if ending.folder is not None:
                listener.phase(ending.advice())
            raise
        finally:
            if store is not None:
                store.release()


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
    with launch.start(recipe, samples=True, address=address, lost=Ending(address).lost) as crew:
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


class _Run:
    """One run in progress: what it was given, and how far it has come."""

    def __init__(
        self,
        prepared: Prepared,
        store: RunStore,
        crew: Workers,
        listener: Listener,
        trackers: tracking.Tracking,
        known: dict[str, Any],
        accept: bool,
    ) -> None:
        self.prepared, self.store, self.crew, self.listener = prepared, store, crew, listener
        self.trackers = trackers
        self.writing = Background()
        self.manifest, self.accept = known, accept
        self.recipe = prepared.recipe
        self.budget = FailureBudget(prepared.recipe.scorer.failure_budget)
        self.restarts_before = 0

    def go(self) -> Path:
        with self.writing:
            first, done = self._restore()
            for index in range(first, len(self.recipe.stages)):
                adapter = self._stage(index, done if index == first else 0)
        self.store.write_adapter("adapter", adapter)
        self.store.write_json("summary.json", self._summary(adapter.ref))
        return self.store.folder

    def _restore(self) -> tuple[int, int]:
        """Where to begin: (stage, finished steps). A run with no checkpoint begins at the start."""
        problems: list[str] = []
        checkpoint = self.store.last_checkpoint(problems)
        for problem in problems:
            self.listener.phase(f"passed over: {problem}")
        state, files = checkpoint or ({"stage_index": 0, "stage": "", "step": 0}, {})
        index, step = state["stage_index"], state["step"]
        self._refuse_loss(index, step, started=checkpoint is not None)
        self.store.write_json("manifest.json", self.manifest)
        # A run that was killed before its first checkpoint may have left rows, too.
        self.store.rewind(self.recipe, index, step)
        self._count_again()
        self.trackers.begin(self.recipe, self.store)
        if checkpoint is None:
            self.crew.learner.begin_stage(0, self.prepared.total_steps(0))
        else:
            self.listener.phase(f"resuming after step {step} of {state['stage']}")
            self.restarts_before = state.get("scorer_restarts", 0)
            self.crew.learner.restore(files, index, self.prepared.total_steps(index))
        self._serve(self.crew.learner.adapter())
        if checkpoint is None:
            self._evaluate("start")
        return index, step

    def _refuse_loss(self, index: int, step: int, *, started: bool) -> None:
        """Say which rows of finished steps are lost: no step will be made again for them."""
        steps = {self.recipe.stage_name(i): self.prepared.total_steps(i) for i in range(index)}
        rows = self.store.metrics()
        lost = lost_rows(rows, {**steps, self.recipe.stage_name(index): step})
        if not started and len(rows) > self.recipe.store.checkpoint_every:
            lost = [f"checkpoints/: none is left of a run that made {len(rows)} steps; it would begin anew"]
        if not lost:
            return
        if not self.accept:
            raise InputError(
                str(self.store.folder),
                "; ".join(lost),
                hint="put back a copy, or go on without with --accept-changes, which the manifest records",
            )
        self.manifest = manifest.accepted(self.manifest, {}, lost)

    def _count_again(self) -> None:
        """The failures of before count against the budget, and so do its completions."""
        counts, problems = self.store.tables(self.recipe).status_counts()
        self.budget.resume(counts)
        for problem in problems:
            self.listener.phase(f"damaged: {problem}")

    def _stage(self, index: int, done: int) -> Adapter:
        """Make a stage's remaining steps; gives what was trained."""
        name, trainer = self.recipe.stage_name(index), self.prepared.trainers[index]
        total = self.prepared.total_steps(index)
        # _restore has set up the first stage, or restored one that had begun.
        if done == 0 and index > 0:
            self.crew.learner.begin_stage(index, total)
        self.listener.begin(name, total, done, "step")
        every = self.recipe.store.checkpoint_every
        for result in trainer.steps(self._context(index, done)):
            # First: a step that breaks the failure budget is not recorded as one that was made.
            self._count(result.groups)
            # Before the checkpoint: a row without one is dropped and made again, a checkpoint without its row
            # would lose it.
            self.writing.put(self.store.append_step, result)
            self.listener.step(result)
            self.trackers.step(result)
            step = result.metrics.step
            if step % every == 0 or step == total:
                self.writing.wait()  # one checkpoint at a time is held in memory
                files = self.crew.learner.checkpoint()
                keep, restarts = self.recipe.store.keep_checkpoints, self._restarts()
                write = self.store.write_checkpoint
                self.writing.put(write, index, name, step, files, keep, scorer_restarts=restarts)
        # What follows is taken for made where it is found: only once its steps are kept.
        self.writing.wait()
        self.listener.end()
        adapter = self.crew.learner.adapter()
        # Trainers that sample have loaded each update where it is sampled from; after the others the
        # evaluation would ask an old policy.
        if not trainer.needs_rollouts:
            self._serve(adapter)
        # Of every stage, so that any of them can be evaluated, generated from or exported later.
        self.store.write_adapter(f"adapters/{index:02d}-{name}", adapter)
        self._evaluate(f"after-{name}")
        return adapter

    def _context(self, index: int, done: int) -> Stage:
        return Stage(
            name=self.recipe.stage_name(index),
            index=index,
            seed=seed_of(self.recipe.seed, index),
            dataset=datasets.in_split(self.prepared.dataset, Split.TRAIN),
            validation=datasets.in_split(self.prepared.dataset, Split.VALIDATION),
            learner=self.crew.learner,
            rollouts=self.crew.rollouts,
            scorers=self.crew.scorers,
            composer=self.prepared.composer,
            max_completion_tokens=self.recipe.rollout.max_completion_tokens,
            temperature=self.recipe.rollout.temperature,
            top_p=self.recipe.rollout.top_p,
            done_steps=done,
        )

    def _serve(self, adapter: Adapter) -> None:
        if self.crew.rollouts is not None:
            self.crew.rollouts.load_adapter(adapter)

    def _evaluate(self, when: str) -> None:
        questions = self.prepared.questions
        # A resumed run does not ask again what it asked before it was killed.
        if not questions or evaluation.is_whole(self.store, f"evaluations/{when}"):
            return
        groups = evaluation.ask(self.recipe, questions, self.crew, self.listener, when)
        self._count(groups)
        constant = baseline.best_constant(questions, self.crew.scorers) if self.crew.scorers else None
        contents = evaluation.report(self.recipe, self.prepared.evaluators, groups, when, constant)
        evaluation.write(self.store, f"evaluations/{when}", contents, groups)
        self.trackers.evaluation(contents)

    def _count(self, groups: Sequence[ScoredGroup]) -> None:
        for scored in groups:
            self.budget.add(scored.rewards)

    def _restarts(self) -> int:
        return self.restarts_before + sum(getattr(self.crew.scorers, "kills", ()))

    def _summary(self, adapter: AdapterRef) -> dict[str, Any]:
        verifiers, damaged = self.store.tables(self.recipe).status_counts()
        for problem in damaged:
            self.listener.phase(f"damaged: {problem}")
        return {
            "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "steps": len(self.store.metrics()),
            "adapter": {"version": adapter.version, "sha256": adapter.sha256},
            "verifiers": verifiers,
            "scorer_restarts": self._restarts(),
            **({"damaged": damaged} if damaged else {}),
        }


__all__ = ["Prepared", "composer_of", "evaluate", "prepare", "run", "with_names"]
