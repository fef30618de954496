"""Rows of a results file as Arrow batches of text: CSV, TSV (plain or gz), xlsx, Parquet."""

from __future__ import annotations

import datetime
import gzip
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from biorlhf.errors import DataError
from biorlhf_plugins.datasets.tables.readers import text
from biorlhf_plugins.datasets.tables.readers.header import (
    SEARCHED,
    HeaderSetting,
    Wanted,
    find,
    locate,
)

TABLES = (".csv", ".tsv", ".txt", ".gz", ".xls", ".xlsx", ".parquet", ".pq")
BATCH_ROWS = 50_000
BLOCK_BYTES = 8 << 20
UNPACKED_BYTES, UNPACKED_RATIO = 64 << 20, 200
INDEX_NAMES = ("", "Unnamed: 0", "...1", "__index_level_0__")


@dataclass(frozen=True, slots=True)
class Source:
    """One results file: its columns, and how to find a row of it again.

    ``kind`` is text, xlsx or parquet; ``shape`` is None unless it is text; ``sheet`` names an xlsx sheet
    and ``header_row`` its header. ``sample`` has the cells of the first rows, "" where nothing stands.
    ``notes`` say what was decided about the shape.
    """

    path: Path
    kind: str
    columns: tuple[str, ...]
    shape: text.TextShape | None = None
    sheet: str | None = None
    header_row: int = 1
    sample: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()

    def decimal_comma(self, column: str) -> bool:
        """Whether a column's numbers have a decimal comma: as most in the file, or all of its own."""
        if self.shape is None or self.shape.decimal_comma:
            return self.shape is not None
        values = self.values(column)
        commas = [value for value in values if text.DECIMAL_COMMA.match(value)]
        # Of "1,234" alone nobody could say whether it is a thousand.
        sure = any(not text.THOUSANDS.match(value) for value in commas)
        return sure and not any("." in value for value in values)

    def where(self, row: int) -> str:
        """``file:line`` (``file: row N`` where there are no lines) of a data row, counted from 0."""
        if self.shape is not None:
            return f"{self.path}:{text.line_of_row(self.path, self.shape, row)}"
        if self.kind == "xlsx":
            below = (
                number for number, _ in _xlsx_numbered(self.path, self.sheet) if number > self.header_row
            )
            return f"{self.path}: row {next(islice(below, row, None), row + 2)}"
        return f"{self.path}: row {row + 1}"

    @property
    def header_place(self) -> str:
        """``file:line`` of the header, for messages about columns."""
        if self.shape is not None:
            return f"{self.path}:{max(self.shape.header_lines, 1)}"
        return f"{self.path}: row {self.header_row}" if self.kind == "xlsx" else str(self.path)

    def values(self, column: str) -> list[str]:
        """The first rows' cells of a column."""
        place = self.columns.index(column)
        return [cells[place].strip() if place < len(cells) else "" for cells in self.sample]


def open_source(
    path: Path,
    sheet: str | None = None,
    wanted: Wanted = (),
    header: HeaderSetting = None,
    quotes: bool = True,
) -> Source:
    """Look at a file: its kind by its content, and its columns.

    Args:
        path: CSV, TSV (also gz), xlsx or Parquet.
        sheet: of an xlsx workbook; the first by default.
        wanted: for each column that the table must have, its possible names: they tell the header.
        header: the number of the header's row, or "none"; None looks for it.
        quotes: False where quotation marks are part of the text.

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
        return Source(path, "parquet", tuple(_parquet(path).schema_arrow.names), sample=_parquet_sample(path))
    if magic.startswith(b"PK\x03\x04"):
        return _open_xlsx(path, sheet, wanted, header)
    if magic.startswith(b"\xd0\xcf\x11\xe0"):
        raise DataError(str(path), "an old Excel workbook (.xls)", "CSV, TSV, xlsx or Parquet",
                        hint="save it as .xlsx or .csv")  # fmt: skip
    if path.suffix.lower() in (".parquet", ".pq", ".xlsx"):
        raise DataError(
            str(path), f"the content is not {path.suffix[1:]}", "a complete file of the kind its name says",
            hint="the file may be cut off: copy it again from where it was made",
        )  # fmt: skip
    shape = text.sniff(path, wanted, header, quotes)
    return Source(path, "text", shape.columns, shape, sample=shape.sample, notes=shape.notes)


def _open_xlsx(path: Path, sheet: str | None, wanted: Wanted, setting: HeaderSetting) -> Source:
    # A date in a title or in a column that is not read is no harm.
    rows = [
        (number, ["" if value is None else str(value).strip() for value in row])
        for number, row in islice(_xlsx_numbered(path, sheet), text.SAMPLE_ROWS)
    ]
    if sheet is None and setting is None and wanted and find(rows, wanted) is None:
        _refuse_other_sheet(path, wanted)
    if not rows:
        raise DataError(str(path), "the sheet is empty", "a header and rows")
    found = locate(lambda number: f"{path}: row {number}", rows, wanted, setting)
    sample = tuple(tuple(cells) for number, cells in rows if number > found.row)
    return Source(path, "xlsx", found.columns, None, sheet, found.row, sample, found.notes)


def _refuse_other_sheet(path: Path, wanted: Wanted) -> None:
    """Supplements begin with a legend; which of the other sheets is meant, the lab has to say."""
    with _book(path) as book:
        first, *others = book.sheetnames
    for other in others:
        rows = [(n, [str(v) for v in row]) for n, row in islice(_xlsx_numbered(path, other), SEARCHED)]
        if find(rows, wanted) is not None:
            raise DataError(
                str(path), f"the first sheet, {first!r}, has no such columns, and {other!r} has",
                "sheet: the one that is meant", choices=others,
            )  # fmt: skip


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
    # Arrow's reader takes a quote to wherever it closes, rows further down too.
    text.refuse_misfits(source.path, shape)
    # Positions, not names, so that an unnamed column is a column like any other.
    wanted = [str(shape.columns.index(name)) for name in columns]
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
                    delimiter=shape.delimiter, quote_char='"' if shape.quotes else False
                ),
                convert_options=pa_csv.ConvertOptions(
                    include_columns=wanted, column_types={name: pa.string() for name in wanted},
                ),
            )  # fmt: skip
            for batch in reader:
                yield batch.rename_columns(list(columns))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise text.unpack_error(source.path, error) from None
    except pa.ArrowInvalid as error:
        # A header without rows is an error to Arrow; the caller refuses it in its own words.
        if "Empty CSV" not in str(error):
            raise DataError(str(source.path), f"cannot be read: {error}", "delimited text") from None


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(str(path), f"the Parquet file is cut off or damaged: {error}") from None


def _parquet_sample(path: Path) -> tuple[tuple[str, ...], ...]:
    batch = next(_parquet(path).iter_batches(text.SAMPLE_ROWS), None)
    rows = batch.to_pylist() if batch is not None else []
    return tuple(tuple("" if cell is None else str(cell) for cell in row.values()) for row in rows)


def _parquet_batches(source: Source, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    try:
        for batch in _parquet(source.path).iter_batches(BATCH_ROWS, columns=list(columns)):
            arrays = [batch.column(name).cast(pa.string()) for name in columns]
            yield pa.RecordBatch.from_arrays(arrays, list(columns))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataError(str(source.path), f"cannot be read: {error}", "columns of numbers and text") from None


@contextmanager
def _book(path: Path) -> Iterator[Any]:
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
        yield book
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


def _xlsx_numbered(path: Path, sheet: str | None) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """The rows of a sheet that are not empty, with the numbers that the spreadsheet shows."""
    with _book(path) as book:
        if sheet is not None and sheet not in book.sheetnames:
            raise DataError(str(path), f"no sheet {sheet!r}", choices=book.sheetnames, name=sheet)
        rows = book[sheet or book.sheetnames[0]].iter_rows(values_only=True)
        for number, row in enumerate(rows, start=1):
            # Rows that were cleared stay in a sheet as empty ones.
            if any(value is not None for value in row):
                yield number, row


def _xlsx_batches(source: Source, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    places = [source.columns.index(name) for name in columns]
    width = len(source.columns)
    chunk: list[list[str | None]] = [[] for _ in places]
    for number, row in _xlsx_numbered(source.path, source.sheet):
        if number <= source.header_row:
            continue
        filled = [value for value in row if value is not None]
        if any(value is not None for value in row[width:]) or len(filled) == 1 < width:
            what = "a cell beyond the header" if len(filled) > 1 else f"one cell alone: {filled[0]!r:.60}"
            raise DataError(
                f"{source.path}: row {number}", what, f"{width} cells, as in the header",
                hint="a note does not belong into the table: take it out",
            )  # fmt: skip
        for values, place in zip(chunk, places, strict=True):
            values.append(_cell(source.path, number, row[place] if place < len(row) else None))
        if len(chunk[0]) == BATCH_ROWS:
            yield pa.RecordBatch.from_arrays([pa.array(v, pa.string()) for v in chunk], list(columns))
            chunk = [[] for _ in places]
    if chunk[0]:
        yield pa.RecordBatch.from_arrays([pa.array(v, pa.string()) for v in chunk], list(columns))


def _cell(path: Path, row: int, value: Any) -> str | None:
    if isinstance(value, datetime.date | datetime.datetime):
        raise DataError(
            f"{path}: row {row}", f"a date, {value:%Y-%m-%d}", "a gene, a number or text",
            hint="Excel turns gene names such as SEPT2 into dates: export the table again as CSV",
        )  # fmt: skip
    # repr of a float reads back as the same number.
    return None if value is None else repr(value) if isinstance(value, float) else str(value).strip()
