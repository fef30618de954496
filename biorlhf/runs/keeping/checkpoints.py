"""The checkpoints of a run: each with the sha256 of its files, so that a damaged one is passed over."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from biorlhf.errors import InputError
from biorlhf.runs.keeping import disk, policies

STATE = "state.json"
# What a user puts beside them has other names.
_NAME = re.compile(r"(\d{2,})-([a-z0-9_-]+)-(\d{5,})")


State = dict[str, Any]


def write(folder: Path, state: State, files: Mapping[str, bytes], keep: int) -> None:
    """Add one to ``folder`` and remove all but the newest ``keep``.

    ``state`` says what is done: ``step`` steps of the stage ``stage``, which is number ``stage_index``.
    """
    # safetensors checks shapes, not contents: a damaged byte would load as another number.
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    name = f"{state['stage_index']:02d}-{state['stage']}-{state['step']:05d}"
    disk.write_folder(folder / name, {**files, STATE: json.dumps({**state, "sha256": sums}).encode()})
    # Only now that the new one is whole.
    for old in _folders(folder)[:-keep]:
        with disk.reported(old):
            shutil.rmtree(old)
    policies.keep(folder, [path / STATE for path in _folders(folder)])


def newest(folder: Path) -> tuple[tuple[State, dict[str, bytes]] | None, list[str]]:
    """State and files of the newest whole checkpoint, or None where there is none at all; and what is wrong
    with those after it.

    Raises:
        InputError: there are checkpoints, and not one of them is whole.
    """
    problems: list[str] = []
    for path in reversed(_folders(folder)):
        try:
            return _read(path), problems
        except (OSError, ValueError, KeyError, TypeError) as error:
            problems.append(f"checkpoints/{path.name}: {_reason(error)}")
    if problems:
        raise InputError(
            str(folder.parent),
            f"no checkpoint is whole: {'; '.join(problems)}",
            hint="what can be saved: the adapters in adapters/ (model.adapter of a new run), metrics.jsonl, "
            "rollouts/ and evaluations/",
        )
    return None, []


def _reason(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{Path(str(error.filename)).name} is missing"
    return f"{STATE} is damaged" if not isinstance(error, _Damaged) else str(error)


class _Damaged(ValueError):
    """A file that is not the one that was written."""


def _read(path: Path) -> tuple[State, dict[str, bytes]]:
    state: State = json.loads((path / STATE).read_text(encoding="utf-8"))
    files = {p.name: p.read_bytes() for p in sorted(path.iterdir()) if p.name != STATE and p.is_file()}
    state = {**state, "stage_index": int(state["stage_index"]), "step": int(state["step"])}
    # A checkpoint of before the sums were kept has none; the learner looks at those of its own that it had.
    sums: Mapping[str, str] = state.pop("sha256", dict.fromkeys(files))
    for name, digest in sums.items():
        if name not in files:
            raise _Damaged(f"{name} is missing")
        if digest and hashlib.sha256(files[name]).hexdigest() != digest:
            raise _Damaged(f"{name} is damaged")
    for one in state.get("policies", ()):
        try:
            policies.read(path.parent, one)
        except InputError as error:
            raise _Damaged(f"{policies.FOLDER}/{error.where} {error.found}") from None
    return state, {name: files[name] for name in sums}


def _folders(folder: Path) -> list[Path]:
    return [path for _, path in sorted(_numbered(folder))]


def _numbered(folder: Path) -> Iterator[tuple[tuple[int, int], Path]]:
    if folder.is_dir():
        for path in folder.iterdir():
            match = _NAME.fullmatch(path.name)
            if match and path.is_dir():
                yield (int(match[1]), int(match[3])), path


def last(folder: Path) -> tuple[str, int] | None:
    """Stage and step of the newest checkpoint by its name, unread; None where there is none."""
    match = _NAME.fullmatch(folders[-1].name) if (folders := _folders(folder)) else None
    return (match[2], int(match[3])) if match else None
