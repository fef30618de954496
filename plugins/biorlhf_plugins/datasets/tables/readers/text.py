"""What a delimited text file looks like: encoding, delimiter, header, decimal mark; whether its lines fit."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from biorlhf.errors import DataError
from biorlhf_plugins.datasets.tables.readers import header
from biorlhf_plugins.datasets.tables.readers.header import HeaderSetting, Wanted, cells_of

DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
SAMPLE_BYTES = 1 << 18
SAMPLE_ROWS = 240
_SEPARATOR = re.compile(r'\ufeff?"?sep=(.)"?\Z', re.IGNORECASE)
DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?\Z")
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}\Z")
_DECIMAL_POINT = re.compile(r"[-+]?\d*\.\d+(?:[eE][-+]?\d+)?\Z")


@dataclass(frozen=True, slots=True)
class TextShape:
    """How to read one delimited file.

    ``columns`` has one name per field of a row. ``header_lines`` counts the lines before the first row
    (comments, titles and the header). ``sample`` holds the cells of the first rows.
    """

    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    header_lines: int
    decimal_comma: bool
    quotes: bool = True
    sample: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()


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


def sniff(path: Path, wanted: Wanted = (), setting: HeaderSetting = None, quotes: bool = True) -> TextShape:
    """Look at the first rows of a delimited file.

    Args:
        path: the file.
        wanted: for each column that the table must have, its possible names: they tell the header.
        setting: the header's line, counted from 1, or "none"; None looks for it.
        quotes: False where a quotation mark is a character like any other.

    Raises:
        DataError: an empty file, binary content, no delimiter that fits, or no header.
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
    numbered = [
        (n, line) for n, line in enumerate(lines if complete else lines[:-1], start=1) if line.strip()
    ]
    said = _SEPARATOR.match(numbered[0][1])
    if said:
        numbered = numbered[1:]
    if all(line.startswith("#") for _, line in numbered) and header.find(
        [(1, re.split(r"[,;\t|]", line)) for _, line in numbered], wanted
    ) is None:  # fmt: skip
        raise DataError(f"{path}:1", "only comments", "a header and rows")
    delimiter, rows = _delimiter(path, numbered[:SAMPLE_ROWS], wanted, said[1] if said else "", quotes)
    found = header.locate(lambda number: f"{path}:{number}", rows, wanted, setting)
    first = found.row if found.row else rows[0][0] - 1
    for number, cells in rows:
        # Perseus writes the types of its columns below their names.
        if number > first and cells[0].startswith("#!{"):
            first = number
    below = [tuple(cells) for number, cells in rows if number > first]
    comma = _decimal_comma(below)
    return TextShape(encoding, delimiter, found.columns, first, comma, quotes, tuple(below), found.notes)


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


def _delimiter(
    path: Path, lines: Sequence[tuple[int, str]], wanted: Wanted, said: str, quotes: bool
) -> tuple[str, list[tuple[int, list[str]]]]:
    """The delimiter, and the rows that it gives: the one under which the wanted columns appear, else the one
    that splits most rows into the most columns, all of one width."""
    best: tuple[tuple[bool, bool, int], str, list[tuple[int, list[str]]]] | None = None
    for delimiter in [said] if said else DELIMITERS:
        rows = [(number, cells_of(line, delimiter, quotes)) for number, line in lines]
        widths = Counter(len(cells) for _, cells in rows)
        usual, times = max(widths.items(), key=lambda pair: (pair[1], pair[0]))
        known = header.find(rows, wanted) is not None
        if not known and (usual < 2 or times * 2 < len(rows)):
            continue
        # Decimal commas split evenly too, where another delimiter does as well.
        rank = (known, delimiter != ",", usual) if usual > 2 else (known, False, usual)
        if best is None or rank > best[0]:
            best = rank, delimiter, rows
    if best is None:
        number, line = lines[0]
        raise DataError(
            f"{path}:{number}",
            f"no delimiter splits the rows into columns: {line[:80]!r}",
            "a header and rows of one width, delimited by " + ", ".join(DELIMITERS.values()),
        )
    return best[1], best[2]


def _decimal_comma(rows: Sequence[Sequence[str]]) -> bool:
    values = [value.strip() for row in rows for value in row]
    commas = sum(bool(DECIMAL_COMMA.match(value)) for value in values)
    points = sum(bool(_DECIMAL_POINT.match(value)) for value in values)
    return commas > points


def _numbered_lines(path: Path, shape: TextShape) -> Iterator[tuple[int, str]]:
    """The data lines that are not blank, with their numbers."""
    try:
        with open_binary(path) as stream:
            text = io.TextIOWrapper(stream, encoding=shape.encoding, errors="replace")
            for number, line in enumerate(text, start=1):
                if number > shape.header_lines and line != "\n" and line.strip(" \r\n"):
                    yield number, line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise unpack_error(path, error) from None


def refuse_misfits(path: Path, shape: TextShape) -> None:
    """Hold every line against the header's width. A reader that does not would shift or swallow rows.

    Raises:
        DataError: with the line: a quote that opens and is not closed there, too few or too many fields.
    """
    delimiter, width, quotes = shape.delimiter, len(shape.columns), shape.quotes
    for number, line in _numbered_lines(path, shape):
        # Lines of the right number of delimiters and without an odd quote need no parsing.
        if line.count(delimiter) == width - 1 and not (quotes and line.count('"') % 2):
            continue
        line = line.rstrip("\r\n")
        cells = cells_of(line, delimiter, quotes)
        if quotes and _opens(line, delimiter):
            raise DataError(
                f"{path}:{number}", f"a quote that is not closed in its line: {line[:60]!r}",
                "a closing quote",
                hint="the file may be cut off; if quotes are part of the text, say 'quotes: false'; "
                "a line break inside a value must go",
            )  # fmt: skip
        if len(cells) != width:
            raise _misfit(path, shape, number, cells, cut=_is_last(path, shape, number))


def _opens(line: str, delimiter: str) -> bool:
    try:
        next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def _is_last(path: Path, shape: TextShape, number: int) -> bool:
    *_, (last, _) = _numbered_lines(path, shape)
    return last == number


def _misfit(path: Path, shape: TextShape, number: int, cells: Sequence[str], cut: bool) -> DataError:
    filled = [cell for cell in cells if cell.strip()]
    if len(filled) <= 1 and not header.is_number("".join(filled)):
        found = f"a line of text, no row: {''.join(filled)[:60]!r}"
        hint = "a note or a title does not belong into the table: take it out"
    else:
        found = f"a row of {len(cells)} fields: {shape.delimiter.join(cells)[:60]!r}"
        hint = "the file may be cut off: copy it again from where it was made" if cut else (
            "a delimiter is missing, or one too many: is there one inside a value that is not quoted?"
        )  # fmt: skip
    return DataError(f"{path}:{number}", found, f"{len(shape.columns)} fields, as the header says", hint=hint)


def line_of_row(path: Path, shape: TextShape, row: int) -> int:
    """The line (from 1) of a data row (from 0), blank lines counted; for messages only."""
    for seen, (number, _) in enumerate(_numbered_lines(path, shape)):
        if seen == row:
            return number
    return shape.header_lines + row + 1
