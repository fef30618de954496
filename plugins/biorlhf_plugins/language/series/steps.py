"""A series over doses, times or steps against what is said of its course.

A series is read from pairs ("88 % at 0.3 mg/kg"), list items, two lists of one length, a chain of arrows or a
table's column. "Fell at each step", "doubled from each to the next", "a plateau from 500 on" and "peaked at
day 3" are held against it where there is one series only that they can be about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.series.courses import CLOCK, Course, courses
from biorlhf_plugins.language.series.points import Point, Series, series
from biorlhf_plugins.language.words.evidence import words_of

CONCLUDES = words_of("concludes")
LEVEL = 0.3
"""The share of its value by which a plateau may still rise or fall."""
ABOUT = 0.25
"""The share by which a step may miss the factor that is said of all of them."""
LOOSE = 0.15
"""The share of the whole course by which "dose-dependently" may go back."""
UNTOLD = words_of("untold") | words_of("rises") | words_of("falls") | words_of("rungs") | words_of("times")
"""Words that name nothing that rises or falls."""


def steps(found: Evidence) -> Iterator[Check]:
    """Every course that is told, against the one series that it can be of."""
    told = list(courses(found))
    if not told:
        return
    read = list(series(found))
    for course in told:
        own = _own(found, course, read)
        if own is not None and len(own.points) >= 3:
            yield from _checked(found, course, own)


def _own(found: Evidence, course: Course, read: Sequence[Series]) -> Series | None:
    """The series of the course's sentence; else the only one beside it, or whose column it names."""
    here = [s for s in read if course.part in s.parts]
    if here:
        first = here[0].points[0].token
        other = {"whereas", "wherea", "while", "but", "unlike"} & set(found.stream.texts[course.token : first])
        return here[0] if len(here) == 1 and not other and not _other_steps(course, here[0]) else None
    near = [s for s in read if min(abs(course.part - p) for p in s.parts) <= 2 and s.paragraphs_near(found, course.part)]
    part = found.parts[course.part]
    concludes = not CONCLUDES.isdisjoint(found.stream.texts[part.first : part.first + 3])
    about = course.about - UNTOLD if not concludes else frozenset()
    if len(near) > 1 or (near and near[0].names):
        fits = [s for s in near if _alike(s.names, about)]
        near = fits or (near if len(near) == 1 and not about else [])
    elif near and near[0].subject - UNTOLD and about and not _alike(near[0].subject, about):
        return None  # "TNF peaked at 2 h. IL-6 was 40 at 1 h, …"
    return near[0] if len(near) == 1 else None


def _alike(names: frozenset[str], words: frozenset[str]) -> bool:
    """Whether two sets share a word, or its stem: "hatch" and "hatching"."""
    return any(a == b or (len(a) > 4 and a[:5] == b[:5]) for a in names for b in words)


def _other_steps(course: Course, own: Series) -> bool:
    """ "At each dose" over a series of days."""
    timed = any(p.step_unit in CLOCK for p in own.points)
    return bool(course.rung) and (course.rung in CLOCK) != timed and any(p.step_unit for p in own.points)


def _checked(found: Evidence, course: Course, own: Series) -> Iterator[Check]:
    points = own.points
    if course.after >= 0 and course.part in own.parts:
        points = [p for p in points if p.token > course.after]
    values = [p.value for p in points]
    span = (points[0].span[0], points[-1].span[1]) if points else (0, 0)
    says = ", ".join(f"{v:g}" for v in values)
    passed: bool | None = None
    if course.kind == "monotone" and len(values) > 1:
        passed = _goes(values, course.way, course.loose)
    elif course.kind == "factor" and all(v > 0 for v in values) and len(values) > 2:
        passed = _multiplies(values, course.factor, course.way)
    elif course.kind == "plateau":
        passed = _levels(points, course.steps)
    elif course.kind in ("peak", "trough"):
        passed = _extreme(points, course)
    if passed is not None:
        ordered = tuple(sorted((course.span, span)))
        yield Check("a course against its figures", passed, f"{course.says}: {says}", ordered)


def _goes(values: Sequence[float], way: str, loose: bool) -> bool:
    """Whether each value is above (or below) the one before it; without a way, either will do."""
    slack = LOOSE * (max(values) - min(values)) if loose else 0.0
    rises = all(b > a - slack if loose else b > a for a, b in pairwise(values))
    falls = all(b < a + slack if loose else b < a for a, b in pairwise(values))
    if loose and way:
        return (rises and values[-1] > values[0]) if way == "up" else (falls and values[-1] < values[0])
    return rises if way == "up" else falls if way == "down" else rises or falls


def _multiplies(values: Sequence[float], factor: float, way: str) -> bool:
    factor = 1 / factor if way == "down" else factor
    return all(abs(b / a / factor - 1) <= ABOUT for a, b in pairwise(values))


def _levels(points: Sequence[Point], onsets: Sequence[float]) -> bool | None:
    """Whether the values change little from the onset on, or where none is told, at the end."""
    starts = [i for i, p in enumerate(points) if p.step in onsets]
    if starts and starts[0] < len(points) - 1:
        level = [p.value for p in points[starts[0] :]]
        return max(level) - min(level) <= LEVEL * max(abs(level[0]), 1e-9)
    if onsets:
        return None
    one, other = points[-2].value, points[-1].value
    whole = max(p.value for p in points) - min(p.value for p in points)
    return abs(other - one) <= max(LEVEL * abs(one), 0.2 * whole)


def _extreme(points: Sequence[Point], course: Course) -> bool | None:
    """Whether the value at the named step is the greatest; or the named value is."""
    values = [p.value for p in points]
    best = (max if course.kind == "peak" else min)(values)
    if course.place == "middle":
        return values[0] != best and values[-1] != best
    if course.place:
        return values[0 if course.place == "first" else -1] == best
    at = [p for p in points if p.step in course.steps and p.step_unit in ("", *course.units)]
    if len(at) == 1:
        return at[0].value == best
    named = [p for p in points if p.value in course.steps and p.unit in course.units]
    return named[0].value == best if len(named) == 1 and not at else None
