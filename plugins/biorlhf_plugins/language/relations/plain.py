"""Parts that come to more than their whole: "Of 151 patients 140 completed and 31 dropped out"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, once
from biorlhf_plugins.language.evidence.shares import is_of
from biorlhf_plugins.language.words.evidence import words_of

LOST = words_of("lost_from") | {"dropped", "dead"}
REST = words_of("rest") | {"other"}
OVERLAPS = words_of("overlaps") | frozenset((
    "also", "least", "including", "include", "such", "had", "have", "has", "them", "each", "per", "against",
    "versus", "vs", "than",
))  # fmt: skip
MADE = frozenset(("comprise", "comprised", "comprising", "consist", "namely", "fall", "divided", "split"))
WITH = frozenset(("with", "as", "without", "carry", "carried", "express"))
IS = frozenset(("is", "are", "was", "were", "be"))
NOT = (["not"], *([word, "not"] for word in ("do", "did", "does", "is", "are", "was", "were")))


def plain(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    for number, part in enumerate(found.parts):
        if part.kind != "prose" or not found.asserted(part.first):
            continue
        shares = [f for f in found.by_part.get(number, ()) if f.kind in ("count", "percent") and not f.sign]
        yield from _not(found, number, shares)
        counts = _counts(found, number)
        if counts:
            yield from _parts(found, number, counts)


@once
def _counts(found: Evidence, number: int) -> list[Figure]:
    """The figures of a sentence that count things: no measures, shares or names."""
    return [
        f
        for f in found.by_part.get(number, ())
        if f.kind == "count" and not (f.sign or f.decimals or found.unit(f))
    ]


def _parts(found: Evidence, number: int, counts: Sequence[Figure]) -> Iterator[Check]:
    """Parts that exclude each other are no more than their whole."""
    part, texts = found.parts[number], found.stream.texts
    whole, parts = _whole(found, number, counts) if len(counts) == len(found.by_part[number]) else (None, ())
    if whole is None or len(parts) < 2:
        return
    since = texts[min(whole.first, parts[0].first) : part.last]
    if not OVERLAPS.isdisjoint(since) or whole.value in [f.value for f in parts]:
        return
    tails = [
        texts[one.last : other.first]
        for one, other in pairwise((*parts, parts[-1]._replace(first=part.last)))
    ]
    rest = len(parts) == 2 and not REST.isdisjoint(texts[parts[1].first - 2 : parts[1].first])
    lost = [not LOST.isdisjoint(tail) for tail in tails]
    opposed = len(parts) == 2 and any(lost) and not all(lost)
    # "178 carry an APC mutation, 131 a TP53 one" may be the same; "60 are A, 35 B and 25 C" are not.
    kinds = (not IS.isdisjoint(tails[0][:1]) and not any(_verbal(tail) for tail in tails[1:])) or (
        texts[parts[0].first - 1] == ":" and len(parts) == 3
    )
    timed = not {"day", "week", "month", "year", "h", "hour", "before", "after"}.isdisjoint(since)
    sorts = len(parts) >= 3 and kinds and all(0 < len(tail) <= 5 for tail in tails)
    sorts = sorts and WITH.isdisjoint(word for tail in tails for word in tail)
    made = not MADE.isdisjoint(since) and WITH.isdisjoint(since)
    if not (rest or opposed or sorts or made) or timed or "mean" in found.stream.vocabulary:
        return
    total = sum(f.value for f in parts)
    says = f"{' + '.join(f'{f.value:,g}' for f in parts)} = {total:,g}, of {whole.value:,g}"
    if total > whole.value or total == whole.value:
        spans = (whole.span, *(f.span for f in parts))
        yield Check("parts and whole", total == whole.value, says, spans, expected=f"{whole.value:,g}")


def _verbal(tail: Sequence[str]) -> bool:
    """Whether a part says with a verb of its own what became of it: "55 germinated"."""
    return not IS.isdisjoint(tail) or any(word.endswith("ed") for word in tail[:2])


def _whole(found: Evidence, number: int, counts: Sequence[Figure]) -> tuple[Figure | None, Sequence[Figure]]:
    """The whole of a sentence's counts, and its parts: "Of 120 …, 60 …", "120 …: 60 …", "120 …. 60 …"."""
    texts, first = found.stream.texts, counts[0]
    if len(counts) >= 2 and is_of(found, first, counts[1]):  # "140 of the 151 completed, the other 11 …"
        return counts[1], [first, *counts[2:]]
    if len(counts) >= 3:
        lead = texts[max(0, first.first - 2) : first.first]
        colon = texts[counts[1].first - 1] == ":" and counts[1].first - first.last > 1  # not "2:1"
        if (
            colon
            or not {"of", "among"}.isdisjoint(lead)
            or not MADE.isdisjoint(texts[first.last : counts[1].first])
        ):
            return first, counts[1:]
    before = _counts(found, number - 1) if number else []
    if len(before) == 1 and first.first == found.parts[number].first:
        return before[0], counts
    return None, ()


def _not(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "Of 200 samples 150 passed and 87 did not", "75 % passed, 55 % did not": the rest of a whole."""
    texts, part = found.stream.texts, found.parts[number]
    if len(figures) not in (2, 3) or texts[figures[-1].last : part.last] not in NOT:
        return
    if len(figures) == 3 and is_of(found, figures[0], figures[1]):
        figures = (figures[1], figures[0], figures[2])  # "four of the six are, three are not"
    some, rest = figures[-2:]
    if not {"not", "but"}.isdisjoint(texts[part.first : rest.first]):
        return
    whole = figures[0].value if len(figures) == 3 else 100.0
    led = len(figures) == 3 and (
        some.first < figures[0].first
        or texts[part.first] in ("of", "among", "out")
        or texts[some.first - 1] == ":"
    )
    shares = len(figures) == 2 and some.kind == rest.kind == "percent"
    if not (led or shares) or len({f.kind for f in figures}) != 1:
        return
    total = some.value + rest.value
    says = f"{some.value:g} + {rest.value:g} = {total:g}, of {whole:g}"
    passed = abs(total - whole) <= (1.0 if shares else 0.0)
    if passed or total > whole:
        yield Check("parts and whole", passed, says, (some.span, rest.span), expected=f"{whole:g}")
