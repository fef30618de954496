"""A learner's state as files (name -> bytes): safetensors for tensors, JSON with sha256 sums for the rest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from biorlhf.errors import RunFailure

STATE = "learner.json"


def to_files(tables: Mapping[str, Mapping[str, Tensor]], state: Mapping[str, Any]) -> dict[str, bytes]:
    """``tables`` become ``<name>.safetensors``; ``state`` is plain data and goes into ``learner.json``."""
    files = {
        f"{name}.safetensors": save_tensors({k: t.detach().cpu().contiguous() for k, t in table.items()})
        for name, table in tables.items()
    }
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    files[STATE] = json.dumps({**state, "sha256": sums}, indent=1, sort_keys=True).encode()
    return files


def from_files(files: Mapping[str, bytes]) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """The tables and the state that :func:`to_files` was given.

    Raises:
        RunFailure: a file is missing, or is not the one that was written.
    """
    if STATE not in files:
        raise RunFailure(f"the checkpoint has no {STATE}; it holds {', '.join(sorted(files)) or 'nothing'}")
    state = json.loads(files[STATE])
    tables = {}
    for name, digest in state.pop("sha256").items():
        if name not in files or hashlib.sha256(files[name]).hexdigest() != digest:
            raise RunFailure(f"the checkpoint's {name} is missing or damaged; use an earlier checkpoint")
        tables[name.removesuffix(".safetensors")] = load_tensors(files[name])
    return tables, state


def optimizer_tables(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """An optimizer's state: tensors by ``<parameter>.<key>``, and what is not a tensor by the same names.

    A tensor that several parameters share (8-bit code books) is written once for each.
    """
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, Any] = {}
    for index, state in optimizer.state_dict()["state"].items():
        for key, value in state.items():
            place = tensors if isinstance(value, Tensor) else numbers
            place[f"{index}.{key}"] = value.clone() if isinstance(value, Tensor) else value
    return tensors, numbers


def restore_optimizer(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]
) -> None:
    """Put back what :func:`optimizer_tables` took."""
    state: dict[int, dict[str, Any]] = {}
    for name, value in {**tensors, **numbers}.items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
