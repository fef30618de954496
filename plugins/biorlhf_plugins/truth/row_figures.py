"""The figures of a table's row, where an answer states them: a wrong one costs, none is fine.

An answer about a gene or a set need not give its log2 fold change, NES or adjusted p. One that does is
held to the table, for a reader takes them from there. Figures of other names are left alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from biorlhf_plugins.language.records import Claim, Extraction
from biorlhf_plugins.truth.credits import closeness
from biorlhf_plugins.truth.gold import Gold
from biorlhf_plugins.truth.graded import Graded

TIMES = 2.0
"""A stated p value is the table's within this factor: p values are quoted by their order of size."""

# Human symbols in capitals, mouse symbols with a digit (Trp53): without one, a mouse symbol looks like any
# capitalised word.
SYMBOL = re.compile(r"\b(?:[A-Z][A-Z0-9]{1,9}(?:-\d+)?|[A-Z][a-z]{1,6}\d+[a-z]?)\b")
NO_NAMES = frozenset(
    ("NES", "FDR", "GSEA", "DEG", "DEGS", "UP", "DOWN", "NS", "CI", "FC", "RNA", "DNA", "KO", "WT", "SE",
     "SD", "IQR", "LFC", "MIXED", "PADJ", "HALLMARK", "KEGG", "GO")
)  # fmt: skip
WINDOW = 80


def charge(graded: Graded, gold: Gold, said: Extraction) -> None:
    """Lower the penalty of a graded direction by the stated figures that are not the row's."""
    row: Mapping[str, Any] = gold.truth.get("figures") or {}
    if not row:
        return
    wrong = [line for claim in said.numbers for line in _wrong(claim, row, gold, said.text)]
    graded.charge(wrong)


def _wrong(claim: Claim, row: Mapping[str, Any], gold: Gold, text: str) -> Iterator[dict[str, Any]]:
    expected = _expected(claim, row)
    if expected is None or not claim.asserted or _of_another(claim, gold, text):
        return
    name, value, fits = expected
    if not fits:
        stated = text[claim.span[0] : claim.span[1]]
        yield {"expected": f"{name} {value:g}", "found": f"{name} {stated}", "where": list(claim.span)}


def _expected(claim: Claim, row: Mapping[str, Any]) -> tuple[str, float, bool] | None:
    """(the figure's name, its value in the row, whether the claim fits it); None where the row has none."""
    quantity, value = claim.slot.quantity, claim.value or 0.0
    if quantity in ("log2fc", "nes") and row.get(quantity) is not None:
        gold = float(row[quantity])
        # As if marked approximate: an effect that is rounded in prose is no false figure.
        return quantity, gold, closeness(value, gold, True, claim.decimals, claim.digits) > 0
    if quantity in ("ratio", "fc") and value > 0:
        fold = row.get("fold_change") or (2.0 ** row["log2fc"] if row.get("log2fc") is not None else None)
        if not fold or fold <= 0:
            return None
        same = abs(abs(math.log(value)) - abs(math.log(fold)))  # "4-fold lower" is a quarter
        # On the log scale, where twice and half are equally far from no change.
        return "fold change", float(fold), same <= math.log(1.1)
    if quantity == "padj" and row.get("padj") is not None:
        gold = float(row["padj"])
        if claim.low is not None or claim.high is not None:
            return "adjusted p", gold, (claim.low or 0.0) <= gold <= (claim.high or 1.0)
        near = value == gold or (value > 0 and gold > 0 and max(value / gold, gold / value) <= TIMES)
        return "adjusted p", gold, near
    return None


def _of_another(claim: Claim, gold: Gold, text: str) -> bool:
    """Whether the nearest name before the figure, in its sentence, is not the asked one."""
    asked = {slot.pathway for slot in gold.directions}
    if claim.slot.pathways and not asked & set(claim.slot.pathways):
        return True
    own = {str(n).upper() for n in (gold.truth.get("feature"), *(gold.truth.get("aliases") or ())) if n}
    before = re.split(r"[.;!?]\s|\n", text[max(0, claim.span[0] - WINDOW) : claim.span[0]])[-1]
    names = [name.upper() for name in SYMBOL.findall(before)]
    named = [name for name in names if name in own or not (name in NO_NAMES or name.startswith("LOG"))]
    return bool(own) and bool(named) and named[-1] not in own
