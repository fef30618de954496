"""A mean or median against the range that it is of: "between 21 and 58 years old, with a mean of 36.4"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, content, gap, is_year

MIDDLES = frozenset(("mean", "median", "average", "averaged"))
QUARTILES = frozenset(("iqr", "interquartile", "quartile"))
RANGES = frozenset((
    "range", "ranged", "ranging", "ran", "running", "measured", "weighed", "between", "lay", "span",
    "spanned", "varied", "extreme",
))  # fmt: skip
REACH = 9


class Range(NamedTuple):
    low: Figure
    high: Figure


def spans(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    if found.stream.vocabulary.isdisjoint(MIDDLES | {"minimum"}):
        return
    for number in found.by_part:
        part = found.parts[number]
        if part.kind == "row" or not found.asserted(part.first):
            continue
        here = ranges(found, number)
        yield from _extremes(found, here)
        near = [n for n in (number - 1, number, number + 1) if n in found.by_part]
        if len(here) != 1:
            continue
        middles = [f for n in near if n >= number for f in _middles(found, n) if f not in here[0]]
        if len(middles) != 1 or (middles[0].part != number and ranges(found, middles[0].part)):
            continue
        if _of_it(found, middles[0], here[0]):
            yield from _inside(found, middles[0], here[0])


def _extremes(found: Evidence, here: list[Range]) -> Iterator[Check]:
    """ "A minimum of 31.2 and a maximum of 34.8": in this order."""
    for low, high in here:
        between, alike = gap(found, low, high), low.kind == high.kind and low.unit in ("", high.unit)
        if "maximum" in between and alike and "minimum" not in between and low.part == high.part:
            says = f"a minimum of {low.value:g} and a maximum of {high.value:g}"
            yield Check("a range against its ends", low.value <= high.value, says, (low.span, high.span))


def _of_it(found: Evidence, middle: Figure, span: Range) -> bool:
    """Whether a mean is of what has the range: it names nothing else, and is of no other group or time."""
    texts = found.stream.texts
    at = next(i for i in range(middle.first - 1, -1, -1) if texts[i] in MIDDLES)
    named = content(found.stream, at + 1, middle.first) - {"it", "value"}
    first, last = found.parts[span.low.part].first, found.parts[span.low.part].last
    after = texts[middle.last + 1 : middle.last + 2]
    between = texts[min(middle.first, span.low.first) : max(middle.first, span.low.first)]
    apart = not {"but", "while", "whereas", "whose"}.isdisjoint(between) or not {"since", "after"}.isdisjoint(
        after
    )
    if middle.part != span.low.part:
        apart = apart or texts[found.parts[middle.part].first] in ("in", "after", "before", "among", "at")
        apart = apart or middle.unit != span.high.unit
    return not apart and named <= set(texts[first:last])


def ranges(found: Evidence, number: int) -> list[Range]:
    """ "Between 21 and 58", "ranged from 6.1 to 38.5", "minimum 18 and maximum 412", "(9-22 mm)"."""
    texts, made = found.stream.texts, []
    figures = found.by_part.get(number, ())
    for one, other in itertools.pairwise(figures):
        before, between = texts[max(0, one.first - 4) : one.first], gap(found, one, other)
        led = not RANGES.isdisjoint(before) and between[-1:] in (["and"], ["to"], ["–"])
        extremes = "minimum" in before and "maximum" in between
        spanned = one.kind == other.kind == "range" and one.first == other.first
        if (led and len(between) <= 4) or extremes or spanned:
            made.append(Range(one, other))
    return made


def _middles(found: Evidence, number: int) -> list[Figure]:
    """The figures that a sentence calls a mean or a median."""
    texts, part = found.stream.texts, found.parts[number]
    figures = [f for f in found.by_part[number] if f.kind in ("count", "percent", "effect") and not f.sign]
    made = []
    for at in range(part.first, part.last):
        if texts[at] not in MIDDLES or not {"below", "above"}.isdisjoint(texts[at + 1 : at + REACH]):
            continue
        after = [f for f in figures if at < f.first <= at + REACH]
        if after and not {",", ";", "(", "and"} & set(texts[at : after[0].first]):
            made.append(after[0])
    return made


def _inside(found: Evidence, middle: Figure, span: Range) -> Iterator[Check]:
    texts, (low, high) = found.stream.texts, span
    units = {f.unit for f in (middle, low, high)} - {""}
    quartiles = QUARTILES & set(texts[max(0, low.first - 4) : low.first])
    of_mean = "median" not in texts[max(0, middle.first - REACH) : middle.first]
    if low.value >= high.value or len(units) > 1 or (quartiles and of_mean) or is_year(found, high):
        return  # a mean may lie outside the quartiles
    if {low.kind, high.kind} - {middle.kind, "range"} or middle.part - low.part > 1:
        return
    says = f"{middle.value:g} of a range from {low.value:g} to {high.value:g}"
    passed = low.value <= middle.value <= high.value
    yield Check("a mean within its range", passed, says, (middle.span, low.span, high.span))
