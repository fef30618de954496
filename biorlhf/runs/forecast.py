"""How a run would scale over GPUs: arithmetic on a recipe and on speeds that it assumes. Nothing is measured.

A step's questions are answered by the policy that the step ``1 + lag`` before left. So a step takes at
least as long as the learners work on it, as the rollouts work on it, and as the way from that policy
through the answers to the update takes, over the ``1 + lag`` steps that this way may last.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from biorlhf.recipe import Recipe
from biorlhf.runs import expect
from biorlhf.runs.preparing import Prepared

WEIGHTS = 7.25e9  # of the model that the speeds of ``forecast`` are stated for


@dataclass(frozen=True, slots=True)
class Load:
    """What a step asks for: groups, answers, tokens sampled, tokens learnt of a group, in how many passes."""

    groups: int
    answers: int
    sampled: float
    learnt_group: float
    lag: int


@dataclass(frozen=True, slots=True)
class Speeds:
    """Tokens a second of a GPU; seconds of the longest answer, and of a step beside both."""

    sampled_s: float
    learnt_s: float
    longest_s: float
    fixed_s: float


def forecast(prepared: Prepared) -> list[dict[str, Any]]:
    """For each stage that samples: the recipe as it is, then the best split of each number of GPUs.

    Empty for a recipe without GPUs, and for a base of unknown size.
    """
    recipe = prepared.recipe
    shape = expect.shape_of(recipe.model.base)
    if shape is None or not (recipe.learner.gpus and recipe.rollout.gpus):
        return []
    assumed, size = recipe.forecast, shape.parameters / WEIGHTS
    speeds = Speeds(
        assumed.sampled_tokens_s / size,
        assumed.learnt_tokens_s / size,
        recipe.rollout.max_completion_tokens * assumed.token_s,
        assumed.fixed_s,
    )
    stages = []
    for index, trainer in enumerate(prepared.trainers):
        if trainer.needs_rollouts and (load := _load(prepared, index)):
            steps = prepared.total_steps(index)
            rows = [_own(recipe, load, speeds), *(_best(load, speeds, gpus) for gpus in assumed.gpus)]
            hours = [round(steps * row["step_s"] * row["gpus"] / 3600, 1) for row in rows]
            stages.append(
                {
                    "stage": recipe.stage_name(index),
                    "steps": steps,
                    "lag": load.lag,
                    "recipe": {**rows[0], "gpu_hours": hours[0]},
                    "by_gpus": [{**row, "gpu_hours": h} for row, h in zip(rows[1:], hours[1:], strict=True)],
                }
            )
    return stages


def _load(prepared: Prepared, index: int) -> Load | None:
    """None for a trainer that does not say how much it asks in a step."""
    recipe, settings = prepared.recipe, prepared.recipe.stages[index].settings
    groups, generations = settings.get("prompts_per_step"), settings.get("generations")
    if not groups or not generations:
        return None
    questions = prepared.dataset.questions
    prompt = sum(len(q.asked) for q in questions) / max(1, len(questions)) / expect.CHARACTERS_PER_TOKEN
    answer = recipe.forecast.answer_share * recipe.rollout.max_completion_tokens
    # A group's prompt is learnt once: its answers share it.
    learnt = (generations * answer + prompt) * settings.get("iterations", 1)
    return Load(groups, groups * generations, groups * generations * answer, learnt, settings.get("lag", 0))


def _own(recipe: Recipe, load: Load, speeds: Speeds) -> dict[str, Any]:
    learner, rollout = recipe.learner, recipe.rollout
    shared = learner.gpus < 1 and rollout.gpus < 1 and learner.actors == rollout.actors == 1
    if shared:
        return _alone(load, speeds)
    learners, rollouts = learner.actors * max(learner.gpus, 1), rollout.actors * rollout.gpus
    return _row(load, speeds, math.ceil(learners), max(1, math.ceil(rollouts)))


def _best(load: Load, speeds: Speeds, gpus: int) -> dict[str, Any]:
    """The split of so many GPUs that makes a step shortest; more learners than groups have nothing to do."""
    if gpus == 1:
        return _alone(load, speeds)
    rows = [_row(load, speeds, n, gpus - n) for n in range(1, min(gpus - 1, load.groups) + 1)]
    return min(rows, key=lambda row: float(row["step_s"]))


def _alone(load: Load, speeds: Speeds) -> dict[str, Any]:
    """One GPU, on which learner and sampler take turns: nothing goes on beside anything."""
    row = _row(Load(load.groups, load.answers, load.sampled, load.learnt_group, 0), speeds, 1, 1)
    return {**row, "gpus": 1, "shared": True}


def _row(load: Load, speeds: Speeds, learners: int, rollouts: int) -> dict[str, Any]:
    sampling = load.sampled / speeds.sampled_s / rollouts
    # Groups stay whole, so the learner with most of them is the slowest.
    learning = math.ceil(load.groups / learners) * load.learnt_group / speeds.learnt_s
    answered = max(sampling, speeds.longest_s)
    bounds = {
        "learning": learning + speeds.fixed_s,
        "sampling": sampling,
        "the way from policy to update": (answered + learning + speeds.fixed_s) / (1 + load.lag),
    }
    bound, step_s = max(bounds.items(), key=lambda item: item[1])
    if load.lag == 0:
        # All parts add up, and the largest is what a change would pay at.
        longest = "the longest answer" if answered > sampling else "sampling"
        parts = {longest: answered, "learning": learning, "fixed seconds": speeds.fixed_s}
        bound = max(parts, key=lambda name: parts[name])
    return {
        "gpus": learners + rollouts,
        "learners": learners,
        "rollouts": rollouts,
        "step_s": round(step_s, 1),
        "bound_by": bound,
        "answers_s": round(load.answers / step_s, 1),
    }


def forecast_lines(stages: list[dict[str, Any]], assumed: Mapping[str, Any]) -> Iterator[str]:
    """The forecast for a person; nothing where there is none."""
    if not stages:
        return
    yield "over GPUs: arithmetic, not a measurement. It assumes (the keys of `forecast`):"
    yield "  " + ", ".join(f"{key}: {value:g}" for key, value in assumed.items() if key != "gpus")
    for stage in stages:
        yield f"  {stage['stage']}: {stage['steps']} steps, lag {stage['lag']}"
        others = [("", row) for row in stage["by_gpus"] if row != stage["recipe"]]
        for name, row in (("this recipe", stage["recipe"]), *others):
            yield f"    {_words(row)}" + (f"  <- {name}" if name else "")


def _words(row: Mapping[str, Any]) -> str:
    split = (
        "shared" if row.get("shared") else f"{row['learners']} for learners + {row['rollouts']} for rollouts"
    )
    return (
        f"{row['gpus']} GPU ({split}): {row['step_s']:g} s a step, {row['answers_s']:g} answers/s, "
        f"{row['gpu_hours']:g} GPU hours, bound by {row['bound_by']}"
    )
