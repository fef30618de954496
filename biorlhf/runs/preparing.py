"""A recipe with its plugins and data: built, joined and checked before anything heavy is loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from biorlhf import plugins
from biorlhf.errors import RecipeError
from biorlhf.hookspecs import Evaluator, Tracker, Trainer
from biorlhf.recipe import Recipe
from biorlhf.recipe.schema import PluginSection
from biorlhf.reward import RewardComposer
from biorlhf.runs import data as datasets
from biorlhf.runs.watching import tracking
from biorlhf.types import Dataset, Names, Question, Split


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
    trackers: Mapping[str, Tracker] = field(default_factory=dict)

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
    # Before anything heavy: a tracker whose package is absent is refused while that costs nothing.
    trackers = tracking.build(recipe, catalogue) if trains else {}
    prepared = Prepared(recipe, catalogue, dataset, questions, trainers, evaluators, composer, trackers)
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
        _refuse_unweighted(recipe, index)
    return prepared


def _refuse_idle_learners(recipe: Recipe, index: int) -> None:
    """Learners share a step's groups: one beyond their number would have nothing to do."""
    settings = recipe.stages[index].settings
    for key in ("prompts_per_step", "batch_size"):
        groups = settings.get(key)
        if isinstance(groups, int) and recipe.learner.actors > groups:
            raise RecipeError(
                "learner.actors",
                f"{recipe.learner.actors} learners, but stages[{index}].{key} gives {groups} groups a step",
                f"at most {groups}, or a larger {key}",
            )


def _refuse_unweighted(recipe: Recipe, index: int) -> None:
    """Answers that are ahead of the learner are weighted by how likely they were. Of all samplers a script
    alone may not say it."""
    if not recipe.lag_of(index) or recipe.rollout.engine != "scripted":
        return
    script = str(recipe.rollout.script)
    try:
        data = json.loads(Path(script).read_text(encoding="utf-8"))
        says = isinstance(data, dict) and data.get("logprob") is not None
    except (OSError, ValueError, TypeError):
        return  # the sampler says what is wrong with it, and where it runs it may be another file
    if not says:
        raise RecipeError(
            f"stages[{index}].lag",
            f"{recipe.lag_of(index)}, but {script} gives no log-probabilities, by which answers of an older "
            "policy are weighted",
            '0, or a script with a "logprob": -1.0, or another rollout.engine',
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
