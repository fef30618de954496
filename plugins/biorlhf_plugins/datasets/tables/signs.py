"""Does the stored effect point the way the lab says? Signs checked against the expression values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from biorlhf.errors import DataError
from biorlhf_plugins.datasets.tables.config import Expression
from biorlhf_plugins.datasets.tables.readers.header import MISSING
from biorlhf_plugins.datasets.tables.readers.results import Results
from biorlhf_plugins.datasets.tables.readers.source import INDEX_NAMES, open_source, read_batches

# Below one half, the contrast is likelier the wrong way round than the right one.
MIN_AGREEMENT = 0.5


@dataclass(frozen=True, slots=True)
class SignAudit:
    """How often sign(mean of numerator - mean of denominator) equals the stored effect's sign.

    ``agreement`` in [0, 1] is over ``compared`` rows: those that are significant and in the matrix (all
    that are in it where none is significant); ``spearman`` is the rank correlation over all rows in it.
    """

    file: str
    compared: int
    agreement: float
    spearman: float

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.file, "compared": self.compared,
            "agreement": round(self.agreement, 4), "spearman": round(self.spearman, 4),
        }  # fmt: skip


def audit_signs(folder: Path, spec: Expression, results: Results, significant: np.ndarray) -> SignAudit:
    """Compare a table's effects with a matrix.

    Raises:
        DataError: a sample or every name missing from the matrix, or fewer than half of the signs agree:
            then numerator and denominator are the wrong way round.
    """
    path = folder / spec.file
    source = open_source(path)
    for sample in (*spec.numerator, *spec.denominator):
        if sample not in source.columns:
            raise DataError(f"{path}:1", f"no sample {sample!r}", choices=source.columns[:60], name=sample)
    index = next((name for name in INDEX_NAMES if name in source.columns), source.columns[0])
    difference: dict[str, float] = {}
    samples = list(dict.fromkeys((*spec.numerator, *spec.denominator)))
    done = 0
    for batch in read_batches(source, [index, *samples]):
        values = {name: _floats(source, name, batch.column(n + 1), done) for n, name in enumerate(samples)}
        # The matrix is in logs, so a difference of means is a log ratio, as the effects are.
        top = np.mean([values[name] for name in spec.numerator], axis=0)
        bottom = np.mean([values[name] for name in spec.denominator], axis=0)
        difference.update(zip(batch.column(0).to_pylist(), (top - bottom).tolist(), strict=True))
        done += batch.num_rows
    return _compare(path, difference, results, significant)


def _compare(
    path: Path, difference: dict[str, float], results: Results, significant: np.ndarray
) -> SignAudit:
    names, labels = (results.table[role].to_pylist() for role in ("id", "label"))
    measured = np.array(
        # A matrix names its rows by id or by symbol.
        [difference.get(a, difference.get(b, np.nan)) for a, b in zip(names, labels, strict=True)]
    )
    effect = results.table["effect"].to_numpy()
    usable = ~np.isnan(measured) & ~np.isnan(effect) & (measured != 0) & (effect != 0)
    if not usable.any():
        raise DataError(str(path), f"none of its rows is in {results.source.path.name}: {names[0]!r}, ...",
                        "rows named as in the results")  # fmt: skip
    # The sign of an effect near zero is noise, in the table and in the matrix.
    chosen = usable & significant if (usable & significant).any() else usable
    agreement = float(np.mean(np.sign(measured[chosen]) == np.sign(effect[chosen])))
    rho = _spearman(measured[usable], effect[usable])
    if agreement < MIN_AGREEMENT:
        raise DataError(
            str(results.source.path),
            f"only {agreement:.0%} of {int(chosen.sum())} effects have the sign of mean(numerator) - "
            f"mean(denominator) in {path.name}",
            "most of them",
            hint="the effects point the other way: swap numerator and denominator in the contrast "
            "(or in 'expression', if the samples are the wrong way round)",
        )
    return SignAudit(path.name, int(chosen.sum()), agreement, rho)


def _floats(source: Any, name: str, column: Any, done: int) -> np.ndarray:
    text = pc.replace_substring(column, ",", ".") if source.decimal_comma(name) else column
    out = np.empty(len(text))
    for row, value in enumerate(text.to_pylist()):
        try:
            out[row] = np.nan if value is None or value.strip() in MISSING else float(value)
        except ValueError:
            raise DataError(
                source.where(done + row), f"column {name!r}: {value!r}", "a number or NA"
            ) from None
    return out


def _spearman(first: np.ndarray, second: np.ndarray) -> float:
    if len(first) < 2:
        return 0.0
    # Ties get neighbouring ranks, not one: near enough for a figure that is shown and decides nothing.
    ranks = [np.argsort(np.argsort(values)).astype(float) for values in (first, second)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
