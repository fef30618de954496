"""An exported folder on a model hub, as it lies: weights, card and all."""

from __future__ import annotations

import re
from pathlib import Path

from biorlhf.errors import InputError, RunFailure
from biorlhf.inputs.extras import need

NAME = re.compile(r"[\w.-]+/[\w.-]+")


def check_name(name: str) -> None:
    """Before anything is written. Raises ``InputError`` for what is no ``owner/name``."""
    need("huggingface_hub", "--push")
    if not NAME.fullmatch(name):
        raise InputError("--push", repr(name), "owner/name")


def push(folder: Path, name: str) -> str:
    """Upload the folder to a repository, made private where it is new; returns where it can be seen.

    The hub's address and the user's token are those of ``huggingface_hub`` (HF_ENDPOINT, ``hf auth login``).

    Raises:
        RunFailure: the hub refused, or cannot be reached; the folder stays where it is.
    """
    hub = need("huggingface_hub", "--push")
    api = hub.HfApi()
    try:
        api.create_repo(name, private=True, exist_ok=True)
        done = api.upload_folder(
            repo_id=name,
            folder_path=str(folder),
            commit_message="A model trained with biorlhf, with its card",
        )
    except (OSError, ValueError, hub.errors.HfHubHTTPError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise RunFailure(f"--push {name}: {reason}; what was exported lies in {folder}") from error
    return str(done.commit_url if hasattr(done, "commit_url") else done)
