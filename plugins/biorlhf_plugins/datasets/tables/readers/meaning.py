"""What a file's columns are of, where the lab takes them for something else: refused, never read as they are.

A likelihood-ratio test, an F test over several coefficients, the p of another coefficient or of one side
alone, a ratio of the denominator to the numerator, a probability that grows with the effect: every figure of
such a table is in its range, and the labels made of it are wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from biorlhf.errors import DataError
from biorlhf_plugins.datasets.tables.readers.header import MINUSES, is_number
from biorlhf_plugins.datasets.tables.readers.source import Source

#: From so many rows on a statistic that is never negative, or a p that grows with the effect, is no chance.
ENOUGH = 10
#: A rank correlation of |effect| and p above which p is none: of honest tables it is far below 0.
GROWS = 0.8
#: What the strongest quarter's p is above, where it is a probability that they differ.
CERTAIN = 0.9
_OVER = r"[\s()\[\]{}]*(?:/|\bvs?\b\.?|\bversus\b|\bover\b)[\s()\[\]{}]*"
_PARTS = re.compile(r"[_. ]")


def refuse_other_tests(
    source: Source, contrast: tuple[str, str], chosen: Mapping[str, str], table: pa.Table
) -> None:
    """Refuse a table whose p values or effects are not of the lab's contrast.

    Raises:
        DataError: naming the columns, what they hold, and what to do.
    """
    for found, expected, hint in _other_tests(source, contrast, chosen, table):
        raise DataError(source.header_place, found, expected, hint=hint)


def _other_tests(
    source: Source, contrast: tuple[str, str], chosen: Mapping[str, str], table: pa.Table
) -> Iterator[tuple[str, str, str]]:
    effect, adjusted = chosen.get("effect", ""), chosen.get("adjusted", "")
    effects, padj = table["effect"].to_numpy(), table["adjusted"].to_numpy()
    one_test = "p values of the test of this contrast"
    # DEXSeq's own test is one of likelihoods, between two conditions: its effect has another name.
    if "stat" in source.columns and effect == "log2FoldChange" and (effects < 0).sum() >= 3:
        figures = [v for v in source.values("stat") if is_number(v)]
        if len(figures) >= ENOUGH and not any(v.startswith(("-", *MINUSES)) for v in figures):
            yield (
                f"column 'stat' is never negative: {adjusted!r} is of a likelihood-ratio test of all levels",
                one_test, "run the Wald test of the contrast: results(dds, contrast=..., test='Wald')",
            )  # fmt: skip
    if "F" in source.columns and "t" not in source.columns and adjusted == "adj.P.Val":
        yield (
            f"column 'F': {adjusted!r} is of the test of several coefficients at once",
            one_test, "write one coefficient: topTable(fit, coef=...)",
        )  # fmt: skip
    if side := re.match(r"(neg|pos)\|", adjusted):
        other = adjusted.replace(side[1], "pos" if side[1] == "neg" else "neg", 1)
        yield (
            f"column {adjusted!r} is of one side alone; {other!r} is of the other one",
            "an adjusted p of both sides", "adjust twice the smaller raw p of both, as a column of its own",
        )  # fmt: skip
    if beside := _of_another(effect, adjusted, source.columns):
        yield (
            f"columns {effect!r} and {adjusted!r} are of two coefficients; {beside!r} stands beside them",
            "an effect and an adjusted p of one coefficient", f"columns: {{adjusted: {beside!r}}}",
        )  # fmt: skip
    numerator, denominator = (re.escape(name) for name in contrast)
    if re.search(denominator + _OVER + numerator, effect, re.IGNORECASE):
        yield (
            f"column {effect!r} is of {contrast[1]} over {contrast[0]}",
            f"an effect of {contrast[0]} relative to {contrast[1]}",
            "name the contrast's sides as the column has them; flip: true asks the other way round",
        )  # fmt: skip
    known = ~(np.isnan(effects) | np.isnan(padj))
    sizes = np.abs(effects[known])
    strongest = padj[known][sizes >= np.quantile(sizes, 0.75)] if len(sizes) >= ENOUGH else np.zeros(1)
    if np.median(strongest) > CERTAIN and _ranks_alike(sizes, padj[known]) > GROWS:
        yield (
            f"column {adjusted!r} grows with the size of {effect!r}, as no p value does",
            "adjusted p values, near 0 where the groups differ",
            "a probability of a difference is 1 - p; give the p values, under another name",
        )  # fmt: skip


def _of_another(effect: str, adjusted: str, columns: tuple[str, ...]) -> str:
    """The column of ``adjusted``'s kind that has the effect's coefficient, where that is another one."""
    for cut in _PARTS.finditer(effect):
        suffix = effect[cut.start() :]
        for own in _PARTS.finditer(adjusted):
            beside = adjusted[: own.start()] + suffix
            if len(suffix) > 3 and beside in columns and beside not in (adjusted, effect):
                return beside
    return ""


def _ranks_alike(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's rank correlation; 0 where either has one value alone."""
    ranks = []
    for values in (one, other):
        _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(counts) - (counts - 1) / 2)[place])  # equal ones share their mean rank
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
