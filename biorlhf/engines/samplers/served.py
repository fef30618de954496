"""What runs in each of vLLM's worker processes: the adapter merged there, and a look at what they hold."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch

from biorlhf.engines.models.merging import merged_tensors
from biorlhf.stage import Adapter
from biorlhf.types import AdapterRef


class ServedWeights:
    """What vLLM adds to its worker's class (``worker_extension_cls``), called by ``collective_rpc``."""

    def merge_adapter(self: Any, folder: str, tensors: bytes, config: bytes) -> None:
        """Serve the base in ``folder`` with the adapter added to its weights."""
        # The learner's name for it stays with the sampler: here its two files are all that is used.
        adapter = Adapter(AdapterRef(0, ""), tensors, config)
        self.reload_weights(weights_iterator=merged_tensors(Path(folder), adapter))

    def adapter_digest(self: Any) -> str:
        """sha256 of the LoRA tensors as the kernels read them: scaled, cut to this worker's share."""
        digest = hashlib.sha256()
        modules = self.model_runner.lora_manager._adapter_manager.modules
        for name in sorted(modules):
            for tensor in (*modules[name].lora_a_stacked, *modules[name].lora_b_stacked):
                digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy())
        return digest.hexdigest()
