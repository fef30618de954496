"""Which columns of which tool mean what, and one checked table of results out of any of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from biorlhf.errors import DataError
from biorlhf_plugins.datasets.tables.readers.source import INDEX_NAMES, Source, open_source, read_batches
from biorlhf_plugins.datasets.tables.readers.text import open_binary

MISSING = ("", "NA", "NaN", "nan", "N/A", "#N/A", "NULL", "null", "None", "---", "-")
EXCEL_DATE = r"^\d{1,2}-(Mar|Sep|Sept|Dec|Oct|Feb|Apr)$|^(Mar|Sep|Dec|Oct|Feb|Apr)-\d{1,2}$"
CARRIED = ("tissue", "condition", "mission", "db")


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool's own column names; the first of ``id`` that the file has is taken.

    ``of`` says what a row is about: a gene or a pathway (a gene set). ``raw`` is the unnormalised
    score whose sign must agree with the effect's, "" for tools that give none.
    """

    name: str
    of: str
    id: tuple[str, ...]
    effect: str
    p: str
    adjusted: str
    raw: str = ""
    label: str = ""


ROW_NAME = (*INDEX_NAMES, "row.names", "rownames", "gene", "gene_id", "Gene", "ENSEMBL", "SYMBOL", "ID", "id")
TOOLS = {
    tool.name: tool
    for tool in (
        Tool("deseq2", "gene", ROW_NAME, "log2FoldChange", "pvalue", "padj"),
        Tool("edger", "gene", ROW_NAME, "logFC", "PValue", "FDR"),
        Tool("limma", "gene", ROW_NAME, "logFC", "P.Value", "adj.P.Val"),
        Tool("genelab", "gene", ("ENSEMBL", "SYMBOL"), "Log2fc_({numerator})v({denominator})",
             "P.value_({numerator})v({denominator})", "Adj.p.value_({numerator})v({denominator})",
             label="SYMBOL"),
        Tool("fgsea", "pathway", ("pathway",), "NES", "pval", "padj", raw="ES"),
        Tool("clusterprofiler", "pathway", ("ID",), "NES", "pvalue", "p.adjust", raw="enrichmentScore",
             label="Description"),
        Tool("gsea", "pathway", ("NAME",), "NES", "NOM p-val", "FDR q-val", raw="ES"),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Results:
    """One file's results, checked. ``table`` has one row per gene or pathway, in the file's order:

    id, label, effect, p, padj, raw (float64, null where the file says NA), and those of tissue,
    condition, mission, db that the file has. ``columns`` records which column each came from.
    """

    source: Source
    tool: Tool
    table: pa.Table
    columns: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def read_results(
    path: Path,
    tool_name: str,
    contrast: tuple[str, str],
    columns: Mapping[str, str] | None = None,
    sheet: str | None = None,
) -> Results:
    """Read one results file.

    Args:
        path: CSV, TSV (also gz), xlsx or Parquet.
        tool_name: a key of :data:`TOOLS`.
        contrast: (numerator, denominator); GeneLab's wide files name their columns by it.
        columns: the user's own column names: id, label, effect, p, adjusted, raw, tissue, ...
        sheet: of an xlsx workbook; the first by default.

    Raises:
        DataError: naming file and row, for whatever is not a complete, consistent table of that tool.
    """
    tool = TOOLS[tool_name]
    source = open_source(path, sheet)
    chosen = _choose_columns(source, tool, contrast, dict(columns or {}))
    # One column may have two roles: without ENSEMBL, SYMBOL is the id and the label.
    wanted = list(dict.fromkeys(chosen.values()))
    parts: list[pa.Table] = []
    done = 0
    for batch in read_batches(source, wanted):
        parts.append(_convert(source, chosen, batch, done))
        done += batch.num_rows
    if not done:
        raise DataError(str(path), "a header without rows", "at least one row")
    table = pa.concat_tables(parts).combine_chunks()
    _check(source, tool, table)
    return Results(source, tool, table, chosen, _warnings(source))


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
    names = dict(zip(("numerator", "denominator"), contrast, strict=True))
    chosen: dict[str, str] = {}
    for role in ("effect", "p", "adjusted", "raw", "label"):
        name = own.pop(role, "")
        if not name:
            name = getattr(tool, role).format(**names)
            # Without these a check or a nicer name is lost, not the table.
            if not name or (role in ("raw", "label", "p") and name not in source.columns):
                continue
        chosen[role] = _require(source, tool, role, name)
    chosen["id"] = _require(source, tool, "id", own.pop("id", "") or _id_column(source, tool))
    for role in CARRIED:
        if role in own or role in source.columns:
            chosen[role] = _require(source, tool, role, own.pop(role, role))
    if own:
        known = ("id", "label", "effect", "p", "adjusted", "raw", *CARRIED)
        raise DataError(str(source.path), f"columns: unknown role {next(iter(own))!r}", choices=known)
    return chosen


def _require(source: Source, tool: Tool, role: str, name: str) -> str:
    if name in source.columns:
        return name
    hint = f"tool {tool.name} has its {role} there; name another with 'columns: {{{role}: ...}}'"
    if tool.name == "genelab":
        contrasts = re.findall(r"Log2fc_\((.+?)\)v\((.+?)\)", " ".join(source.columns))
        hint = "contrasts in this file: " + ("; ".join(f"({a})v({b})" for a, b in contrasts) or "none")
    raise DataError(
        f"{source.path}:1", f"no column {name!r} ({role})",
        choices=[c or "(unnamed index)" for c in source.columns[:60]], name=name, hint=hint,
    )  # fmt: skip


def _id_column(source: Source, tool: Tool) -> str:
    for name in tool.id:
        if name in source.columns:
            return name
    return tool.id[0] or source.columns[0]


def _convert(source: Source, chosen: Mapping[str, str], batch: pa.RecordBatch, done: int) -> pa.Table:
    """Text to numbers, missing marks to null."""
    arrays: dict[str, pa.Array] = {}
    for role, name in chosen.items():
        values = pc.utf8_trim_whitespace(batch.column(batch.schema.names.index(name)))
        values = pc.if_else(pc.is_in(values, pa.array(MISSING)), pa.scalar(None, pa.string()), values)
        numeric = role in ("effect", "p", "adjusted", "raw")
        arrays[role] = _numbers(source, name, values, done) if numeric else values
    empty = pa.nulls(batch.num_rows, pa.float64())
    for role in ("p", "raw"):
        arrays.setdefault(role, empty)
    arrays.setdefault("label", arrays["id"])
    # Genes without a symbol still have their id.
    arrays["label"] = pc.coalesce(arrays["label"], arrays["id"])
    return pa.table(arrays)


def _numbers(source: Source, name: str, values: pa.Array, done: int) -> pa.Array:
    if source.decimal_comma:
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
        raise DataError(
            source.where(done + row), f"column {name!r}: {values[row].as_py()!r}", "a number or NA"
        ) from None


def _is_number(text: str) -> bool:
    try:
        pc.cast(pa.array([text]), pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def _first(mask: np.ndarray) -> int | None:
    places = np.flatnonzero(mask)
    return int(places[0]) if len(places) else None


def _check(source: Source, tool: Tool, table: pa.Table) -> None:
    """Refuse what no run of the tool can give: probabilities outside [0, 1], signs that disagree, ..."""
    for role, name in (("p", "p"), ("adjusted", "adjusted p")):
        values = table[role].to_numpy()
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
    row = _first(pc.is_null(table["id"]).to_numpy())
    if row is not None:
        raise DataError(source.where(row), f"a row without a {tool.of} name", "a name in every row")
    if tool.of == "gene":
        dates = pc.match_substring_regex(table["id"], EXCEL_DATE).to_numpy(zero_copy_only=False)
        row = _first(dates)
        if row is not None:
            raise DataError(source.where(row), f"the gene name {_id(table, row)!r}", "a gene",
                            hint="Excel turned it into a date: export the table again")  # fmt: skip
    _refuse_duplicates(source, table)


def _refuse_duplicates(source: Source, table: pa.Table) -> None:
    slots = slot_keys(table)
    counts = pc.value_counts(slots)
    repeated = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    if len(repeated):
        name = repeated[0].as_py()
        rows = np.flatnonzero(pc.equal(slots, name).to_numpy(zero_copy_only=False))
        raise DataError(
            source.where(int(rows[1])), f"a second row for {name.replace(chr(31), ', ')}",
            f"one row per slot; the first is {source.where(int(rows[0]))}",
        )  # fmt: skip


def slot_keys(table: pa.Table, extra: Sequence[str] = ()) -> pa.Array:
    """What makes a row unique, as one string: id, and tissue, condition, mission, db where they differ."""
    parts = [table["id"]] + [pc.fill_null(table[role], "") for role in CARRIED if role in table.column_names]
    parts += [pa.scalar(text) for text in extra]
    joined = pc.binary_join_element_wise(*parts, "\x1f") if len(parts) > 1 else parts[0]
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def _id(table: pa.Table, row: int) -> str:
    return str(table["id"][row].as_py())
