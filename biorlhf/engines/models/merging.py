"""A LoRA adapter added to base weights where it arrives, so that only the adapter ever travels.

W' = W + s B A with s = alpha / r, or alpha / sqrt(r) for rsLoRA (arXiv 2106.09685, 2312.03732).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load as load_tensors

from biorlhf.engines.models.base_files import weight_files
from biorlhf.errors import RunFailure
from biorlhf.stage import Adapter

PREFIX = "base_model.model."


def lora_deltas(adapter: Adapter) -> dict[str, tuple[torch.Tensor, torch.Tensor, float]]:
    """Base parameter name -> (A of shape (r, in), B of shape (out, r), scale)."""
    config = json.loads(adapter.config)
    tensors = load_tensors(adapter.tensors)
    deltas = {}
    for name, a in tensors.items():
        if not name.endswith(".lora_A.weight"):
            continue
        stem = name.removesuffix(".lora_A.weight")
        b = tensors[f"{stem}.lora_B.weight"]
        rank = a.shape[0]
        scale = config["lora_alpha"] / (math.sqrt(rank) if config.get("use_rslora") else rank)
        deltas[stem.removeprefix(PREFIX) + ".weight"] = (a, b, scale)
    return deltas


def base_tensors(folder: Path) -> Iterator[tuple[str, torch.Tensor]]:
    """Every tensor of a model folder, one at a time."""
    for path in weight_files(folder):
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118  (safe_open is no mapping)
                yield name, file.get_tensor(name)


def merged_tensors(folder: Path, adapter: Adapter) -> Iterator[tuple[str, torch.Tensor]]:
    """Every tensor of the base with the adapter added, in fp32 where it is touched.

    Raises:
        RunFailure: a tensor of the adapter names no parameter of the base.
    """
    deltas = lora_deltas(adapter)
    for name, tensor in base_tensors(folder):
        delta = deltas.pop(name, None)
        if delta is not None:
            a, b, scale = delta
            tensor = torch.addmm(tensor.float(), b.float(), a.float(), alpha=scale)
        yield name, tensor
    if deltas:
        raise RunFailure(
            f"the adapter has tensors for {len(deltas)} parameters that the base in {folder.name} lacks, "
            f"for example {next(iter(deltas))}"
        )
