"""A learner's state as files (name -> bytes): safetensors for tensors, JSON for the rest.

Whether they are those that were written is known where they are kept (``biorlhf.runs.keeping.checkpoints``).
"""

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
        f"{name}.safetensors": save_tensors({k: t.detach().cpu().contiguous() for k, t in tensors.items()})
        for name, tensors in tables.items()
    }
    files[STATE] = json.dumps({**state, "tables": [*tables]}, indent=1, sort_keys=True).encode()
    return files


def from_files(files: Mapping[str, bytes]) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """The tables and the state that :func:`to_files` was given.

    Raises:
        RunFailure: a file is missing, or damaged where the checkpoint is one that still holds its own sums.
    """
    if STATE not in files:
        raise RunFailure(f"the checkpoint has no {STATE}; it holds {', '.join(sorted(files)) or 'nothing'}")
    state = json.loads(files[STATE])
    sums: dict[str, str] = state.pop("sha256", {})
    names = state.pop("tables", [name.removesuffix(".safetensors") for name in sums])
    for name in (f"{table}.safetensors" for table in names):
        whole = name not in sums or hashlib.sha256(files.get(name, b"")).hexdigest() == sums[name]
        if name not in files or not whole:
            raise RunFailure(f"the checkpoint's {name} is missing or damaged; use an earlier checkpoint")
    return {name: load_tensors(files[f"{name}.safetensors"]) for name in names}, state


def optimizer_tables(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """An optimizer's state by the path to each entry (``<parameter>/<key>``): its tensors, and the rest.

    bitsandbytes keeps a table inside a parameter's state; its paths have a part more.
    """
    tensors: dict[str, Tensor] = {}
    rest: dict[str, Any] = {}

    def walk(path: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{path}/{key}" if path else str(key), inner)
        elif isinstance(value, Tensor):
            # state_dict hands out the optimizer's own tensors, which the next step writes over.
            tensors[path] = value.clone()
        else:
            rest[path] = value

    walk("", optimizer.state_dict()["state"])
    return tensors, rest


def restore_optimizer(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], rest: Mapping[str, Any]
) -> None:
    """Put back what :func:`optimizer_tables` took."""
    state: dict[Any, Any] = {}
    for path, value in {**tensors, **rest}.items():
        index, *keys = path.split("/")
        place = state.setdefault(int(index), {})
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = value
    # The groups' settings are not restored: they are the recipe's, and the schedule sets the rate anew before
    # every update.
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
