"""Products with frozen weights, and LoRA's linear layer on top of them, beside torch's own."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from biorlhf.engines import lora, products


@pytest.fixture(autouse=True)
def fixed_numbers():
    torch.manual_seed(0)


@pytest.mark.parametrize("rows", [0, 1, 7, 130])
def test_a_product_is_that_of_torch(rows):
    x, weight, bias = (torch.randn(*size) for size in ((rows, 24), (40, 24), (40,)))
    assert torch.allclose(products.linear(x, weight, bias), F.linear(x, weight, bias), rtol=1e-5, atol=1e-5)
    back = torch.randn(rows, 40)
    assert torch.allclose(products.linear(back, weight.t()), back @ weight, rtol=1e-5, atol=1e-5)


def test_a_product_without_onednn_is_the_same(monkeypatch):
    x, weight = torch.randn(9, 24), torch.randn(40, 24)
    fast = products.linear(x, weight)
    monkeypatch.setattr(products, "ONEDNN", None)
    assert torch.allclose(fast, products.linear(x, weight), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("rows", [5, 30, 200])  # below, between and above what merging takes each way
@pytest.mark.parametrize("bias", [True, False])
def test_lora_and_its_gradients_are_those_of_the_formula(rows, bias):
    layer = torch.nn.Linear(24, 40, bias=bias).requires_grad_(False)
    a, b = (torch.randn(*size, requires_grad=True) for size in ((4, 24), (40, 4)))
    x, towards = torch.randn(1, rows, 24, requires_grad=True), torch.randn(1, rows, 40)
    ours = lora.LoraLinear.apply(x, (lora.Frozen(layer, None, 0.5),), a, b)[0]
    plain = layer(x) + 0.5 * (x @ a.t() @ b.t())
    assert torch.allclose(ours, plain, rtol=1e-5, atol=1e-5)
    gradients = zip(
        torch.autograd.grad((ours * towards).sum(), (x, a, b)),
        torch.autograd.grad((plain * towards).sum(), (x, a, b)),
        strict=True,
    )
    for found, right in gradients:
        assert (found - right).abs().max() < 1e-5 * right.abs().max()


def test_in_16_bits_the_adapter_is_never_rounded_into_the_weights():
    layer = torch.nn.Linear(8, 8, bias=False, dtype=torch.bfloat16).requires_grad_(False)
    layer.weight.fill_(1.0)
    signs = torch.tensor([1.0, -1.0]).repeat(4)
    a, b = 5e-4 * signs.unsqueeze(0), torch.ones(8, 1)  # 1 + 0.0005 is 1 in bf16
    x = signs.to(torch.bfloat16).repeat(100, 1)  # rows enough to merge; x W' is 0
    result = lora.LoraLinear.apply(x, (lora.Frozen(layer),), a, b)[0]
    assert torch.allclose(result.float(), torch.tensor(8 * 5e-4), rtol=1e-2)
