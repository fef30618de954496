"""Whether weights are whole: what is missing would be filled at random, or left out, without a word."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from biorlhf.errors import InputError

SUMS = "biorlhf_sums.json"
Tensors = Mapping[str, Tensor]


def check_folder(folder: Path, base: str) -> None:
    """A model folder's safetensors can be read to their end, and its index names these files alone.

    Raises:
        InputError: a file is cut short, or an index names another kind of file, one elsewhere, one that is
            missing, or tensors that its files do not hold.
    """
    held: dict[str, set[str]] = {}
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, framework="pt") as file:
                held[path.name] = set(file.keys())
        except (OSError, SafetensorError) as error:
            raise InputError("model.base", f"{base}: {path.name} is damaged: {error}") from None
    for index in sorted(folder.glob("*.index.json")):
        _check_index(index, held, base)


def _check_index(index: Path, held: Mapping[str, set[str]], base: str) -> None:
    where = f"{base}: {index.name}"
    try:
        places = dict(json.loads(index.read_text(encoding="utf-8"))["weight_map"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError("model.base", f"{where} is damaged: {error}") from None
    for tensor, name in places.items():
        # Whatever else it names would be read: a pickle, which runs code, or a file outside the folder.
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(".safetensors"):
            raise InputError("model.base", f"{where} names {name!r}", "*.safetensors in the same folder")
        if name not in held:
            raise InputError("model.base", f"{where} names {name}, which is missing")
        if tensor not in held[name]:
            raise InputError("model.base", f"{where}: {name} does not hold {tensor}")


def check_loaded(report: Mapping[str, Any], base: str) -> None:
    """What transformers reports of loading a model: every tensor of its config was there, and no other.

    Raises:
        InputError: with the first of those that are missing, unknown or of another shape.
    """
    for key, words in (
        ("missing_keys", "lacks {}, which its config.json asks for"),
        ("unexpected_keys", "holds {}, which its config.json has no place for"),
        ("mismatched_keys", "holds {} in another shape than its config.json says"),
    ):
        names = sorted(str(name[0] if isinstance(name, tuple) else name) for name in report.get(key) or ())
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            text = words.format(names[0] + more)
            raise InputError("model.base", f"{base} {text}", hint="fetch or convert the model again")


def check_adapter(tensors: Tensors, rank: int, where: str) -> None:
    """Every A of an adapter has its B, all of the rank that its config says, and there is nothing else.

    Raises:
        InputError: with the first tensor that is missing, unknown or of another shape.
    """
    halves: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        stem, found, half = name.rpartition(".lora_")
        if not found or half not in ("A.weight", "B.weight") or tensor.ndim != 2:
            raise InputError(where, f"it holds {name}, which is no part of plain LoRA")
        halves.setdefault(stem, {})[half[0]] = tensor
        if not tensor.isfinite().all():
            raise InputError(where, f"{name} holds values that are not finite")
    if not halves:
        raise InputError(where, "it holds no tensor of LoRA", "lora_A and lora_B of each layer")
    for stem, pair in halves.items():
        for half in ("A", "B"):
            if half not in pair:
                raise InputError(where, f"it lacks {stem}.lora_{half}.weight")
        ranks = pair["A"].shape[0], pair["B"].shape[1]
        if ranks != (rank, rank):
            raise InputError(
                where, f"{stem} has rank {ranks[0]} (A) and {ranks[1]} (B); its config says r {rank}"
            )


def check_cover(tensors: Tensors, layers: Iterable[str], where: str) -> None:
    """An adapter has all layers of the model that bear a name which it targets (``q_proj``, …).

    ``layers``: the full names of the model's linear layers.

    Raises:
        InputError: one of them has no adapter: it would stay as it was, unseen.
    """
    stems = {name.split(".lora_")[0].removeprefix("base_model.model.") for name in tensors}
    last = {stem.rpartition(".")[2] for stem in stems}
    for layer in layers:
        if layer.rpartition(".")[2] in last and layer not in stems:
            raise InputError(where, f"it does not fit the base model: it lacks {layer}")


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def seal(folder: Path) -> None:
    """Write down the sums of a folder's files, as the last of them."""
    sums = {path.name: sha256_of(path) for path in sorted(folder.iterdir()) if path.is_file()}
    (folder / SUMS).write_text(json.dumps(sums, indent=1) + "\n", encoding="utf-8")


def is_sealed(folder: Path) -> bool:
    """Whether a folder holds the files that :func:`seal` saw, byte by byte, and no others."""
    try:
        sums = json.loads((folder / SUMS).read_text(encoding="utf-8"))
        names = {path.name for path in folder.iterdir()} - {SUMS}
        return names == {*sums} and all(sha256_of(folder / name) == sums[name] for name in sums)
    except (OSError, ValueError, TypeError):
        return False
