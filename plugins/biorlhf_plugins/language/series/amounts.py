"""Figures with the unit behind them, and two of them that are the ends of a range."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from biorlhf_plugins.language.evidence.records import FUNCTION, LABELS, Evidence, content
from biorlhf_plugins.language.records import Span
from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.language.words.mentions import Mention

SPREADS = words_of("spreads")
"""What stands before the figure of a spread or of a size: "± 3", "SD 3", "n = 8"."""
LISTED = frozenset(("iqr", "ci", "range", "interval"))
TO = frozenset(("to", "–", "and", "through", "until"))
LARGE = frozenset(("million", "billion", "thousand", "hundred", "m", "bn"))
"""Scales: "2.1 to 9.8 million" is left unread."""
UNITLESS = FUNCTION | words_of("places") | {"after", "before", "until", "later", "earlier"}


class Amount(NamedTuple):
    """A figure; ``last`` is past its unit, ``end`` past its digits. ``low`` and ``high`` are of "5-9"."""

    value: float
    unit: str
    first: int
    end: int
    last: int
    decimals: int
    low: float | None
    high: float | None


def amounts(found: Evidence, number: int) -> list[Amount]:
    """The figures of a sentence, without names, spreads and sizes of groups."""
    return list(_amounts(found, found.parts[number].inside.get("num", []), found.parts[number].last))


def _amounts(found: Evidence, numbers: list[Mention], limit: int) -> Iterator[Amount]:
    texts = found.stream.texts
    for m in numbers:
        number = m.value
        if number.unit == "name" or not SPREADS.isdisjoint(texts[max(0, m.first - 2) : m.first]):
            continue
        if number.scaled or not LARGE.isdisjoint(texts[m.first : m.last + 1]):
            continue
        unit, last = ("%", m.last) if number.unit == "percent" else (number.unit, m.last)
        if not unit:
            unit, last = unit_after(found, m.last, limit)
        low, high = (number.low, number.high) if None not in (number.low, number.high) else (None, None)
        yield Amount(number.value, unit, m.first, m.last, last, number.decimals, low, high)


def labelled(found: Evidence, number: int) -> list[Amount]:
    """The figures of a sentence, with those that are names: the 7 of "day 7", whose unit is "day"."""
    part, texts = found.parts[number], found.stream.texts
    figures = amounts(found, number)
    taken = {i for f in figures for i in range(f.first, f.end)}
    for at in range(part.first + 1, part.last):
        token = found.stream[at]
        if token.number is None or at in taken or texts[at - 1] not in LABELS:
            continue
        word = token.number.word
        if word.lstrip("-").isdigit():
            figures.append(Amount(float(word), texts[at - 1], at, at + 1, at + 1, 0, None, None))
    return sorted(figures, key=_first)


def _first(figure: Amount) -> int:
    return figure.first


def unit_after(found: Evidence, at: int, limit: int) -> tuple[str, int]:
    """ "µg/dL", "t/ha", "year", "egg": what a figure counts or is measured in, and where that ends."""
    texts, end = found.stream.texts, at
    if texts[end : end + 1] == ["mu"] and end + 1 < limit:
        end += 1
    if end >= limit or found.stream[end].kind != "w" or texts[end] in UNITLESS or not texts[end].isalnum():
        return "", at
    end += 1
    while end + 1 < limit and texts[end] == "/" and found.stream[end + 1].kind == "w":
        end += 2
    return "".join(texts[at:end]), end


class Extent(NamedTuple):
    """The two ends of a range: tokens [first, last)."""

    low: float
    high: float
    unit: str
    first: int
    last: int
    decimals: int
    link: str


def extents(found: Evidence, figures: list[Amount]) -> Iterator[Extent]:
    """ "5-9 kg", "from 6.1 to 38.5", "190 µGy and 310 µGy": two figures that only a link parts."""
    texts = found.stream.texts
    after = iter([*figures[1:], None])
    for one in figures:
        other = next(after)
        if one.low is not None and one.high is not None:
            places = [texts[i] for i in range(one.first, one.end) if texts[i] in TO]
            yield Extent(
                one.low, one.high, one.unit, one.first, one.last, one.decimals, places[0] if places else "–"
            )
        elif other is not None and other.low is None and _linked(texts, one, other):
            if one.unit in ("", other.unit):
                decimals = max(one.decimals, other.decimals)
                yield Extent(
                    one.value, other.value, other.unit, one.first, other.last, decimals, texts[one.last]
                )


def _linked(texts: list[str], one: Amount, other: Amount) -> bool:
    """ "190 µGy and 310 µGy"; with a comma only "[IQR 55, 71]"."""
    between = texts[one.last : other.first]
    named = texts[one.first - 1] in LISTED and texts[other.last : other.last + 1] in ([")"], ["]"])
    return between in [[word] for word in TO] or (between == [","] and named)


def words_in(found: Evidence, first: int, last: int, figures: list[Amount]) -> frozenset[str]:
    """The words of [first, last) that name something, without the units of its figures."""
    kept: frozenset[str] = frozenset()
    at = first
    for figure in figures:
        if first <= figure.first < last:
            kept |= content(found.stream, at, figure.first)
            at = max(at, figure.last)
    return kept | content(found.stream, at, last)


def span_of(found: Evidence, figure: Amount | Extent) -> Span:
    return found.span(figure.first, figure.last)
