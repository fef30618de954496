"""From the one to the other, against how many that is said to be: dates and days, years, numberings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.words.numbers import Number

MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip


LEADS = frozenset(("so", "spent", "lasted", "took", "hence", "thus"))
LASTING = (["for"], ["over"], ["lasted"], ["of"])
NEAR = 5
"""Tokens from how many to the ends that they are between."""


def reckoned(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    words = found.stream.vocabulary
    if not words.isdisjoint(MONTHS):
        yield from _dates(found)
    if "year" in words:
        yield from _years(found)
    if "numbered" in words:
        yield from _numbered(found)


def _dates(found: Evidence) -> Iterator[Check]:
    """ "Launched on 14 August, landed on 17 September, so 34 days"."""
    days = []
    for at, text in enumerate(found.stream.texts):
        for near in (at - 1, at + 1):
            number = found.stream[near].number if 0 <= near < len(found.stream) else None
            if (
                text in MONTHS
                and isinstance(number, Number)
                and 1 <= number.value <= 28 + 3
                and not number.decimals
            ):
                days.append((MONTHS.index(text) + 1, int(number.value), at))
                break
    spans = [f for f in found.figures if f.unit == "day" and f.kind == "count" and not f.sign]
    spans = [f for f in spans if days and f.first > days[-1][2]]
    if len(days) != 2 or len(spans) != 1:
        return
    texts = found.stream.texts
    lead = texts[days[1][2] : spans[0].first]
    if LEADS.isdisjoint(lead) and "later" not in texts[spans[0].last : spans[0].last + 2]:
        return  # "harvested on 20 August; the grain was dried for 7 days"
    try:
        one, other = (date(2001, month, day) for month, day, _ in days)
    except ValueError:
        return
    right = (other - one).days % 365
    says = f"{right} days between the dates, stated {spans[0].value:g}"
    # A leap year has one more, and both ends may count.
    passed = abs(right - spans[0].value) <= 2
    yield Check("arithmetic", passed, says, (spans[0].span,), expected=f"{right}")


def _years(found: Evidence) -> Iterator[Check]:
    """ "For four years, from 2015 to 2019"."""
    texts = found.stream.texts
    for number, figures in found.by_part.items():
        lasted = [f for f in figures if f.unit == "year" and f.kind == "count" and not f.sign]
        if len(lasted) != 1 or texts[lasted[0].first - 1 : lasted[0].first] not in LASTING:
            continue
        last = found.parts[number].last
        near = range(lasted[0].last, min(lasted[0].last + NEAR, last - 3))
        at = next((i for i in near if texts[i] == "from" and texts[i + 2] == "to"), -1)
        ends = [t.number for t in (found.stream[at + 1], found.stream[at + 3])] if at >= 0 else []
        years = [n.value for n in ends if isinstance(n, Number) and 1900 <= n.value < 2100]
        if len(years) == 2:
            right = years[1] - years[0]
            says = f"from {years[0]:g} to {years[1]:g}, {lasted[0].value:g} years"
            passed = lasted[0].value in (right, right + 1)
            yield Check("arithmetic", passed, says, (lasted[0].span,), expected=f"{right:g}")


def _numbered(found: Evidence) -> Iterator[Check]:
    """ "12 clusters, numbered 0 to 11"."""
    texts = found.stream.texts
    for number, figures in found.by_part.items():
        part = found.parts[number]
        at = next((i for i in range(part.first, part.last) if texts[i] == "numbered"), -1)
        ends = [t.number for t in found.stream[at + 1 : at + 4]] if at >= 0 else []
        values = [n.value for n in ends if isinstance(n, Number)]
        told = [f for f in figures if f.last < at and at - f.last <= NEAR]
        if len(values) == 2 and told and not told[-1].decimals:
            right = values[1] - values[0] + 1
            says = f"{told[-1].value:g}, numbered {values[0]:g} to {values[1]:g}"
            passed = told[-1].value == right
            yield Check("arithmetic", passed, says, (told[-1].span,), expected=f"{right:g}")
