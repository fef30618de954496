"""What a recipe may ask of GPUs that learners and engine share or deal out, and what each card is for."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from biorlhf import recipe as recipes
from biorlhf.commands.gpu_plan import gpu_lines
from biorlhf.engines.samplers.contract import SamplerSpec
from biorlhf.engines.samplers.engine_args import engine_args
from biorlhf.recipe import Recipe
from biorlhf.workers import cards, memory

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
HALVES = {"rollout": {"sleep": 1, "gpus": 0.5}, "learner": {"gpus": 0.5}}


def made(*, stage=None, model=None, **sections):
    return Recipe.model_validate(
        {
            "name": "small",
            "model": {"base": "x", **(model or {})},
            "data": [{"dataset": "kmp"}],
            "stages": [{"trainer": "grpo", "optimizer": {"learning_rate": 1e-4}, **(stage or {})}],
            **sections,
        }
    )


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("vllm issue 48297", {**HALVES, "rollout": {"sleep": 2, "gpus": 0.5}}),
        ("not with a stage's lag", {**HALVES, "stage": {"lag": 1}}),
        ("one learner and one rollout actor on one GPU", {"rollout": {"sleep": 1}}),
        ("one learner and one rollout actor on one GPU", {**HALVES, "learner": {"gpus": 1}}),
        ("actors to 1", {**HALVES, "rollout": {"sleep": 1, "gpus": 0.5, "actors": 2}}),
        ("needs rollout.engine: vllm", {**HALVES, "cluster": {"backend": "inline"}}),
        ("learner.actors is 1", {"learner": {"shard": True}}),
        ("bitsandbytes issue 1945", {"learner": {"shard": True, "actors": 2}, "model": {"dtype": "nf4"}}),
    ],
)
def test_what_cannot_work_is_refused_with_its_reason(words, asked):
    with pytest.raises(ValidationError, match=words):
        made(**asked)


def test_a_sleeping_engine_is_one_that_vllm_was_told_of():
    def args(recipe):
        return engine_args(SamplerSpec(recipe, 16, 1, on_gpu=True), "base")

    assert args(made(**HALVES))["enable_sleep_mode"]
    assert "enable_sleep_mode" not in args(made(**{**HALVES, "rollout": {"gpus": 0.5}}))


@pytest.fixture
def full():
    """7B in four bits, on one GPU."""
    return recipes.load(RECIPES / "grpo_full_v2.yaml")


def changed(recipe, **sections):
    return recipe.model_copy(
        update={name: getattr(recipe, name).model_copy(update=update) for name, update in sections.items()}
    )


def test_the_plan_names_the_case_of_each_card_by_both_sums(full):
    shape = memory.shape_of(full)
    plain = changed(full, model={"dtype": "bf16"})
    cases = {
        (name, size): cards.sharing(recipe, shape, size)["case"].split(":")[0]
        for name, recipe in (("nf4", full), ("bf16", plain))
        for size in (16, 21, 24, 48)
    }
    assert cases == {
        ("nf4", 16): "too small",
        ("nf4", 21): "a second GPU",
        ("nf4", 24): "they fit in turn",
        ("nf4", 48): "both fit together",
        ("bf16", 16): "too small",
        ("bf16", 21): "a second GPU",
        ("bf16", 24): "they fit in turn",
        ("bf16", 48): "both fit together",
    }
    sums = cards.sharing(full, shape, 24)
    engine, learner = cards.engine_need(full, shape), cards.learner_need(full, shape)
    assert sums["together_gb"] > engine.total + learner.total > sums["in_turn_gb"]
    assert sums["host_gb"] == pytest.approx(engine.parts["weights"] + learner.parts["weights"], abs=0.1)


def test_the_plan_says_the_case_to_a_person(full):
    shape = memory.shape_of(full)
    plan = {"engine_gb": {"weights": 1.0}, "engine": {}, "cards": [cards.on_card(full, shape, 24)]}
    text = "\n".join(gpu_lines(plan))
    assert "GB in turn: they fit in turn: rollout.sleep: 1, weights in 17.5 GB of the host's memory" in text


def test_a_learner_that_takes_turns_has_the_card_but_for_what_the_engine_keeps(full):
    shape = memory.shape_of(full)
    sleeping = changed(full, rollout={"sleep": 1})
    alone, shared = (cards.on_card(recipe, shape, 24)["learner_left_gb"] for recipe in (sleeping, full))
    assert shared < alone < 24


def test_a_sharded_base_takes_each_learner_its_part(full):
    shape = memory.shape_of(full)
    plain = changed(full, model={"dtype": "bf16"})
    whole = cards.learner_need(plain, shape).parts["weights"]
    dealt = cards.learner_need(changed(plain, learner={"actors": 4, "shard": True}), shape).parts["weights"]
    layers = shape.linear_weights * 2 / memory.GIB
    assert dealt == pytest.approx(whole - layers * (3 / 4 - 2 / shape.layers), abs=0.01)
