"""How long, against the dates or years: "from 2011 to 2016 … nine years", "2 May … 6 June, 53 days later";
and a mean that is written out: "(4 + 5 + 9) / 3 = 8".
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator

from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, is_year
from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.language.words.text import canonical

NAMES = (*enumerate(calendar.month_name), *enumerate(calendar.month_abbr))
MONTHS = {canonical(name.lower()): n for n, name in NAMES if name}
DAYS = {"day": 1, "week": 7, "month": 30.5, "year": 365.25}
LINKS = words_of("rough") | words_of("duration_links") | MONTHS.keys()


def durations(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    texts = found.stream.texts
    for figures in found.by_part.values():
        lasting = [f for f in figures if f.unit in DAYS and f.kind == "count" and f.sign != "<"]
        days = [day for f in figures if (day := _day(found, f))]
        if len(lasting) == 1 and len(days) == 2 == len(figures) - 1 and found.asserted(figures[0].first):
            one, dates = lasting[0], [f for f in figures if f is not lasting[0]]
            behind = one.first > dates[1].first
            between = texts[dates[1].last : one.first] if behind else texts[one.last + 1 : dates[0].first]
            told, right = one.value * DAYS[one.unit], days[1] - days[0] + 365 * (days[1] < days[0])
            slack = 2 + 0.6 * DAYS[one.unit] + 366 * (right > 366)  # "2015 to 2019" may count both
            passed = (told - right if one.sign else abs(told - right)) <= slack
            if {*between} <= LINKS and (behind or one.last <= dates[0].first):
                says = f"{one.value:g} {one.unit}, with {right:g} days between the dates"
                yield Check("arithmetic", passed, says, tuple(f.span for f in figures))
    for at in [i for i, word in enumerate(texts) if word == "=" and texts[i - 3 : i - 1] == [")", "/"]]:
        opens = next((i for i in range(at - 4, max(0, at - 40), -1) if texts[i] == "("), at)
        terms = [token.number.value for token in found.stream[opens : at + 2] if token.number is not None]
        goes_on = texts[at + 2 : at + 3] == ["/"]  # "(18 + 22) / 2 = 40 / 2 = 20"
        if not goes_on and len(terms) > 3 and {*texts[opens + 2 : at - 3 : 2]} == {"+"} and terms[-2]:
            right = sum(terms[:-2]) / terms[-2]
            passed = abs(right - terms[-1]) <= max(0.06, 0.006 * right)
            says = f"{right:.4g}, stated {terms[-1]:g}"
            yield Check("arithmetic", passed, says, (found.span(opens, at + 2),), expected=f"{right:.4g}")


def _day(found: Evidence, figure: Figure) -> float:
    """A date or year as a number of days, 0 where it is none."""
    if is_year(found, figure):
        return 365.25 * figure.value
    texts = found.stream.texts
    beside = {*texts[figure.last : figure.last + 1], *texts[figure.first - 1 : figure.first]} & MONTHS.keys()
    return 30.44 * MONTHS[min(beside)] + figure.value if beside and 0 < figure.value < 32 else 0
