"""A process's first cosine is right: elementwise functions that MKL chooses on their first call.

torch computes cos, exp and the like on a CPU by MKL, a piece per thread, and MKL up to 2024.2 looks up each
function's code while it is called for the first time. Where two threads do that at once, one may be given
the coarsest version: now and then, half of a process's first table of cosines was wrong by up to 2e-4
(pytorch issue 188792). Nothing showed it, and the next process did not repeat it.
"""

from __future__ import annotations

import functools

import torch

#: Those that torch takes from MKL (its header ATen/cpu/vml.h).
FUNCTIONS = (
    *("acos", "asin", "atan", "cos", "erf", "erfc", "erfinv", "exp", "log", "log10", "log2"),
    *("sin", "sqrt", "tan", "tanh", "trunc"),
)


@functools.cache
def settle() -> None:
    """Call each function once from this thread alone. For any process, before its first model."""
    for dtype in (torch.float32, torch.float64):
        one = torch.full((1,), 0.5, dtype=dtype)
        for name in FUNCTIONS:
            getattr(torch, name)(one)
