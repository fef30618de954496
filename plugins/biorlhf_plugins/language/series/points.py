"""Series of values over steps: pairs in a sentence, items of a list, two lists side by side, columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from biorlhf_plugins.language.evidence.records import LABELS, Evidence, content
from biorlhf_plugins.language.records import Span
from biorlhf_plugins.language.series.amounts import Amount, amounts, labelled, span_of
from biorlhf_plugins.language.series.columns import tables
from biorlhf_plugins.language.words.evidence import words_of

AT = frozenset(("at", "after", "on", "under", "with", "by", "for", "in"))
WEAK = frozenset(("with", "by", "for", "in", "after"))
"""What stands before a step only where a time or a dose follows."""
TIMES = words_of("times") | {"generation", "cycle", "passage", "mg/kg", "mg", "gy"}
PARTS = frozenset((",", ";", "and", "then", "but", "while", "or"))
UNTREATED = frozenset(("control", "vehicle", "baseline", "untreated", "without", "placebo", "start", "mock"))
STEPPED = words_of("times") | words_of("rungs") | {"(", "°", "ppfd", "gy", "mg", "ph"}
"""What the column of the steps is called; not "Patient" or "Site"."""
BEFORE_ALL = float("-inf")
MOST = 40


class Point(NamedTuple):
    step: float
    step_unit: str
    value: float
    unit: str
    token: int
    span: Span


class Series(NamedTuple):
    """Points in the order of their steps; ``names`` are of its column, ``subject`` stands before them."""

    points: Sequence[Point]
    parts: tuple[int, ...]
    names: frozenset[str] = frozenset()
    subject: frozenset[str] = frozenset()

    def paragraphs_near(self, found: Evidence, part: int) -> bool:
        """Whether a sentence stands in the paragraph of the series or beside its table or list."""
        own = found.parts[self.parts[0]]
        return own.kind in ("row", "item") or own.paragraph == found.parts[part].paragraph


def series(found: Evidence) -> Iterator[Series]:
    """Every series of at least three points."""
    run: list[tuple[int, Point]] = []
    for number, part in enumerate(found.parts):
        if part.kind == "row":
            continue
        figures = labelled(found, number)[:MOST]
        point = _item(found, figures) if part.kind == "item" else None
        if point is not None and (not run or number - run[-1][0] == 1):
            run.append((number, point))
            continue
        yield from _listed(run)
        run = [(number, point)] if point is not None else []
        if len(figures) >= 3:
            read = list(_pairs(found, number, figures)) or list(_lists(found, number, figures))
            for points in read:
                start = min(p.token for p in points)
                subject = content(found.stream, part.first, start) - {p.step_unit for p in points}
                yield Series(points, (number,), subject=subject)
    yield from _listed(run)
    yield from _columns(found)


def _listed(run: Sequence[tuple[int, Point]]) -> Iterator[Series]:
    points = [point for _, point in run]
    if len(points) >= 3 and _ordered(points):
        yield Series(points, tuple(n for n, _ in run))


def _ordered(points: Sequence[Point]) -> bool:
    """Whether each step is above the one before it, and all values have one unit."""
    units = {p.unit for p in points} - {""}
    return len(units) <= 1 and all(a.step < b.step for a, b in pairwise(points))


def _item(found: Evidence, figures: Sequence[Amount]) -> Point | None:
    """ "- 6 h: 0.30": the step and the value."""
    if len(figures) != 2 or any(f.low is not None for f in figures):
        return None
    step, value = figures
    return _point(found, step, value) if found.stream.texts[step.last] in (":", "—", "→", "=") else None


def _point(found: Evidence, step: Amount | None, value: Amount) -> Point:
    return Point(
        step.value if step else BEFORE_ALL, step.unit if step else "", value.value, value.unit, value.first,
        span_of(found, value),
    )  # fmt: skip


def _is_step(found: Evidence, figure: Amount) -> bool:
    """Whether a figure is when or at which dose: "at 0.3 mg/kg", "on flight day 2", "12 h:"."""
    texts = found.stream.texts
    before = texts[max(0, figure.first - 3) : figure.first]
    if before[-1:] and before[-1] in LABELS:
        return True
    if figure.unit == "%" or not before:
        return False
    near = [w for w in before[-2:] if w in AT]
    if not near or (len(before) > 1 and before[-1] in PARTS):
        return False
    return near[-1] not in WEAK or figure.unit in TIMES


def _pairs(found: Evidence, number: int, figures: Sequence[Amount]) -> Iterator[list[Point]]:
    """Values and steps that only "at", "on day" or a bracket part, in runs of rising steps."""
    texts = found.stream.texts
    points: list[Point] = []
    lead: Point | None = None
    at = 0
    while at < len(figures):
        one = figures[at]
        other = figures[at + 1] if at + 1 < len(figures) else None
        here, there = _is_step(found, one), other is not None and _is_step(found, other)
        between = texts[one.last : other.first] if other else []
        joined = here != there and _joined(between)
        if joined and here and at + 2 < len(figures) and other is not None and _is_step(found, figures[at + 2]):
            joined = not _joined(texts[other.last : figures[at + 2].first])  # "on day 10: 4 lesions on day 3"
        if joined and other is not None and one.low is None and other.low is None:
            point = _point(found, one, other) if here else _point(found, other, one)
            at += 2
        elif not here and not UNTREATED.isdisjoint(texts[one.last : one.last + 7]) and not points:
            point = _point(found, None, one)
            at += 1
        else:
            at += 1
            continue
        if points and point.step <= points[-1].step:
            # "Highest on day 2 (24), after 15 on day 0 …": what is told first has its place among the others.
            yield from _whole([*points, *([lead] if lead else [])])
            lead = points[0] if len(points) == 1 and not lead else None
            points = []
        points.append(point)
    yield from _whole([*points, *([lead] if lead else [])])


def _joined(between: list[str]) -> bool:
    """Whether a value and a step belong together: "at", "on day", "(", "h:"; not "h: it was"."""
    return len(between) <= 6 and PARTS.isdisjoint(between) and ":" not in between[:-1]


def _whole(points: list[Point]) -> Iterator[list[Point]]:
    points = sorted(set(points), key=_step)
    steps = {p.step_unit for p in points if p.step != BEFORE_ALL}
    if len(points) >= 3 and _ordered(points) and len(steps - {""}) <= 1:
        yield points


def _step(point: Point) -> float:
    return point.step


def _lists(found: Evidence, number: int, figures: Sequence[Amount]) -> Iterator[list[Point]]:
    """ "0.15, 0.30, 0.40 and 0.45 at 6, 12, 24 and 48 h", or the values alone."""
    texts = found.stream.texts
    runs: list[list[Amount]] = []
    for figure in figures:
        link = texts[runs[-1][-1].last : figure.first] if runs else []
        if runs and link in ([","], ["and"], [",", "and"], ["→"], ["to"], ["then"], [",", "then"], ["—"]):
            runs[-1].append(figure)
        else:
            runs.append([figure])
    runs = [run for run in runs if len(run) >= 3]
    stepped = [run for run in runs if _is_step(found, run[0]) or texts[run[0].first - 1] in LABELS]
    plain = [run for run in runs if run not in stepped]
    if len(plain) != 1 or len(stepped) > 1 or any(f.low is not None for f in plain[0]):
        return
    if stepped and (len(stepped[0]) != len(plain[0])):
        return
    steps: Sequence[Amount | None] = stepped[0] if stepped else [None] * len(plain[0])
    points = [_point(found, step, value) for step, value in zip(steps, plain[0], strict=True)]
    units = {p.unit for p in points} - {""}
    if len(units) <= 1 and (not stepped or _ordered(points)):
        yield points


def _columns(found: Evidence) -> Iterator[Series]:
    """Each column of figures beside one of rising steps, and each row below a header of them."""
    if "|" not in found.stream.vocabulary:
        return
    for table in tables(found):
        places = tuple(n for n, p in enumerate(found.parts) if p.kind == "row" and p.first >= table.header[0][0])
        steps = [_step_of(found, cells[0], own[0]) for cells, own in zip(table.rows, table.figures, strict=True)]
        head = set(found.stream.texts[slice(*table.header[0])])
        if len(steps) >= 3 and _rise(steps) and head & STEPPED:
            for i in range(1, len(table.header)):
                values = [row[i][0] if row[i] else None for row in table.figures]
                if all(v is not None for v in values):
                    points = [
                        _point(found, None, v)._replace(step=step or 0.0)
                        for step, v in zip(steps, values, strict=True)
                        if v is not None
                    ]
                    yield Series(points, places, content(found.stream, *table.header[i]))


def _rise(steps: Sequence[float | None]) -> bool:
    known = [s for s in steps if s is not None]
    return len(known) == len(steps) and all(a < b for a, b in pairwise(known))


def _step_of(found: Evidence, cell: tuple[int, int], figures: Sequence[Amount]) -> float | None:
    """The step that a row is called by: "0", "24 h", "Day 7", "Control"."""
    if len(figures) == 1:
        return figures[0].value
    texts = found.stream.texts[cell[0] : cell[1]]
    digits = [t.number for t in found.stream[cell[0] : cell[1]] if t.number is not None]
    if len(digits) == 1:
        return digits[0].value if digits[0].unit != "name" else float(digits[0].word) if digits[0].word.isdigit() else None
    return BEFORE_ALL if not UNTREATED.isdisjoint(texts) else None
