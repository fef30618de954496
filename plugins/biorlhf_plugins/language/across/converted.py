"""One figure told in two units: "25 µM, that is 0.025 mM", "72 h (3 days)"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure
from biorlhf_plugins.language.visible import REFERENCE
from biorlhf_plugins.language.words.units import Unit

SAYS = re.compile(
    r"(?:\s+(?:of )?[a-z][\w-]*)?[\s,;]*"
    r"(?:that (?:is|was)|i\.?e\.?|which (?:is|was)|(?:or )?in other words|that makes"
    r"|(?:which )?equals?|equal to|equivalent to|corresponding to|=|\()"
    r"[\s,]*(?:about |≈ ?)?",
    re.I,
)
SPENT = re.compile(r" (?:in|on|at|under|of) [a-z]+(?: [a-z]+)?, (?:that is|i\.?e\.?|which is) ")
"""The "in orbit" of "5 weeks in orbit, that is 35 days"."""
ENDS = re.compile(r"\s*(?:[.,;)]|\n|$)")
OWN = frozenset(("share", "temperature"))
"""A percentage and a share have checks of their own; degrees of two scales differ by more than a factor."""
SLACK, CALENDAR = 0.02, 0.06
"""Relative errors; a month has 28 to 31 days."""


def converted(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    for figures in found.by_part.values():
        for one, other in pairwise(figures):
            if not (one.sign or other.sign) and one.kind == other.kind:
                yield from _check(found, one, other)


def _check(found: Evidence, one: Figure, other: Figure) -> Iterator[Check]:
    units = [found.unit(figure) for figure in (one, other)]
    product = found.stream.texts[one.first - 1] in ("×", "x", "/")  # "480 reads × 150 bp = 72 kb"
    if None in units or product or one.value <= 0 or other.value <= 0:
        return
    (name, unit), (name_2, unit_2) = units[0] or ("", Unit(1, "")), units[1] or ("", Unit(1, ""))
    if unit.dimension != unit_2.dimension or unit.size == unit_2.size or unit.dimension in OWN:
        return
    text = found.said.text
    between = text[one.span[1] : other.span[0]].replace("**", "").replace(name, "", 1)
    after = REFERENCE.sub("", text[other.span[1] :].lstrip("* ").removeprefix(name_2))
    # Nothing else is said of either: not "500 mg twice, i.e. 1 g a day", not "72 h (15 min intervals)".
    told = SAYS.fullmatch(between) or (unit.dimension == "time" and SPENT.fullmatch(between))
    if not told or (after and not ENDS.match(after)):
        return
    right = one.value * unit.size / unit_2.size
    slack = (CALENDAR if unit.dimension == "time" else SLACK) * right
    passed = abs(right - other.value) <= slack + 0.51 * 10.0**-other.decimals * (other.value > 1)
    says = f"{one.value:g} {name} = {right:.4g} {name_2}, stated {other.value:g} {name_2}"
    yield Check("one figure in two units", passed, says, (one.span, other.span), expected=f"{right:.4g}")
