"""The learner: steps, schedules, budgets, and what must not change the numbers."""

from __future__ import annotations

import math

import pytest
import torch
from safetensors.torch import load

from biorlhf.engines.learning.optimizers import learning_rate
from biorlhf.errors import InputError, RunFailure
from biorlhf.recipe import Optimizer
from biorlhf.types import TrainCompletion, TrainGroup
from tiny_learner import DPO, GRPO, gradients, groups, largest_difference, make, weights
from tiny_model import write_tiny_model


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.mark.parametrize("loss", [{"name": "sft"}, DPO, GRPO, {**GRPO, "beta": 0.1, "name": "grpo"}])
def test_a_token_budget_changes_no_update(base, loss):
    results = []
    for learner in (
        make(base, learner={"token_budget": 10_000}),
        make(base, learner={"token_budget": 40}),
        make(base, learner={"token_budget": 100, "packing": False}),
        make(base, learner={"token_budget": 40, "gradient_checkpointing": True}),
    ):
        update = learner.step(groups(completions=2), loss, seed=1)
        results.append((gradients(learner), update.metrics))
    first, metrics = results[0]
    largest = max(gradient.abs().max().item() for gradient in first.values())
    for other, numbers in results[1:]:
        assert largest_difference(first, other) < 5e-6 * largest
        assert numbers["loss"] == pytest.approx(metrics["loss"], abs=1e-5)
        assert numbers["grad_norm"] == pytest.approx(metrics["grad_norm"], rel=1e-3)


def test_packing_saves_what_the_prompt_would_cost_again(base):
    packed = make(base).step(groups(completions=4), GRPO, seed=1).metrics
    padded = make(base, learner={"packing": False}).step(groups(completions=4), GRPO, seed=1).metrics
    assert packed["tokens"] < padded["tokens"] * 0.6
    assert packed["tokens_saved"] > 0.4
    assert padded["tokens_saved"] == 0


def test_sft_lowers_the_loss_and_evaluate_changes_nothing(base):
    learner = make(base)
    texts = learner.tokenize([("What is it?", "A gene."), ("And this?", "A pathway of muscle.")])
    before = learner.evaluate(texts, {"name": "sft"})
    again = learner.evaluate(texts, {"name": "sft"})
    for step in range(8):
        learner.step(texts, {"name": "sft"}, seed=step)
    assert before == again
    assert learner.evaluate(texts, {"name": "sft"})["loss"] < 0.7 * before["loss"]


@pytest.mark.parametrize("budget", [10_000, 20])
@pytest.mark.parametrize("packing", [True, False])
def test_a_token_without_weight_is_as_one_of_the_prompt(base, packing, budget):
    prompt, answers = (5, 6, 7), ((8, 9, 10, 11), (12, 9, 13, 14))
    shared = TrainGroup(prompt, tuple(TrainCompletion(ids, weights=(0, 0, 0.5, 0.5)) for ids in answers))
    apart = [TrainGroup((*prompt, *ids[:2]), (TrainCompletion(ids[2:]),)) for ids in answers]
    weighted = make(base, learner={"packing": packing, "token_budget": budget})
    plain = make(base)
    ours = weighted.step([shared], {"name": "sft"}, seed=1).metrics
    theirs = plain.step(apart, {"name": "sft"}, seed=1).metrics
    assert ours["loss"] == pytest.approx(theirs["loss"], abs=1e-5)
    assert ours["nll"] == pytest.approx(theirs["nll"], abs=1e-5)
    first = gradients(plain)
    largest = max(gradient.abs().max().item() for gradient in first.values())
    assert largest_difference(first, gradients(weighted)) < 5e-6 * largest


@pytest.mark.parametrize(
    ("given", "said"),
    [((1.0,), "2 tokens, but 1 weights"), ((0.0, 0.0), "no token"), ((2.0, -1.0), "is -1.0; 0 or more")],
)
def test_weights_that_do_not_fit_their_tokens_are_refused(base, given, said):
    with pytest.raises(ValueError, match=said):
        make(base).step(
            [TrainGroup((5,), (TrainCompletion((6, 7), weights=given),))], {"name": "sft"}, seed=1
        )


def test_an_update_carries_the_adapter_unless_it_is_told_not_to(base):
    learner = make(base)
    assert learner.step(groups(), {"name": "sft", "adapter": False}, seed=1).adapter is None
    carried = learner.step(groups(), {"name": "sft"}, seed=2).adapter
    assert carried.ref == learner.adapter().ref
    assert carried.ref.version == 2


def test_groups_without_advantage_cost_nothing_but_still_count(base):
    with_effect, without = groups(2, seed=1), groups(2, seed=2, advantage=0.0)
    skipping, computing = make(base), make(base)
    metrics = skipping.step([*with_effect, *without], GRPO, seed=1).metrics
    everything = computing.step([*with_effect, *without], {**GRPO, "beta": 1e-12}, seed=1).metrics
    assert metrics["tokens"] < everything["tokens"]
    assert metrics["loss"] == pytest.approx(everything["loss"], abs=1e-6)
    assert largest_difference(weights(skipping), weights(computing)) < 1e-5


def test_a_batch_without_any_advantage_changes_nothing(base):
    learner = make(base)
    before = learner.adapter()
    update = learner.step(groups(advantage=0.0), GRPO, seed=1)
    assert update.adapter is None
    assert update.metrics["tokens"] == 0
    assert learner.adapter() == before
    assert learner.done_steps == 1


def test_no_reference_pass_without_beta(base, monkeypatch):
    learner = make(base)
    calls = []
    original = learner.policy.reference_logprobs
    monkeypatch.setattr(learner.policy, "reference_logprobs", lambda b: calls.append(1) or original(b))
    learner.step(groups(), GRPO, seed=1)
    assert calls == []
    learner.step(groups(), {**GRPO, "beta": 0.1}, seed=1)
    assert calls == [1]


def test_no_old_policy_pass_and_iterations_clip_against_the_first_policy(base, monkeypatch):
    learner = make(base, optimizer={"learning_rate": 0.5})
    passes = []
    original = learner.policy.logprobs
    monkeypatch.setattr(learner.policy, "logprobs", lambda *a, **k: passes.append(1) or original(*a, **k))
    one = learner.step(groups(), GRPO, seed=1)
    assert len(passes) == 1
    assert one.metrics["clip_share"] == 0
    two = learner.step(groups(), {**GRPO, "iterations": 3}, seed=1)
    assert len(passes) == 4
    assert two.metrics["clip_share"] > 0
    assert learner.version == 4


def test_minibatches_make_one_update_each(base):
    learner = make(base)
    update = learner.step(groups(6), {**GRPO, "minibatches": 3}, seed=1)
    assert learner.version == 3
    assert update.adapter.ref.version == 3
    assert learner.done_steps == 1


def test_dropout_is_drawn_from_the_seed(base):
    runs = []
    for seed in (1, 1, 2):
        torch.rand(seed)  # whatever was drawn before must not matter
        learner = make(base, lora={"dropout": 0.3})
        learner.step(groups(), GRPO, seed=0)  # from here on B is not zero, so dropout shows
        learner.step(groups(), GRPO, seed=seed)
        runs.append(learner.adapter().ref.sha256)
    assert runs[0] == runs[1] != runs[2]


def test_the_recipes_seed_draws_the_fresh_adapter(base):
    refs = [make(base, seed=seed).adapter().ref for seed in (1, 1, 2)]
    assert refs[0] == refs[1] != refs[2]


def test_a_loss_that_is_not_finite_stops_the_run_and_says_where(base):
    learner = make(base)
    before = learner.adapter()
    with pytest.raises(RunFailure, match=r"stage s0, step 1: the loss of micro-batch 1 of 1 is nan"):
        learner.step(groups(advantage=math.nan), GRPO, seed=1)
    assert learner.adapter() == before


def test_a_gradient_that_is_not_finite_names_its_tensor(base, monkeypatch):
    learner = make(base)
    parameter = learner.policy.parameters["base_model.model.model.layers.1.mlp.up_proj.lora_B.weight"]
    parameter.register_hook(lambda gradient: gradient * math.inf)
    with pytest.raises(RunFailure, match=r"the gradient of base_model.*layers\.1\.mlp\.up_proj\.lora_B"):
        learner.step(groups(), GRPO, seed=1)


def test_gradients_are_clipped(base):
    learner = make(base, optimizer={"max_grad_norm": 1e-9})
    assert learner.step(groups(), GRPO, seed=1).metrics["grad_norm"] > 1e-3
    total = sum(p.grad.square().sum() for p in learner.policy.parameters.values())
    assert total.sqrt() < 1.1e-9


def test_an_unknown_loss_names_the_nearest(base):
    with pytest.raises(InputError, match="did you mean: dr_grpo"):
        make(base).step(groups(), {**GRPO, "name": "dr-grpo"}, seed=1)


def test_a_completion_beyond_the_budget_is_computed_alone(base):
    batch = groups(3)
    metrics = make(base, learner={"token_budget": 8}).step(batch, GRPO, seed=1).metrics
    alone = [len(g.prompt_ids) + len(c.token_ids) - 1 for g in batch for c in g.completions]
    assert metrics["tokens"] == sum(alone)


def test_mismatched_sampler_logprobs_are_refused(base):
    broken = TrainGroup((1, 2), (TrainCompletion((3, 4, 5), 1.0, (-1.0,)),))
    with pytest.raises(ValueError, match="3 tokens, but 1 sampler log-probabilities"):
        make(base).step([broken], GRPO, seed=1)


def test_eight_bit_adamw_learns(base):
    learner = make(base, optimizer={"eight_bit": True})
    texts = learner.tokenize([("What is it?", "A gene.")])
    losses = [learner.step(texts, {"name": "sft"}, seed=n).metrics["loss"] for n in range(6)]
    assert losses[-1] < 0.9 * losses[0]


def rates(schedule, warmup, total=10):
    section = Optimizer(learning_rate=1.0, schedule=schedule, warmup=warmup)
    return [learning_rate(section, done, total) for done in range(total + 1)]


def test_schedules():
    assert rates("constant", 0) == [1.0] * 11
    assert rates("linear", 0) == pytest.approx([1 - n / 10 for n in range(11)])
    assert rates("cosine", 0)[5] == pytest.approx(0.5)
    assert rates("cosine", 0)[10] == pytest.approx(0.0)
    warm = rates("linear", 0.4)
    assert warm[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert warm[4] > warm[5] > warm[9] > 0
    assert warm[10] == 0


def dtypes(data):
    return {str(tensor.dtype) for tensor in load(data).values()}


def test_adapters_travel_in_16_bits_where_learner_and_engine_compute_in_them(base):
    half = make(base, model={"dtype": "bf16"})
    assert dtypes(half.adapter().tensors) == {"torch.bfloat16"}
    # What the optimizer goes on from is not rounded.
    assert dtypes(half.checkpoint()["policy.safetensors"]) == {"torch.float32"}
    assert dtypes(make(base).adapter().tensors) == {"torch.float32"}


def test_an_adapter_in_16_bits_is_the_policy_that_the_learner_computes_with(base, tmp_path):
    half = make(base, model={"dtype": "bf16"})
    half.step(groups(), GRPO, seed=1)
    adapter = half.adapter()
    for name, content in (("model.safetensors", adapter.tensors), ("config.json", adapter.config)):
        (tmp_path / f"adapter_{name}").write_bytes(content)
    again = make(base, model={"dtype": "bf16", "adapter": str(tmp_path), "adapter_use": "train"})
    assert again.logprobs((5, 6), (7, 8)) == half.logprobs((5, 6), (7, 8))
    assert again.adapter().ref.sha256 == adapter.ref.sha256
