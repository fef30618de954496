"""Giving a trained policy away: an adapter from a checkpoint, merged weights, and a check of both."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from safetensors.torch import save as save_tensors

from biorlhf.engines import adapters, checkpoint
from biorlhf.recipe import Lora
from biorlhf.stage import Adapter
from biorlhf.trained import Trained
from biorlhf.types import AdapterRef


def adapter_of_checkpoint(files: Mapping[str, bytes], base: str) -> Adapter:
    """The adapter, with what earlier stages merged, that a learner's checkpoint holds."""
    tables, state = checkpoint.from_files(files)
    section = Lora.model_validate(state["lora"])
    if not tables["prior"]:
        return adapters.export(tables["policy"], section, base, state["version"])
    trained = adapters.folded(tables["policy"], adapters.scale(section))
    whole = adapters.added(tables["prior"], trained)
    rank = adapters.rank_of(whole)
    return adapters.export(whole, Lora(r=rank, alpha=rank), base, state["version"])


def adapter_of(chosen: Trained) -> Adapter:
    """The adapter of a policy as a sampler takes it; for the base model alone, one that holds nothing."""
    if chosen.adapter is None:
        return Adapter(AdapterRef(0, "base"), save_tensors({}), b"{}")
    tensors = (chosen.adapter / "adapter_model.safetensors").read_bytes()
    config = (chosen.adapter / "adapter_config.json").read_bytes()
    return Adapter(AdapterRef(0, hashlib.sha256(tensors).hexdigest()), tensors, config)
