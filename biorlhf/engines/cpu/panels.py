"""Products of few rows with one frozen fp32 weight on a CPU, as sampling makes them (panels.c)."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import torch
from torch import Tensor

from biorlhf.engines.cpu import native

FUNCTIONS = {"panel_pack": "pllp", "panel_multiply": "pplllp", "panel_columns": "p"}


@functools.cache
def compiled() -> Any:
    """The library, or None where it cannot be built."""
    return native.declare(native.library("panels"), FUNCTIONS)


class Panels:
    """A weight (``_O x _I``), kept in the order in which a product reads it; the original is not needed."""

    def __init__(self, weight_O_I: Tensor) -> None:
        columns = ctypes.c_long()
        compiled().panel_columns(ctypes.byref(columns))
        weight = weight_O_I.detach().contiguous()
        self.outs, self.ins = weight.shape
        panels = -(-self.outs // columns.value)
        self.packed = torch.empty(panels * columns.value * self.ins)
        compiled().panel_pack(weight.data_ptr(), self.outs, self.ins, self.packed.data_ptr())

    def product(self, x: Tensor, bias_O: Tensor | None = None) -> Tensor:
        """x W' + bias over the last axis."""
        x = x.contiguous()
        y = x.new_empty(*x.shape[:-1], self.outs)
        rows = x.numel() // self.ins
        if rows:
            pointers = x.data_ptr(), self.packed.data_ptr()
            compiled().panel_multiply(*pointers, rows, self.ins, self.outs, y.data_ptr())
        return y if bias_O is None else y.add_(bias_O)
