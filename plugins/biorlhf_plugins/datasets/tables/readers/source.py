"""Rows of a results file as Arrow batches of text: CSV, TSV (plain or gz), xlsx, Parquet."""

from __future__ import annotations

import datetime
import gzip
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from biorlhf.errors import DataError
from biorlhf_plugins.datasets.tables.readers import text

TABLES = (".csv", ".tsv", ".txt", ".gz", ".xls", ".xlsx", ".parquet", ".pq")
BATCH_ROWS = 50_000
BLOCK_BYTES = 8 << 20
UNPACKED_BYTES, UNPACKED_RATIO = 64 << 20, 200
INDEX_NAMES = ("", "Unnamed: 0", "...1", "__index_level_0__")


@dataclass(frozen=True, slots=True)
class Source:
    """One results file: its columns, and how to find a row of it again.

    ``kind`` is text, xlsx or parquet; ``shape`` is None unless it is text; ``sheet`` names an xlsx sheet.
    """

    path: Path
    kind: str
    columns: tuple[str, ...]
    shape: text.TextShape | None = None
    sheet: str | None = None

    @property
    def decimal_comma(self) -> bool:
        return self.shape is not None and self.shape.decimal_comma

    def where(self, row: int) -> str:
        """``file:line`` (``file: row N`` where there are no lines) of a data row, counted from 0."""
        if self.shape is not None:
            return f"{self.path}:{text.line_of_row(self.path, self.shape, row)}"
        return f"{self.path}: row {row + (2 if self.kind == 'xlsx' else 1)}"


def open_source(path: Path, sheet: str | None = None) -> Source:
    """Look at a file: its kind by its content, and its columns.

    Raises:
        DataError: no such file, a damaged file, a missing xlsx reader, or a shape that fits no table.
    """
    if not path.is_file():
        near = [p.name for p in path.parent.iterdir() if p.suffix in TABLES] if path.parent.is_dir() else []
        raise DataError(str(path), "no such file", choices=near[:40], name=path.name)
    with path.open("rb") as stream:
        # By its first bytes: the name of a file that went through a spreadsheet or a mail often lies.
        magic = stream.read(8)
    if magic.startswith(b"PAR1"):
        return Source(path, "parquet", tuple(_parquet(path).schema_arrow.names))
    if magic.startswith(b"PK\x03\x04"):
        header = next(_xlsx_rows(path, sheet), None)
        if header is None:
            raise DataError(str(path), "the sheet is empty", "a header and rows")
        return Source(path, "xlsx", tuple(_cell(path, 0, c) or "" for c in header), sheet=sheet)
    if magic.startswith(b"\xd0\xcf\x11\xe0"):
        raise DataError(str(path), "an old Excel workbook (.xls)", "CSV, TSV, xlsx or Parquet",
                        hint="save it as .xlsx or .csv")  # fmt: skip
    if path.suffix.lower() in (".parquet", ".pq", ".xlsx"):
        raise DataError(
            str(path), f"the content is not {path.suffix[1:]}", "a complete file of the kind its name says",
            hint="the file may be cut off: copy it again from where it was made",
        )  # fmt: skip
    shape = text.sniff(path)
    return Source(path, "text", shape.columns, shape)


def read_batches(source: Source, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The named columns, every value as text, in batches of bounded size.

    Raises:
        DataError: a row with too few or too many fields (a cut-off file), or content that cannot be read.
    """
    if source.kind == "parquet":
        yield from _parquet_batches(source, columns)
    elif source.kind == "xlsx":
        yield from _xlsx_batches(source, columns)
    else:
        yield from _text_batches(source, columns)


def _text_batches(source: Source, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    shape = source.shape
    assert shape is not None
    # Positions, not names, so that an unnamed column is a column like any other.
    # The last column is read as well: a quote that is never closed shows there.
    last = str(len(shape.columns) - 1)
    wanted = [str(shape.columns.index(name)) for name in columns]
    include = wanted if last in wanted else [*wanted, last]
    bad: list[Any] = []

    def on_invalid(row: Any) -> str:
        bad.append(row)
        return "error"

    done = 0
    try:
        with text.open_binary(source.path) as stream:
            reader = pa_csv.open_csv(
                pa.PythonFile(stream, "r"),
                read_options=pa_csv.ReadOptions(
                    use_threads=False, block_size=BLOCK_BYTES, encoding=shape.encoding.removesuffix("-sig"),
                    column_names=[str(n) for n in range(len(shape.columns))],
                    skip_rows=shape.header_lines,
                ),
                parse_options=pa_csv.ParseOptions(
                    delimiter=shape.delimiter, invalid_row_handler=on_invalid
                ),
                convert_options=pa_csv.ConvertOptions(
                    include_columns=include, column_types={name: pa.string() for name in include},
                ),
            )  # fmt: skip
            for batch in reader:
                _refuse_open_quote(source, batch, done)
                done += batch.num_rows
                yield batch.select(wanted).rename_columns(list(columns))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise text.unpack_error(source.path, error) from None
    except pa.ArrowInvalid as error:
        # A header without rows is an error to Arrow; the caller refuses it in its own words.
        if "Empty CSV" in str(error) and not done:
            return
        raise _malformed(source, error, bad) from None


def _malformed(source: Source, error: Exception, bad: Sequence[Any]) -> DataError:
    if not bad:
        return DataError(str(source.path), f"cannot be read: {error}", "a table of delimited text")
    row = bad[0]
    number = f":{row.number}" if row.number is not None else ""
    return DataError(
        f"{source.path}{number}",
        f"a row of {row.actual_columns} fields: {row.text[:60]!r}",
        f"{row.expected_columns} fields, as the header says",
        hint="the file may be cut off: copy it again from where it was made",
    )


def _refuse_open_quote(source: Source, batch: pa.RecordBatch, done: int) -> None:
    """A quote that is never closed swallows the rows after it; their line breaks give it away."""
    for column in batch.columns:
        place = pc.index(pc.match_substring(column, "\n"), True).as_py()
        if place >= 0:
            raise DataError(
                source.where(done + place), f"a quote that is not closed: {column[place].as_py()[:40]!r}",
                "a closing quote", hint="the file may be cut off",
            )  # fmt: skip


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(str(path), f"the Parquet file is cut off or damaged: {error}") from None


def _parquet_batches(source: Source, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    try:
        for batch in _parquet(source.path).iter_batches(BATCH_ROWS, columns=list(columns)):
            arrays = [batch.column(name).cast(pa.string()) for name in columns]
            yield pa.RecordBatch.from_arrays(arrays, list(columns))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataError(str(source.path), f"cannot be read: {error}", "columns of numbers and text") from None


def _xlsx_rows(path: Path, sheet: str | None) -> Iterator[tuple[Any, ...]]:
    try:
        import openpyxl
    except ImportError:
        raise DataError(
            str(path), "openpyxl, which reads .xlsx, is not installed",
            hint="install biorlhf with its extra: biorlhf[xlsx], or save the sheet as CSV",
        ) from None  # fmt: skip
    book = None
    try:
        _refuse_bomb(path)
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        if sheet is not None and sheet not in book.sheetnames:
            raise DataError(str(path), f"no sheet {sheet!r}", choices=book.sheetnames, name=sheet)
        yield from book[sheet or book.sheetnames[0]].iter_rows(values_only=True)
    except DataError:
        raise
    except Exception as error:  # whatever openpyxl, zlib or the XML parser stumbled on first
        damage = f"the workbook is cut off or damaged: {type(error).__name__}: {error}"
        raise DataError(str(path), damage, "a complete .xlsx") from None
    finally:
        if book is not None:
            book.close()


def _refuse_bomb(path: Path) -> None:
    """A few bytes that unpack to very many are no table, and openpyxl holds some parts in memory."""
    with zipfile.ZipFile(path) as packed:
        for part in packed.infolist():
            if part.file_size > UNPACKED_BYTES and part.file_size > UNPACKED_RATIO * part.compress_size:
                raise DataError(str(path), f"{part.filename} unpacks to {part.file_size:,} bytes", "a table")


def _xlsx_batches(source: Source, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    places = [source.columns.index(name) for name in columns]
    rows = _xlsx_rows(source.path, source.sheet)
    next(rows)
    chunk: list[list[str | None]] = [[] for _ in places]
    number = 0
    for row in rows:
        # Rows that were cleared stay in a sheet as empty ones.
        if all(value is None for value in row):
            continue
        for values, place in zip(chunk, places, strict=True):
            values.append(_cell(source.path, number + 1, row[place] if place < len(row) else None))
        number += 1
        if len(chunk[0]) == BATCH_ROWS:
            yield pa.RecordBatch.from_arrays([pa.array(v, pa.string()) for v in chunk], list(columns))
            chunk = [[] for _ in places]
    if chunk[0]:
        yield pa.RecordBatch.from_arrays([pa.array(v, pa.string()) for v in chunk], list(columns))


def _cell(path: Path, row: int, value: Any) -> str | None:
    if isinstance(value, datetime.date | datetime.datetime):
        raise DataError(
            f"{path}: row {row + 1}", f"a date, {value:%Y-%m-%d}", "a gene, a number or text",
            hint="Excel turns gene names such as SEPT2 into dates: export the table again as CSV",
        )  # fmt: skip
    # repr of a float reads back as the same number.
    return None if value is None else repr(value) if isinstance(value, float) else str(value).strip()
