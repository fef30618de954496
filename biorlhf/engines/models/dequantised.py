"""A base model's NF4 weights, expanded again and written as an ordinary folder that any engine serves.

What a learner computes with under ``model.dtype: nf4`` are not four bits but the weights that they stand
for, in 16 bits on a GPU. An engine that is given those very weights serves the learner's policy, without a
plugin for quantised weights and faster than by one; it takes the memory of 16 bits.
"""

from __future__ import annotations

import gc
import hashlib
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from biorlhf.engines.models.base_files import made_once, resolve_base, weight_files
from biorlhf.engines.models.load import base_name, load_base
from biorlhf.engines.models.lora import dense_weight, is_quantised
from biorlhf.errors import InputError
from biorlhf.recipe import Model


def dequantised_base(section: Model, device: str) -> Path:
    """The folder of an NF4 base's expanded weights, made once and kept in the cache.

    Args:
        device: where it is quantised: "cuda" or "cpu", as the learner's base; the two may round apart.

    Raises:
        InputError: the base cannot be loaded, or its files name their tensors otherwise than its modules.
    """
    base = resolve_base(section.base, section.revision)
    files = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in weight_files(base)]
    made_by = metadata.version("bitsandbytes")
    key = hashlib.sha256(repr((str(base), files, device, made_by)).encode()).hexdigest()[:12]
    name = base_name(section.base).rpartition("/")[2].lower().removesuffix(".gguf")
    return made_once(f"{name}-nf4-{key}", lambda folder: _write(section, base, device, folder))


def _write(section: Model, base: Path, device: str, folder: Path) -> None:
    model: Any = load_base(section, device=device)
    layers = {f"{name}.weight": module for name, module in model.named_modules() if is_quantised(module)}
    files = weight_files(base)
    for path in files:
        with safe_open(path, framework="pt") as file:
            # One file's tensors at a time: the whole model in 16 bits need not fit into memory.
            tensors = {
                name: _expanded(layers.pop(name)) if name in layers else file.get_tensor(name)
                for name in file.keys()  # noqa: SIM118  (safe_open is no mapping)
            }
        save_file(tensors, folder / path.name, metadata={"format": "pt"})
    del model
    if layers:
        raise InputError(
            "model.base",
            f"the files of {section.base} have no tensor {next(iter(layers))}, which it holds in NF4",
            hint="set model.dtype: bf16, or rollout.dtype: nf4 on a GPU",
        )
    for path in base.iterdir():
        if path.is_file() and path.suffix != ".safetensors":
            shutil.copyfile(path, folder / path.name)
    # The engine that starts next finds the memory free; patched layers refer to themselves.
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()


def _expanded(layer: Any) -> Tensor:
    dtype = layer.weight.quant_state.dtype
    return dense_weight(layer, dtype).cpu().contiguous()
