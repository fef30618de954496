"""What a delimited text file looks like: encoding, delimiter, header, unnamed index, decimal mark."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from biorlhf.errors import DataError

DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
SAMPLE_BYTES = 1 << 18
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?\Z")
_DECIMAL_POINT = re.compile(r"[-+]?\d*\.\d+(?:[eE][-+]?\d+)?\Z")


@dataclass(frozen=True, slots=True)
class TextShape:
    """How to read one delimited file.

    ``columns`` has one name per field of a row; an index column that the header does not name is "".
    ``header_lines`` counts the lines before the first row (comments and the header).
    """

    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    header_lines: int
    decimal_comma: bool


def open_binary(path: Path) -> BinaryIO:
    """The file's bytes, unpacked where it is gzip (by its first two bytes, not by its name)."""
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def unpack_error(path: Path, error: Exception) -> DataError:
    """The error for a gzip file that ends too early or is damaged."""
    return DataError(
        str(path), f"the compressed file is cut off or damaged: {error}", "a complete gzip file",
        hint="copy it again from where it was made",
    )  # fmt: skip


def sniff(path: Path) -> TextShape:
    """Look at the first rows of a delimited file.

    Raises:
        DataError: an empty file, binary content, no delimiter that fits, or a header without rows' width.
    """
    try:
        with open_binary(path) as stream:
            head = stream.read(SAMPLE_BYTES)
            complete = not stream.read(1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise unpack_error(path, error) from None
    encoding = _encoding(path, head)
    text = head.decode(encoding, errors="replace")
    if not text.strip():
        raise DataError(f"{path}:1", "the file is empty", "a header and rows")
    lines = re.split(r"\r\n|\n|\r", text)
    # The sample ends anywhere in its last line.
    if not complete:
        lines = lines[:-1]
    comments = 0
    while comments < len(lines) and (lines[comments].startswith("#") or not lines[comments].strip()):
        comments += 1
    if comments == len(lines):
        raise DataError(f"{path}:1", "only comments", "a header and rows")
    delimiter = _delimiter(path, lines[comments:], comments + 1)
    rows = [row for row in csv.reader(lines[comments : comments + 201], delimiter=delimiter) if row]
    header = _full_header(path, rows, comments + 1)
    return TextShape(encoding, delimiter, header, comments + 1, _decimal_comma(rows[1:]))


def _encoding(path: Path, head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\x00" in head[:4096]:
        raise DataError(f"{path}:1", "binary content", "delimited text, xlsx or Parquet")
    # A sample may end inside a character, so the last bytes are left out of the test.
    whole = head[:-4] if len(head) >= SAMPLE_BYTES else head
    try:
        whole.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(whole) - 4:
            # Not UTF-8: in latin-1 every byte is a character, so names with accents at least do not stop
            # the reading.
            return "latin-1"
    return "utf-8-sig" if head.startswith(b"\xef\xbb\xbf") else "utf-8"


def _delimiter(path: Path, lines: Sequence[str], first: int) -> str:
    """The delimiter that splits the first rows into the most columns, all of one width."""
    best, best_width = "", 1
    for delimiter in DELIMITERS:
        rows = [row for row in csv.reader(lines[:51], delimiter=delimiter) if row]
        # The last row of a cut-off file is short; it must not hide the delimiter of the others.
        widths = [len(row) for row in (rows[1:-1] or rows[1:])] or [len(rows[0])]
        # One more than the header: R leaves the name of the row names out.
        if min(widths) == max(widths) and widths[0] > best_width and widths[0] - len(rows[0]) in (0, 1):
            best, best_width = delimiter, widths[0]
    if not best:
        raise DataError(
            f"{path}:{first}",
            f"no delimiter splits the rows into columns: {lines[0][:80]!r}",
            "a header and rows of one width, delimited by " + ", ".join(DELIMITERS.values()),
        )
    return best


def _full_header(path: Path, rows: Sequence[Sequence[str]], line: int) -> tuple[str, ...]:
    """The header with "" for an unnamed index: R's ``write.table`` leaves its name out altogether."""
    header = [name.strip().lstrip("\ufeff") for name in rows[0]]
    if len(rows) > 1 and len(rows[1]) == len(header) + 1:
        header = ["", *header]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise DataError(f"{path}:{line}", f"the column {twice[0]!r} stands twice", "every column once")
    return tuple(header)


def _decimal_comma(rows: Sequence[Sequence[str]]) -> bool:
    values = [value.strip() for row in rows for value in row]
    commas = sum(bool(_DECIMAL_COMMA.match(value)) for value in values)
    points = sum(bool(_DECIMAL_POINT.match(value)) for value in values)
    return commas > points


def line_of_row(path: Path, shape: TextShape, row: int) -> int:
    """The line (from 1) of a data row (from 0), blank lines counted; for messages only."""
    with open_binary(path) as stream:
        text = io.TextIOWrapper(stream, encoding=shape.encoding, errors="replace")
        seen = -1
        for number, line in enumerate(text, start=1):
            if number > shape.header_lines and line.strip():
                seen += 1
                if seen == row:
                    return number
    return shape.header_lines + row + 1
