"""A mean, median or estimate against its range, quartiles, interval, or minimum and maximum.

Which range is of which middle is told by where they stand ("14 mm (range 9-22)") or, apart, by the words that
both have. A range of something else ("reference range") holds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.series.amounts import Amount, Extent, amounts, extents, span_of, words_in
from biorlhf_plugins.language.words.evidence import words_of

MIDDLES = words_of("middles")
RANGING, QUARTILES, INTERVALS = words_of("ranging"), words_of("quartiles"), words_of("intervals")
OPENS = RANGING | QUARTILES | INTERVALS | {"from"}
LOWEST, HIGHEST = words_of("lowest_of"), words_of("highest_of")
OTHERS = words_of("other_ranges")
"""What makes a range one of something else."""
NAMELESS = OPENS | MIDDLES | LOWEST | HIGHEST | words_of("nameless")
"""Words of middles and ranges, and those that any measure may have: "value", "overall"."""
STOPS = frozenset((",", ";", ":", ".", "and", "but", "while", "whereas", "(", ")", "|", "\n", "with", "whose"))
TIMES = frozenset(("h", "hour", "day", "week", "month", "min", "minute", "s", "second"))
NEAR = 7
Words = frozenset[str]
NONE: Words = frozenset()


class Middle(NamedTuple):
    """A mean or median; ``ahead`` and ``behind`` are the words beside it, ``opening`` all before it."""

    figure: Amount
    ahead: Words
    behind: Words
    opening: Words
    part: int

    @property
    def words(self) -> Words:
        return self.ahead | self.behind


class Range(NamedTuple):
    """``ahead`` and ``behind`` are words of its clause; ``bracket`` opens the one that it stands in, or is -1."""

    ends: Extent
    kind: str
    ahead: Words
    behind: Words
    bracket: int
    part: int

    @property
    def words(self) -> Words:
        return self.ahead | self.behind


def ranges(found: Evidence) -> Iterator[Check]:
    """Every middle against the range that is clearly its own."""
    texts = found.stream.vocabulary
    if texts.isdisjoint(OPENS | LOWEST | HIGHEST | MIDDLES | {"estimate"}):
        return
    before: list[Range] = []
    alone: list[Middle] = []
    for number, part in enumerate(found.parts):
        if part.kind == "row" or not found.asserted(part.first):
            continue
        figures = amounts(found, number)
        wide = list(_ranges(found, number, figures))
        yield from _disordered(found, wide)
        middles = list(_middles(found, number, figures))
        free, paired = wide, []
        for one, other in _anchored(found, figures, wide, middles):
            yield _held(found, one, other)
            paired.append(one)
            free = [r for r in free if r is not other]
        left = [m for m in middles if m.figure not in paired]
        left = [m for m in left if not any(r.ends.first <= m.figure.first < r.ends.last for r in wide)]
        pairs = list(_beside(found, left, free)) if len(free) == len(wide) and _all_read(found, figures, wide) else []
        for middle, other in pairs:
            yield _held(found, middle.figure, other)
        if not pairs:
            yield from _across(found, number, left, free, before, alone)
        before, alone = (free, left) if free or left or wide else (before, alone)


def _held(found: Evidence, middle: Amount, other: Range) -> Check:
    low, high = sorted((other.ends.low, other.ends.high))
    says = f"{middle.value:g} with a range from {low:g} to {high:g}"
    passed = low <= middle.value <= high
    return Check("a range holds its middle", passed, says, (span_of(found, middle), span_of(found, other.ends)))


def _disordered(found: Evidence, wide: Sequence[Range]) -> Iterator[Check]:
    """ "Minimum 41, maximum 14", "IQR 22-9"; and quartiles that reach past the range beside them."""
    for one in wide:
        ends = one.ends
        if one.kind in ("minimum", "quartile", "interval") and ends.low >= 0 and ends.high >= 0:
            says = f"from {ends.low:g} to {ends.high:g}"
            yield Check("a minimum below its maximum", ends.low <= ends.high, says, (span_of(found, ends),))
    for one in wide:
        whole = [r for r in wide if r.kind in ("range", "minimum") and r.bracket == one.bracket >= 0]
        if one.kind == "quartile" and len(whole) == 1 and whole[0].ends.unit in ("", one.ends.unit):
            low, high = whole[0].ends.low, whole[0].ends.high
            passed = low <= one.ends.low and one.ends.high <= high
            says = f"{one.ends.low:g} to {one.ends.high:g} within {low:g} to {high:g}"
            yield Check("a range holds its middle", passed, says, (span_of(found, one.ends),))


def _ranges(found: Evidence, number: int, figures: list[Amount]) -> Iterator[Range]:
    texts, part = found.stream.texts, found.parts[number]
    for ends in extents(found, figures):
        if ends.low >= 1900 and ends.high < 2100 and not ends.decimals and not ends.unit:
            continue  # years
        start = max(part.first, ends.first - NEAR)
        lead = texts[start : ends.first]
        stop = max((i for i, w in enumerate(lead, start) if w in (";", ")") or _figure_at(found, i)), default=-1)
        lead = lead[max(0, stop + 1 - start) :] if stop >= start else lead
        kind = _kind(lead, ends)
        if not kind and lead[-1:] == ["from"] and not RANGING.isdisjoint(texts[part.first : start]):
            kind = "range"  # "ranged from 6 to 38 in the workers and from 1 to 5 in the staff"
        bracket = next((i for i in range(ends.first - 1, part.first, -1) if texts[i] in "()[]"), -1)
        bracket = bracket if bracket >= 0 and texts[bracket] in "([" else -1
        if kind != "other" and (kind or bracket == ends.first - 1):
            since = bracket if bracket >= 0 else _clause(found, ends.first, part.first)
            ahead = words_in(found, since, ends.first, figures) - NAMELESS
            yield Range(ends, kind, ahead, _behind(found, ends.last, part.last, figures), bracket, number)
    yield from _least_and_most(found, number, figures)


def _all_read(found: Evidence, figures: list[Amount], wide: Sequence[Range]) -> bool:
    """Whether no other range stands in the sentence, which a middle might be of."""
    known = {r.ends.first for r in wide}
    return all(e.first in known or any(a <= e.first for a in known) for e in extents(found, figures)) or not wide


def _figure_at(found: Evidence, at: int) -> bool:
    token = found.stream[at]
    return token.number is not None and token.number.unit != "percent"


def _kind(lead: Sequence[str], ends: Extent) -> str:
    """What sort of range the words before it make of it: "" where they say nothing."""
    said = set(lead)
    if said & OTHERS:
        return "other"
    if said & QUARTILES:
        return "quartile"
    if said & INTERVALS:
        return "interval"
    if ends.link == "and" and "between" not in lead[-3:] and "extremes" not in said:
        return "other"
    if said & RANGING and (ends.link != "to" or "from" in said or said & {"range", "(", ":", "between"}):
        # "Between 2 and 6 h" is when; "between 3 and 5 mice" is how many.
        return "range" if ends.unit not in TIMES or said & (RANGING - {"between"}) else "other"
    return ""


def _least_and_most(found: Evidence, number: int, figures: list[Amount]) -> Iterator[Range]:
    """ "The minimum was 18 m and the maximum 412 m", "the youngest was 21, the oldest 58"."""
    texts, part = found.stream.texts, found.parts[number]
    sides: list[list[tuple[int, Amount]]] = [[], []]
    for side, words in enumerate((LOWEST, HIGHEST)):
        for at in (i for i in range(part.first, part.last) if texts[i] in words):
            near = set(texts[max(_clause(found, at, part.first), at - 3) : at + 3])
            figure = next((f for f in figures if at < f.first <= at + NEAR), None)
            between = texts[at + 1 : figure.first] if figure else []
            if figure and not near & (MIDDLES | OTHERS) and (LOWEST | HIGHEST | STOPS).isdisjoint(between):
                sides[side].append((at, figure))
    if len(sides[0]) != 1 or len(sides[1]) != 1:
        return
    (at, low), (above, high) = sides[0][0], sides[1][0]
    if low.unit and high.unit and low.unit != high.unit:
        return
    first, last = min(at, above), max(low.last, high.last)
    ends = Extent(low.value, high.value, low.unit or high.unit, first, last, 0, "max")
    words = words_in(found, _clause(found, first, part.first), last, figures) - NAMELESS
    yield Range(ends, "minimum", words, _behind(found, last, part.last, figures), -1, number)


def _clause(found: Evidence, at: int, first: int) -> int:
    """Where the clause begins that a token stands in."""
    return next((i + 1 for i in range(at - 1, first - 1, -1) if found.stream.texts[i] in STOPS), first)


def _behind(found: Evidence, at: int, last: int, figures: list[Amount]) -> Words:
    """The words after a figure, up to the next cut: "in the workers"; not those of "per day"."""
    at += 2 if found.stream.texts[at : at + 1] == ["per"] else 0
    last = min(last, at + NEAR)
    stop = next((i for i in range(at, last) if found.stream.texts[i] in STOPS), last)
    return words_in(found, at, stop, figures) - NAMELESS


def _middles(found: Evidence, number: int, figures: list[Amount]) -> Iterator[Middle]:
    """ "A mean age of 36.4 years", "averaged 14 mm", "median (IQR) 14": the figure after the word."""
    texts, part = found.stream.texts, found.parts[number]
    for at in (i for i in range(part.first, part.last) if texts[i] in MIDDLES):
        figure = next((f for f in figures if f.last == at - 1 and texts[at - 1] == "on"), None)
        begin = at if figure is None else figure.first
        figure = figure or next((f for f in figures if f.first > at), None)
        if figure is None or figure.first - at > NEAR + 3 or figure.low is not None:
            continue
        plain = [w for w in texts[at + 1 : figure.first] if w not in ("(", ")")]
        if plain[-1:] in ([","], [":"]):
            plain.pop()  # "median age, 36 years"
        if not STOPS.isdisjoint(plain) or not (LOWEST | HIGHEST).isdisjoint((*texts[at - 2 : at], *plain)):
            continue
        ahead = words_in(found, _clause(found, begin, part.first), figure.first, figures) - NAMELESS
        opening = words_in(found, part.first, figure.first, figures) - NAMELESS
        yield Middle(figure, ahead, _behind(found, figure.last, part.last, figures), opening, number)


def _same_unit(middle: Amount, ends: Extent) -> bool:
    """Whether both have one unit; the middle, or "min 9.8, max 20.3" in words, may leave it out."""
    return middle.unit == ends.unit or not middle.unit or (not ends.unit and ends.link == "max")


def _anchored(
    found: Evidence, figures: list[Amount], wide: Sequence[Range], middles: Sequence[Middle]
) -> Iterator[tuple[Amount, Range]]:
    """ "14 mm (interquartile range 9-22 mm)", "0.48 (0.33 to 0.62)": the figure that the bracket follows."""
    texts = found.stream.texts
    named = [m.figure for m in middles]
    for one in wide:
        before = [f for f in figures if f.last <= one.bracket]
        if one.bracket < 0 or not before or _closed(found, before[-1]):
            continue
        figure = before[-1]
        outer = words_in(found, found.parts[one.part].first, one.bracket, figures)
        apart = texts[figure.last : one.bracket]
        if len(apart) > 4 or "," in apart or one.ahead - outer or figure.low is not None:
            continue
        if any(one.bracket < m.first < one.ends.first for m in named):
            continue  # "(mean 36, range 21-58)"
        known = figure in named
        units = {figure.unit, one.ends.unit}
        same = len(units) == 1 or (known and "" in units) or (one.ends.unit == "" and one.kind and known)
        same = same or (figure.unit == "%" and not one.ends.unit)
        same = same or (one.ends.unit == "" and not figure.unit.isalpha() and one.kind != "")
        bare = not one.kind and (figure.decimals != one.ends.decimals or not figure.decimals or apart)
        if same and not (bare and not (known and "estimate" not in apart and QUARTILES & set(texts))):
            yield figure, one


def _closed(found: Evidence, figure: Amount) -> bool:
    """Whether a figure stands in a bracket that closes after it: the 12 of "14 (n = 12) (range 9-22)"."""
    return found.stream.texts[figure.last : figure.last + 1] == [")"]


def _beside(
    found: Evidence, middles: Sequence[Middle], wide: Sequence[Range]
) -> Iterator[tuple[Middle, Range]]:
    """Middles and ranges that take turns in one sentence, each with the one that follows it."""
    turns = sorted([*middles, *wide], key=_place)
    if not turns or not middles:
        return
    if isinstance(turns[0], Middle):
        owner: Middle | None = None
        for turn in turns:
            if isinstance(turn, Middle):
                owner = turn
            elif owner is not None and _fit(found, owner, turn):
                yield owner, turn
    elif len(turns) % 2 == 0:
        for ranged, middle in zip(turns[::2], turns[1::2], strict=True):
            if isinstance(middle, Middle) and isinstance(ranged, Range) and _fit(found, middle, ranged):
                yield middle, ranged


def _place(turn: Middle | Range) -> int:
    return turn.figure.first if isinstance(turn, Middle) else turn.ends.first


def _fit(found: Evidence, middle: Middle, other: Range) -> bool:
    """Whether the later of the two brings no thing of its own: "with a mean tumor mass of 3 g" does."""
    if not _same_unit(middle.figure, other.ends):
        return False
    if middle.figure.first < other.ends.first:
        told = middle.opening | middle.behind
        return not other.ahead - told and (not middle.behind or not other.behind - told)
    years = {"age"} if other.ends.unit == "year" and "duration" not in middle.words else NONE
    foreign = middle.words - other.words - years
    return not foreign or (not other.words and not foreign - found.words(middle.part))


def _across(
    found: Evidence, number: int, left: Sequence[Middle], free: Sequence[Range],
    before: Sequence[Range], alone: Sequence[Middle],
) -> Iterator[Check]:  # fmt: skip
    """A middle and a range in sentences that follow each other, where words tie them."""
    for middle in left if not free else ():
        fits = [r for r in before if _tied(found, middle, r, len(before) == 1)]
        if len(fits) == 1 and middle.part - fits[0].part <= 2:
            yield _held(found, middle.figure, fits[0])
    if len(free) == 1 and len(alone) == 1 and not left and number - alone[0].part == 1:
        told = found.words(alone[0].part)
        if _same_unit(alone[0].figure, free[0].ends) and not free[0].ahead - told:
            yield _held(found, alone[0].figure, free[0])


def _tied(found: Evidence, middle: Middle, other: Range, only: bool) -> bool:
    """Whether all that a middle is of stands in the sentence of the range, and tells it from the others."""
    if not _same_unit(middle.figure, other.ends):
        return False
    told = found.words(other.part)
    told |= found.words(other.part - 1) if other.part and not other.words else NONE
    if (middle.opening | middle.behind) - told:
        return False
    return only or bool(middle.words & other.words)
