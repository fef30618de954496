"""Matrix products with frozen weights, which are most of a step's work.

On a CPU in fp32 oneDNN makes them: MKL, which torch has for ``x @ w``, is 10 to 20 % slower on processors
other than Intel's, and oneDNN takes a transposed weight as it lies. torch reaches it in fp32 only by the
operator below, which its compiler emits; where a build of torch lacks it, the product is torch's own.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

ONEDNN = (
    getattr(torch.ops.mkldnn, "_linear_pointwise", None) if torch.backends.mkldnn.is_available() else None
)


def linear(x_N_I: Tensor, weight_O_I: Tensor, bias_O: Tensor | None = None) -> Tensor:
    """x W' + bias (``_N_O``). For code that goes backwards by itself: no gradient may be asked of it.

    ``weight_O_I`` may be a transposed view: the gradient of y = x W' is ``linear(grad, W.t())``.
    """
    if ONEDNN is None or x_N_I.dtype != torch.float32 or x_N_I.is_cuda or not len(x_N_I):
        return F.linear(x_N_I, weight_O_I, bias_O)
    return ONEDNN(x_N_I, weight_O_I, bias_O, "none", [], "")
