"""What is said of the course of a series: "rose monotonically", "doubled with each", "peaked at day 3"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from biorlhf_plugins.language.evidence.records import Evidence, content
from biorlhf_plugins.language.records import Span
from biorlhf_plugins.language.series.amounts import labelled
from biorlhf_plugins.language.words.evidence import meanings, words_of

ALWAYS, GRADUAL = words_of("always_so"), words_of("gradual")
EACH = frozenset(("each", "every", "successive", "consecutive"))
RUNGS = words_of("rungs")
RISES, FALLS = words_of("rises"), words_of("falls")
FOLDS = meanings("folds")
PLATEAUS, PEAKS, TROUGHS = words_of("plateaus"), words_of("peaks"), words_of("troughs")
TURNS = words_of("turns")
"""What ends a course, so that it is none of the whole series: "until day 30", "at first", "except"."""
NOT = frozenset(("not", "no", "never", "without", "neither", "nor", "nearly", "almost", "hardly", "if", "would"))
PLACES = {"intermediate": "middle", "middle": "middle", "medium": "middle", "first": "first", "last": "last"}
SOONER = frozenset(("lowest", "earliest", "smallest", "first"))
LATER = frozenset(("highest", "latest", "largest", "last", "final", "longest"))


class Course(NamedTuple):
    """``after`` is the token that the course begins at ("and then declined"), or -1; ``steps`` are figures."""

    kind: str
    way: str
    part: int
    span: Span
    says: str
    loose: bool = False
    factor: float = 0.0
    after: int = -1
    place: str = ""
    steps: tuple[float, ...] = ()
    units: tuple[str, ...] = ()
    token: int = 0
    rung: str = ""
    """The step that is said, where it is a time or a dose: "at each dose"."""
    about: frozenset[str] = frozenset()
    """The words of its clause."""


def courses(found: Evidence) -> Iterator[Course]:
    """Every course that a text tells in plain words, not those that it denies or limits."""
    words = found.stream.vocabulary
    if words.isdisjoint(ALWAYS | GRADUAL | EACH | PLATEAUS | PEAKS | TROUGHS):
        return
    for number, part in enumerate(found.parts):
        if part.kind == "row" or not found.asserted(part.first):
            continue
        texts = found.stream.texts[part.first : part.last]
        if ALWAYS.isdisjoint(texts) and words.isdisjoint(texts):
            continue
        for at in range(part.first, part.last):
            for course in _at(found, number, at):
                start, end = _clause(found, part.first, part.last, at)
                rung = next((w for w in found.stream.texts[at + 1 : at + 3] if w in MEASURED), "")
                about = content(found.stream, start, end)
                yield course._replace(token=at, about=about, rung=rung)


CLAUSES = frozenset((",", ";", ":", "wherea", "whereas", "while", "but", "(", ")", "so", "and"))


def _clause(found: Evidence, first: int, last: int, at: int) -> tuple[int, int]:
    texts = found.stream.texts
    start = next((i + 1 for i in range(at - 1, first - 1, -1) if texts[i] in CLAUSES), first)
    return start, next((i for i in range(at, last) if texts[i] in CLAUSES), last)


def _at(found: Evidence, number: int, at: int) -> Iterator[Course]:
    texts, part = found.stream.texts, found.parts[number]
    word, span = texts[at], found.span(at, at + 1)
    before = texts[max(part.first, at - 4) : at]
    if not NOT.isdisjoint(before):
        return
    turned = not TURNS.isdisjoint(texts[at + 1 : part.last])
    each = word in EACH and not RUNGS.isdisjoint(texts[at + 1 : at + 4])
    if (word in ALWAYS or word in GRADUAL or each) and not turned:
        way, place = _way(found, number, at)
        factor = next((FOLDS[w] for w in texts[max(part.first, at - 5) : at + 3] if w in FOLDS), 0.0)
        after = _then(found, part.first, at)
        if factor and each:
            half = "down" if "halved" in before else "up"
            yield Course("factor", half, number, span, f"{factor:g}-fold each", factor=factor, after=after)
        elif way or word in ("monotonically", "monotonic"):
            near = word in GRADUAL
            says = f"{way or 'one way'} {word}"
            yield Course("monotone", way, number, span, says, loose=near, after=after)
    elif word in PLATEAUS and (not word.startswith("level") or texts[at + 1 : at + 2] == ["off"]):
        near = [f for f in labelled(found, number) if at < f.first <= at + 8 and f.low is None]
        near = near[:1] if near and not ONSETS.isdisjoint(texts[at + 1 : near[0].first]) else []
        yield Course("plateau", "", number, span, "a plateau", steps=tuple(f.value for f in near))
    elif word in PEAKS or word in TROUGHS:
        yield from _extreme(found, number, at)


ONSETS = frozenset(("from", "at", "after", "by", "beyond", "above", "around", "day", "hour", "week"))


def _extreme(found: Evidence, number: int, at: int) -> Iterator[Course]:
    """ "Peaked at 24 h", "was highest on day 2", "peaked at the intermediate rate"."""
    texts, part = found.stream.texts, found.parts[number]
    kind = "peak" if texts[at] in PEAKS else "trough"
    after = texts[at + 1 : at + 6]
    if not {"at", "on", "after", "in", "by", "with"}.intersection(after[:2]):
        return
    span = found.span(at, at + 1)
    for word in after[1:4]:
        place = PLACES.get(word, "first" if word in SOONER else "last" if word in LATER else "")
        if place and not RUNGS.isdisjoint(after):
            yield Course(kind, "", number, span, f"{kind} at the {word}", place=place)
            return
    near = [f for f in labelled(found, number) if at < f.first <= at + 5 and f.low is None]
    if near:
        yield Course(
            kind, "", number, span, f"{kind} at {near[0].value:g}", steps=(near[0].value,), units=(near[0].unit, "")
        )


def _way(found: Evidence, number: int, at: int) -> tuple[str, int]:
    """The way of the nearest word of rising or falling around a place, if only one is said."""
    texts, part = found.stream.texts, found.parts[number]
    near = [i for i in range(max(part.first, at - 8), min(part.last, at + 5)) if _moves(texts, i)]
    if not near:
        return "", -1
    best = min(near, key=lambda i: abs(i - at))
    ways = {"up" if texts[i] in RISES else "down" for i in range(part.first, part.last) if _moves(texts, i)}
    # "The IC50 fell, so potency increased steadily: 900, 120, 14": of which the figures are stays open.
    return ("either" if len(ways) > 1 else "up" if texts[best] in RISES else "down"), best


def _moves(texts: list[str], at: int) -> bool:
    """Whether a word says that something rises or falls; "the fall was less steep" says how."""
    if texts[at] not in RISES and texts[at] not in FALLS:
        return False
    after = texts[at + 1] if at + 1 < len(texts) else ""
    if texts[at] in COMPARED:
        return after in ("with", "at", "in", "after", "on", "each", "every", ",", ".", ":")
    return after not in ("is", "was", "were")


CLOCK = frozenset(("day", "h", "hour", "min", "minute", "month", "week", "year", "dpi"))
MEASURED = CLOCK | {"dose", "concentration"}
COMPARED = frozenset(("more", "less", "fewer", "lower", "higher", "larger", "greater", "smaller"))


def _then(found: Evidence, first: int, at: int) -> int:
    """Where "and then" stands before a course that begins with it."""
    words = ("then", "thereafter", "subsequently", "afterward", "followed", "before")
    return next((i for i in range(at, first - 1, -1) if found.stream.texts[i] in words), -1)
