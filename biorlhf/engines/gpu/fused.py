"""A decoder layer on a GPU in few passes over memory, by Liger's kernels (arXiv 2410.10989).

Replaces the forward of a transformers model's norms, MLPs and attention, where packing is on and the weights
are on a GPU. Elsewhere, and without the package ``liger-kernel``, the modules stay as transformers has them;
that the two give the same numbers is what ``tests/gpu/check.py`` compares.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
import types
from collections.abc import Callable
from typing import Any

from torch import Tensor

from biorlhf.engines.learning.windows import window_of
from biorlhf.engines.models.lora import project

Attend = Callable[..., tuple[Tensor, None]]


def fuse(model: Any, attend: Attend) -> None:
    """Replace what can be replaced; ``attend`` is called as transformers calls it."""
    if not model.base_model.norm.weight.is_cuda or not _has_kernels():
        return
    for module in model.modules():
        if hasattr(module, "variance_epsilon"):
            module.forward = types.MethodType(_norm, module)
        # Another activation is none of the kernels used here.
        elif hasattr(module, "gate_proj") and model.config.hidden_act == "silu":
            module.forward = types.MethodType(_mlp, module)
        elif hasattr(module, "q_proj"):
            module.attend = attend
            module.forward = types.MethodType(_attention, module)


@functools.cache
def _has_kernels() -> bool:
    if importlib.util.find_spec("liger_kernel") is not None:
        return True
    logging.getLogger(__name__).warning(
        "liger-kernel is not installed, so steps on this GPU take longer: pip install liger-kernel"
    )
    return False


def _norm(self: Any, x: Tensor) -> Tensor:
    from liger_kernel.ops.rms_norm import LigerRMSNormFunction

    # Not in place: the gradient that comes in is the residual's as well.
    return LigerRMSNormFunction.apply(x, self.weight, self.variance_epsilon, 0.0, "llama", False)


def _mlp(self: Any, x: Tensor) -> Tensor:
    from liger_kernel.ops.swiglu import LigerSiLUMulFunction

    return self.down_proj(LigerSiLUMulFunction.apply(*project(x, (self.gate_proj, self.up_proj))))


def _attention(
    self: Any,
    hidden_states: Tensor,
    position_embeddings: tuple[Tensor, Tensor],
    attention_mask: Tensor | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """As transformers computes it, with q, k and v from one look at x."""
    from liger_kernel.ops.rope import LigerRopeFunction

    query, key, value = (
        x.unflatten(-1, (-1, self.head_dim))
        for x in project(hidden_states, (self.q_proj, self.k_proj, self.v_proj))
    )
    if hasattr(self, "q_norm"):
        query, key = self.q_norm(query), self.k_norm(key)
    query, key, value = (x.transpose(1, 2) for x in (query, key, value))
    query, key = LigerRopeFunction.apply(query, key, *position_embeddings)
    settings = {**kwargs, "scaling": self.scaling, "sliding_window": window_of(self)}
    result, _ = self.attend(self, query, key, value, attention_mask, **settings)
    return self.o_proj(result.flatten(-2)), None
