"""Rows of JSONL, a JSON array, or Parquet, each with its place in the file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from biorlhf.errors import DataError

Row = tuple[str, dict[str, Any]]
_SPACE = re.compile(r"[\s,]*")


def read_rows(path: Path, array_key: str = "") -> list[Row]:
    """Every row as (``file:line``, or ``file: row N`` in Parquet; the object).

    Args:
        path: JSONL, JSON (an array, or an object with the array under ``array_key``), or Parquet.

    Raises:
        DataError: no such file, not UTF-8, not JSON, a row that is no object, or no row at all.
    """
    if not path.is_file():
        near = _beside(path)
        raise DataError(str(path), "no such file", choices=near, name=path.name)
    with path.open("rb") as stream:
        parquet = stream.read(4) == b"PAR1"
    rows = list(_parquet(path) if parquet else _json(path, _text(path), array_key))
    if not rows:
        raise DataError(str(path), "no rows", "at least one")
    return rows


def _beside(path: Path) -> list[str]:
    if not path.parent.is_dir():
        return []
    return [p.name for p in path.parent.iterdir() if p.suffix in (".json", ".jsonl", ".parquet")][:40]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(str(path), f"not UTF-8 at byte {error.start}", "UTF-8 text, or Parquet") from None


def _parquet(path: Path) -> Iterator[Row]:
    try:
        for number, row in enumerate(pq.read_table(path).to_pylist(), start=1):
            yield f"{path}: row {number}", {key: value for key, value in row.items() if value is not None}
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(str(path), f"the Parquet file is cut off or damaged: {error}") from None


def _json(path: Path, text: str, array_key: str) -> Iterator[Row]:
    start = len(text) - len(text.lstrip())
    if array_key and text[start : start + 1] == "{":
        found = re.search(rf'"{re.escape(array_key)}"\s*:\s*\[', text)
        if found is not None:
            yield from _array(path, text, found.end())
            return
    if text[start : start + 1] == "[":
        yield from _array(path, text, start + 1)
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(
                    f"{path}:{number}", f"not JSON: {error.msg} at column {error.colno}",
                    "one JSON object per line, or a JSON array",
                ) from None  # fmt: skip
            yield f"{path}:{number}", _object(f"{path}:{number}", row)


def _array(path: Path, text: str, position: int) -> Iterator[Row]:
    decoder, line, counted = json.JSONDecoder(), 1, 0
    while True:
        position = _SPACE.match(text, position).end()  # type: ignore[union-attr]
        line, counted = line + text.count("\n", counted, position), position
        if text[position : position + 1] == "]":
            return
        try:
            row, position = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            what = "the array is cut off" if error.pos >= len(text.rstrip()) else f"not JSON: {error.msg}"
            raise DataError(f"{path}:{error.lineno}", what, "a complete JSON array of objects") from None
        yield f"{path}:{line}", _object(f"{path}:{line}", row)


def _object(where: str, row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise DataError(where, f"a {type(row).__name__}", "a JSON object")
    return row
