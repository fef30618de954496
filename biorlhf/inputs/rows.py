"""Rows of a file that a person hands in: JSON lines, a JSON array, CSV or TSV, Parquet.

Every row comes with its place (``file:line``; ``file: row N`` in Parquet), for whoever finds it wrong later.
JSON lines and Parquet are read as they are asked for, so that such a file may be larger than the memory.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from biorlhf.errors import DataError, InputError

#: The place of a row, and its fields by name.
Row = tuple[str, dict[str, Any]]

JSON_LINES = (".jsonl", ".ndjson")
PARQUET = (".parquet", ".pq")
TABLES = {".csv": ",", ".tsv": "\t"}
SUFFIXES = (*JSON_LINES, ".json", *PARQUET, *TABLES)
PARQUET_ROWS = 1024
_BOM = b"\xef\xbb\xbf"
_BETWEEN = re.compile(r"[\s,]*")
CUT_OFF = "is the file truncated?"


def read_rows(
    path: Path, *, array_key: str = "", columns: Collection[str] | None = None, halves: bool = False
) -> Iterator[Row]:
    """The rows of a file, one at a time.

    What a file is, its content says (Parquet, a JSON array), and else its name (CSV, TSV). Cells of CSV are
    text. An empty cell, and null in Parquet, is a field that the row does not have.

    Args:
        path: the file.
        array_key: a JSON object may hold the array of rows under this key.
        columns: of a Parquet file only these are read.
        halves: JSON may escape one half of a surrogate pair, which no file of UTF-8 holds; take it as it is.

    Raises:
        DataError: no such file, not UTF-8, not JSON, a row that is no object or of another width, half a
            surrogate pair, no row at all: with file and line, what was found, and what is expected.
    """
    if not path.is_file():
        raise no_file(path)
    empty = True
    for where, row in _rows(path, array_key, columns):
        empty = False
        if not halves:
            _refuse_halves(where, row)
        yield where, row
    if empty:
        raise DataError(str(path), "no rows in it", "at least one")


def _refuse_halves(where: str, row: dict[str, Any]) -> None:
    for value in row.values():
        # An ASCII escape is how one gets in; encoding is the quick way to see it.
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            half = text[error.start]
            raise DataError(where, f"{half!a}, one half of a surrogate pair", "whole characters") from None


def no_file(path: Path, suffixes: Collection[str] = SUFFIXES) -> DataError:
    """The error for a path at which there is no file, with those that lie beside it."""
    if path.is_dir():
        return DataError(str(path), "a folder", f"a file: {', '.join(suffixes)}")
    return DataError(str(path), "no such file", choices=beside(path, suffixes), name=path.name)


def check_output(option: str, path: Path, suffixes: Collection[str], *inputs: str | Path) -> None:
    """Refuse to write over an input, over a file of another type, or over a folder.

    Raises:
        InputError: the name has another suffix, or is that of a folder or of one of ``inputs``.
    """
    if path.is_dir():
        raise InputError(option, f"{path}: a folder", f"a file: {', '.join(suffixes)}")
    if path.suffix.lower() not in suffixes:
        raise InputError(option, f"{path}: a file of type {path.suffix!r}", choices=suffixes)
    if any(os.path.realpath(path) == os.path.realpath(source) for source in inputs):
        raise InputError(option, f"{path} is the input itself", "another file")


def refuse_existing(option: str, path: Path, force: bool) -> None:
    """Refuse to write over an earlier result, unless that is asked for with ``--force``."""
    if path.exists() and not force:
        raise InputError(option, f"{path} exists", "another name, or --force")


def beside(path: Path, suffixes: Collection[str] = SUFFIXES) -> list[str]:
    """Names of files in the same folder that might have been meant."""
    if not path.parent.is_dir():
        return []
    named = (other for other in path.parent.iterdir() if other.suffix.lower() in suffixes)
    return sorted(other.name for other in named if other.is_file())[:40]


def _rows(path: Path, array_key: str, columns: Collection[str] | None) -> Iterator[Row]:
    with path.open("rb") as stream:
        start = stream.read(4)
    if start == b"PAR1" or path.suffix.lower() in PARQUET:
        return _parquet(path, columns)
    if path.suffix.lower() in TABLES:
        return csv_rows(path)
    with path.open("rb") as stream:
        first = _first_byte(stream)
    if first == b"[" or (first == b"{" and array_key):
        text = read_text(path)
        place = text.find("[") + 1
        # JSON lines begin with a brace as well; only the key tells an object that holds an array.
        if first == b"{":
            opening = re.search(rf'"{re.escape(array_key)}"\s*:\s*\[', text)
            if opening is None:
                return _lines(path)
            place = opening.end()
        return _array(path, text, place)
    return _lines(path)


def _first_byte(stream: BinaryIO) -> bytes:
    """The first byte that is no space and no byte order mark."""
    while block := stream.read(1 << 12):
        rest = block.removeprefix(_BOM).lstrip()
        if rest:
            return rest[:1]
    return b""


def read_text(path: Path) -> str:
    """The whole text of a file; ``DataError`` where it is not UTF-8."""
    try:
        # Spreadsheets put a byte order mark in front.
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(str(path), f"not UTF-8 at byte {error.start}", "UTF-8 text, or Parquet") from None


def _lines(path: Path) -> Iterator[Row]:
    with path.open("rb") as lines:
        # Lines end where bytes say so: a separator of Unicode inside a text does not end its row.
        for number, line in enumerate(lines, start=1):
            if number == 1:
                line = line.removeprefix(_BOM)
            if line.strip():
                where = f"{path}:{number}"
                yield where, _object(where, parse_json(line, where))


def parse_json(text: str | bytes, where: str) -> Any:
    """One document; ``DataError`` shows its beginning. NaN and Infinity, which JSON lacks, are refused."""
    shown = text if isinstance(text, str) else text.decode("utf-8", "replace")
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(decoded, parse_constant=_refuse, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise DataError(where, f"not UTF-8 at byte {error.start} of the line", "UTF-8 text") from None
    except json.JSONDecodeError as error:
        problem = f"not JSON: {error.msg} at column {error.colno}: {shown[:80].strip()}"
        raise DataError(where, problem, "one JSON object per line, or a JSON array") from None
    except (ValueError, RecursionError) as error:
        raise DataError(where, f"not JSON: {error}: {shown[:80].strip()}") from None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits} is too large for a number")
    return value


def _array(path: Path, text: str, position: int) -> Iterator[Row]:
    decoder = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
    line, counted = 1, 0
    while True:
        between = _BETWEEN.match(text, position)
        position = between.end() if between is not None else position
        # Counted on from the last row: from the beginning each time would be quadratic.
        line, counted = line + text.count("\n", counted, position), position
        if text[position : position + 1] == "]":
            return
        try:
            row, position = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            cut = error.pos >= len(text.rstrip())
            problem = "the array is cut off" if cut else f"not JSON: {error.msg}"
            raise DataError(f"{path}:{error.lineno}", problem, "a complete JSON array of objects") from None
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}:{line}", f"not JSON: {error}") from None
        yield f"{path}:{line}", _object(f"{path}:{line}", row)


def _object(where: str, row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise DataError(where, f"a {kind_of(row)}", "a JSON object")
    return row


def kind_of(value: Any) -> str:
    """What JSON calls a value, for messages."""
    names = {dict: "object", list: "list", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number" if isinstance(value, int | float) else type(value).__name__)


def csv_rows(path: Path, check: Callable[[list[str]], None] | None = None) -> Iterator[Row]:
    """The rows of a delimited table by its header, every cell as text; an empty one is left out.

    Args:
        path: comma-separated, or tab-separated where it is called ``.tsv``; UTF-8.
        check: called with the header; raises where it is not the one that is wanted.

    Raises:
        DataError: an unclosed quote, a column that stands twice, or a row of another width than the header.
    """
    text = read_text(path)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=TABLES.get(path.suffix.lower(), ","), strict=True
    )
    # A short row in the last line is a file that was cut off, elsewhere a missing comma.
    end = text.count("\n") + (not text.endswith("\n"))
    try:
        header = next(reader, [])
        twice = sorted({name for name in header if name and header.count(name) > 1})
        if twice:
            raise DataError(f"{path}:1", f"the column {twice[0]!r} stands twice", "every column once")
        if check is not None:
            check(header)
        for cells in reader:
            if not cells:
                continue
            where = f"{path}:{reader.line_num}"
            if len(cells) != len(header):
                hint = CUT_OFF if reader.line_num == end else ""
                expected = f"{len(header)}, as in the header"
                raise DataError(where, f"{len(cells)} cells", expected, hint=hint)
            yield where, {name: cell for name, cell in zip(header, cells, strict=True) if cell != ""}
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num}", f"{error}", "a complete CSV", hint=CUT_OFF) from None


def _parquet(path: Path, columns: Collection[str] | None) -> Iterator[Row]:
    import pyarrow as pa
    from pyarrow import parquet

    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            names = [n for n in file.schema_arrow.names if columns is None or n in columns]
            for batch in file.iter_batches(batch_size=PARQUET_ROWS, columns=names):
                for row in batch.to_pylist():
                    number += 1
                    yield (
                        f"{path}: row {number}",
                        {key: value for key, value in row.items() if value is not None},
                    )
    except (pa.ArrowException, OSError) as error:
        raise DataError(str(path), f"the Parquet file is cut off or damaged: {error}") from None
