"""Figures and the limits that are told beside them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from biorlhf_plugins.language.evidence.records import Check, Evidence, gap

TIES = frozenset((",", "is", "was", "which", "below", "above", "under", "over", "<", ">"))
"""All that may stand between a figure with its unit and its limit."""
BE = frozenset(("is", "are", "was", "were"))


def limits(found: Evidence) -> Iterator[Check]:
    """ "1,221 DEGs, below 1,000", "padj 0.0747, below 0.05": a figure on the wrong side of its limit."""
    for figures in found.by_part.values():
        for one, limit in pairwise(figures):
            if one.sign or not limit.sign or one.value == limit.value or not found.asserted(one.first):
                continue
            between = gap(found, one, limit)
            chance = one.kind == "p" and 0 < limit.value <= 0.25 and not limit.unit
            told = between[1:] if one.unit else between
            compared = told[:1] and told[0] in BE and told[2:] == ["than"]  # "910 is less than 198"
            if not compared and not TIES.issuperset(told):
                continue  # "the four patients who stayed over 60 days"
            counted = "over" in between and limit.unit and not one.unit and "," not in between
            if counted and "was" not in between:
                continue  # "a kappa of 0.74 over 300 slides"
            if not chance and ((one.kind, limit.kind) != ("count", "count") or limit.value < 1 <= one.value):
                continue  # "18 below 0.05": of the p values of 18
            if not chance and one.unit and limit.unit and one.unit != limit.unit:
                continue
            passed = one.value > limit.value if limit.sign == ">" else one.value < limit.value
            says = f"{one.value:,g} against {limit.value:,g}"
            # A p value and a cut-off that fits it can be written down by anybody.
            spans = (one.span, limit.span)
            yield Check("a comparison against its figures", passed, says, spans, alone=passed and chance)
