"""Several models asked the very same questions: runs, folders, hub ids, addresses."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from biorlhf.errors import InputError
from biorlhf.recipe import Recipe
from biorlhf.recipe.policy import Trained, serving
from biorlhf.reward import FailureBudget
from biorlhf.runs import evaluation, pipeline
from biorlhf.runs.listener import Listener
from biorlhf.scoring.isolated import IsolatedScorer, ScorerSpec
from biorlhf.serving import policy
from biorlhf.serving.address import Address, is_address
from biorlhf.types import ScoredGroup

BASE = "base"
"""Stands for the recipe's base model, untrained."""

Answers = tuple[dict[str, Any], list[ScoredGroup]]


def model_of(target: str, common: Recipe) -> Trained:
    """The policy that a target stands for, under the questions, verifiers and sampling of ``common``.

    Args:
        target: a run's folder, an adapter's or a model's folder, a hub id, or ``base``.
        common: the recipe whose evaluation is asked.

    Raises:
        InputError: nothing that could be a model.
    """
    path = Path(target)
    if target == BASE:
        return policy.of_recipe(common).untrained
    if (path / "recipe.yaml").is_file():
        own = policy.of_run(path)
        # What is asked and how it is judged is common; the model, its template and its actors are its own.
        prompt = own.recipe.prompt.model_copy(update={"answer": common.prompt.answer})
        shared = {key: getattr(common, key) for key in ("data", "verifiers", "evaluation", "seed")}
        return dataclasses.replace(own, recipe=own.recipe.model_copy(update={**shared, "prompt": prompt}))
    if (path / "adapter_config.json").is_file():
        return policy.of_recipe(_with_model(common, adapter=str(path)))
    if path.is_dir() or path.suffix == ".gguf" or (target.count("/") == 1 and target[0] not in "./~"):
        return policy.of_recipe(_with_model(common, base=target, adapter=None))
    near = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
    raise InputError(target, "no model", "a run's folder, a model's folder, a hub id, an address (http…/v1), "
                     f"or {BASE!r}", choices=near[:40], name=path.name)  # fmt: skip


def _with_model(recipe: Recipe, **changes: Any) -> Recipe:
    return recipe.model_copy(update={"model": recipe.model.model_copy(update=changes)})


def ask_all(
    targets: Sequence[str], common: Recipe, listener: Listener, *, address: str | None = None
) -> dict[str, Answers]:
    """Target -> (what its evaluation's file holds, the answers), one after the other.

    Every target is looked up before the first is asked.
    """
    if len(set(targets)) < len(targets):
        raise InputError("biorlhf evaluate", "a model is named twice", "each once")
    models: dict[str, Trained | Address] = {
        target: Address(target, common.rollout.timeout_s) if is_address(target) else model_of(target, common)
        for target in targets
    }
    found: dict[str, Answers] = {}
    for target, model in models.items():
        listener.phase(f"evaluating {target}")
        if isinstance(model, Address):
            found[target] = _ask_address(model, common, listener, target)
        else:
            report, groups = pipeline.evaluate(serving(model), listener, when=target, address=address)
            found[target] = {**report, "policy": model.origin}, groups
    return found


def _ask_address(model: Address, common: Recipe, listener: Listener, target: str) -> Answers:
    prepared = pipeline.prepare(common, trains=False)
    recipe = prepared.recipe
    if not prepared.questions:
        raise InputError("evaluation.questions", "0: nothing would be asked", "a number above 0")
    listener.begin(f"evaluation {target}", len(prepared.questions), 0, "question")
    groups, budget = [], FailureBudget(recipe.scorer.failure_budget)
    with IsolatedScorer(ScorerSpec.from_recipe(recipe)) as scorer:
        for group in model.sample(recipe, prepared.questions):
            rewards = tuple(scorer.score([(group.question, c.text) for c in group.completions]))
            budget.add(rewards)
            groups.append(ScoredGroup(group, rewards))
            listener.advance(1)
    listener.end()
    groups.sort(key=lambda scored: scored.group.question.id)
    report = evaluation.report(recipe, prepared.evaluators, groups, target)
    return {**report, "policy": f"{model.model} at {model.url}"}, groups
