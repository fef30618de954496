"""A results file as the lab means it: effects in logs to base 2, genes by one kind of name, and why a row
has no adjusted p."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from biorlhf.errors import DataError
from biorlhf_plugins.datasets.tables.config import LabTable, Mapping
from biorlhf_plugins.datasets.tables.readers.effects import to_log2
from biorlhf_plugins.datasets.tables.readers.results import Results, read_results, refuse_duplicates
from biorlhf_plugins.datasets.tables.readers.source import open_source, read_batches

#: Why DESeq2 gives no adjusted p: see its vignette on independent filtering and outliers.
FILTERED, OUTLIER, NO_COUNTS = "filtered out", "outlier", "no counts"
MIN_MAPPED = 0.5


def read_table(folder: Path, spec: LabTable) -> tuple[Results, np.ndarray]:
    """The checked results with a column ``why`` ("" or one of the reasons above), and which rows have an
    adjusted p below the threshold.

    Raises:
        DataError: a file that cannot be read, effects without a sign, or names that the mapping lacks.
    """
    path, contrast = folder / spec.file, spec.contrast
    results = read_results(
        path, spec.tool, (contrast.numerator, contrast.denominator), spec.columns, spec.sheet,
        header=spec.header, quotes=spec.quotes,
    )  # fmt: skip
    if spec.of is not None:
        results = replace(results, tool=replace(results.tool, of=spec.of))
    # NaN is never below.
    significant = results.table["adjusted"].to_numpy() < spec.thresholds.padj
    if results.tool.of != "pathway":
        name = results.columns["effect"]
        effect = results.table["effect"].to_numpy()
        effect, note = to_log2(effect, name, str(path), spec.effect_is, significant)
        results = _with(results, "effect", pa.array(effect, from_pandas=True), note)
    elif spec.effect_is is not None:
        raise DataError(str(path), "effect_is, which is for genes and proteins", "NES as the tool gives them")
    if spec.mapping is not None:
        results = _mapped(folder, spec.mapping, results)
    return _with(results, "why", _why(results)), significant


def _with(results: Results, role: str, values: pa.Array, note: str = "") -> Results:
    table = results.table
    at = table.column_names.index(role) if role in table.column_names else table.num_columns
    table = (
        table.set_column(at, role, values) if at < table.num_columns else table.append_column(role, values)
    )
    return replace(results, table=table, notes=(*results.notes, note) if note else results.notes)


def _why(results: Results) -> pa.Array:
    """DESeq2 leaves the adjusted p out for three reasons, and its other columns tell which."""
    effect, p, adjusted, mean = (results.table[r].to_numpy() for r in ("effect", "p", "adjusted", "mean"))
    why = np.zeros(len(p), np.int8)
    if results.tool.mean and "p" in results.columns:
        missing = np.isnan(adjusted)
        why[missing & ~np.isnan(p)] = 1
        why[missing & np.isnan(p) & ~np.isnan(effect)] = 2
        why[missing & np.isnan(p) & (np.isnan(effect) | (mean == 0))] = 3
    reasons = pa.array(["", FILTERED, OUTLIER, NO_COUNTS])
    return reasons.take(pa.array(why))


def _mapped(folder: Path, spec: Mapping, results: Results) -> Results:
    """Ids by accession, labels by symbol. A name that stands for several others is left as it is."""
    labels, ids = _pairs(folder / spec.file, spec)
    own = results.table["id"].to_pylist()
    # Ensembl's version is left out of most mappings.
    bare = [name if name in labels else name.rpartition(".")[0] or name for name in own]
    by_id, by_label = (sum(name in known for name in of) for known, of in ((labels, bare), (ids, own)))
    path, most = results.source.path, max(by_id, by_label)
    if most < MIN_MAPPED * len(own):
        raise DataError(
            str(path), f"only {most:,} of {len(own):,} names are in {spec.file}: {own[0]!r}, ...",
            f"names as in its column {spec.id!r} or {spec.label!r}",
            hint=f"the mapping names {next(iter(labels), '')!r} as {next(iter(ids), '')!r}",
        )  # fmt: skip
    note = f"{most:,} of {len(own):,} names found in {spec.file}"
    if by_id >= by_label:
        new = [labels.get(name) or label for name, label in zip(bare, _labels(results), strict=True)]
        return _with(results, "label", pa.array(new), note)
    results = _with(results, "label", pa.array(own), note)
    results = _with(results, "id", pa.array([ids.get(name) or name for name in own]))
    refuse_duplicates(results.source, results.table)
    return results


def _labels(results: Results) -> list[str]:
    labels: list[str] = results.table["label"].to_pylist()
    return labels


def _pairs(path: Path, spec: Mapping) -> tuple[dict[str, str], dict[str, str]]:
    """id -> label and label -> id, "" where there are several."""
    source = open_source(path, wanted=([spec.id], [spec.label]))
    for name in (spec.id, spec.label):
        if name not in source.columns:
            raise DataError(source.header_place, f"no column {name!r}", choices=source.columns, name=name)
    labels: dict[str, str] = {}
    ids: dict[str, str] = {}
    for batch in read_batches(source, [spec.id, spec.label]):
        columns = (pc.utf8_trim_whitespace(column).to_pylist() for column in batch.columns)
        for one, other in zip(*columns, strict=True):
            if one and other:
                labels[one] = other if labels.get(one, other) == other else ""
                ids[other] = one if ids.get(other, one) == one else ""
    return labels, ids
