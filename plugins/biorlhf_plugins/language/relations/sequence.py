"""Courses and orders: where one peaks, before and after, rising with the dose, A over B over C."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, permutations, takewhile

from biorlhf_plugins.language.evidence.comparisons import INVERSE, Comparison, stated
from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, gap
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.words.evidence import words_of

TIMES, MOST, LEAST = words_of("times"), words_of("most"), words_of("least")
PEAKS = frozenset(("peak", "peaked", "maximal", "maximum", "culminated"))
MIDDLES = frozenset(("median", "mean", "average"))
BEFORE = frozenset(("before", "baseline", "pre", "beforehand"))
AFTER = frozenset(("after", "post", "afterwards"))
GAINS = words_of("gain_words") - {"change", "gain", "improvement"}
LOSSES = words_of("change_words") - words_of("gain_words")
FEW = 6


def sequence(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    words = found.stream.vocabulary
    if not words.isdisjoint(PEAKS):
        yield from _peaks(found)
    if not words.isdisjoint(BEFORE):
        yield from _before_after(found)
    if not words.isdisjoint(MIDDLES):
        yield from _middle(found)
    yield from _transitive(found)
    if not words.isdisjoint(("dose", "concentration", "time", "age", "temperature")):
        yield from _dosed(found)
    if "ratio" in words:
        yield from _ratio(found)
    if not words.isdisjoint(("range", "ranged", "between", "from")):
        yield from _extreme(found)


def _course(figures: Sequence[Figure]) -> list[tuple[Figure, Figure]]:
    """(time, value) of "1 h 2.0, 6 h 8.1, 24 h 3.4" and of "2.1 at 1 h, 6.2 at 6 h"."""
    for start in (0, 1):
        own = figures[start:]
        for pairs in (
            list(zip(own[::2], own[1::2], strict=False)),
            list(zip(own[1::2], own[::2], strict=False)),
        ):
            timed = {when.unit for when, _ in pairs}
            valued = {value.unit for _, value in pairs}
            if (
                len(pairs) >= 3
                and len(own) % 2 == 0
                and len(timed) == 1
                and timed <= TIMES
                and len(valued) == 1
            ):
                return pairs if valued.isdisjoint(timed) else []
    return []


def _peaks(found: Evidence) -> Iterator[Check]:
    texts = found.stream.texts
    courses = [course for figures in found.by_part.values() if (course := _course(figures))]
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


def _before_after(found: Evidence) -> Iterator[Check]:
    """ "Diversity rose: 4.1 before and 2.6 after treatment"."""
    texts = found.stream.texts
    for number, figures in found.by_part.items():
        plain = [f for f in figures if f.kind in ("count", "percent") and not f.sign]
        part = found.parts[number]
        if len(plain) != 2 or len(figures) != 2 or not found.asserted(part.first):
            continue
        places = []
        for n, figure in enumerate(plain):
            end = plain[n + 1].first if n + 1 < len(plain) else part.last
            own = set(takewhile(lambda w: w != ",", texts[figure.last : min(end, figure.last + 3)]))
            if own.isdisjoint(BEFORE | AFTER):  # "before it was 4.1, afterwards 2.6"
                own = set(texts[plain[n - 1].last if n else part.first : figure.first][:2])
            places.append((not BEFORE.isdisjoint(own), not AFTER.isdisjoint(own)))
        if places not in ([(True, False), (False, True)], [(False, True), (True, False)]):
            continue
        start, end_value = (f.value for f in (plain if places[0][0] else plain[::-1]))
        here = {label for label, at in directions(found, number) if at < plain[0].first}
        tail = texts[plain[1].last : part.last]
        if not here and "," in tail and tail[-2:-1] in (["a"], ["an"]):
            here = {"UP"} if tail[-1] in GAINS else {"DOWN"} if tail[-1] in LOSSES else set()
        elif not here and ":" in tail:
            here = {label for label, at in directions(found, number) if at > plain[1].last}
        if not here and number:
            here = {label for label, _ in directions(found, number - 1)}
            here = here if not found.by_part.get(number - 1) else set()
        if len(here) == 1 and here <= {"UP", "DOWN"} and INVERSE.isdisjoint(found.stream.vocabulary):
            way = min(here)
            says = f"{way} from {start:g} to {end_value:g}"
            passed = (end_value > start) == (way == "UP") and end_value != start
            yield Check("a direction against its figure", passed, says, (plain[0].span, plain[1].span))


def _middle(found: Evidence) -> Iterator[Check]:
    """ "Aged 34 to 81 years, with a median age of 63": the middle lies in the range."""
    texts = found.stream.texts
    for number, figures in found.by_part.items():
        if found.parts[number].kind == "row" or len(figures) != 3:
            continue
        for low, high in pairwise(figures):
            rest = [f for f in figures if f is not low and f is not high]
            if gap(found, low, high) not in (["to"], ["—"], ["-"]) or low.value >= high.value:
                continue
            middle = rest[0]
            named = not MIDDLES.isdisjoint(texts[max(0, middle.first - 4) : middle.first])
            spread = not {"ci", "interval", "iqr", "sd", "change"}.isdisjoint(
                texts[max(0, low.first - 4) : high.last + 3]
            )
            if (
                named
                and not spread
                and middle.kind == low.kind == high.kind
                and middle.unit in ("", high.unit)
            ):
                says = f"{middle.value:g}, of a range from {low.value:g} to {high.value:g}"
                passed = low.value <= middle.value <= high.value
                yield Check("a middle within its range", passed, says, (middle.span, low.span, high.span))


def _transitive(found: Evidence) -> Iterator[Check]:
    """ "A is faster than B, and B is faster than C. So C is faster than A"."""
    said = stated(found)
    if not 3 <= len(said) <= FEW:
        return
    for one, two, three in permutations(said, 3):
        if three.at < max(one.at, two.at):
            continue
        ends = [end for x in (one, two, three) for end in _ends(x)]
        words = [word for end in ends for word in end]
        # The verb is in all of them: "soleus responds more than liver, liver responds more than heart".
        a, b, c, d, high, low = (frozenset(w for w in end if words.count(w) < 3) for end in ends)
        linked = bool(b & c) and not (a & c) and not (b & d) and one.sort == two.sort
        if linked and three.sort == one.sort and a & low and d & high and not a & high and not d & low:
            spans = tuple(found.span(x.at, x.at + 1) for x in (one, two, three))
            yield Check("two orders of one pair", False, "an order against the two before it", spans)
            return


def _ends(said: Comparison) -> tuple[frozenset[str], frozenset[str]]:
    """The words of the greater and those of the smaller."""
    mine = said.subjects[-1] - said.other or said.subjects[0]
    return (mine, said.other - mine) if said.more else (said.other - mine, mine)


def _dosed(found: Evidence) -> Iterator[Check]:
    """ "Viability falls with the dose: 92 % at 1 uM, 71 % at 5 uM and 40 % at 20 uM"."""
    texts = found.stream.texts
    for number, figures in found.by_part.items():
        part = found.parts[number]
        ways = directions(found, number)
        near = texts[ways[0][1] + 1 : ways[0][1] + 4] if len(ways) == 1 else []
        if (
            not near
            or near[0] != "with"
            or {"dose", "concentration", "time", "age", "temperature"}.isdisjoint(near)
        ):
            continue
        own = [f for f in figures if f.first > ways[0][1] and f.kind in ("count", "percent", "effect")]
        pairs = list(zip(own[1::2], own[::2], strict=False))
        tied = all(gap(found, value, when)[-1:] in (["at"], ["after"], ["with"]) for when, value in pairs)
        if len(own) < 6 or len(own) % 2 or not tied or not found.asserted(part.first):
            continue
        values = [value.value for _, value in sorted(pairs, key=lambda pair: pair[0].value)]
        rises, falls = (all(x < y for x, y in pairwise(v)) for v in (values, values[::-1]))
        if rises or falls:
            says = f"{ways[0][0]} with the dose, {', '.join(f'{v:g}' for v in values)}"
            passed = rises == (ways[0][0] == "UP")
            yield Check("a course against its figures", passed, says, (own[0].span, own[-1].span))


def _ratio(found: Evidence) -> Iterator[Check]:
    """ "Lower in treated plasma: the ratio treated/control is 0.4"."""
    texts = found.stream.texts
    for number, figures in found.by_part.items():
        part = found.parts[number]
        slash = next((i for i in range(part.first + 1, part.last - 1) if texts[i] == "/"), 0)
        own = [f for f in figures if f.kind in ("count", "ratio") and f.first > slash and not f.sign]
        ways = {label for label, _ in directions(found, number)}
        if (
            not slash
            or len(own) != 1
            or len(figures) != 1
            or len(ways) != 1
            or not found.asserted(part.first)
        ):
            continue
        words = texts[part.first : part.last]
        over, under = texts[slash - 1], texts[slash + 1]
        placed = [
            i
            for i in range(part.first, part.last - 1)
            if texts[i] in ("in", "on", "with") and over in texts[i + 1 : i + 3]
        ]
        if (
            "ratio" not in words
            or not placed
            or words.count(under) > 1
            or own[0].value in (0, 1)
            or ways == {"NS"}
        ):
            continue
        way = ways.pop()
        says = f"{way}, with {over}/{under} = {own[0].value:g}"
        yield Check(
            "a direction against its figure", (own[0].value > 1) == (way == "UP"), says, (own[0].span,)
        )


def _extreme(found: Evidence) -> Iterator[Check]:
    """ "From 3.1 to 5.6 cm; the longest root measured 5.6 cm"; "between 42 and 61 cm; 42, 47 and 61 cm"."""
    texts = found.stream.texts
    for number, figures in found.by_part.items():
        ends = sorted((f for f in figures if f.kind in ("range", "count")), key=lambda f: f.value)
        after = [f for f in found.by_part.get(number + 1, ()) if f.kind == "count" and not f.sign]
        if (
            len(ends) != 2
            or len(figures) != 2
            or not after
            or not ends[1].unit
            or number + 1 >= len(found.parts)
        ):
            continue
        low, high = ends
        part, rest = found.parts[number], found.parts[number + 1]
        joined = low.kind == high.kind == "range" or texts[low.last : high.first] == ["to"]
        ranged = joined and not {"ranged", "range", "between"}.isdisjoint(texts[part.first : low.first + 1])
        if not ranged or texts[rest.first - 1] != ";":
            continue
        measured = [f for f in after if f.unit in ("", high.unit) and f.value != len(after) - 1]
        words = texts[rest.first : rest.last]
        alone = len(after) == 1 and after[0].unit == high.unit and not (MOST | LEAST).isdisjoint(words)
        listed = len(measured) >= 3 and after[-1].unit == high.unit and "measured" in words
        if alone or listed:
            values = [f.value for f in (after if alone else measured)]
            passed = all(low.value <= v <= high.value for v in values)
            says = f"{low.value:g} to {high.value:g}, with {', '.join(f'{v:g}' for v in values)}"
            yield Check("a bound against its figures", passed, says, (low.span, after[-1].span))
