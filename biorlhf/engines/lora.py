"""LoRA by PEFT (arXiv 2106.09685), with its linear layers computed in fewer passes over memory."""

from __future__ import annotations

import types
from typing import Any

import torch
from torch import Tensor

from biorlhf.engines.products import linear
from biorlhf.errors import InputError
from biorlhf.recipe import Lora

POLICY = "default"  # PEFT's name for the adapter that is trained
PRIOR = "prior"  # what earlier stages trained, where it cannot be merged without rounding


def attach(model: Any, section: Lora) -> Any:
    """The model with a fresh LoRA adapter (B = 0) on the recipe's layers; only it is trainable.

    Raises:
        InputError: ``targets`` names a layer that the model does not have.
    """
    from peft import LoraConfig, get_peft_model

    targets = section.targets if isinstance(section.targets, str) else list(section.targets)
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=section.r,
        lora_alpha=section.alpha,  # type: ignore[arg-type]  # a fraction works as well
        lora_dropout=section.dropout,
        use_rslora=section.rslora,
        target_modules=targets,
    )
    if not isinstance(targets, str):
        _check_targets(model, targets)
    wrapped: Any = get_peft_model(model, config, adapter_name=POLICY)
    _fuse(wrapped)
    return wrapped


def attach_prior(wrapped: Any, rank: int, targets: list[str]) -> None:
    """A second, frozen adapter beside the trained one, with a scale of one."""
    from peft import LoraConfig

    config = LoraConfig(task_type="CAUSAL_LM", r=rank, lora_alpha=rank, target_modules=targets)
    wrapped.add_adapter(PRIOR, config)
    wrapped.base_model.set_adapter([POLICY, PRIOR])
    for name, parameter in wrapped.named_parameters():
        parameter.requires_grad_(f".{POLICY}." in name and "lora_" in name)
    _fuse(wrapped)  # the prior may stand on layers that the trained adapter does not


def lora_parameters(wrapped: Any, adapter: str = POLICY) -> dict[str, torch.nn.Parameter]:
    """PEFT's portable name (``base_model.model.….lora_A.weight``) -> parameter, in the model's order."""
    return {
        name.replace(f".{adapter}.", "."): parameter
        for name, parameter in wrapped.named_parameters()
        if "lora_" in name and f".{adapter}." in name
    }


def _check_targets(model: Any, targets: list[str]) -> None:
    names = {n for n, m in model.named_modules() if isinstance(m, torch.nn.Linear)}
    last = {n.rpartition(".")[2] for n in names} - {"lm_head"}
    for target in targets:
        if target not in last and not any(n == target or n.endswith(f".{target}") for n in names):
            raise InputError("lora.targets", f"no linear layer {target!r}", choices=last, name=target)


def _fuse(wrapped: Any) -> None:
    """Replace the forward of LoRA's linear layers, and of every quantised layer, by the functions below."""
    from peft.tuners.lora import LoraLayer

    for module in wrapped.modules():
        if isinstance(module, LoraLayer) and _is_known(module.base_layer):
            module.forward = types.MethodType(_lora_forward, module)  # type: ignore[attr-defined]
        if is_quantised(module):
            module.forward = types.MethodType(_frozen_forward, module)


def _is_known(layer: Any) -> bool:
    return type(layer) is torch.nn.Linear or is_quantised(layer)


def is_quantised(layer: Any) -> bool:
    kind = type(layer)  # PEFT's LoRA layer on top of it has the same name
    return kind.__name__ == "Linear4bit" and kind.__module__.startswith("bitsandbytes")


def dense_weight(layer: Any, dtype: torch.dtype) -> Tensor:
    """A frozen layer's weight (``out x in``).

    NF4 is expanded here, for training and for evaluation alike: bitsandbytes has other kernels for
    evaluation on a CPU, which round otherwise and pass no gradient on.
    """
    if not is_quantised(layer):
        return layer.weight
    from bitsandbytes.functional import dequantize_4bit

    return dequantize_4bit(layer.weight.data, layer.weight.quant_state).to(dtype)


def _frozen_forward(self: Any, x: Tensor) -> Tensor:
    return FrozenLinear.apply(x, self)


def _lora_forward(self: Any, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """PEFT's forward for the adapters that are used here: the trained one, and perhaps the prior."""
    if self.disable_adapters:
        return LoraLinear.apply(x, self.base_layer, None, None, None, 1.0)
    prior = (self.lora_A[PRIOR].weight, self.lora_B[PRIOR].weight) if PRIOR in self.lora_A else None
    if POLICY not in self.lora_A:
        return LoraLinear.apply(x, self.base_layer, prior, None, None, 1.0)
    a, b, factor = self.lora_A[POLICY].weight, self.lora_B[POLICY].weight, self.scaling[POLICY]
    dropout = self.lora_dropout[POLICY]
    if self.training and isinstance(dropout, torch.nn.Dropout):
        dropped = dropout(x) @ a.to(x.dtype).t() @ b.to(x.dtype).t() * factor
        return LoraLinear.apply(x, self.base_layer, prior, None, None, factor) + dropped
    return LoraLinear.apply(x, self.base_layer, prior, a, b, factor)


class FrozenLinear(torch.autograd.Function):
    """y = x W' + bias for a frozen layer whose dense weight is not kept between the passes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: Any) -> Tensor:
        ctx.layer = layer
        return linear(x, dense_weight(layer, x.dtype), layer.bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        return linear(grad, dense_weight(ctx.layer, grad.dtype).t()), None


class LoraLinear(torch.autograd.Function):
    """y = x W' + bias + x A0' B0' + s (x A') B' with W and the prior (A0, B0) frozen.

    A and B are kept in fp32 and used in x's dtype; both may be None. In fp32, where it rounds nothing away,
    x is multiplied by W + s B A wherever that costs less to make than a second product.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        layer: Any,
        prior: tuple[Tensor, Tensor] | None,
        a: Tensor | None,
        b: Tensor | None,
        factor: float,
    ) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        weight = dense_weight(layer, x.dtype)
        ctx.layer, ctx.prior, ctx.factor, ctx.shape = layer, prior, factor, x.shape
        if a is None or b is None:
            result = linear(rows, weight, layer.bias)
        else:
            a_used, b_used = a.to(x.dtype), b.to(x.dtype)
            low = linear(rows, a_used)
            ctx.save_for_backward(rows, low, a, b)
            if _merging_pays(rows, weight.shape[1]):
                result = linear(rows, torch.addmm(weight, b_used, a_used, alpha=factor), layer.bias)
            else:
                result = linear(rows, weight, layer.bias).addmm_(low, b_used.t(), alpha=factor)
        if prior is not None:
            a0, b0 = (t.to(x.dtype) for t in prior)
            result.addmm_(linear(rows, a0), b0.t())
        return result.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        grad = grad.reshape(-1, grad.shape[-1])
        grad_x = grad_a = grad_b = grad_low = None
        saved = ctx.saved_tensors  # checkpointing allows one look
        if saved:
            rows, low, a, b = saved
            a_used, b_used = a.to(grad.dtype), b.to(grad.dtype)
            grad_low = linear(grad, b_used.t()).mul_(ctx.factor)
            grad_a = linear(grad_low.t(), rows.t()).to(a.dtype)
            grad_b = linear(low.t(), grad.t()).t().mul(ctx.factor).to(b.dtype)
        if ctx.needs_input_grad[0]:
            weight = dense_weight(ctx.layer, grad.dtype)
            if grad_low is None:
                grad_x = linear(grad, weight.t())
            elif _merging_pays(grad, weight.shape[0]):
                grad_x = linear(grad, torch.addmm(weight, b_used, a_used, alpha=ctx.factor).t())
            else:
                grad_x = linear(grad, weight.t()).addmm_(grad_low, a_used)
            if ctx.prior is not None:
                a0, b0 = (t.to(grad.dtype) for t in ctx.prior)
                grad_x.addmm_(linear(grad, b0.t()), a0)
            grad_x = grad_x.view(ctx.shape)
        return grad_x, None, None, grad_a, grad_b, None


def _merging_pays(rows: Tensor, other: int) -> bool:
    """W + s B A takes 2 r in out operations, the second product 2 r rows out; backward with out for in."""
    return rows.dtype == torch.float32 and len(rows) > other
