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
    for number, part in enumerate(found.parts):
        lasted = [
            f for f in found.by_part.get(number, ()) if f.unit == "year" and f.kind == "count" and not f.sign
        ]
        at = next(
            (i for i in range(part.first, part.last - 3) if texts[i] == "from" and texts[i + 2] == "to"), 0
        )
        ends = [t.number for t in (found.stream[at + 1], found.stream[at + 3])] if at else []
        years = [n.value for n in ends if isinstance(n, Number) and 1900 <= n.value < 2100]
        if (
            len(lasted) == 1
            and len(years) == 2
            and texts[lasted[0].first - 1] in ("for", "over", "lasted", "of")
        ):
            right = years[1] - years[0]
            says = f"from {years[0]:g} to {years[1]:g}, {lasted[0].value:g} years"
            passed = lasted[0].value in (right, right + 1)
            yield Check("arithmetic", passed, says, (lasted[0].span,), expected=f"{right:g}")


def _numbered(found: Evidence) -> Iterator[Check]:
    """ "12 clusters, numbered 0 to 11"."""
    texts = found.stream.texts
    for figures in found.by_part.values():
        at = next((i for i in range(figures[0].last, figures[-1].first) if texts[i] == "numbered"), 0)
        ends = [t.number for t in found.stream[at + 1 : at + 4]] if at else []
        values = [n.value for n in ends if isinstance(n, Number)]
        if len(values) == 2 and figures[0].last < at and not figures[0].decimals:
            right = values[1] - values[0] + 1
            says = f"{figures[0].value:g}, numbered {values[0]:g} to {values[1]:g}"
            yield Check(
                "arithmetic", figures[0].value == right, says, (figures[0].span,), expected=f"{right:g}"
            )
