"""One checked table of results out of any tool's file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from biorlhf.errors import DataError
from biorlhf_plugins.datasets.tables.readers import names
from biorlhf_plugins.datasets.tables.readers.header import MINUSES, MISSING, HeaderSetting
from biorlhf_plugins.datasets.tables.readers.meaning import refuse_other_tests
from biorlhf_plugins.datasets.tables.readers.source import Source, open_source, read_batches
from biorlhf_plugins.datasets.tables.readers.text import open_binary
from biorlhf_plugins.datasets.tables.readers.tools import CARRIED, OPTIONAL, ROLES, TOOLS, Tool, wanted

FIGURES = ("effect", "p", "adjusted", "raw", "mean")
THOUSANDS = r"^(-?\d+)\.(\d{3}(?:\d{3}|\.\d{3})*,\d+)$"
"""A number with a decimal comma whose thousands are parted: "12.703,41"."""
SCALED = {
    "percent": re.compile(r"%|percent", re.IGNORECASE),
    "a negative logarithm": re.compile(r"(?:-|neg\w*|minus)[\W_]*log|\bm?nlog", re.IGNORECASE),
}
"""How a column is named that holds p values on another scale: they too may all lie in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Results:
    """One file's results, checked. ``table`` has one row per gene or pathway, in the file's order:

    id, label, effect, p, adjusted, raw, mean (float64, null where the file says NA), and those of tissue,
    condition, mission, db that the file has. ``columns`` records which column each came from; ``warnings``
    are for a person to look at, ``notes`` say what was decided.
    """

    source: Source
    tool: Tool
    table: pa.Table
    columns: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_results(
    path: Path,
    tool_name: str,
    contrast: tuple[str, str],
    columns: Mapping[str, str] | None = None,
    sheet: str | None = None,
    *,
    header: HeaderSetting = None,
    quotes: bool = True,
) -> Results:
    """Read one results file.

    Args:
        path: CSV, TSV (also gz), xlsx or Parquet.
        tool_name: a key of :data:`TOOLS`.
        contrast: (numerator, denominator); some tools name their columns by it.
        columns: the user's own column names: id, label, effect, p, adjusted, raw, mean, tissue, ...
        sheet: of an xlsx workbook; the first by default.
        header: the number of the header's row, or "none"; looked for by default.
        quotes: False where quotation marks are part of the text.

    Raises:
        DataError: naming file and row, for whatever is not a complete, consistent table of that tool.
    """
    tool, own = TOOLS[tool_name], dict(columns or {})
    unknown = [role for role in own if role not in ROLES]
    if unknown:
        raise DataError(str(path), f"columns: unknown role {unknown[0]!r}", choices=ROLES, name=unknown[0])
    source = open_source(path, sheet, wanted(tool, contrast, own), header, quotes)
    chosen = _choose_columns(source, tool, contrast, own)
    # One column may have two roles: without ENSEMBL, SYMBOL is the id and the label.
    asked = list(dict.fromkeys(chosen.values()))
    parts: list[pa.Table] = []
    done = 0
    for batch in read_batches(source, asked):
        parts.append(_convert(source, chosen, batch, done))
        done += batch.num_rows
    if not done:
        raise DataError(str(path), "a header without rows", "at least one row")
    table = pa.concat_tables(parts).combine_chunks()
    if tool.infinite:
        effect = pc.if_else(pc.is_inf(table["effect"]), pa.scalar(None, pa.float64()), table["effect"])
        table = table.set_column(table.column_names.index("effect"), "effect", effect)
    _check(source, tool, chosen, table)
    refuse_other_tests(source, contrast, chosen, table)
    return Results(source, tool, table, chosen, _warnings(source), source.notes)


def _warnings(source: Source) -> tuple[str, ...]:
    """A last line without a line break may be cut off inside its last field, and still be a whole row."""
    if source.shape is None:
        return ()
    with open_binary(source.path) as stream:
        stream.seek(0, 2)
        stream.seek(max(stream.tell() - 4, 0))
        # In UTF-16 a line break is two bytes, one of them 0.
        whole = stream.read().rstrip(b"\x00").endswith((b"\n", b"\r"))
    return () if whole else (f"{source.path}: the last line has no line break; is the file complete?",)


def _choose_columns(
    source: Source, tool: Tool, contrast: tuple[str, str], own: dict[str, str]
) -> dict[str, str]:
    sides = dict(zip(("numerator", "denominator"), contrast, strict=True))
    chosen: dict[str, str] = {}
    for role in FIGURES:
        usual = [name.format(**sides) for name in tool.names(role)]
        name = own.get(role) or next((n for n in usual if n in source.columns), "")
        if name or (usual and role not in OPTIONAL):
            chosen[role] = _require(source, tool, role, name or usual[0])
    for role in CARRIED:
        if role in own or role in source.columns:
            chosen[role] = _require(source, tool, role, own.get(role, role))
    chosen["id"], label = names.choose(source, tool, own, tuple(chosen.values()))
    _require(source, tool, "id", chosen["id"])
    if label:
        chosen["label"] = _require(source, tool, "label", label)
    return chosen


def _require(source: Source, tool: Tool, role: str, name: str) -> str:
    name = name.strip()  # as the header's cells are
    if name in source.columns:
        return name
    hint = f"tool {tool.name} has its {role} there; name another with 'columns: {{{role}: ...}}'"
    others = [
        other.name
        for other in TOOLS.values()
        if other is not tool
        and other.adjusted
        and all(set(other.names(r)) & set(source.columns) for r in ("effect", "adjusted"))
    ]
    if others and name in tool.names(role):
        hint = f"the columns are those of tool: {' or '.join(others)}"
    if tool.name == "genelab":
        contrasts = re.findall(r"Log2fc_\((.+?)\)v\((.+?)\)", " ".join(source.columns))
        hint = "contrasts in this file: " + ("; ".join(f"({a})v({b})" for a, b in contrasts) or "none")
    raise DataError(
        source.header_place, f"no column {name!r} ({role})",
        choices=[c or "(unnamed index)" for c in source.columns[:60]], name=name, hint=hint,
    )  # fmt: skip


def _convert(source: Source, chosen: Mapping[str, str], batch: pa.RecordBatch, done: int) -> pa.Table:
    """Text to numbers, missing marks to null."""
    arrays: dict[str, pa.Array] = {}
    for role, name in chosen.items():
        values = pc.utf8_trim_whitespace(batch.column(batch.schema.names.index(name)))
        values = pc.if_else(pc.is_in(values, pa.array(MISSING)), pa.scalar(None, pa.string()), values)
        arrays[role] = _numbers(source, name, values, done) if role in FIGURES else values
    empty = pa.nulls(batch.num_rows, pa.float64())
    for role in FIGURES:
        arrays.setdefault(role, empty)
    arrays.setdefault("label", arrays["id"])
    # Genes without a symbol still have their id.
    arrays["label"] = pc.coalesce(arrays["label"], arrays["id"])
    return pa.table(arrays)


def _numbers(source: Source, name: str, values: pa.Array, done: int) -> pa.Array:
    for minus in MINUSES:
        values = pc.replace_substring(values, minus, "-")
    if source.decimal_comma(name):
        values = pc.replace_substring_regex(values, THOUSANDS, r"\1\2")
        values = pc.replace_substring_regex(values, THOUSANDS, r"\1\2")
        mixed = pc.and_(pc.match_substring(values, ","), pc.match_substring(values, "."))
        if pc.any(mixed).as_py():
            row = pc.index(pc.fill_null(mixed, False), True).as_py()
            raise DataError(source.where(done + row), f"column {name!r}: {values[row].as_py()!r}",
                            "numbers with a decimal comma, as elsewhere in this file")  # fmt: skip
        values = pc.replace_substring(values, ",", ".")
    try:
        return pc.cast(values, pa.float64())
    except pa.ArrowInvalid:
        row = next(
            i for i, value in enumerate(values.to_pylist()) if value is not None and not _is_number(value)
        )
        found = values[row].as_py()
        raise DataError(
            source.where(done + row), f"column {name!r}: {found!r}", "a number or NA",
            hint="a bound is no figure: write the one that was measured, or NA" if found[0] in "<>" else "",
        ) from None  # fmt: skip


def _is_number(text: str) -> bool:
    try:
        pc.cast(pa.array([text]), pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def _first(mask: np.ndarray) -> int | None:
    places = np.flatnonzero(mask)
    return int(places[0]) if len(places) else None


def _check(source: Source, tool: Tool, chosen: Mapping[str, str], table: pa.Table) -> None:
    """Refuse what no run of the tool can give: probabilities outside [0, 1], signs that disagree, ..."""
    _check_names(source, tool, table)
    for role, name in (("p", "p"), ("adjusted", "adjusted p")):
        values = table[role].to_numpy()
        scale = next((of for of, marks in SCALED.items() if marks.search(chosen.get(role, ""))), "")
        if scale:
            raise DataError(
                source.header_place, f"column {chosen[role]!r} ({name}) holds {scale}, it seems",
                "numbers in [0, 1]", hint="turn them into p values, under another name",
            )  # fmt: skip
        row = _first((values < 0) | (values > 1) | np.isinf(values))
        if row is not None:
            raise DataError(
                source.where(row), f"{name} of {_id(table, row)}: {values[row]:g}",
                "a number in [0, 1], or NA for not tested",
            )  # fmt: skip
    effect, raw = table["effect"].to_numpy(), table["raw"].to_numpy()
    row = _first(np.isinf(effect))
    if row is not None:
        raise DataError(source.where(row), f"effect of {_id(table, row)}: {effect[row]}", "a finite number")
    row = _first(np.sign(effect) * np.sign(raw) < 0)
    if row is not None:
        raise DataError(
            source.where(row), f"{_id(table, row)}: NES {effect[row]:g} but ES {raw[row]:g}",
            "NES and ES of one sign", hint="one of the two columns was negated or swapped",
        )  # fmt: skip
    refuse_duplicates(source, table)


def _check_names(source: Source, tool: Tool, table: pa.Table) -> None:
    row = _first(pc.is_null(table["id"]).to_numpy())
    if row is not None:
        raise DataError(source.where(row), f"a row without a {tool.of} name",
                        f"a name in every row (none of {', '.join(MISSING[1:9])})",
                        hint="leave it out, or name another column: columns: {id: ...}")  # fmt: skip
    bare = np.logical_and.reduce([np.isnan(table[role].to_numpy()) for role in FIGURES])
    for row, name in names.no_rows(table["id"], bare if tool.of != "pathway" else None):
        raise DataError(source.where(row), f"{name[:60]!r}, a note or a total, no row", f"a {tool.of}",
                        hint="take it out of the table")  # fmt: skip
    for role in ("id", "label"):
        found = names.damage(table[role])
        if found:
            row, kind = found
            raise DataError(
                source.where(row), f"the {tool.of} name {table[role][row].as_py()!r}: {kind}", f"a {tool.of}",
                hint="a spreadsheet turned a name into it: export the table again, without opening it in one",
            )  # fmt: skip


def refuse_duplicates(source: Source, table: pa.Table) -> None:
    slots = slot_keys(table)
    counts = pc.value_counts(slots)
    repeated = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    if len(repeated):
        name = repeated[0].as_py()
        rows = np.flatnonzero(pc.equal(slots, name).to_numpy(zero_copy_only=False))
        raise DataError(
            source.where(int(rows[1])), f"a second row for {name.replace(chr(31), ', ')}",
            f"one row per slot; the first is {source.where(int(rows[0]))}",
            hint="keep one of them, or name the column in which they differ: columns: {tissue: ...}",
        )  # fmt: skip


def slot_keys(table: pa.Table, extra: Sequence[str] = ()) -> pa.Array:
    """What makes a row unique, as one string: id, and tissue, condition, mission, db where they differ."""
    parts = [table["id"]] + [pc.fill_null(table[role], "") for role in CARRIED if role in table.column_names]
    parts += [pa.scalar(text) for text in extra]
    joined = pc.binary_join_element_wise(*parts, "\x1f") if len(parts) > 1 else parts[0]
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def _id(table: pa.Table, row: int) -> str:
    return str(table["id"][row].as_py())
