"""Ratios of two counts: "420 CD4 and 840 CD8 cells, so the CD4:CD8 ratio was 0.5"; "2:1, 40 and 20"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from biorlhf_plugins.language.across.totals import counted
from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, gap
from biorlhf_plugins.language.words.evidence import words_of

SLACK = 0.1
LOOSE = 0.25
"""What is told in whole numbers, "3:1", may be meant as what it comes near."""
PREPOSITIONS = frozenset(["in", "from", "of", "at", "on", "among", "across", "with", "by", "but", "for"])
EXPECTS = words_of("no_proportion")


def proportions(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    if ":" not in found.stream.vocabulary:
        return
    for number, figures in found.by_part.items():
        part = found.parts[number]
        if part.kind == "row" or not found.asserted(part.first):
            continue
        texts = found.stream.texts[part.first : part.last]
        if "ratio" in texts:
            yield from _named(found, number)
        pairs = [(a, b) for a, b in itertools.pairwise(figures) if gap(found, a, b) == [":"]]
        if len(pairs) != 1 or not EXPECTS.isdisjoint(texts):
            continue
        one, other = pairs[0]
        rest = [f for f in counted(found, number) if f not in pairs[0]]
        if len(rest) == 3 and rest[0].value == rest[1].value + rest[2].value:
            rest = rest[1:]  # "among 320 plants 240 and 80"
        joined = len(rest) == 2 and _joined(gap(found, *rest)) and rest[0].unit and rest[1].unit
        if not joined or min(one.value, other.value) <= 0 or max(one.value, other.value) > 20:
            continue
        told = max(one.value, other.value) / min(one.value, other.value)
        right = max(f.value for f in rest) / min(f.value for f in rest)
        says = f"{rest[0].value:,g} and {rest[1].value:,g} are {right:.3g} to 1, stated {told:.3g}"
        spans = (*(f.span for f in rest), found.span(one.first, other.last))
        yield Check(
            "ratios and percentages", abs(right / told - 1) <= LOOSE, says, spans, expected=f"{right:.3g}:1"
        )


def _joined(between: list[str]) -> bool:
    """ "240 were tall and 80 dwarf": no "60 adults in 8 colonies"."""
    return "and" in between and PREPOSITIONS.isdisjoint(between)


def _named(found: Evidence, number: int) -> Iterator[Check]:
    """ "The CD4:CD8 ratio was 0.5": the first name's count by the second's."""
    texts, part = found.stream.texts, found.parts[number]
    for at in range(part.first + 1, part.last - 2):
        if texts[at] != ":" or texts[at + 2 : at + 3] != ["ratio"] or found.stream[at - 1].number is not None:
            continue
        names = texts[at - 1], texts[at + 1]
        figures = found.by_part[number]
        stated = next((f for f in figures if f.first > at + 2 and f.first - at <= 6 and not f.sign), None)
        counts = [f for f in found.figures if f.kind == "count" and f is not stated and f.part == number]
        mine = [f for f in counts if names[0] in (f.unit, *_after(found, f))]
        theirs = [f for f in counts if names[1] in (f.unit, *_after(found, f))]
        if stated is None or len(mine) != 1 or len(theirs) != 1 or not theirs[0].value:
            continue
        right = mine[0].value / theirs[0].value
        passed = abs(right - stated.value) <= SLACK * right + 0.5 * 10.0**-stated.decimals * 0.5
        says = f"{mine[0].value:,g} / {theirs[0].value:,g} = {right:.3g}, stated {stated.value:g}"
        spans = (mine[0].span, theirs[0].span, stated.span)
        yield Check("ratios and percentages", passed, says, spans, expected=f"{right:.3g}")


def _after(found: Evidence, figure: Figure) -> list[str]:
    return found.stream.texts[figure.last : figure.last + 2]
