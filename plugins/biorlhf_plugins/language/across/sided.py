"""The longer, higher, lower of two, and the two: "longer with A: 14.2 months against 9.6 with B"."""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.language.evidence.comparisons import GREATER, SMALLER
from biorlhf_plugins.language.evidence.conclusions import DENIED, MEASURED
from biorlhf_plugins.language.evidence.records import Check, Evidence, content, gap
from biorlhf_plugins.language.words.evidence import words_of

AGAINST = frozenset(("against", "vs", "versus", "compared", "and", "wherea", "while", "but"))
PLACES = words_of("places") | {"than", "after"}


def sided(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    if found.stream.vocabulary.isdisjoint(MEASURED) or ":" not in found.stream.vocabulary:
        return
    texts = found.stream.texts
    for number, figures in found.by_part.items():
        part = found.parts[number]
        colon = next((i for i in range(part.first, part.last) if texts[i] == ":"), 0)
        words = [i for i in range(part.first, colon) if texts[i] in MEASURED]
        pair = [f for f in figures if f.first > colon and f.kind in ("count", "percent") and not f.sign]
        if len(words) != 1 or len(pair) != 2 or len(figures) != 2 or part.kind == "row":
            continue
        at, (one, other) = words[0], pair
        said = one.kind == other.kind and one.unit == other.unit and one.value != other.value
        if not said or not found.asserted(at) or not DENIED.isdisjoint(texts[part.first : colon]):
            continue
        side = content(found.stream, at + 1, next((i for i in range(at, colon) if texts[i] == "than"), colon))
        starts = (colon + 1, one.last)
        mine = [
            bool((f.right | content(found.stream, a, f.first)) & side)
            for f, a in zip(pair, starts, strict=True)
        ]
        joined = not AGAINST.isdisjoint(gap(found, one, other))
        if not joined or not side or texts[at + 1] not in PLACES or all(mine):
            continue
        direct = not AGAINST.isdisjoint(gap(found, one, other)[:2])
        bare = (
            direct
            and not content(found.stream, colon + 1, one.first)
            and len(one.right) <= 1 < len(other.right)
        )
        if mine == [False, False] and not bare:
            continue  # "lower after the drug: 152 at baseline and 131 on treatment"
        # Without any words the first of the two is of the side that was named.
        here, there = (other, one) if mine == [False, True] else (one, other)
        word = texts[at]
        if word in GREATER or word in SMALLER:
            says = f"{word}, with {here.value:,g} against {there.value:,g}"
            passed = (here.value > there.value) == (word in GREATER)
            yield Check("a comparison against its figures", passed, says, (one.span, other.span))
