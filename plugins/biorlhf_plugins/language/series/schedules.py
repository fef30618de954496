"""How often and for how long, and how many that makes; which days lie before, within and after a window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.series.amounts import amounts
from biorlhf_plugins.language.series.lengths import DAYS, Length, lengths
from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.language.words.spelt import WORD_NUMBERS

GIVEN = words_of("given")
"""What is given or taken again and again: "dose", "injection"."""
OFTEN = {"once": 1.0, "twice": 2.0, "thrice": 3.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0}
DAILY = {"daily": 1.0, "weekly": 7.0, "monthly": 30.44}
BEFORE = frozenset(("before", "precede", "preceded", "preceding", "prior"))
AFTER = frozenset(("after", "follow", "followed", "following", "afterward"))
WITHIN = frozenset(("within", "during", "inside"))


def schedules(found: Evidence) -> Iterator[Check]:
    """Every number of doses against how often they are given, and samples against the days of a course."""
    words = found.stream.vocabulary
    if not words.isdisjoint(GIVEN):
        for number, part in enumerate(found.parts):
            if part.kind != "row" and found.asserted(part.first):
                yield from _doses(found, number)
    if "day" in words or "week" in words:
        yield from _sides(found)


def _doses(found: Evidence, number: int) -> Iterator[Check]:
    """ "Every 12 hours for 5 days, which amounts to 10 doses"."""
    texts = found.stream.texts
    lasting = lengths(found, number)
    rates = list(_rates(found, number, lasting))
    spans = [x for x in lasting if texts[x.first - 1] in ("for", "over")]
    spans = [x for x in spans if all(x.first >= last or x.last <= first for _, first, last in rates)]
    counts = [f for f in amounts(found, number) if f.unit in GIVEN and not f.decimals and f.low is None]
    if len(rates) != 1 or len(spans) != 1 or len(counts) != 1 or spans[0].first > counts[0].first:
        return
    if not {"each", "every", "per", "missed", "first", "of"}.isdisjoint(texts[counts[0].first - 1 : counts[0].first]):
        return
    period, first, last = rates[0]
    right = spans[0].days / period
    passed = right - 1.01 <= counts[0].value <= right + 1.01 if period > 1 else abs(right - counts[0].value) <= 1.01
    says = f"every {period:g} days for {spans[0].value:g} {spans[0].unit}, stated {counts[0].value:g}"
    yield Check(
        "doses against their interval", passed, says,
        (found.span(first, last), found.span(counts[0].first, counts[0].last)),
    )  # fmt: skip


def _rates(found: Evidence, number: int, lasting: Sequence[Length]) -> Iterator[tuple[float, int, int]]:
    """How many days lie between two doses, with the tokens that say it."""
    texts, part = found.stream.texts, found.parts[number]
    for x in lasting:
        if texts[x.first - 1] == "every":
            yield x.days, x.first - 1, x.last
    for at in range(part.first, part.last):
        word, before = texts[at], texts[at - 1] if at else ""
        if word in DAILY:
            yield DAILY[word] / OFTEN.get(before, 1.0), at - 1, at + 1
        elif word in DAYS and before in ("a", "per", "each", "every") and word not in ("h", "hour"):
            times = texts[at - 3 : at - 1]
            often = OFTEN.get(times[-1]) if times else None
            if times[-1:] == ["time"]:
                often = float(WORD_NUMBERS.get(times[0], int(times[0]) if times[0].isdigit() else 0)) or None
            if often is not None or before == "every":
                yield DAYS[word] / (often or 1.0), at - 2, at + 1


def _sides(found: Evidence) -> Iterator[Check]:
    """ "Days 0 to 6 … on days -3, 3, 7, 30 and 90. Thus one sample precedes the course"."""
    windows, days = [], []
    for number, part in enumerate(found.parts):
        figures = amounts(found, number)
        runs = _runs(found, number)
        days += [run for run in runs if len(run) >= 3]
        texts = found.stream.texts
        for f in figures:
            if f.low is not None and texts[f.first - 1] in ("day", "week") and f.high is not None:
                windows.append((f.low, f.high))
        for at in range(part.first, part.last - 3):
            ends = [found.stream[i].number for i in (at + 1, at + 3)]
            if texts[at] in ("day", "week") and texts[at + 2] in ("to", "–", "through") and None not in ends:
                low, high = (float(n.word) if n and n.word.lstrip("-").isdigit() else 0.0 for n in ends)
                windows.append((low, high))
    windows = sorted(set(windows))
    if len(windows) != 1 or len(days) != 1:
        return
    low, high = windows[0]
    sides = {
        "before": sum(d < low for d in days[0]), "after": sum(d > high for d in days[0]),
        "within": sum(low <= d <= high for d in days[0]),
    }  # fmt: skip
    for number, part in enumerate(found.parts):
        yield from _counted(found, part.first, part.last, sides)


def _runs(found: Evidence, number: int) -> list[list[float]]:
    """Lists of days: "on days -3, 3, 7, 30 and 90"."""
    texts, part = found.stream.texts, found.parts[number]
    runs: list[list[float]] = []
    for at in range(part.first, part.last):
        if texts[at] not in ("day", "week"):
            continue
        run, i = [], at + 1
        while i < part.last and (texts[i] in (",", "and") or found.stream[i].number is not None):
            token = found.stream[i].number
            if token is not None and token.word.lstrip("-").isdigit():
                run.append(float(token.word))
            i += 1
        runs.append(run)
    return runs


def _counted(found: Evidence, first: int, last: int, sides: dict[str, int]) -> Iterator[Check]:
    """ "Two samples precede the course, one falls within it and two follow it"."""
    texts = found.stream.texts
    for at in range(first, last):
        word = texts[at]
        side = "before" if word in BEFORE else "after" if word in AFTER else "within" if word in WITHIN else ""
        if not side:
            continue
        near = range(at - 1, max(first, at - 4) - 1, -1)
        count = next((i for i in near if texts[i] in WORD_NUMBERS or texts[i].isdigit()), -1)
        between = texts[count + 1 : at]
        plain = {"sample", "fall", "it", "of", "them", "lie", "taken", "was", "were", "time", "point", "is", "are"}
        if count < 0 or not set(between) <= plain or texts[count - 1] in ("day", "week"):
            continue
        stated = WORD_NUMBERS[texts[count]] if texts[count] in WORD_NUMBERS else int(texts[count])
        says = f"{sides[side]} {side}, stated {stated}"
        yield Check("samples against their days", stated == sides[side], says, (found.span(count, at + 1),))
