"""Attention by lengths, as a GPU computes it; its kernel is played by a plain loop."""

from __future__ import annotations

import pytest
import torch
from torch.nn.attention import varlen as torchs
from torch.nn.functional import scaled_dot_product_attention

from biorlhf.engines.gpu import fused, varlen
from biorlhf.engines.learning import forward
from biorlhf.engines.learning.packing import pack
from biorlhf.types import TrainCompletion, TrainGroup

HEADS, KEY_HEADS, SIZE = 4, 2, 8


def kernel(q, k, v, starts_q, starts_k, longest_q, longest_k, *, scale, window_size, enable_gqa):
    """Causal, both counted from a text's end, as FlashAttention's is; a window counts what is to the left."""
    assert enable_gqa
    assert window_size[1] == 0
    results = []
    for n in range(len(starts_q) - 1):
        query, key, value = (
            x[starts[n] : starts[n + 1]].transpose(0, 1)
            for x, starts in ((q, starts_q), (k, starts_k), (v, starts_k))
        )
        asked, seen = query.shape[1], key.shape[1]
        assert asked <= longest_q
        assert seen <= longest_k
        distance = torch.arange(asked).unsqueeze(1) + seen - asked - torch.arange(seen)
        mask = distance >= 0
        if window_size[0] >= 0:
            mask &= distance <= window_size[0]
        out = scaled_dot_product_attention(query, key, value, mask, scale=scale, enable_gqa=True)
        results.append(out.transpose(0, 1))
    return torch.cat(results)


def group(prompt, *answers):
    return TrainGroup(
        tuple(range(prompt)), tuple(TrainCompletion(tuple(range(length))) for length in answers)
    )


@pytest.mark.parametrize("window", [None, 5])
@pytest.mark.parametrize(
    "groups",
    [
        [group(7, 5, 3, 9), group(4, 2, 2)],
        [group(6, 4)],  # one answer: prompt and answer are one text
        [group(0, 5, 4), group(3, 1, 6)],  # no prompt; an answer of one token is fed nothing
    ],
)
def test_attention_by_lengths_is_that_by_blocks_forward_and_back(groups, window, monkeypatch):
    monkeypatch.setattr(torchs, "varlen_attn", kernel)
    row = pack(groups)
    torch.manual_seed(0)
    length = len(row.input_ids_F)
    heads = [torch.randn(1, n, length, SIZE, requires_grad=True) for n in (HEADS, KEY_HEADS, KEY_HEADS)]
    by_blocks, _ = forward._packed_attention(
        None, *heads, None, packed_row=row, packed_masks={}, sliding_window=window
    )
    lengths = varlen.Lengths.of(row, torch.device("cpu"))
    by_lengths = varlen.attend(*heads, lengths, window, None)
    assert torch.allclose(by_blocks, by_lengths, atol=1e-6)
    towards = torch.randn_like(by_blocks)
    for one, other in zip(
        torch.autograd.grad(by_blocks, heads, towards),
        torch.autograd.grad(by_lengths, heads, towards),
        strict=True,
    ):
        assert torch.allclose(one, other, atol=1e-5)


def test_the_segments_of_a_row_are_the_whole_row_in_order():
    row = pack([group(7, 5, 1, 9), group(0, 4), group(3, 6)])
    ends = [0]
    for segment in row.segments:
        assert segment.start == ends[-1]
        ends.append(segment.start + segment.length)
    assert ends[-1] == len(row.input_ids_F)


def test_a_cpu_keeps_its_own_ways():
    assert not varlen.suits(torch.zeros(1, 1, 1, 8, dtype=torch.bfloat16), 0.0)


def test_without_its_kernels_a_gpu_says_what_to_install(monkeypatch, caplog):
    fused._has_kernels.cache_clear()
    monkeypatch.setattr(fused.importlib.util, "find_spec", lambda _: None)
    assert not fused._has_kernels()
    fused._has_kernels.cache_clear()
    assert "pip install liger-kernel" in caplog.text
