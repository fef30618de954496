"""LoRA by PEFT (arXiv 2106.09685), with its plain linear layers computed in fewer passes over memory."""

from __future__ import annotations

import types
from typing import Any

import torch
from torch import Tensor

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
    from peft.tuners.lora import Linear

    for module in wrapped.modules():
        if type(module) is Linear and type(module.base_layer) is torch.nn.Linear:
            module.forward = types.MethodType(_fused_forward, module)  # type: ignore[method-assign]


def _fused_forward(self: Any, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """PEFT's forward where one adapter is active; the usual one for anything else."""
    base = self.base_layer
    if self.disable_adapters:
        return base(x)
    drops = self.training and isinstance(self.lora_dropout[POLICY], torch.nn.Dropout)
    if drops or self.active_adapters != [POLICY]:
        return type(self).forward(self, x, *args, **kwargs)
    a, b = self.lora_A[POLICY].weight, self.lora_B[POLICY].weight
    return FusedLora.apply(x, base.weight, base.bias, a, b, self.scaling[POLICY])


class FusedLora(torch.autograd.Function):
    """y = x W' + bias + s (x A') B' for frozen W; the low-rank part is added inside the matrix products.

    A and B are kept in fp32 and used in x's dtype.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float
    ) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        a_cast, b_cast = a.to(x.dtype), b.to(x.dtype)
        low = rows @ a_cast.t()
        result = rows @ weight.t() if bias is None else torch.addmm(bias, rows, weight.t())
        result.addmm_(low, b_cast.t(), alpha=scale)
        ctx.save_for_backward(rows, low, weight, a, b)
        ctx.scale, ctx.shape = scale, x.shape
        return result.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        rows, low, weight, a, b = ctx.saved_tensors
        grad = grad.reshape(-1, grad.shape[-1])
        grad_low = (grad @ b.to(grad.dtype)).mul_(ctx.scale)
        grad_a = (grad_low.t() @ rows).to(a.dtype)
        grad_b = (grad.t() @ low).mul_(ctx.scale).to(b.dtype)
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = (grad @ weight).addmm_(grad_low, a.to(grad.dtype)).view(ctx.shape)
        return grad_x, None, None, grad_a, grad_b, None
