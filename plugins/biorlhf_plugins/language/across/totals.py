"""A total and its parts: "618 patients. 274 came from Germany, …"; or the parts first, "That makes 483"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.evidence.parts import OF_THESE, OPEN_ENDED, OVERLAPS, TIMES, whole_of
from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, gap, is_year
from biorlhf_plugins.language.evidence.shares import REST, WAYS, plain_of, way_of
from biorlhf_plugins.language.words.units import unit_at

SLIP = 0.35
"""Relative error up to which parts are meant to make their whole, where the words say that they divide it."""
HAVING = frozenset(("had", "has", "have", "reported", "showed", "show"))
"""Verbs of what several may share: "40 had fever, 35 cough"."""
LEFT_OUT = frozenset(("excluded", "failed", "dropped", "removed", "discarded", "lost"))
BEGINS = frozenset(("there", "they", "these", "those"))
SEPARATES = frozenset((",", "and", ";", "but", "while", "whereas"))
ENDS = (["altogether"], ["in", "total"], ["in", "all"], ["together"], ["that", "make"], ["this", "make"])
"""What begins a total of what was told before."""


def totals(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    for number, figures in found.by_part.items():
        if found.asserted(found.parts[number].first):
            yield from _ended(found, number)
            yield from _itemised(found, number)
        parts = _parts(found, number, figures)
        if len(parts) < 2 or not found.asserted(found.parts[number].first):
            continue
        before = counted(found, number - 1)
        wholes = [f for f in before if f.value > max(p.value for p in parts)]
        if not wholes or not _same_page(found, number, LEFT_OUT & parts[-1].right):
            continue
        total = sum(f.value for f in parts)
        whole = next((f for f in wholes if f.value == total), max(wholes, key=lambda f: f.value))
        # Where nothing says that the list is whole, only too much of it is wrong.
        off, slack = total - whole.value, _slack(found, number, parts)
        if off == 0 or 0 < off <= SLIP * whole.value or abs(off) <= slack * whole.value:
            yield whole_of(whole, parts)[0]


def _ended(found: Evidence, number: int) -> Iterator[Check]:
    """ "The first arm had 193 people, the second 194 and the third 96. That makes 483": of those alone."""
    part, texts = found.parts[number], found.stream.texts
    starts = [part.first, *(i + 1 for i in range(part.first, part.last) if texts[i] == ";")]
    for start in starts:
        if not any(texts[start : start + len(end)] == end for end in ENDS):
            continue
        here = counted(found, number)
        told = [f for f in here if f.first < start] if start > part.first else _told_before(found, number)
        whole = next((f for f in here if start < f.first <= start + 4), None)
        if whole is None or len(told) < 2 or not (start > part.first or _same_page(found, number)):
            continue
        total = sum(f.value for f in told)
        makes = texts[start + 1 : start + 2] == ["make"]
        off = total - whole.value
        if whole.value > max(f.value for f in told) and (off == 0 or makes or 0 < off <= 0.2 * whole.value):
            yield whole_of(whole, told)[0]


def _told_before(found: Evidence, number: int) -> list[Figure]:
    """The counts of the sentence before, with those joined to it: "Control: 4,210 cells; …"."""
    told = counted(found, number - 1)
    at = number - 1
    while at > 0 and found.stream.texts[found.parts[at].first - 1] == ";" and len(told) < 9:
        at -= 1
        told = [*counted(found, at), *told]
    return told


def _itemised(found: Evidence, number: int) -> Iterator[Check]:
    """ "22,000 nuclei remained:" and a list of items with one count each."""
    part, texts = found.parts[number], found.stream.texts
    last = part.last
    while last > part.first and texts[last - 1] == "\n":
        last -= 1
    if part.kind == "item" or ":" not in texts[last - 1 : last + 1]:
        return
    blank = (
        n for n in range(number + 1, len(found.parts)) if found.words(n) or found.parts[n].kind == "item"
    )
    listed_from = range(next(blank, number), len(found.parts))
    items = list(itertools.takewhile(lambda n: found.parts[n].kind == "item", listed_from))
    parts = [counted(found, n) for n in items]
    if len(items) < 2 or any(len(p) != 1 for p in parts):
        return
    listed = [p[0] for p in parts]
    if len(items) == 2 and {WAYS.get(w) for p in listed for w in p.words} != {"up", "down", None}:
        return
    told = counted(found, number) or (counted(found, number - 1) if _same_page(found, number) else [])
    wholes = [f for f in told if f.value > max(p.value for p in listed)]
    total = sum(f.value for f in listed)
    words = texts[part.first : found.parts[items[-1]].last]
    if (
        len(wholes) == 1
        and abs(total - wholes[0].value) <= SLIP * wholes[0].value
        and OVERLAPS.isdisjoint(words)
    ):
        yield whole_of(wholes[0], listed)[0]


def counted(found: Evidence, number: int) -> list[Figure]:
    """The things that a sentence counts, outside brackets: no times, no measured values."""
    if number in found.things:
        return found.things[number]
    plain = [f for f in plain_of(found.by_part.get(number, ())) if not f.decimals and f.value >= 2]
    plain = [f for f in plain if f.unit not in TIMES and not unit_at(found.said.text, *f.span)]
    plain = [f for f in plain if f.unit or not _in_ratio(found, f)]
    found.things[number] = [f for f in plain if not _enclosed(found, f) and not is_year(found, f)]
    return found.things[number]


def _in_ratio(found: Evidence, figure: Figure) -> bool:
    """The 1 and the 2 of "1:2"."""
    stream, first, last = found.stream, figure.first, figure.last
    behind = stream.texts[last : last + 1] == [":"] and last + 1 < len(stream)
    ahead = first > 1 and stream.texts[first - 1] == ":" and stream[first - 2].number is not None
    return ahead or (behind and stream[last + 1].number is not None)


def plural(found: Evidence, at: int) -> bool:
    """Whether a token is written as a plural."""
    if at >= len(found.stream):
        return False
    token = found.stream[at]
    start, end = found.said.clean.span(token.start, token.end)
    return token.kind == "w" and found.said.text[start:end].endswith("s")


def _enclosed(found: Evidence, figure: Figure) -> bool:
    before = found.stream.texts[found.parts[figure.part].first : figure.first]
    return before.count("(") > before.count(")")


def _same_page(found: Evidence, number: int, parted: frozenset[str] = frozenset()) -> bool:
    """Whether a sentence goes on from the one before it, and neither speaks of what parts have in common;
    ``parted`` is said of a part itself: "and 8 were excluded"."""
    one, other = found.parts[number - 1], found.parts[number]
    words = found.stream.texts[one.first : other.last]
    prose = one.kind == other.kind == "prose" and one.paragraph == other.paragraph
    open_ended = OPEN_ENDED - {"among", "rest", "other"} | {"included", "include"}
    return prose and ((OVERLAPS - parted) | open_ended).isdisjoint(words)


def _parts(found: Evidence, number: int, figures: Sequence[Figure]) -> list[Figure]:
    """The parts that a sentence lists, where it begins like a list of them and counts nothing else."""
    part, texts = found.parts[number], found.stream.texts
    opens = texts[part.first : part.first + 2]
    plain = counted(found, number)
    units = {f.unit for f in counted(found, number - 1)} if number else set()
    alike = [f for f in plain if f.unit and f.unit in units]
    plain = alike if len(alike) > 1 else plain  # and not the reads of "88 samples passed 10,000 reads"
    first = plain[0].first - part.first if plain else 99
    led = tuple(opens) in OF_THESE or (opens[:1] and opens[0] in BEGINS) or first == 0
    listed = all(
        SEPARATES & set(between) and "of" not in between[-2:]
        for between in (gap(found, a, b) for a, b in itertools.pairwise(plain))
    )
    others = [f for f in plain_of(figures) if f not in (*plain, *counted(found, number))]
    others = [f for f in others if not _enclosed(found, f)]
    said = {WAYS.get(w, w) for w in texts[part.first : part.last]}
    divides = not (REST | LEFT_OUT | {"up", "down"}).isdisjoint(said)
    partition = len(plain) > 2 or opens[:1] == ["there"] or divides
    had = HAVING.isdisjoint(texts[part.first : part.last])
    last = plain[-1] if plain else None
    rest = last is not None and not REST.isdisjoint(texts[last.first - 2 : last.first])
    return plain if ((led and first <= 4) or rest) and listed and partition and had and not others else []


def _slack(found: Evidence, number: int, parts: Sequence[Figure]) -> float:
    """How far parts may be from a whole that they are meant to make; below 0 where nothing says so."""
    part = found.parts[number]
    words = set(found.stream.texts[part.first : part.last])
    ways = {way_of(found, f, part.last) for f in parts}
    divides = bool(words & REST) or {"up", "down"} == ways or "else" in words or {"came", "from"} <= words
    return SLIP if divides else -1.0
