"""AdamW, in 32 or 8 bits, and the learning rate's schedule."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from typing import Any

import torch

from biorlhf.errors import ResourceError
from biorlhf.recipe import Optimizer


def build_optimizer(section: Optimizer, parameters: Sequence[torch.nn.Parameter]) -> Any:
    """AdamW (arXiv 1711.05101) over the adapter; with ``eight_bit`` its moments take 8 bits (2110.02861).

    Raises:
        ResourceError: 8 bits are asked for and bitsandbytes is not installed.
    """
    arguments: dict[str, Any] = {"lr": section.learning_rate, "weight_decay": section.weight_decay}
    if not section.eight_bit:
        return torch.optim.AdamW(parameters, fused=True, **arguments)
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ResourceError(
            "optimizer.eight_bit",
            "it needs the package bitsandbytes, which is not installed",
            hint="pip install bitsandbytes, or set optimizer.eight_bit: false",
        )
    from bitsandbytes.optim import AdamW8bit

    return AdamW8bit(parameters, **arguments)


def learning_rate(section: Optimizer, done: float, total: float) -> float:
    """The learning rate of the update that follows ``done`` of ``total`` steps (fractions are allowed).

    Warm-up rises linearly to the full rate over the first ``warmup`` share of the steps; then ``constant``
    stays, ``linear`` falls to zero at ``total``, and ``cosine`` falls to zero along half a cosine.
    """
    warm = section.warmup * total
    if done < warm:
        # One ahead on both sides: the first update would otherwise have a rate of zero and change nothing.
        return section.learning_rate * (done + 1) / (warm + 1)
    # A warm-up over the whole stage leaves nothing after it to divide by.
    share = min(1.0, (done - warm) / max(total - warm, 1e-9))
    if section.schedule == "linear":
        return section.learning_rate * (1 - share)
    if section.schedule == "cosine":
        return section.learning_rate * 0.5 * (1 + math.cos(math.pi * share))
    return section.learning_rate
