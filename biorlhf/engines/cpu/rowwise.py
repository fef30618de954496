"""Norms, activations, rotations and softmaxes of a decoder layer, each in one pass over memory (rowwise.c).

For fp32 on a CPU, and where the file can be compiled: see ``biorlhf.engines.cpu.native``.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from biorlhf.engines.cpu import native

FUNCTIONS = {
    "rms_norm": "ppfllpp",
    "rms_norm_backward": "ppppllp",
    "swiglu": "pplllp",
    "swiglu_backward": "pppllpp",
    "rotate": "ppplllfp",
    "softmax_between": "ppplllllf",
    "softmax_backward": "ppllf",
}


@functools.cache
def compiled() -> Any:
    """The library, or None where it cannot be built."""
    return native.declare(native.library("rowwise"), FUNCTIONS)


def softmax_between(scores: Tensor, first_S_Q: Tensor, end_S_Q: Tensor, scale: float) -> None:
    """In place: softmax(scale x) over the keys first <= j < end of its query, 0 elsewhere (all 0 if none).

    Args:
        scores: ``_S x repeats x _Q x heads x _K``; one range for all repeats and heads of a query.
        first_S_Q, end_S_Q: int32.
    """
    sizes = scores.shape
    compiled().softmax_between(
        scores.data_ptr(), first_S_Q.data_ptr(), end_S_Q.data_ptr(), *sizes, scale
    )  # fmt: skip


def softmax_backward(grad: Tensor, probabilities: Tensor, scale: float) -> None:
    """In place: the gradient with respect to x of softmax(scale x), over the last axis."""
    width = grad.shape[-1]
    compiled().softmax_backward(
        grad.data_ptr(), probabilities.data_ptr(), grad.numel() // width, width, scale
    )


def swiglu(gate: Tensor, up: Tensor, stride: int) -> Tensor:
    """silu(gate) up, without a gradient; ``stride`` is from row to row of both, in numbers."""
    result, width = gate.new_empty(gate.shape), gate.shape[-1]
    pointers = gate.data_ptr(), up.data_ptr()
    compiled().swiglu(*pointers, gate.numel() // width, width, stride, result.data_ptr())
    return result


class RmsNorm(torch.autograd.Function):
    """w x / sqrt(mean(x^2) + eps) over the last axis (arXiv 1910.07467), for a frozen w."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        x, width = x.contiguous(), x.shape[-1]
        y, inverse = torch.empty_like(x), x.new_empty(x.numel() // width)
        compiled().rms_norm(
            x.data_ptr(), weight.data_ptr(), eps, len(inverse), width, y.data_ptr(), inverse.data_ptr()
        )
        ctx.save_for_backward(x, weight, inverse)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, inverse = ctx.saved_tensors
        grad, result = grad.contiguous(), torch.empty_like(x)
        pointers = (t.data_ptr() for t in (grad, x, weight, inverse))
        compiled().rms_norm_backward(*pointers, len(inverse), x.shape[-1], result.data_ptr())
        return result, None, None


class SwiGlu(torch.autograd.Function):
    """silu(gate) up, silu(z) = z / (1 + exp(-z)) (arXiv 2002.05202)."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, up: Tensor) -> Tensor:
        gate, up = gate.contiguous(), up.contiguous()
        ctx.save_for_backward(gate, up)
        return swiglu(gate, up, gate.shape[-1])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        gate, up = ctx.saved_tensors
        grad, width = grad.contiguous(), gate.shape[-1]
        results = torch.empty_like(gate), torch.empty_like(up)
        pointers = (t.data_ptr() for t in (grad, gate, up))
        compiled().swiglu_backward(*pointers, gate.numel() // width, width, *(r.data_ptr() for r in results))
        return results


class Rotate(torch.autograd.Function):
    """Rotary embedding (arXiv 2104.09864) of ``_F x (heads x size)`` by the row's angles, ``_F x size``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        ctx.save_for_backward(cosine, sine)
        return _rotated(x, cosine, sine, 1.0)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        cosine, sine = ctx.saved_tensors
        # A rotation's inverse, and so its gradient, is the rotation by the opposite angle.
        return _rotated(grad, cosine, sine, -1.0), None, None


def _rotated(x: Tensor, cosine: Tensor, sine: Tensor, turn: float) -> Tensor:
    x, (rows, size) = x.contiguous(), cosine.shape
    result = torch.empty_like(x)
    pointers = (t.data_ptr() for t in (x, cosine, sine))
    compiled().rotate(*pointers, rows, x.shape[-1] // size, size, turn, result.data_ptr())
    return result
