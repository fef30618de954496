"""LoRA by PEFT (arXiv 2106.09685), with its linear layers computed in fewer passes over memory."""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from biorlhf.engines.cpu.products import add_product, linear
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
    # PEFT is content with one match among several names; a mistyped layer would stay untrained.
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
        # set_adapter makes every adapter that it names trainable.
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


def expand_scales(model: Any) -> None:
    """Hold the scales of NF4 weights, one for 64 of them, in fp32: the same weights for 0.3 GB more at 7B.

    Double quantisation keeps them in 8 bits, to be expanded by two more kernels at every look at a weight.
    """
    for module in model.modules():
        if not is_quantised(module) or not module.weight.quant_state.nested:
            continue
        from bitsandbytes.functional import dequantize_blockwise

        state = module.weight.quant_state
        state.absmax = dequantize_blockwise(state.absmax, state.state2) + state.offset
        state.nested, state.state2, state.offset = False, None, None


def _frozen_forward(self: Any, x: Tensor) -> Tensor:
    return FrozenLinear.apply(x, self)


def _lora_forward(self: Any, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """PEFT's forward for the adapters that are used here: the trained one, and perhaps the prior."""
    frozen, adapter = _parts(self)
    if _drops(self):
        a, b = (tensor.to(x.dtype) for tensor in adapter)
        # What A reads is not what W reads once some of it is dropped: no shared product, no merging.
        dropped = self.lora_dropout[POLICY](x) @ a.t() @ b.t() * frozen.factor
        return LoraLinear.apply(x, (frozen,))[0] + dropped
    return LoraLinear.apply(x, (frozen,), *adapter)[0]


def project(x: Tensor, modules: Sequence[Any]) -> Sequence[Tensor]:
    """What several linear layers make of one x, with or without LoRA; together where all have it."""
    from peft.tuners.lora import LoraLayer

    if not all(isinstance(m, LoraLayer) and _is_known(m.base_layer) for m in modules):
        return [module(x) for module in modules]
    parts = [_parts(module) for module in modules]
    # One pass for all needs the same x: dropout draws another for each layer.
    if not all(adapter for _, adapter in parts) or any(map(_drops, modules)):
        return [module(x) for module in modules]
    return LoraLinear.apply(x, tuple(frozen for frozen, _ in parts), *(t for _, two in parts for t in two))


@dataclass(frozen=True, slots=True)
class Frozen:
    """What is not trained in a layer: the base, the prior (A0, B0) if there is one, and the factor s."""

    layer: Any
    prior: tuple[Tensor, Tensor] | None = None
    factor: float = 1.0


def _parts(module: Any) -> tuple[Frozen, tuple[Tensor, ...]]:
    """A PEFT layer's frozen part, and A and B of the trained adapter unless it is switched off or absent."""
    if module.disable_adapters:
        return Frozen(module.base_layer), ()
    weights = {name: (module.lora_A[name].weight, module.lora_B[name].weight) for name in module.lora_A}
    factor = module.scaling.get(POLICY, 1.0)
    return Frozen(module.base_layer, weights.get(PRIOR), factor), weights.get(POLICY, ())


def _drops(module: Any) -> bool:
    """Whether dropout stands between x and the trained adapter."""
    if module.disable_adapters or POLICY not in module.lora_A or not module.training:
        return False
    return isinstance(module.lora_dropout[POLICY], torch.nn.Dropout)


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
    """y = x W' + bias + x A0' B0' + s (x A') B', with W and the prior (A0, B0) frozen, for each of some
    layers that read the same x.

    ``adapters`` are A and B of each layer in turn, or nothing where none is trained; they are kept in fp32
    and used in x's dtype. In fp32, where it rounds nothing away, x is multiplied by W + s B A wherever that
    costs less to make than a second product.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, frozen: tuple[Frozen, ...], *adapters: Tensor) -> tuple[Tensor, ...]:
        rows = x.reshape(-1, x.shape[-1])
        ctx.frozen, ctx.shape = frozen, x.shape
        trained: Sequence[Trained | None] = [None] * len(frozen)
        if adapters:
            pairs = _pairs(adapters, x.dtype)
            narrow = linear(rows, torch.cat([a for a, _ in pairs]))
            # As they were used: going back in 16 bits casts none of them again.
            ctx.save_for_backward(rows, narrow, *(tensor for pair in pairs for tensor in pair))
            ctx.kept_in = adapters[0].dtype
            trained = _trained(pairs, _split(narrow, pairs))
        results = [_product(rows, *layer) for layer in zip(frozen, trained, strict=True)]
        return tuple(result.view(*x.shape[:-1], -1) for result in results)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        grads = tuple(grad.reshape(-1, grad.shape[-1]) for grad in grads)
        trained: Sequence[Trained | None] = [None] * len(grads)
        by_adapter: list[Tensor] = []
        saved = ctx.saved_tensors  # checkpointing allows one look at them
        if saved:
            rows, narrow, *used = saved
            pairs = list(zip(used[::2], used[1::2], strict=True))
            layers = zip(ctx.frozen, pairs, grads, strict=True)
            back = [linear(grad, b.t()).mul_(part.factor) for part, (_, b), grad in layers]
            grad_a = linear(torch.cat(back, dim=1).t(), rows.t()).split([len(a) for a, _ in pairs])
            for part, a, low, grad in zip(ctx.frozen, grad_a, _split(narrow, pairs), grads, strict=True):
                by_adapter += [a, linear(low.t().contiguous(), grad.t()).t().mul(part.factor)]
            by_adapter = [g.to(ctx.kept_in) for g in by_adapter]
            trained = _trained(pairs, back)
        grad_x = None
        if ctx.needs_input_grad[0]:
            for layer in zip(ctx.frozen, trained, grads, strict=True):
                grad_x = _towards_x(grad_x, *layer)
        return None if grad_x is None else grad_x.view(ctx.shape), None, *by_adapter


Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class Trained:
    """A layer's A and B, and what stands between them: x A' on the way there, s grad B on the way back."""

    a: Tensor
    b: Tensor
    narrow: Tensor


def _pairs(adapters: Sequence[Tensor], dtype: torch.dtype) -> list[Pair]:
    used = [tensor.to(dtype) for tensor in adapters]
    return list(zip(used[::2], used[1::2], strict=True))


def _trained(pairs: list[Pair], narrow: Sequence[Tensor]) -> list[Trained]:
    return [Trained(a, b, own) for (a, b), own in zip(pairs, narrow, strict=True)]


def _split(narrow: Tensor, pairs: list[Pair]) -> Sequence[Tensor]:
    """x A' of each layer, from that of all."""
    return narrow.split([len(a) for a, _ in pairs], dim=1)


def _product(rows: Tensor, part: Frozen, trained: Trained | None) -> Tensor:
    weight = dense_weight(part.layer, rows.dtype)
    if trained is not None and _merging_pays(rows, weight.shape[1]):
        weight = torch.addmm(weight, trained.b, trained.a, alpha=part.factor)
        trained = None
    result = linear(rows, weight, part.layer.bias)
    if trained is not None:
        result.addmm_(trained.narrow, trained.b.t(), alpha=part.factor)
    if part.prior is not None:
        a0, b0 = (t.to(rows.dtype) for t in part.prior)
        result.addmm_(linear(rows, a0), b0.t())
    return result


def _towards_x(total: Tensor | None, part: Frozen, trained: Trained | None, grad: Tensor) -> Tensor:
    """total + the gradient with respect to x that comes through one layer, in the total's place."""
    weight = dense_weight(part.layer, grad.dtype)
    if trained is not None and _merging_pays(grad, weight.shape[0]):
        weight = torch.addmm(weight, trained.b, trained.a, alpha=part.factor)
        trained = None
    total = add_product(total, grad, weight.t())
    if trained is not None:
        total.addmm_(trained.narrow, trained.a)
    if part.prior is not None:
        a0, b0 = (t.to(grad.dtype) for t in part.prior)
        total.addmm_(linear(grad, b0.t()), a0)
    return total


def _merging_pays(rows: Tensor, other: int) -> bool:
    """W + s B A takes 2 r in out operations, the second product 2 r rows out (backward with out for in); and
    it has to be written, which for few more rows than that takes as long as it saves."""
    return rows.dtype == torch.float32 and len(rows) > 2 * other
