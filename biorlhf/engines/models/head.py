"""The output layer in fp32, whatever the model's own type: on both sides, learner and sampler.

In 16 bits a logit of 20 is rounded by up to 0.06, which is more than an update moves a log-probability.
vLLM does the same for ``head_dtype: float32``.
"""

from __future__ import annotations

import types
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from biorlhf.engines.cpu.products import linear


def head_logits(hidden: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """hidden W' + bias in fp32 (``_N x vocabulary``), without a gradient of its own."""
    if weight.dtype == torch.float32:
        return linear(hidden, weight, bias)
    if hidden.is_cuda:
        # Its sums are kept in fp32 as they are: no copy of the weights in fp32.
        logits = torch.mm(hidden, weight.t(), out_dtype=torch.float32)
        return logits if bias is None else logits + bias.float()
    return linear(hidden.float(), weight.float(), None if bias is None else bias.float())


def keep_head_exact(model: Any) -> None:
    """Have a transformers model's output layer give fp32 logits; what follows it computes with those."""
    head = model.get_output_embeddings()
    if head is not None and head.weight.dtype != torch.float32:
        head.forward = types.MethodType(_exact, head)


def _exact(self: Any, hidden: Tensor) -> Tensor:
    if hidden.is_cuda and not torch.is_grad_enabled():
        flat = hidden.reshape(-1, hidden.shape[-1])
        return head_logits(flat, self.weight, self.bias).view(*hidden.shape[:-1], -1)
    bias = None if self.bias is None else self.bias.float()
    return F.linear(hidden.float(), self.weight.float(), bias)
