"""A token budget bounds every pass: large groups are computed in parts, and nothing else changes."""

from __future__ import annotations

import random

import pytest
import torch

from biorlhf.engines.learning import microbatches
from biorlhf.engines.learning.forward import TokenLogprobs
from biorlhf.engines.learning.learner import build_learner
from biorlhf.engines.losses.registry import POLICY_LOSSES
from biorlhf.engines.models import load as models
from biorlhf.recipe import Recipe
from biorlhf.types import TrainCompletion, TrainGroup
from tiny_model import write_tiny_model

POLICY = {"clip_low": 0.2, "clip_high": 0.28, "beta": 0.05, "kl": "k3", "importance_cap": 2.0}
PAIRS = {"name": "dpo_sigmoid", "beta": 0.1, "label_smoothing": 0.0, "sft_term": 0.1}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("tiny"))


def make(base, stages=1, dtype="fp32", **learner):
    recipe = Recipe.model_validate(
        {
            "name": "tiny",
            "model": {"base": str(base), "dtype": dtype},
            "lora": {"r": 4, "alpha": 8},
            "data": [{"dataset": "kmp"}],
            "stages": [
                {"trainer": "sft", "name": f"s{n}", "adapter": "merge", "optimizer": {"learning_rate": 1e-2}}
                for n in range(stages)
            ],
            "learner": learner,
        }
    )
    learner = build_learner(recipe, threads=1, on_gpu=False)
    learner.begin_stage(0, 10)
    return learner


def large_group(completions=6, prompt=40, longest=50, seed=0):
    draw = random.Random(seed)

    def ids(count):
        return tuple(draw.randrange(250) for _ in range(count))

    def completion():
        tokens = ids(draw.randrange(longest // 2, longest))
        return TrainCompletion(tokens, draw.gauss(0, 1), tuple(-draw.random() * 5 for _ in tokens))

    return TrainGroup(ids(prompt), tuple(completion() for _ in range(completions)))


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("budget", [100, 160, 250])
def test_no_pass_exceeds_the_budget_however_large_a_group_is(packed, budget):
    groups = [large_group(seed=1), large_group(completions=3, seed=2)]
    made = microbatches.build(groups, budget, packed=packed)
    assert max(batch.fed_tokens for batch in made) <= budget
    assert sum(len(batch.advantages_N) for batch in made) == 9


def test_each_part_holds_its_prompt_once_and_no_more_parts_are_made_than_needed():
    group = large_group()
    fed = sum(len(c.token_ids) - 1 for c in group.completions)
    made = microbatches.build([group], len(group.prompt_ids) + fed // 2 + 25, packed=True)
    assert len(made) == 2
    assert sum(batch.fed_tokens for batch in made) == fed + 2 * len(group.prompt_ids)


@pytest.mark.parametrize("packing", [True, False])
@pytest.mark.parametrize("loss", [*({**POLICY, "name": name} for name in POLICY_LOSSES), {"name": "sft"}])
def test_parts_of_a_group_give_the_losses_and_gradients_of_the_whole(base, packing, loss):
    if loss["name"] == "cispo":
        loss = {key: value for key, value in loss.items() if key != "clip_low"}
    groups = [large_group(seed=1), large_group(completions=3, longest=90, seed=2)]
    results = []
    for budget in (10_000, 120):
        learner = make(base, token_budget=budget, packing=packing)
        with torch.no_grad():  # B is zero at first, and A would have no gradient
            for name, tensor in learner.policy.parameters.items():
                if "lora_B" in name:
                    tensor.fill_(0.01)
        update = learner.step(groups, loss, seed=0)
        grads = {name: tensor.grad.clone() for name, tensor in learner.policy.parameters.items()}
        results.append((update.metrics, grads))
    (whole, grads), (parts, of_parts) = results
    assert parts["loss"] == pytest.approx(whole["loss"], abs=1e-6)
    largest = max(grad.abs().max().item() for grad in grads.values())
    gap = max((grads[name] - of_parts[name]).abs().max().item() for name in grads)
    assert gap < 1e-5 * max(largest, 1.0)


def test_a_preference_pair_stays_together_whatever_the_budget(base):
    groups = [large_group(completions=2, seed=n) for n in range(2)]
    seen = [make(base, token_budget=b).step(groups, PAIRS, seed=0).metrics["loss"] for b in (10_000, 50)]
    assert seen[0] == pytest.approx(seen[1], abs=1e-6)


@pytest.mark.parametrize(
    ("setting", "on_gpu", "expected"), [(None, True, True), (None, False, False), (False, True, False)]
)
def test_activations_are_checkpointed_on_a_gpu_unless_the_recipe_says_otherwise(
    base, monkeypatch, setting, on_gpu, expected
):
    from biorlhf.engines.learning import policy

    made = make(base).policy
    recipe = made.recipe.model_copy(
        update={"learner": made.recipe.learner.model_copy(update={"gradient_checkpointing": setting})}
    )
    monkeypatch.setattr(policy.models, "load_base", lambda *_, **__: made.model)
    assert policy.Policy(recipe, "cuda" if on_gpu else "cpu").checkpointing is expected


def test_a_stage_that_merges_holds_one_base_at_a_time(base, monkeypatch):
    import gc
    import weakref

    learner = make(base, stages=2)
    old = weakref.ref(learner.policy.model.get_input_embeddings().weight)
    alive = []
    real = models.load_base

    def load_base(*args, **kwargs):
        alive.append(old() is not None)
        return real(*args, **kwargs)

    monkeypatch.setattr(models, "load_base", load_base)
    gc.disable()  # else it would depend on when the collector last ran
    try:
        learner.begin_stage(1, 10)
    finally:
        gc.enable()
    assert alive == [False]


def test_logprobs_of_a_bf16_model_are_those_of_fp32_logits():
    torch.manual_seed(0)
    hidden, weight = torch.randn(20, 64).bfloat16(), torch.randn(500, 64).bfloat16()
    target = torch.randint(0, 500, (20,))
    values, _ = TokenLogprobs.apply(hidden, weight, None, target, False)
    exact = (hidden.double() @ weight.double().t()).log_softmax(-1).gather(-1, target[:, None])[:, 0]
    # Logits of 16 bits are wrong by up to a sixteenth here.
    assert (values - exact).abs().max() < 1e-4


def test_the_padded_pass_of_a_bf16_model_has_an_fp32_head_with_a_gradient(base):
    learner = make(base, dtype="bf16", packing=False)
    head = learner.policy.model.get_output_embeddings()
    hidden = torch.randn(1, 3, head.in_features, dtype=torch.bfloat16, requires_grad=True)
    logits = head(hidden)
    assert logits.dtype == torch.float32
    assert torch.allclose(logits.double(), hidden.double() @ head.weight.double().t(), atol=1e-5)
    logits.sum().backward()
    assert hidden.grad.isfinite().all()
