"""Figures with their places: the top that is named, and what follows of two.

"Highest at 24 h: 4.1 at 1 h, 38 at 6 h, 11.5 at 24 h"; "22 TPM in tumours and 5.5 in normal ones, so it is
down".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from biorlhf_plugins.language.evidence.comparisons import GREATER, INVERSE, SMALLER
from biorlhf_plugins.language.evidence.records import FUNCTION, Check, Evidence, Figure, content
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.relations.plain import ENDS, NAMELESS, PLACES, SO
from biorlhf_plugins.language.words.evidence import words_of

TIMES, CONTROLS = words_of("times"), words_of("controls") | {"wild", "normal", "watered", "wt"}
TOPS = words_of("most") - {"most", "latest"} | {"peak", "peaked", "maximum", "maximal"}
BOTTOMS = words_of("least") - {"least", "earliest", "fewest"} | {"minimum", "minimal"}
COMPARING = GREATER | SMALLER
CYCLES = frozenset(("ct", "cq", "sensitivity", "resistance"))
UPSIDE_DOWN = INVERSE | CYCLES
"""Of these, as of an IC50, the less is the more."""


class Place(NamedTuple):
    """A value and the words of where it was measured."""

    figure: Figure
    where: tuple[str, ...]


def placed(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    words = found.stream.vocabulary
    if not words.isdisjoint(UPSIDE_DOWN):
        return
    topped = not words.isdisjoint(TOPS | BOTTOMS)
    for number, figures in found.by_part.items():
        part = found.parts[number]
        several = len(figures) == 2 or (topped and len(figures) > 2)
        told = several and part.kind == "prose" and found.asserted(part.first)
        places = _placed(found, number) if told else []
        if len(places) >= 2:
            yield from _top(found, number, places)
        if len(places) == 2:
            yield from _concluded(found, number, places)


def _placed(found: Evidence, number: int) -> list[Place]:
    """ "4.1 TPM at 1 h, 38.0 TPM at 6 h": the figures of one measure, each with its own place."""
    part, texts = found.parts[number], found.stream.texts
    places: list[Place] = []
    for figure in found.by_part.get(number, ()):
        if figure.kind not in ("count", "percent") or figure.sign:
            continue
        at = next((i for i in range(figure.last, min(figure.last + 4, part.last)) if texts[i] in PLACES), 0)
        end = next((i for i in range(at + 1, part.last) if texts[i] in ENDS), part.last)
        where = tuple(w for w in texts[at + 1 : end] if w not in FUNCTION)
        if at and where and not any(p.figure.first <= figure.first < p.figure.last for p in places):
            places.append(Place(figure, where))
    units = {(p.figure.kind, p.figure.unit) for p in places if p.figure.unit not in TIMES}
    alike = [p for p in places if units and (p.figure.kind, p.figure.unit) == next(iter(units))]
    # The 1 of "at 1 h" is a place and no value.
    alike = [
        p
        for p in alike
        if not any(
            o.figure.first < p.figure.first < o.figure.first + 6 and f"{p.figure.value:g}" in o.where
            for o in places
        )
    ]
    return alike if len(units) == 1 and len({p.where for p in alike}) == len(alike) else []


def _top(found: Evidence, number: int, placed: Sequence[Place]) -> Iterator[Check]:
    """ "Highest at 24 h: …", "…; the maximum is in week 2": the place that is named has the most."""
    texts = found.stream.texts
    first, last = placed[0].figure.first, placed[-1].figure.last
    part = found.parts[number]
    spans = [(part.first, first, True), (last, part.last, False)]
    if number + 1 < len(found.parts) and found.parts[number + 1].kind == "prose":
        spans.append((found.parts[number + 1].first, found.parts[number + 1].last, False))
    for start, end, ahead in spans:
        at = next((i for i in range(start, end) if texts[i] in TOPS or texts[i] in BOTTOMS), None)
        if at is None or (at and texts[at - 1] in ("second", "next", "not", "almost")):
            continue
        if not ahead and not content(found.stream, start, at) <= NAMELESS | {texts[at]}:
            continue
        said = next((i for i in range(at + 1, min(at + 4, end)) if texts[i] in PLACES), None)
        if said is None or (ahead and texts[first - 1] not in (":", "(", "with", ",")):
            continue
        close = next((i for i in range(said + 1, end) if texts[i] in ENDS or texts[i] == "with"), end)
        where = tuple(w for w in texts[said + 1 : close] if w not in FUNCTION)
        mine = [p for p in placed if p.where == where]
        if len(mine) != 1:
            continue
        values = [p.figure.value for p in placed]
        right = max(values) if texts[at] in TOPS else min(values)
        value = mine[0].figure.value
        says = f"{texts[at]} at {' '.join(where)} with {value:g}, of {', '.join(f'{v:g}' for v in values)}"
        yield Check(
            "a superlative against its figures",
            value == right,
            says,
            (found.span(at, at + 1), mine[0].figure.span),
        )


def _concluded(found: Evidence, number: int, placed: Sequence[Place]) -> Iterator[Check]:
    """ "22 TPM in tumours and 5.5 TPM in normal kidney. In conclusion, it is down in tumours"."""
    texts, part = found.stream.texts, found.parts[number]
    last = placed[-1].figure.last
    if len(found.by_part[number]) != 2:
        return
    subject = content(found.stream, part.first, placed[0].figure.first)
    for at_part in (number, number + 1):
        if (
            at_part >= len(found.parts)
            or found.parts[at_part].kind != "prose"
            or (at_part > number and found.by_part.get(at_part))
        ):
            return
        start = max(last, found.parts[at_part].first)
        stop = found.parts[at_part].last
        ways = {
            at: label == "UP"
            for label, at in directions(found, at_part)
            if at >= start and label in ("UP", "DOWN")
        }
        ways |= {i: texts[i] in GREATER for i in range(start, stop) if texts[i] in COMPARING}
        if not ways:
            continue
        at = min(ways)
        lead = texts[start:at]
        named = content(found.stream, start, at) - NAMELESS - {w for p in placed for w in p.where}
        concludes = not SO.isdisjoint(lead) or ":" in lead or (not subject and at_part == number)
        if len(ways) > 1 or not concludes or (subject and not named <= subject) or "not" in lead:
            return
        side = _side(found, placed, texts[at + 1 : stop])
        if side is None:
            return
        mine, other = placed[side].figure.value, placed[1 - side].figure.value
        says = f"{texts[at]}, with {mine:g} against {other:g}"
        yield Check(
            "a direction against its figure",
            (mine > other) == ways[at] and mine != other,
            says,
            (found.span(at, at + 1), placed[side].figure.span),
        )
        return


def _side(found: Evidence, placed: Sequence[Place], after: Sequence[str]) -> int | None:
    """Whose direction it is: that of the side which is named after it, or of the one that is no control."""
    if after[:1] and after[0] in PLACES:
        end = next((i for i, w in enumerate(after) if w in ENDS or w == "than"), len(after))
        where = tuple(w for w in after[1:end] if w not in FUNCTION)
        mine = [n for n, p in enumerate(placed) if set(where) <= set(p.where) and where]
        return mine[0] if len(mine) == 1 else None
    controls = [not CONTROLS.isdisjoint(p.where) for p in placed]
    if len([w for w in after if w not in FUNCTION]) > 0 or controls.count(True) != 1:
        return None
    return controls.index(False)
