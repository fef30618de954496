"""When a course is said to peak: "2.1 on day 3, 5.9 on day 7 and 4.4 on day 10. It peaked on day 7"."""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.language.evidence.records import Check, Evidence

TIMED = frozenset(("day", "week", "month", "hour", "year", "stage", "cycle", "generation"))
PEAKED = frozenset(("peak", "peaked", "maximal", "culminated"))
REACH = 6
"""Tokens from a figure to its time, and from the peak to its."""


def peaks(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    if found.stream.vocabulary.isdisjoint(PEAKED):
        return
    texts = found.stream.texts
    for number, part in enumerate(found.parts):
        for at in (i for i in range(part.first, part.last) if texts[i] in PEAKED and found.asserted(i)):
            when = _time(found, at + 1, part.last)
            for told in (number, number - 1) if when else ():
                course = _course(found, told)
                if len(course) > 2 and when in course:
                    value = course[when]
                    says = f"{value:g} at its peak, {when}, of {', '.join(f'{v:g}' for v in course.values())}"
                    passed = value == max(course.values())
                    yield Check("a course against its figures", passed, says, (found.span(at, at + 1),))
                    break


def _time(found: Evidence, first: int, last: int) -> str:
    """The "day 7" that follows, before any other clause; "" where none does."""
    texts = found.stream.texts
    for at in range(first, min(first + REACH, last - 1)):
        if texts[at] in TIMED and texts[at - 1] in ("on", "at", "in") and texts[at + 1].isdigit():
            return f"{texts[at]} {texts[at + 1]}"
        if texts[at] in (",", ";", ".", "and"):
            break
    return ""


def _course(found: Evidence, number: int) -> dict[str, float]:
    """The values of a sentence by their times; {} where one time has two."""
    course: dict[str, float] = {}
    figures = [f for f in found.by_part.get(number, ()) if f.kind in ("count", "percent") and not f.sign]
    for figure in figures:
        when = _time(found, figure.last, found.parts[number].last)
        if when in course:
            return {}
        if when:
            course[when] = figure.value
    return course
