"""The sign of a correlation against the words beside it: "rises as rainfall increases (r = -0.72)"."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.evidence.signs import directions

NAMES = frozenset(("r", "rho", "ρ", "r_s"))
AS = frozenset(("as", "when", "with", "where"))
SIGNS = {"positive": 1, "positively": 1, "negative": -1, "negatively": -1, "inverse": -1, "inversely": -1}
CORRELATED = frozenset(("correlation", "correlate", "correlated", "association", "associated", "related"))


def correlated(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    if found.stream.vocabulary.isdisjoint(NAMES):
        return
    texts = found.stream.texts
    for number, figures in found.by_part.items():
        part = found.parts[number]
        # "(r = -0.72)", with nothing added: of another pair than the sentence's it would say of which.
        named = [f for f in figures if texts[f.first - 1] == "=" and texts[f.first - 2] in NAMES]
        named = [
            f for f in named if "(" in texts[f.first - 4 : f.first] and _ends(texts[f.last : f.last + 1])
        ]
        named = [f for f in named if -1 <= f.value <= 1 and f.value and not f.sign]
        if len(named) != 1 or not found.asserted(part.first):
            continue
        way = _stated(found, number)
        if way:
            says = f"{'together' if way > 0 else 'against each other'}, with {named[0].value:g}"
            passed = (named[0].value > 0) == (way > 0)
            yield Check("a correlation against its sign", passed, says, (named[0].span,))


def _ends(after: list[str]) -> bool:
    return after in ([")"], [","], [";"])


def _stated(found: Evidence, number: int) -> int:
    """1 where a sentence has two things go together, -1 where they go against each other, else 0."""
    part, texts = found.parts[number], found.stream.texts
    told = {
        SIGNS[a] for a, b in pairwise(texts[part.first : part.last]) if a in SIGNS and b in CORRELATED
    } | {SIGNS[b] for a, b in pairwise(texts[part.first : part.last]) if b in SIGNS and a in CORRELATED}
    if told:
        return told.pop() if len(told) == 1 else 0
    ways = [w for w in directions(found, number) if w[0] in ("UP", "DOWN")]
    if (
        len(ways) != 2
        or "and" in texts[ways[0][1] : ways[1][1]]
        or AS.isdisjoint(texts[ways[0][1] : ways[1][1]])
    ):
        return 0
    return 1 if ways[0][0] == ways[1][0] else -1
