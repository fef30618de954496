"""What a recipe may ask of GPUs that learners deal a base out over, and what each card is for."""

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
        ("the engine transformers cannot sleep", {"rollout": {"sleep": 1, "engine": "transformers"}}),
        ("rollout.gpus is 0 and learner.gpus is 0", {"rollout": {"sleep": 1}}),
        ("rollout.gpus is 1", {"rollout": {"sleep": 1, "gpus": 1}, "learner": {"gpus": 1}}),
        ("lag: 1, so that", {"rollout": {"sleep": 1, "engine": "scripted"}, "stage": {"lag": 1}}),
        ("an actor that joins", {"rollout": {"sleep": 1, "engine": "scripted", "most": 2}}),
        ("bitsandbytes issue 1945", {"learner": {"shard": True, "actors": 2}, "model": {"dtype": "nf4"}}),
    ],
)
def test_what_cannot_work_is_refused_with_its_reason(words, asked):
    with pytest.raises(ValidationError, match=words):
        made(**asked)


def test_engines_of_a_shared_gpu_and_their_double_may_sleep():
    shared = made(rollout={"sleep": 1, "gpus": 0.5}, learner={"gpus": 0.5})
    assert engine_args(SamplerSpec(shared, 16, 1, on_gpu=True), "base")["enable_sleep_mode"] is True
    awake = changed(shared, rollout={"sleep": 0})
    assert "enable_sleep_mode" not in engine_args(SamplerSpec(awake, 16, 1, on_gpu=True), "base")
    assert made(rollout={"sleep": 1, "engine": "scripted"}).rollout.sleep == 1


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
        for size in (16, 21, 24, 28, 36, 48)
    }
    assert cases == {
        ("nf4", 16): "too small",
        ("nf4", 21): "a second GPU",
        ("nf4", 24): "a second GPU",
        ("nf4", 28): "they fit in turns",
        ("nf4", 36): "both fit together",
        ("nf4", 48): "both fit together",
        ("bf16", 16): "too small",
        ("bf16", 21): "a second GPU",
        ("bf16", 24): "a second GPU",
        ("bf16", 28): "a second GPU",
        ("bf16", 36): "they fit in turns",
        ("bf16", 48): "both fit together",
    }
    sums = cards.sharing(full, shape, 24)
    engine, learner = cards.engine_need(full, shape), cards.learner_need(full, shape)
    assert sums["together_gb"] > engine.total + learner.total
    # The larger of: an engine beside a learner that waits, a learner beside an engine that sleeps.
    cache = sums["together_gb"] - engine.total - learner.total
    idle = learner.total - learner.parts["activations"]
    asleep = engine.parts["cuda_graphs"] + engine.parts["context"]
    turns = max(engine.total + cache + idle, learner.total + asleep)
    assert sums["in_turns_gb"] == pytest.approx(turns, abs=0.1)


def test_no_card_is_for_turns_where_answers_are_sampled_ahead(full):
    shape = memory.shape_of(full)
    (stage,) = full.stages
    ahead = full.model_copy(update={"stages": (type(stage)(**{**stage.model_dump(), "lag": 1}),)})
    assert cards.sharing(ahead, shape, 28)["case"].startswith("a second GPU")


def test_with_sleep_the_learner_has_the_card_but_for_what_a_sleeping_engine_keeps(full):
    shape = memory.shape_of(full)
    shared = changed(full, rollout={"gpus": 0.5, "memory_fraction": 0.75}, learner={"gpus": 0.5})
    turns = changed(shared, rollout={"sleep": 1})
    together, asleep = (cards.on_card(recipe, shape, 28) for recipe in (shared, turns))
    assert (together["learner_fits"], asleep["learner_fits"]) == (False, True)
    assert asleep["learner_left_gb"] == pytest.approx(28 - 2.1, abs=0.1)
    assert asleep["engine_fits"]
    # Its share of the card and what a learner keeps while it waits are more than there is.
    assert not cards.on_card(changed(turns, rollout={"memory_fraction": 0.95}), shape, 28)["engine_fits"]


def test_the_plan_says_the_case_to_a_person(full):
    shape = memory.shape_of(full)
    plan = {"engine_gb": {"weights": 1.0}, "engine": {}, "cards": [cards.on_card(full, shape, 24)]}
    text = "\n".join(gpu_lines(plan))
    assert "GB together, 25.4 GB in turns: a second GPU: learner.gpus: 1, rollout.gpus: 1" in text


def test_a_sharded_base_takes_each_learner_its_part(full):
    shape = memory.shape_of(full)
    plain = changed(full, model={"dtype": "bf16"})
    whole = cards.learner_need(plain, shape).parts["weights"]
    dealt = cards.learner_need(changed(plain, learner={"actors": 4, "shard": True}), shape).parts["weights"]
    layers = shape.linear_weights * 2 / memory.GIB
    assert dealt == pytest.approx(whole - layers * (3 / 4 - 2 / shape.layers), abs=0.01)
