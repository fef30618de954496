"""The whole way: recipe, data, workers, stages, evaluations, report. Only this module knows all of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biorlhf import plugins
from biorlhf.errors import RecipeError
from biorlhf.hookspecs import Evaluator, Trainer
from biorlhf.recipe import Recipe
from biorlhf.recipe.schema import PluginSection
from biorlhf.reward import FailureBudget, RewardComposer
from biorlhf.runs import baseline, evaluation, launch, manifest
from biorlhf.runs import data as datasets
from biorlhf.runs.listener import Listener
from biorlhf.runs.store import RunStore
from biorlhf.seeds import seed_of
from biorlhf.stage import Stage
from biorlhf.types import Dataset, Names, Question, ScoredGroup, Split
from biorlhf.workers.crew import Workers


@dataclass(frozen=True)
class Prepared:
    """A recipe with its plugins and data, checked, before anything heavy has been loaded."""

    recipe: Recipe
    catalogue: plugins.Catalogue
    dataset: Dataset
    questions: tuple[Question, ...]
    trainers: tuple[Trainer, ...]
    evaluators: Mapping[str, Evaluator]
    composer: RewardComposer | None

    @property
    def samples(self) -> bool:
        """Whether anything in this run asks the model questions."""
        return bool(self.questions) or any(trainer.needs_rollouts for trainer in self.trainers)

    def total_steps(self, index: int) -> int:
        return self.trainers[index].total_steps(datasets.in_split(self.dataset, Split.TRAIN))


def prepare(recipe: Recipe, catalogue: plugins.Catalogue | None = None, *, trains: bool = True) -> Prepared:
    """Build the data and the plugins of a recipe, and refuse what cannot work.

    Without ``trains`` the stages are left out: what is prepared can be evaluated only.

    Raises:
        RecipeError, DataError, PluginError: see their messages.
    """
    catalogue = catalogue or plugins.catalogue()
    dataset = datasets.build(recipe, catalogue)
    # Before anything is built: verifiers and evaluators take the names when they are made.
    recipe = with_names(recipe, dataset.names, catalogue)
    trainers = tuple(
        catalogue.build("trainer", stage.trainer, stage.settings, where=f"stages[{index}]")
        for index, stage in enumerate(recipe.stages if trains else ())
    )
    evaluators = {
        section.evaluator: catalogue.build("evaluator", section.evaluator, section.settings)
        for section in recipe.evaluation.evaluators
    }
    questions = datasets.evaluation_questions(recipe, dataset)
    # Scorers judge in processes of their own; this one shows at once what is wrong with the verifiers.
    composer = composer_of(recipe, catalogue) if recipe.verifiers else None
    prepared = Prepared(recipe, catalogue, dataset, questions, trainers, evaluators, composer)
    if prepared.samples and not recipe.verifiers:
        raise RecipeError(
            "verifiers",
            "none is named, but this run samples answers that must be judged",
            choices=[entry.record.name for entry in catalogue.of_kind("verifier")],
            hint="name verifiers with their weights, or set evaluation.questions to 0",
        )
    for index in range(len(trainers)):
        if prepared.total_steps(index) < 1:
            raise RecipeError(
                f"stages[{index}]", f"{recipe.stage_name(index)}: no step to take with this data"
            )
        _refuse_idle_learners(recipe, index)
    return prepared


def _refuse_idle_learners(recipe: Recipe, index: int) -> None:
    """A group is never cut, so a learner beyond the groups of a step has nothing to do."""
    settings = recipe.stages[index].settings
    for key in ("prompts_per_step", "batch_size"):
        groups = settings.get(key)
        if isinstance(groups, int) and recipe.learner.actors > groups:
            raise RecipeError(
                "learner.actors",
                f"{recipe.learner.actors} learners, but stages[{index}].{key} gives {groups} groups a step",
                f"at most {groups}, or a larger {key}",
            )


def with_names(recipe: Recipe, names: Names, catalogue: plugins.Catalogue) -> Recipe:
    """The recipe whose verifiers and evaluators know the names of the data, where they have room for them.

    They travel as settings, so that scorer actors and a later evaluation read a text alike.
    """
    known_names = names.to_json()

    def told(kind: str, name: str, section: PluginSection) -> PluginSection:
        known = "names" in catalogue.get(kind, name).record.config.model_fields
        # Names that a lab wrote into its recipe stand before those of the data.
        if not known or section.settings.get("names"):
            return section
        return section.model_copy(update={"names": known_names})

    evaluators = tuple(told("evaluator", s.evaluator, s) for s in recipe.evaluation.evaluators)
    return recipe.model_copy(
        update={
            "verifiers": tuple(told("verifier", s.verifier, s) for s in recipe.verifiers),
            "evaluation": recipe.evaluation.model_copy(update={"evaluators": evaluators}),
        }
    )


def composer_of(recipe: Recipe, catalogue: plugins.Catalogue) -> RewardComposer:
    """The RewardComposer that a recipe describes."""
    return RewardComposer(
        [section.verifier for section in recipe.verifiers],
        {section.verifier: section.weight for section in recipe.verifiers},
        configs={section.verifier: section.settings for section in recipe.verifiers},
        catalogue=catalogue,
    )


def run(
    recipe: Recipe,
    listener: Listener,
    *,
    resume: RunStore | None = None,
    address: str | None = None,
) -> Path:
    """Run a recipe from its start, or from the last checkpoint of ``resume``; returns the run's folder."""
    prepared = prepare(recipe)
    recipe = prepared.recipe
    if recipe.model.trust_remote_code:
        listener.phase("model.trust_remote_code is on: code that comes with the model will be executed")
    listener.phase("starting the workers")
    with launch.start(recipe, samples=prepared.samples, address=address) as crew:
        for note in crew.notes:
            listener.phase(note)
        store = resume or RunStore.create(recipe)  # after the start: what cannot start leaves no folder
        listener.phase(f"run folder: {store.folder}")
        if resume is None:
            data = dict(prepared.dataset.provenance)
            store.write_json(
                "manifest.json", manifest.build(recipe, prepared.catalogue, data, crew.description)
            )
        return _Run(prepared, store, crew, listener).go()


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
    with launch.start(recipe, samples=True, address=address) as crew:
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

    def __init__(self, prepared: Prepared, store: RunStore, crew: Workers, listener: Listener) -> None:
        self.prepared, self.store, self.crew, self.listener = prepared, store, crew, listener
        self.recipe = prepared.recipe
        self.budget = FailureBudget(prepared.recipe.scorer.failure_budget)

    def go(self) -> Path:
        first, done = self._restore()
        for index in range(first, len(self.recipe.stages)):
            self._stage(index, done if index == first else 0)
        self.store.write_adapter("adapter", self.crew.learner.adapter())
        self.store.write_json("summary.json", self._summary())
        return self.store.folder

    def _restore(self) -> tuple[int, int]:
        """Where to begin: (stage, finished steps). A run with no checkpoint begins at the start."""
        checkpoint = self.store.last_checkpoint()
        if checkpoint is None:
            # A run that was killed before its first checkpoint may have left rows.
            self.store.rewind(self.recipe, 0, 0)
            self.crew.learner.begin_stage(0, self.prepared.total_steps(0))
            self._serve()
            self._evaluate("start")
            return 0, 0
        state, files = checkpoint
        index, step = state["stage_index"], state["step"]
        self.listener.phase(f"resuming after step {step} of {state['stage']}")
        self.store.rewind(self.recipe, index, step)
        self.crew.learner.restore(files, index, self.prepared.total_steps(index))
        self._serve()
        return index, step

    def _stage(self, index: int, done: int) -> None:
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
            self.store.append_step(result)
            self.listener.step(result)
            step = result.metrics.step
            if step % every == 0 or step == total:
                files = self.crew.learner.checkpoint()
                self.store.write_checkpoint(index, name, step, files, self.recipe.store.keep_checkpoints)
        self.listener.end()
        # Trainers that sample have loaded each update where it is sampled from; after the others the
        # evaluation would ask an old policy.
        if not trainer.needs_rollouts:
            self._serve()
        # Of every stage, so that any of them can be evaluated, generated from or exported later.
        self.store.write_adapter(f"adapters/{index:02d}-{name}", self.crew.learner.adapter())
        self._evaluate(f"after-{name}")

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

    def _serve(self) -> None:
        """Have the rollout workers serve the learner's policy."""
        if self.crew.rollouts is not None:
            self.crew.rollouts.load_adapter(self.crew.learner.adapter())

    def _evaluate(self, when: str) -> None:
        questions = self.prepared.questions
        # A resumed run does not ask again what it asked before it was killed.
        if not questions or (self.store.folder / f"evaluations/{when}.json").exists():
            return
        groups = evaluation.ask(self.recipe, questions, self.crew, self.listener, when)
        self._count(groups)
        constant = baseline.best_constant(questions, self.crew.scorers) if self.crew.scorers else None
        contents = evaluation.report(self.recipe, self.prepared.evaluators, groups, when, constant)
        evaluation.write(self.store, f"evaluations/{when}", contents, groups)

    def _count(self, groups: Sequence[ScoredGroup]) -> None:
        for scored in groups:
            self.budget.add(scored.rewards)

    def _summary(self) -> dict[str, Any]:
        adapter = self.crew.learner.adapter()
        kills = getattr(self.crew.scorers, "kills", [])
        return {
            "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "steps": len(self.store.metrics()),
            "adapter": {"version": adapter.ref.version, "sha256": adapter.ref.sha256},
            "verifiers": self.store.status_counts(),
            "scorer_restarts": sum(kills),
        }
