"""What a recipe may ask of GPUs that learners deal a base out over, and what each card is for."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from biorlhf import recipe as recipes
from biorlhf.commands.gpu_plan import gpu_lines
from biorlhf.recipe import Recipe
from biorlhf.workers import cards, memory

RECIPES = Path(__file__).resolve().parents[2] / "recipes"


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
        ("learner.actors is 1", {"learner": {"shard": True}}),
        ("bitsandbytes issue 1945", {"learner": {"shard": True, "actors": 2}, "model": {"dtype": "nf4"}}),
    ],
)
def test_what_cannot_work_is_refused_with_its_reason(words, asked):
    with pytest.raises(ValidationError, match=words):
        made(**asked)


@pytest.fixture
def full():
    """7B in four bits, on one GPU."""
    return recipes.load(RECIPES / "grpo_full_v2.yaml")


def changed(recipe, **sections):
    return recipe.model_copy(
        update={name: getattr(recipe, name).model_copy(update=update) for name, update in sections.items()}
    )


def test_the_plan_names_the_case_of_each_card_by_what_both_take(full):
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
        ("nf4", 24): "a second GPU",
        ("nf4", 48): "both fit together",
        ("bf16", 16): "too small",
        ("bf16", 21): "a second GPU",
        ("bf16", 24): "a second GPU",
        ("bf16", 48): "both fit together",
    }
    sums = cards.sharing(full, shape, 24)
    engine, learner = cards.engine_need(full, shape), cards.learner_need(full, shape)
    assert sums["together_gb"] > engine.total + learner.total


def test_the_plan_says_the_case_to_a_person(full):
    shape = memory.shape_of(full)
    plan = {"engine_gb": {"weights": 1.0}, "engine": {}, "cards": [cards.on_card(full, shape, 24)]}
    text = "\n".join(gpu_lines(plan))
    assert "GB together: a second GPU: learner.gpus: 1, rollout.gpus: 1" in text


def test_a_sharded_base_takes_each_learner_its_part(full):
    shape = memory.shape_of(full)
    plain = changed(full, model={"dtype": "bf16"})
    whole = cards.learner_need(plain, shape).parts["weights"]
    dealt = cards.learner_need(changed(plain, learner={"actors": 4, "shard": True}), shape).parts["weights"]
    layers = shape.linear_weights * 2 / memory.GIB
    assert dealt == pytest.approx(whole - layers * (3 / 4 - 2 / shape.layers), abs=0.01)
