"""The rows of ``biorlhf score``: read from JSONL or Parquet, checked, and written in order.

In:  ``{"id", "prompt", "response", "ground_truth", "kind"?, "verifiers"?, "instruction"?}``; other keys
     are left alone.
     In Parquet, ``ground_truth`` is a column of JSON strings and ``verifiers`` a list of strings.
Out: ``{"id", "reward": float | null, "scores": {verifier: {"status", "value", "details"}}}``; in
     Parquet, ``scores`` is a column of JSON strings.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biorlhf.errors import DataError, InputError
from biorlhf.ground_truth import check
from biorlhf.ground_truth.forms import OPENING
from biorlhf.inputs import rows
from biorlhf.inputs.privacy import publish
from biorlhf.inputs.rows import JSON_LINES, PARQUET, kind_of
from biorlhf.types import Question, Reward

REQUIRED = ("id", "prompt", "response", "ground_truth")
OPTIONAL = ("kind", "verifiers", "instruction")

NameOf = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Row:
    """One answer to score. ``id`` is written back as it came; ``where`` says where it stands."""

    id: str | int
    question: Question
    response: str
    where: str


def read_rows(path: Path, name_of: NameOf) -> Iterator[Row]:
    """The rows of a file, one at a time.

    Args:
        path: a ``.jsonl`` or ``.parquet`` file.
        name_of: verifier name or alias -> name; raises ``InputError`` for an unknown one.

    Raises:
        DataError: the file is missing or malformed, or a row is: with file and line (or row) number.
    """
    check_suffix(path)
    for where, fields in rows.read_rows(path, columns=(*REQUIRED, *OPTIONAL), halves=True):
        yield _row(fields, where, name_of)


def check_suffix(path: Path) -> str:
    """The file's suffix, if it is one that can be read and written."""
    suffix = path.suffix.lower()
    if suffix not in JSON_LINES + PARQUET:
        if path.is_dir():
            raise rows.no_file(path, JSON_LINES + PARQUET)
        raise InputError(str(path), f"a file of type {suffix!r}", choices=JSON_LINES + PARQUET)
    return suffix


def _row(fields: dict[str, Any], where: str, name_of: NameOf) -> Row:
    for key in REQUIRED:
        if key not in fields:
            raise DataError(where, f"the key {key!r} is missing", choices=fields, name=key)
    # A bool is an int to Python.
    if isinstance(fields["id"], bool) or not isinstance(fields["id"], str | int):
        raise DataError(f"{where}: id", f"a {kind_of(fields['id'])}", "a string or a whole number")
    for key in ("prompt", "response"):
        if not isinstance(fields[key], str):
            raise DataError(f"{where}: {key}", f"a {kind_of(fields[key])}", "a string")
    kind = fields.get("kind")
    if kind is not None and not isinstance(kind, str):
        raise DataError(f"{where}: kind", f"a {kind_of(kind)}", "a string")
    truth = _ground_truth(fields["ground_truth"], where)
    tissue = truth.get("tissue")
    question = Question(
        id=str(fields["id"]),
        prompt=fields["prompt"],
        ground_truth=truth,
        kind=kind or "",
        verifiers=_verifiers(fields.get("verifiers"), where, name_of),
        instruction=_block_form(fields.get("instruction")),
        tissue=tissue if isinstance(tissue, str) else None,
    )
    return Row(fields["id"], question, fields["response"], where)


def _block_form(instruction: Any) -> str:
    """An instruction that asks for a block; other people's columns of this name ask for other things."""
    return instruction if isinstance(instruction, str) and instruction.startswith(OPENING) else ""


def _ground_truth(value: Any, where: str) -> dict[str, Any]:
    if isinstance(value, str):
        value = rows.parse_json(value, f"{where}: ground_truth")
    return check(value, where)


def _verifiers(names: Any, where: str, name_of: NameOf) -> tuple[str, ...]:
    if names is None:
        return ()
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError(f"{where}: verifiers", f"{names!r:.80}", "a list of names")
    try:
        return tuple(name_of(name) for name in names)
    except InputError as error:
        raise DataError(f"{where}: verifiers", error.found, choices=error.choices, name=error.name) from None


def output_row(row: Row, reward: Reward) -> dict[str, Any]:
    """One row of the output, as the module describes it."""
    scores = {name: score.to_json() for name, score in reward.scores.items()}
    return {"id": row.id, "reward": reward.total, "scores": scores}


def check_output(path: Path, source: Path) -> None:
    """Raise ``InputError`` where the results cannot be written to ``path``."""
    if not path.parent.is_dir():
        raise InputError(str(path), f"there is no folder {str(path.parent)!r}")
    if path.is_dir():
        raise InputError(str(path), "a folder", "the name of a file")
    if path.exists() and source.exists() and path.samefile(source):
        raise InputError("--out", f"{path} is the input itself", "another file")
    check_suffix(path)


@contextlib.contextmanager
def open_output(path: Path) -> Iterator[Callable[[Sequence[dict[str, Any]]], None]]:
    """A function that appends rows. The file appears, whole, when the block ends without an error."""
    suffix = check_suffix(path)
    # Beside its target: a rename cannot cross file systems.
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except PermissionError:
        # The system would name the temporary file.
        raise InputError(
            "--out", f"{path}: its folder may not be written to", "a file in a folder of yours"
        ) from None
    os.close(descriptor)
    part = Path(name)
    try:
        with _jsonl_writer(part) if suffix in JSON_LINES else _parquet_writer(part) as write:
            yield write
        publish(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _jsonl_writer(path: Path) -> Iterator[Callable[[Sequence[dict[str, Any]]], None]]:
    with path.open("w", encoding="ascii") as file:
        yield lambda made: file.writelines(json.dumps(row, allow_nan=False) + "\n" for row in made)


@contextlib.contextmanager
def _parquet_writer(path: Path) -> Iterator[Callable[[Sequence[dict[str, Any]]], None]]:
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema([("id", pa.string()), ("reward", pa.float64()), ("scores", pa.string())])
    with parquet.ParquetWriter(path, schema) as writer:

        def write(made: Sequence[dict[str, Any]]) -> None:
            plain = [
                {
                    # JSON may hold half a surrogate pair, which Parquet's UTF-8 cannot.
                    "id": str(row["id"]).encode("utf-8", "replace").decode("utf-8"),
                    "reward": row["reward"],
                    "scores": json.dumps(row["scores"], allow_nan=False),
                }
                for row in made
            ]
            writer.write_table(pa.Table.from_pylist(plain, schema=schema))

        yield write
