"""Sentences as a reader takes them: no semicolon in brackets ends one ("(95 % CI 1.1 to 1.4; p = 0.01)")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from biorlhf_plugins.language.evidence.records import Evidence, Figure
from biorlhf_plugins.language.evidence.signs import BREAKS


class Passage(NamedTuple):
    """Tokens [first, last) of one sentence, of the parts with these numbers, with its figures."""

    first: int
    last: int
    numbers: list[int]
    figures: list[Figure]


def passages(found: Evidence) -> list[Passage]:
    """Every sentence and list item that the text states; rows are read by their column instead."""
    texts = found.stream.texts
    joined: list[Passage] = []
    depth = 0
    for number, part in enumerate(found.parts):
        own = found.by_part.get(number, [])
        before = joined[-1] if joined else None
        if depth > 0 and before is not None and found.parts[before.numbers[0]].paragraph == part.paragraph:
            joined[-1] = Passage(before.first, part.last, [*before.numbers, number], [*before.figures, *own])
        else:
            depth = 0
            joined.append(Passage(part.first, part.last, [number], list(own)))
        here = texts[part.first : part.last]
        depth += here.count("(") - here.count(")")
    return [p for p in joined if found.parts[p.numbers[0]].kind != "row" and found.asserted(p.first)]


def clauses(found: Evidence, passage: Passage, commas: bool = False) -> Iterator[tuple[int, int]]:
    """Where each clause begins and ends: at "but", "and", ";", and at commas where asked, in no bracket."""
    texts = found.stream.texts
    depth, start = 0, passage.first
    for at in range(passage.first, passage.last):
        depth += (texts[at] == "(") - (texts[at] == ")")
        if depth <= 0 and texts[at] in BREAKS and (commas or texts[at] != ","):
            if at > start:
                yield start, at
            start = at + 1
    if start < passage.last:
        yield start, passage.last
