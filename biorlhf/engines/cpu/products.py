"""The matrix products of linear layers, which are most of a step's work.

torch makes them by MKL in fp32 on a CPU. On a processor that is not Intel's, MKL can be slower than oneDNN
(on an AMD EPYC by 10 to 20 %, on an Intel Xeon it is 5 % faster; ``tests/benches/bench_learner.py`` prints
both rates). torch reaches oneDNN in fp32 only by the operator below, which its compiler emits; where a build
of torch lacks it, the product is torch's own. The choice is by the processor's maker and never by a
measurement, so that a run that is resumed on its machine multiplies as it did.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def _onednn() -> Any:
    """oneDNN's product, where it is to be used."""
    try:
        intel = "GenuineIntel" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        intel = False
    if intel or not torch.backends.mkldnn.is_available():
        return None
    return getattr(torch.ops.mkldnn, "_linear_pointwise", None)


ONEDNN = _onednn()


def linear(x_N_I: Tensor, weight_O_I: Tensor, bias_O: Tensor | None = None) -> Tensor:
    """x W' + bias (``_N_O``). For code that goes backwards by itself: no gradient may be asked of it.

    ``weight_O_I`` may be a transposed view: the gradient of y = x W' is ``linear(grad, W.t())``.
    """
    here = x_N_I.device.type == "cpu" and x_N_I.dtype == torch.float32
    if ONEDNN is None or not here or not len(x_N_I):
        return F.linear(x_N_I, weight_O_I, bias_O)
    return ONEDNN(x_N_I, weight_O_I, bias_O, "none", [], "")


def add_product(total_N_O: Tensor | None, x_N_I: Tensor, weight_O_I: Tensor) -> Tensor:
    """total + x W', in the total's place; None is nothing yet."""
    if total_N_O is None:
        return linear(x_N_I, weight_O_I)
    if ONEDNN is None:
        return total_N_O.addmm_(x_N_I, weight_O_I.t())
    return total_N_O.add_(linear(x_N_I, weight_O_I))
