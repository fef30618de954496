"""The matrix products of linear layers, which are most of a step's work.

On a CPU in fp32 oneDNN makes them: MKL, which torch has for ``x @ w``, can be slower (on an AMD EPYC by 10 to
20 %; ``tests/benches/bench_learner.py`` prints both rates), and oneDNN takes a transposed weight as it lies.
torch reaches it in fp32 only by the operator below, which its compiler emits; where a build of torch lacks
it, the product is torch's own.
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
    here = x_N_I.device.type == "cpu" and x_N_I.dtype == torch.float32
    if ONEDNN is None or not here or not len(x_N_I):
        return F.linear(x_N_I, weight_O_I, bias_O)
    return ONEDNN(x_N_I, weight_O_I, bias_O, "none", [], "")
