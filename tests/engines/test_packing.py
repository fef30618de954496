"""Packed rows give what the plain padded layout gives: log-probabilities and gradients."""

from __future__ import annotations

import random

import pytest
import torch

from biorlhf.engines.cpu import fused
from biorlhf.engines.learning import forward
from biorlhf.engines.learning.packing import fed_tokens, fill, pack, pad, predicted
from biorlhf.engines.models.load import load_base, load_tokenizer
from biorlhf.engines.models.lora import attach, lora_parameters
from biorlhf.engines.samplers.prompts import encode_prompt, encode_response
from biorlhf.errors import InputError
from biorlhf.recipe import Lora, Model, Prompt
from biorlhf.types import TrainCompletion, TrainGroup
from tiny_model import write_tiny_model

CASES = [
    ("llama", {}),
    ("llama", {"tie_word_embeddings": True, "num_key_value_heads": 4}),
    ("mistral", {}),
    ("mistral", {"sliding_window": 7}),
    ("qwen2", {}),
    ("qwen3", {}),
]


def group(prompt: int, *completions: int, seed: int = 0) -> TrainGroup:
    draw = random.Random(f"{seed}{prompt}{completions}")
    ids = [tuple(draw.randrange(250) for _ in range(n)) for n in (prompt, *completions)]
    return TrainGroup(ids[0], tuple(TrainCompletion(c) for c in ids[1:]))


def ragged_groups() -> list[TrainGroup]:
    draw = random.Random(5)
    ragged = [
        group(draw.randrange(1, 40), *(draw.randrange(1, 25) for _ in range(draw.randrange(1, 6))), seed=n)
        for n in range(6)
    ]
    return [*ragged, group(0, 12), group(0, 5, 9), group(1, 1, 1), group(30, 1), group(0, 1, 4)]


def model_pair(folder, architecture, config):
    """The same weights twice, one model packing and one not, with the same LoRA that is not zero."""
    base = write_tiny_model(folder, architecture, **config)
    wrapped = []
    for _ in range(2):
        torch.manual_seed(3)
        model = attach(load_base(Model(base=str(base), dtype="fp32"), device="cpu"), Lora(r=4, alpha=8))
        with torch.no_grad():
            for name, parameter in lora_parameters(model).items():
                if "lora_B" in name:
                    parameter.normal_(std=0.3)
        wrapped.append(model)
    forward.enable_packing(wrapped[0].get_base_model())
    return wrapped


@pytest.mark.parametrize(("architecture", "config"), CASES)
def test_packed_and_padded_give_the_same_logprobs_and_gradients(tmp_path, architecture, config):
    packed, padded = model_pair(tmp_path, architecture, config)
    groups = ragged_groups()
    row, batch = pack(groups), pad(groups)
    ours, entropy = forward.packed_logprobs(packed.get_base_model(), row, entropy=True)
    plain, plain_entropy = forward.padded_logprobs(padded.get_base_model(), batch, entropy=True)
    assert torch.equal(row.sequence_T, batch.sequence_T)
    assert torch.equal(row.target_T, batch.target_T)
    assert (ours - plain).abs().max() < 1e-4
    assert (entropy - plain_entropy).abs().max() < 1e-4
    weights = torch.randn(len(ours), generator=torch.Generator().manual_seed(1))
    (ours * weights).sum().backward()
    (plain * weights).sum().backward()
    others = lora_parameters(padded)
    for name, parameter in lora_parameters(packed).items():
        reference = others[name].grad
        assert (parameter.grad - reference).norm() <= 1e-3 * reference.norm(), name
        assert reference.norm() > 0


def gradients_of(model, row):
    """Log-probabilities of the row, and the gradient of some weighted sum of them."""
    values, _ = forward.packed_logprobs(model.get_base_model(), row)
    weights = torch.randn(len(values), generator=torch.Generator().manual_seed(1))
    (values * weights).sum().backward()
    return values.detach(), {name: p.grad for name, p in lora_parameters(model).items()}


def assert_same(found, right):
    assert (found[0] - right[0]).abs().max() < 1e-4
    for name, gradient in right[1].items():
        assert (found[1][name] - gradient).norm() <= 1e-3 * gradient.norm(), name


@pytest.mark.parametrize(("architecture", "config"), CASES)
def test_long_texts_take_another_way_to_the_same_numbers(tmp_path, monkeypatch, architecture, config):
    short, _ = model_pair(tmp_path, architecture, config)
    right = gradients_of(short, pack(ragged_groups()))
    long, _ = model_pair(tmp_path, architecture, config)
    monkeypatch.setattr(fused, "KEPT_KEYS", 3)
    monkeypatch.setattr(fused.BlockAttention, "apply", None)  # is not called
    assert_same(gradients_of(long, pack(ragged_groups())), right)


@pytest.mark.parametrize(("architecture", "config"), CASES)
def test_without_a_compiler_the_layers_stay_as_they_come(tmp_path, monkeypatch, architecture, config):
    compiled, _ = model_pair(tmp_path, architecture, config)
    right = gradients_of(compiled, pack(ragged_groups()))
    monkeypatch.setattr(fused.rowwise, "compiled", lambda: None)
    plain, _ = model_pair(tmp_path, architecture, config)
    assert not any("forward" in vars(m) for m in plain.modules() if hasattr(m, "variance_epsilon"))
    assert_same(gradients_of(plain, pack(ragged_groups())), right)


def test_the_comparison_can_fail(tmp_path):
    """Siblings that saw each other would shift log-probabilities by far more than the tolerance."""
    packed, padded = model_pair(tmp_path, "llama", {})
    two = group(10, 8, 8)
    tokens = two.completions[0].token_ids + two.completions[1].token_ids
    joined = TrainGroup(two.prompt_ids, (TrainCompletion(tokens),))
    ours, _ = forward.packed_logprobs(packed.get_base_model(), pack([joined]))
    plain, _ = forward.padded_logprobs(padded.get_base_model(), pad([two]))
    assert (ours[:8] - plain[:8]).abs().max() < 1e-4
    assert (ours[8:] - plain[8:]).abs().max() > 1e-2


@pytest.mark.parametrize("template", ["chat", "alpaca", "plain"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_truncated_prompts_pack_as_they_pad(tmp_path, template, side):
    packed, padded = model_pair(tmp_path, "llama", {})
    tokenizer = load_tokenizer(Model(base=str(tmp_path)))
    section = Prompt(template=template, max_tokens=70, truncate=side, instruction="Say how sure you are.")
    question = f"First {'x' * 90} last"
    ids = encode_prompt(tokenizer, section, question)
    text = tokenizer.decode(ids)
    assert len(ids) == 70
    assert "Say how sure you are." in text
    assert ("First" in text, "last" in text) == (side == "right", side == "left")
    answers = tuple(TrainCompletion(tuple(encode_response(tokenizer, a))) for a in ("yes", "no, it is not"))
    groups = [TrainGroup(tuple(ids), answers)]
    ours, _ = forward.packed_logprobs(packed.get_base_model(), pack(groups))
    plain, _ = forward.padded_logprobs(padded.get_base_model(), pad(groups))
    assert (ours - plain).abs().max() < 1e-4


def test_a_prompt_is_fed_once_and_last_tokens_are_not_fed():
    row = pack([group(10, 5, 7)])
    assert len(row.input_ids_F) == 10 + 4 + 6 == fed_tokens(group(10, 5, 7))
    assert row.position_ids_F.tolist() == [*range(10), *range(10, 14), *range(10, 16)]
    assert row.predict_T.tolist() == [9, 10, 11, 12, 13, 9, 14, 15, 16, 17, 18, 19]


def test_an_empty_prompt_predicts_all_but_the_first_token():
    assert predicted(group(0, 5, 1)) == [4, 0]
    assert predicted(group(3, 5, 1)) == [5, 1]
    row = pack([group(0, 5, 1)])
    assert row.target_T.tolist() == list(group(0, 5, 1).completions[0].token_ids[1:])


def test_bins_hold_every_item_once_within_the_budget():
    draw = random.Random(0)
    sizes = [draw.randrange(1, 60) for _ in range(80)] + [500]
    bins = fill(sizes, 100)
    assert sorted(i for items in bins for i in items) == list(range(len(sizes)))
    assert all(sum(sizes[i] for i in items) <= 100 or items == [80] for items in bins)
    assert len(bins) - 1 <= 1.25 * sum(sizes[:80]) / 100 + 1


def test_bins_are_filled_alike_and_no_more_of_them_than_first_fit_needs():
    assert fill([10, 10, 10, 10], 35) == [[0, 2], [1, 3]]
    assert fill([60, 50, 40, 30, 20], 100) == [[0, 2], [1, 3, 4]]
    assert fill([5, 4, 3, 3, 3], 9) == [[0, 1], [2, 3, 4]]  # filled alike, these would not fit
    assert fill([], 9) == []


def test_chunks_do_not_change_the_values(monkeypatch):
    torch.manual_seed(0)
    hidden, weight = torch.randn(37, 16, requires_grad=True), torch.randn(50, 16)
    target = torch.randint(0, 50, (37,))
    expected = torch.log_softmax(hidden @ weight.t(), -1).gather(-1, target[:, None]).squeeze(-1)
    (reference,) = torch.autograd.grad(expected.square().sum(), hidden)
    for size in (1, 50 * 7, 50 * 64):
        monkeypatch.setitem(forward.CHUNK_LOGITS, "cpu", size)
        values, entropy = forward.TokenLogprobs.apply(hidden, weight, None, target, True)
        (gradient,) = torch.autograd.grad(values.square().sum(), hidden)
        assert torch.allclose(values, expected, atol=1e-5)
        assert torch.allclose(gradient, reference, rtol=1e-4, atol=1e-4)
        logp = torch.log_softmax(hidden @ weight.t(), -1)
        assert torch.allclose(entropy, -(logp.exp() * logp).sum(-1), atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bias", [True, False])
def test_entropies_are_those_of_the_whole_softmax(monkeypatch, dtype, bias):
    monkeypatch.setitem(forward.CHUNK_LOGITS, "cpu", 64)
    torch.manual_seed(2)
    hidden, weight, shift = torch.randn(9, 8), torch.randn(50, 8), torch.randn(50) if bias else None
    hidden, weight = hidden.to(dtype).requires_grad_(), weight.to(dtype)
    shift = None if shift is None else shift.to(dtype)
    target = torch.randint(50, (9,))
    values, entropies = forward.TokenLogprobs.apply(hidden, weight, shift, target, True)
    logp = torch.log_softmax(torch.nn.functional.linear(hidden, weight, shift).float(), dim=-1)
    close = 1e-5 if dtype == torch.float32 else 0.03
    assert (values - logp[torch.arange(9), target]).abs().max() < close
    assert (entropies + (logp.exp() * logp).sum(-1)).abs().max() < close


def test_packing_refuses_an_architecture_that_it_was_not_compared_on(tmp_path):
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(
        "gemma2", hidden_size=16, intermediate_size=16, num_hidden_layers=1, head_dim=8
    )
    config.vocab_size, config.num_attention_heads, config.num_key_value_heads = 32, 2, 1
    with pytest.raises(InputError, match=r"(?s)models of type 'gemma2'.*learner\.packing: false"):
        forward.enable_packing(AutoModelForCausalLM.from_config(config))
