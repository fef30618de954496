"""vLLM's layers on a CPU in fp32, by what vLLM lets others register: its own classes are left as they are.

vLLM 0.32 takes there oneDNN's products, which are slow for the few rows of sampling, and torch's operators
for norms and activations, though it has kernels of its own for these.
"""

from __future__ import annotations

from typing import Any

import torch
from vllm.model_executor.layers.activation import SiluAndMul
from vllm.model_executor.layers.layernorm import RMSNorm
from vllm.model_executor.layers.linear import LinearBase, UnquantizedLinearMethod
from vllm.model_executor.layers.quantization import register_quantization_config
from vllm.model_executor.layers.quantization.base_config import QuantizationConfig, QuantizeMethodBase
from vllm.model_executor.layers.vocab_parallel_embedding import ParallelLMHead, UnquantizedEmbeddingMethod

from biorlhf.engines.cpu import panels, rowwise

PANELS = "biorlhf_panels"


def engine_args(dtype: str) -> dict[str, Any]:
    """What to tell an engine of a base in ``dtype``, vLLM's name; registers what it refers to."""
    return {"quantization": PANELS} if dtype == "float32" and panels.compiled() is not None else {}


@register_quantization_config(PANELS)
class PanelsConfig(QuantizationConfig):
    """Nothing is quantised: this is vLLM's way to say how a layer's product is made."""

    def get_name(self) -> Any:  # vLLM's type lists its own only
        return PANELS

    def get_supported_act_dtypes(self) -> list[torch.dtype]:
        return [torch.float32]

    @classmethod
    def get_min_capability(cls) -> int:
        return -1

    @staticmethod
    def get_config_filenames() -> list[str]:
        return []

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> PanelsConfig:
        return cls()

    def get_quant_method(self, layer: torch.nn.Module, prefix: str) -> QuantizeMethodBase | None:
        if isinstance(layer, ParallelLMHead):
            return PanelsHead()
        return PanelsLinear() if isinstance(layer, LinearBase) else None


class PanelsLinear(UnquantizedLinearMethod):
    def process_weights_after_loading(self, layer: torch.nn.Module) -> None:
        _pack(layer)
        # The packed copy does all the work; kept beside it, the weight would take its memory twice.
        layer.weight = torch.nn.Parameter(torch.empty(0), requires_grad=False)


class PanelsHead(UnquantizedEmbeddingMethod):
    def process_weights_after_loading(self, layer: torch.nn.Module) -> None:
        _pack(layer)  # the weight stays: it may be the embedding's as well


def _pack(layer: Any) -> None:
    packed = panels.Panels(layer.weight)
    layer.cpu_linear = lambda x, weight, bias: packed.product(x, bias)


@RMSNorm.register_oot
class KernelRMSNorm(RMSNorm):
    def forward_cpu(self, x: torch.Tensor, residual: torch.Tensor | None = None) -> Any:
        if not self.has_weight or self.variance_size_override is not None:
            return self.forward_native(x, residual)
        if residual is None:
            result = torch.empty_like(x)
            torch.ops._C.rms_norm(result, x.contiguous(), self.weight.data, self.variance_epsilon)
            return result
        torch.ops._C.fused_add_rms_norm(x, residual, self.weight.data, self.variance_epsilon)
        return x, residual


@SiluAndMul.register_oot
class OnePassSiluAndMul(SiluAndMul):
    def forward_cpu(self, x: torch.Tensor) -> torch.Tensor:
        if x.dtype == torch.float32 and x.is_contiguous() and rowwise.compiled() is not None:
            gate, up = x.chunk(2, dim=-1)
            return rowwise.swiglu(gate, up, x.shape[-1])
        return self.forward_native(x)
