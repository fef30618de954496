"""Adapters of steps before a checkpoint's own, which what is sampled ahead is asked of after a resume.

Each is written once, under its sha256, however many checkpoints name it, and goes with the last of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from biorlhf.errors import InputError
from biorlhf.runs.keeping import disk
from biorlhf.stage import Adapter
from biorlhf.types import AdapterRef

FOLDER = "policies"


def write(checkpoints: Path, adapters: Sequence[Adapter]) -> list[list[Any]]:
    """Write those that are not there yet; gives each as [version, sha256, canary], for a state."""
    for adapter in adapters:
        tensors, config = _paths(checkpoints, adapter.ref.sha256)
        # The tensors come last: a configuration without them is one that was cut off.
        if not tensors.is_file():
            tensors.parent.mkdir(exist_ok=True)
            disk.write_file(config, adapter.config)
            disk.write_file(tensors, adapter.tensors)
    return [[a.ref.version, a.ref.sha256, list(a.canary)] for a in adapters]


def read(checkpoints: Path, named: Sequence[Any]) -> Adapter:
    """The adapter of a [version, sha256, canary].

    Raises:
        InputError: its files are missing or damaged.
    """
    # One that was written before there were canaries has two parts.
    version, sha256, *canary = named
    tensors, config = _paths(checkpoints, str(sha256))
    if not (tensors.is_file() and config.is_file()):
        raise InputError(tensors.name, "is missing")
    content = tensors.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InputError(tensors.name, "is damaged")
    return Adapter(AdapterRef(int(version), sha256), content, config.read_bytes(), tuple(*canary))


def keep(checkpoints: Path, states: Iterable[Path]) -> None:
    """Remove those that none of these states names; where one cannot be read, none."""
    folder = checkpoints / FOLDER
    if not folder.is_dir():
        return
    try:
        named = [one[1] for path in states for one in json.loads(path.read_bytes()).get("policies", ())]
    except (OSError, ValueError):  # its checkpoint is passed over, and said to be, where one is looked for
        return
    for path in folder.iterdir():
        if path.name.split(".")[0] not in named:
            with disk.reported(path):
                path.unlink()


def _paths(checkpoints: Path, sha256: str) -> tuple[Path, Path]:
    folder = checkpoints / FOLDER
    return folder / f"{sha256}.safetensors", folder / f"{sha256}.json"
