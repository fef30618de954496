"""Which sampler a recipe asks for. Apart from the contract, which every sampler imports."""

from __future__ import annotations

from biorlhf.engines.samplers.contract import Sampler, SamplerSpec

__all__ = ["Sampler", "SamplerSpec", "build_sampler"]


def build_sampler(spec: SamplerSpec) -> Sampler:
    """The sampler that the recipe names; each imports its own heavy package."""
    engine = spec.recipe.rollout.engine
    if engine == "vllm":
        from biorlhf.engines.samplers.vllm import VllmSampler

        return VllmSampler(spec)
    if engine == "transformers":
        from biorlhf.engines.samplers.transformers import TransformersSampler

        return TransformersSampler(spec)
    from biorlhf.engines.samplers.scripted import ScriptedSampler

    return ScriptedSampler(spec)
