"""Products with frozen weights, and LoRA's linear layer on top of them, beside torch's own."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from biorlhf.engines.cpu import products
from biorlhf.engines.models import lora


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


LAYERS = (24, 40), (24, 16), (24, 16)


def siblings(targets, **config):
    """A PEFT model of three layers that read the same x, the adapters not zero."""
    from peft import LoraConfig, get_peft_model

    class Attention(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.q, self.k, self.v = (torch.nn.Linear(*size) for size in LAYERS)

    settings = LoraConfig(r=4, lora_alpha=6, target_modules=targets, **config)
    wrapped = get_peft_model(Attention(), settings, adapter_name=lora.POLICY)
    return fused_with_random_adapters(wrapped)


def fused_with_random_adapters(wrapped):
    lora._fuse(wrapped)
    with torch.no_grad():
        for name, parameter in wrapped.named_parameters():
            if "lora_" in name:
                parameter.normal_()
    return wrapped, [getattr(wrapped.base_model.model, name) for name in "qkv"]


def plain(module, x, adapters=(lora.POLICY,)):
    """The formula, by torch's own operators."""
    base = getattr(module, "base_layer", module)
    result = F.linear(x, base.weight, base.bias)
    for name in adapters if hasattr(module, "lora_A") else ():
        if name in module.lora_A:
            low = x @ module.lora_A[name].weight.t() @ module.lora_B[name].weight.t()
            result = result + low * module.scaling[name]
    return result


def assert_projected(wrapped, layers, x, adapters=(lora.POLICY,)):
    """Results and gradients of layers taken together are those of the formula."""
    towards = [torch.randn(*x.shape[:-1], out) for _, out in LAYERS]
    leaves = [x, *(p for n, p in wrapped.named_parameters() if f".{lora.POLICY}." in n and p.requires_grad)]
    ours, right = lora.project(x, layers), [plain(layer, x, adapters) for layer in layers]
    gradients = []
    for results in (ours, right):
        loss = sum((result * towards_it).sum() for result, towards_it in zip(results, towards, strict=True))
        gradients.append(torch.autograd.grad(loss, leaves, allow_unused=True))
    for a, b in zip([*ours, *gradients[0]], [*right, *gradients[1]], strict=True):
        assert (a is None) == (b is None)
        assert b is None or (a - b).abs().max() <= 1e-5 * b.abs().max()


@pytest.mark.parametrize("rows", [5, 40, 200])
@pytest.mark.parametrize("targets", [["q", "k", "v"], ["q", "v"]])
def test_layers_that_read_the_same_rows_give_what_each_gives_alone(rows, targets):
    wrapped, layers = siblings(targets)
    assert_projected(wrapped, layers, torch.randn(2, rows, 24, requires_grad=True))


@pytest.mark.parametrize("rows", [5, 200])
def test_siblings_with_a_prior_on_some_of_them(rows):
    wrapped, _ = siblings(["q", "k", "v"])
    lora.attach_prior(wrapped, 3, ["q"])
    wrapped, layers = fused_with_random_adapters(wrapped)
    x = torch.randn(1, rows, 24, requires_grad=True)
    assert_projected(wrapped, layers, x, adapters=(lora.POLICY, lora.PRIOR))


def test_siblings_whose_adapters_are_switched_off_are_the_base():
    wrapped, layers = siblings(["q", "k", "v"])
    x = torch.randn(1, 30, 24)
    with wrapped.disable_adapter():
        for result, layer in zip(lora.project(x, layers), layers, strict=True):
            assert torch.allclose(result, plain(layer, x, adapters=()), atol=1e-5)


def test_siblings_with_dropout_draw_it_only_in_training():
    wrapped, layers = siblings(["q", "k", "v"], lora_dropout=0.5)
    x = torch.randn(1, 30, 24)
    wrapped.train()
    drawn = [lora.project(x, layers)[0] for _ in range(2)]
    assert not torch.allclose(*drawn)
    wrapped.eval()
    assert torch.allclose(lora.project(x, layers)[0], plain(layers[0], x), atol=1e-5)
