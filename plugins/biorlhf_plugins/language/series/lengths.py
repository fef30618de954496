"""Lengths of time in a sentence, and when: "28 days", "two and a half years", "4 June", "March 2016"."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import NamedTuple

from biorlhf_plugins.language.evidence.records import Evidence
from biorlhf_plugins.language.series.amounts import amounts
from biorlhf_plugins.language.words.spelt import WORD_NUMBERS

DAYS = {
    "h": 1 / 24, "hour": 1 / 24, "d": 1.0, "day": 1.0, "week": 7.0, "wk": 7.0, "month": 30.44, "mo": 30.44,
    "year": 365.25, "yr": 365.25, "y": 365.25,
}  # fmt: skip
MONTHS = {
    name: number
    for number, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
         "september sept sep", "october oct", "november nov", "december dec"), 1,
    )
    for name in names.split()
}  # fmt: skip


class Length(NamedTuple):
    """``days`` long, in ``unit``; tokens [first, last)."""

    value: float
    unit: str
    first: int
    last: int

    @property
    def days(self) -> float:
        return self.value * DAYS[self.unit]


class Date(NamedTuple):
    """A day, or a month where ``exact`` is false; ``dated`` says that the year was written."""

    day: datetime.date
    exact: bool
    dated: bool
    first: int
    last: int


def lengths(found: Evidence, number: int) -> list[Length]:
    """The lengths of time of a sentence."""
    texts, part = found.stream.texts, found.parts[number]
    lasting = []
    for f in amounts(found, number):
        value, unit, last = f.value, f.unit, f.last
        if texts[f.end : f.end + 3] == ["and", "a", "half"]:
            value, unit, last = value + 0.5, texts[f.end + 3], f.end + 4  # "two and a half years"
        if unit in DAYS and f.low is None:
            lasting.append(Length(value, unit, f.first, last))
    taken = {x.first for x in lasting}
    for at in range(part.first, part.last - 1):  # "one year": no figure to the reader of figures
        if texts[at] == "one" and at not in taken and texts[at + 1] in DAYS:
            lasting.append(Length(float(WORD_NUMBERS[texts[at]]), texts[at + 1], at, at + 2))
    return sorted(lasting, key=_first)


def _first(length: Length) -> int:
    return length.first


def dates(found: Evidence, number: int) -> list[Date]:
    """The dates of a sentence; one without a year takes that of the other."""
    part = found.parts[number]
    read = list(_dates(found, part.first, part.last))
    years = [d.day.year for d in read if d.dated]
    return [d if d.dated or not years else d._replace(day=_moved(d.day, years[-1])) for d in read]


def _moved(day: datetime.date, year: int) -> datetime.date:
    return day.replace(year=year, day=min(day.day, 28) if day.month == 2 else day.day)


def _dates(found: Evidence, first: int, last: int) -> Iterator[Date]:
    for at in range(first, last):
        month = MONTHS.get(found.stream.texts[at])
        if month is None:
            continue
        before, after, later = (_number(found, i) if first <= i < last else None for i in (at - 1, at + 1, at + 2))
        if found.stream.texts[at + 2 : at + 3] == [","] and after is not None and after <= 31:
            later = _number(found, at + 3)
        year = next((v for v in (after, later) if v is not None and 1800 <= v < 2100), None)
        day = next((v for v in (before, after) if v is not None and 1 <= v <= 31), None)
        if year is None and day is None:
            continue
        try:
            when = datetime.date(year or 2001, month, day or 1)
        except ValueError:
            continue
        end = at + 1 + (after is not None and (after == year or after == day)) + (later is not None and later == year)
        yield Date(when, day is not None, year is not None, at - (day is not None and day == before), end)


def _number(found: Evidence, at: int) -> int | None:
    """The whole number at a token: "4", "4th"."""
    word = found.stream.texts[at] if at < len(found.stream) else ""
    for ending in ("st", "nd", "rd", "th"):
        word = word.removesuffix(ending)
    return int(word) if word.isdigit() and len(word) <= 4 else None
