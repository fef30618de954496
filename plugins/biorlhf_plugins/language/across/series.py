"""A course of figures, each with its time or dose, against what is said of it: that it falls with every
step, that all lie below a limit; and a mean against what it is of.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from biorlhf_plugins.language.across.spans import MIDDLES
from biorlhf_plugins.language.evidence.comparisons import INVERSE
from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, content, gap, is_year
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.language.words.text import vocabulary

STEADY = frozenset(("steadily", "monotonically", "continuously", "progressively"))
TIMES = words_of("times") - {"dose"}
EVERY, LEAST, MOST = words_of("every"), words_of("least"), words_of("most")
STEPWISE = STEADY | {"every", "each"}
STEPS = vocabulary("step dose increment time visit concentration age temperature") | TIMES
AT = frozenset(("at", "after", "by", "on", "in", "for"))
RANGED = frozenset(("ranged", "range", "between"))
PEAKS = frozenset(("peak", "peaked", "maximal", "maximum", "culminated"))
BELOW, ABOVE = frozenset(("below", "under")), frozenset(("above", "over"))
ALL = frozenset(("all", "every", "each", "both", "none", "neither"))
NONE = frozenset(("none", "neither"))
WHOLE = vocabulary("whole all cohort herd population other against versus vs control")
BEING = frozenset(("were", "are", "is", "was", "stayed", "remained", "lay"))
INVERTED = INVERSE | {"ct", "cq"}
"""Of these less means more."""
CHANGED = frozenset(("change", "difference", "increase", "decrease", "loss", "gain"))
KINDS = ("count", "percent", "effect")
VALUES = 12
"""Figures that are read as one list."""
NAME = "a course against its figures"
Pair = tuple[Figure, Figure]
"""When or at which dose, and what was measured."""


def series(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    words = found.stream.vocabulary
    if not words.isdisjoint(PEAKS):
        yield from _peaks(found)
    for number, figures in found.by_part.items():
        if found.parts[number].kind == "row" or not found.asserted(found.parts[number].first):
            continue
        plain = [f for f in figures if f.kind in KINDS and not f.sign and not is_year(found, f)]
        if not words.isdisjoint(MIDDLES) and len(plain) > 2:
            yield from _mean(found, plain)
        if not words.isdisjoint(MIDDLES) and len(plain) == 1:
            before = [f for f in found.by_part.get(number - 1, ()) if f.kind in KINDS and not f.sign]
            yield from _mean(found, [*before, *plain])
        if len(figures) > 2 and (any(f.sign for f in figures) or not words.isdisjoint(BELOW | ABOVE)):
            yield from _limited(found, number, [f for f in figures if f.kind in KINDS])
        if number + 1 in found.by_part and len(figures) < 3:
            yield from _kept(found, number, figures)
        pairs = (_course(found, plain) or _course(found, plain[:-1])) if len(plain) > 5 else []
        if pairs or not words.isdisjoint(STEPWISE):
            yield from _steady(found, number, [value for _, value in pairs] or _after_colon(found, plain))


def _course(found: Evidence, figures: Sequence[Figure]) -> list[Pair]:
    """Its pairs, in the order of their times: "2 h: 180 pg/mL", "92 % at 0.1 µM"; [] where not plain."""
    for value_first in (False, True):
        for start in (0, 1):  # "peaks at 6 h (2 h: 180 …"
            own = figures[start:]
            sides = (own[1::2], own[::2]) if value_first else (own[::2], own[1::2])
            pairs = list(zip(*sides, strict=False))
            if len(pairs) < 3 or len(own) % 2 or not all(_tied(found, value_first, *pair) for pair in pairs):
                continue
            units = {when.unit for when, _ in pairs}
            alike = len(units) == 1 and "" not in units and len({v.unit for _, v in pairs}) == 1
            if alike and len({when.value for when, _ in pairs}) == len(pairs):
                return sorted(pairs, key=lambda pair: pair[0].value)
    return []


def _tied(found: Evidence, value_first: bool, when: Figure, value: Figure) -> bool:
    one, other = (value, when) if value_first else (when, value)
    between = gap(found, one, other)
    last = between[-1] if between else ""
    return len(between) <= 5 and (last in AT if value_first else last in (":", "="))


def _after_colon(found: Evidence, figures: Sequence[Figure]) -> Sequence[Figure]:
    """ "Fell every year: 120, 98 and 77 kg"."""
    colon = len(figures) > 2 and found.stream.texts[figures[0].first - 1] == ":"
    part = found.parts[figures[0].part] if colon else None
    tail = found.stream.texts[figures[-1].last : part.last] if part is not None else []
    whole = part is not None and (len(tail) <= 3 or (len(tail) <= 4 and not TIMES.isdisjoint(tail)))
    dosed = part is not None and "dose" in found.stream.texts[part.first : figures[0].first]
    return figures if whole and not dosed and _enumerated(found, figures) else ()


def _steady(found: Evidence, number: int, values: Sequence[Figure]) -> Iterator[Check]:
    """ "Falls with every step of the dose", "rises with the dose"."""
    part, texts = found.parts[number], found.stream.texts
    words = texts[part.first : part.last] if values else []
    steadily = any(a in ("every", "each") and b in STEPS for a, b in pairwise(words))
    steadily = steadily or not STEADY.isdisjoint(words)
    said = directions(found, number) if values and INVERTED.isdisjoint(words) else []
    behind = texts[said[0][1] + 1 : said[0][1] + 4] if len(said) == 1 else []
    dosed = behind[:1] == ["with"] and not STEPS.isdisjoint(behind)
    if not (steadily or dosed):
        return
    ways = {label for label, _ in said}
    if len(ways) == 1 and ways <= {"UP", "DOWN"}:
        told = [value.value for value in values]
        rises = all(a <= b for a, b in pairwise(told))
        falls = all(a >= b for a, b in pairwise(told))
        if not (steadily or rises or falls):
            return  # "with the dose" leaves room for a step back
        says = f"steadily {min(ways)}, with {', '.join(f'{v:g}' for v in told)}"
        yield Check(NAME, rises if ways == {"UP"} else falls, says, (values[0].span, values[-1].span))


def _limited(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "All three were below 10 mg/L: 3.2, 6.1 and 8.4 mg/L"."""
    part, texts = found.parts[number], found.stream.texts
    for limit, rest in ((f, figures[n + 1 :]) for n, f in enumerate(figures)):
        side = {"<": "below", ">": "above"}.get(limit.sign, texts[limit.first - 1])
        before = texts[part.first : limit.first]
        verb = texts[limit.first - (3 if texts[limit.first - 1] == "than" else 2)]
        told = (verb in BEING or verb.endswith("ed")) and side in BELOW | ABOVE
        listed = told and 1 < len(rest) <= VALUES and ":" in gap(found, limit, rest[0])
        listed = listed and _enumerated(found, rest)
        if not listed or ALL.isdisjoint(before) or rest[-1].unit != limit.unit:
            continue
        within = [(f.value < limit.value) == (side in BELOW) for f in rest]
        passed = not any(within) if not NONE.isdisjoint(before) else all(within)
        says = f"all {side} {limit.value:g}, with {', '.join(f'{f.value:g}' for f in rest)}"
        yield Check("a comparison against its figures", passed, says, tuple(f.span for f in (limit, *rest)))


def _kept(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "Every sample has at least 10,000 reads; the shallowest has 11,204", "ranged from 3.1 to 5.6 cm; the
    longest has 5.8 cm"."""
    texts, bound = found.stream.texts, figures[0]
    after = [f for f in found.by_part.get(number + 1, ()) if f.unit in ("", figures[-1].unit)]
    if len(after) != 1 or after[0].sign or not figures[-1].unit or after[0].kind not in (bound.kind, "count"):
        return
    lead, start = texts[found.parts[number].first : bound.first + 1], found.parts[number + 1].first
    low, high = min(f.value for f in figures), max(f.value for f in figures)
    if len(figures) == 1:
        told, ends = EVERY, {">": LEAST, "<": MOST}.get(bound.sign, frozenset())
        low, high = (low, math.inf) if bound.sign == ">" else (-math.inf, high)
    else:
        joined = bound.kind == "range" or gap(found, *figures) == ["to"]
        joined = joined and texts[start - 1] == ";"
        told, ends = RANGED if joined else frozenset(), LEAST | MOST
    if not (told.isdisjoint(lead) or ends.isdisjoint(texts[start : after[0].first])):
        says = f"from {low:g} to {high:g}, with {after[0].value:g}"
        yield Check(
            "a bound against its figures", low <= after[0].value <= high, says, (bound.span, after[0].span)
        )


def _enumerated(found: Evidence, figures: Sequence[Figure]) -> bool:
    """ "14, 16 and 18 mm": with nothing else between than a unit that all have."""
    return all(
        gap(found, a, b)
        and gap(found, a, b)[-1] in (",", "and")
        and len(gap(found, a, b)) <= (9 if not TIMES.isdisjoint(gap(found, a, b)) else 4)
        for a, b in pairwise(figures)
    ) and len({f.kind for f in figures}) == 1  # fmt: skip


def _mean(found: Evidence, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "14, 16 and 18 mm, a mean of 16 mm": within what it is the mean of."""
    texts = found.stream.texts
    for at, mean in enumerate(figures):
        lead = texts[max(0, mean.first - 6) : mean.first]
        of = figures[max(0, at - VALUES) : at] if not MIDDLES.isdisjoint(lead) else []
        while len(of) > 2 and not _enumerated(found, of):
            of = of[1:]
        if texts[mean.first - 1] == "(" or texts[mean.last : mean.last + 1] == ["+"]:
            continue  # "on average (110 + 130 + 150) / 3"
        units = {of[-1].unit, mean.unit} if len(of) > 2 else set()
        apart = bool(of) and of[0].part != mean.part and "" not in units
        if len(of) < 3 or not CHANGED.isdisjoint(lead) or (len(units) > 1 and apart):
            continue
        if len(units) > 1 and of[0].part == mean.part and mean.unit:
            continue
        at_mean = next(i for i in range(mean.first - 1, -1, -1) if texts[i] in MIDDLES)
        own = content(found.stream, at_mean + 1, mean.first)
        tail = set(texts[at_mean - 2 : at_mean]) | set(texts[mean.last : found.parts[mean.part].last])
        if not own <= found.words(of[0].part) or not tail.isdisjoint(WHOLE):
            continue
        values = [f.value for f in of]
        says = f"a mean of {mean.value:g}, of {', '.join(f'{v:g}' for v in values)}"
        passed = min(values) <= mean.value <= max(values)
        counted = any(f.value == len(values) and not f.decimals for f in figures if f.last <= of[0].first)
        counted = counted or (of[0].part == mean.part and lead[-2:] == ["mean", "is"])
        if counted and "median" not in lead:
            # All of them are listed.
            slack = 0.51 * 10.0**-mean.decimals
            passed = abs(sum(values) / len(values) - mean.value) <= slack
        yield Check("a mean within its values", passed, says, (of[0].span, mean.span))


def _peaks(found: Evidence) -> Iterator[Check]:
    """ "IL6 peaks at 24 h (2 h: 180 pg/mL, 6 h: 940 pg/mL, 24 h: 310 pg/mL)"."""
    texts = found.stream.texts
    courses = [pairs for figures in found.by_part.values() if (pairs := _course(found, figures))]
    if len(courses) != 1:
        return
    top = max(courses[0], key=lambda pair: pair[1].value)
    for figure in found.figures:
        before = texts[max(0, figure.first - 3) : figure.first]
        if not PEAKS.isdisjoint(before) and figure.unit == top[0].unit:
            times = {when.value for when, _ in courses[0]}
            since = (
                texts[figure.last : courses[0][0][0].first] if figure.first < courses[0][0][0].first else []
            )
            if figure.value in times and {"after", "before", "than", "unlike", "not"}.isdisjoint(since):
                says = f"a peak at {figure.value:g}, where {top[0].value:g} has {top[1].value:g}"
                spans = (figure.span, top[0].span)
                yield Check("a course against its figures", figure.value == top[0].value, says, spans)
            return
