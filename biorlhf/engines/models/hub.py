"""Models from the hub: the one set of weights that the index names, fetched or found in the local cache."""

from __future__ import annotations

import json
import os
from pathlib import Path

from biorlhf.errors import InputError

INDEX, WHOLE = "model.safetensors.index.json", "model.safetensors"
# Beside the weights, which the index names. No *.bin and no *.pt: pickled weights can run code when they are
# read. And none of a second set: some repositories hold their model twice, once in a format of their own.
HUB_FILES = ["*.json", "*.txt", "*.model", "*.jinja", "*.py"]
HUB_OTHERS = ["consolidated*", "params.json", "original/*"]


def on_hub(base: str) -> bool:
    """Whether a base names no file, folder or package of this machine, but a repository of the hub."""
    return (
        base.count("/") == 1
        and not base.startswith((".", "~", "/"))
        and not base.lower().endswith(".gguf")
        and not Path(base).is_dir()
    )


def fetch(base: str, revision: str | None) -> Path:
    """The local snapshot of a hub model: the weights that its index names, configuration and tokenizer.

    Raises:
        InputError: it is gated, unknown, not reachable, or offline not there; says what to do.
    """
    from huggingface_hub import errors, hf_hub_download, snapshot_download

    try:
        try:
            index = Path(hf_hub_download(base, INDEX, revision=revision))
            weights = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        except errors.EntryNotFoundError as error:
            # What is not in the cache of a machine that is offline may be in the repository all the same.
            if isinstance(error, errors.LocalEntryNotFoundError) and not _cached_whole(base, revision):
                raise
            weights = [WHOLE]
        folder = Path(
            snapshot_download(
                base, revision=revision, allow_patterns=[*HUB_FILES, *weights], ignore_patterns=HUB_OTHERS
            )
        )
    except (OSError, errors.HfHubHTTPError, errors.LocalEntryNotFoundError) as error:
        raise _not_fetched(base, revision, error) from None
    missing = [name for name in weights if not (folder / name).is_file()]
    if missing and (folder / "config.json").is_file():
        # Offline, a snapshot is what was fetched before, be it half a model.
        raise InputError(
            "model.base",
            f"{base} has no {missing[0]}" + (" in the local cache" if _offline() else ""),
            "safetensors (pickled weights are not read)",
            hint="fetch it once without HF_HUB_OFFLINE" if _offline() else "",
        )
    return folder


def _cached_whole(base: str, revision: str | None) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(base, WHOLE, revision=revision), str)


def _offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").lower() not in ("", "0", "no", "off", "false")


def _not_fetched(base: str, revision: str | None, error: Exception) -> InputError:
    """Why a hub's model did not come, and what to do."""
    from huggingface_hub import errors

    what = f"{base} (revision {revision or 'main'})"
    if isinstance(error, errors.GatedRepoError):
        return InputError(
            "model.base",
            f"{what} is gated: its owner asks for consent before it can be fetched",
            hint="accept its terms on its page, log in with `hf auth login` (or set HF_TOKEN), and run again",
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return InputError("model.revision", f"{base} has no revision {revision!r}", "a branch, tag or commit")
    if isinstance(error, errors.RepositoryNotFoundError):
        return InputError(
            "model.base",
            f"the hub has no model {base} that this machine may see",
            "an existing folder, or a hub id",
            hint="a private one needs `hf auth login` (or HF_TOKEN)",
        )
    return InputError(
        "model.base",
        f"{what} cannot be fetched: {type(error).__name__}: {' '.join(str(error).split())}",
        "an existing folder, or a hub id that this machine can reach",
        hint="HF_HUB_OFFLINE is set, and it is not in the local cache" if _offline() else "",
    )
