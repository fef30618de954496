"""More and less of two or more sides that each have their figure, in whatever order: "A is more potent than B:
its IC50 is 5 nM, that of B 340 nM", "detected most often in NK cells: in 92 % of NK cells, 41 % of T cells".

A claim has a holder (the words of what has more or less), a side (more, less), and figures of one kind that
follow it. Each figure has the words of its own segment; what all segments share names none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from biorlhf_plugins.language.evidence.comparisons import (
    GREATER,
    INVERSE,
    POTENT,
    SMALLER,
    Words,
    clause_end,
    clause_start,
)
from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, content
from biorlhf_plugins.language.evidence.shares import is_of
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.words.evidence import words_of

TIMES = words_of("times") | {"s", "sec", "second", "ms"}
MOST, LEAST = words_of("most"), words_of("least")
NOT_MOST = words_of("not_most")
MORE = GREATER | {"commoner", "likelier"}
LESS = SMALLER | {"rarer"}
EARLY, LATE = frozenset(("earlier", "sooner", "faster", "quicker")), frozenset(("later", "slower"))
LASTING = frozenset(("longer", "shorter", "older", "younger"))
DOMINATES = frozenset(("dominate", "dominated", "prevail", "prevailed", "predominate", "predominated"))
CUTS = frozenset((",", ";", "and", "against", "vs", "versus", "while", "wherea", "but", "compared", "(", ")", ":", ".", "—", "so"))
ITS = frozenset(("its", "it", "their", "they", "his", "her"))
ORDERED = frozenset(("against", "vs", "versus"))
OPENS = frozenset((":", "(", ",", "at", "with"))
PLACES = frozenset(("in", "with", "on", "under", "for", "at", "among"))
OPPOSED = frozenset(("not", "no", "nor", "neither", "n't", "if", "would", "might", "may", "could", "although", "but", "yet"))
CONTROLS = frozenset(("control", "placebo", "vehicle", "dmso", "untreated", "healthy", "baseline", "sham", "mock"))
"""The other side, where a claim names none."""
UNSIDED = frozenset(("than", "by", "all", "only", "these", "both"))
"""Before a figure: it is a change, or of more than one side."""
APART = frozenset(("difference", "contrast", "gap", "change", "effect"))
SIZES = frozenset(("slowest", "fastest", "longest", "shortest", "oldest", "youngest", "latest", "earliest"))
"""These are of a measure of their own, and no share."""
AS_MUCH = frozenset(("many", "much", "high", "large", "long", "abundant"))
TIMES_AS = frozenset(("twice", "time", "threefold", "twofold"))
SPAN = 45
"""Tokens from a claim to its last figure."""


class Claim(NamedTuple):
    """``more`` of something in ``holder`` (than in ``other``); ``most``: than in all that are named."""

    at: int
    end: int
    more: bool
    most: bool
    holder: Words
    other: Words


def labelled(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    for number in found.by_part:
        part = found.parts[number]
        if part.kind == "row":
            continue
        for n in (number - 1, number):
            if n < 0 or found.parts[n].kind == "row" or (n < number and found.by_part.get(n)):
                continue
            for claim in _claims(found, n):
                figures = [f for f in found.by_part[number] if f.first >= claim.end]
                if n < number and len(figures) < 2:
                    continue
                near = found.stream.texts[part.last : part.last + 1] == [";"] or found.stream.texts[part.last - 1] == ";"
                if n == number and near and n + 1 in found.by_part and len(figures) == 1:
                    figures += found.by_part[n + 1]
                yield from _judged(found, claim, figures)
    yield from _after(found)


def _after(found: Evidence) -> Iterator[Check]:
    """ "The IC50 is 2 nM for A and 95 nM for B. A is more potent": the claim follows its figures."""
    for number, part in enumerate(found.parts):
        own = found.by_part.get(number, ())
        before = own or (found.by_part.get(number - 1, ()) if number else ())
        if len(before) < 2 or found.parts[before[0].part].kind == "row" or part.kind == "row":
            continue
        texts = found.stream.texts
        claims = list(_claims(found, number))
        # "The lower Ct, 3.1 against 5.4, and therefore the higher level"; "in older patients it was longer".
        if (own and len(claims) > 1) or (not own and texts[part.first] in PLACES | {"after"}):
            continue
        for claim in claims:
            since = texts[before[-1].last : claim.at]
            concludes = not {"so", "therefore", "thus", "hence"}.isdisjoint(since) if own else "," not in since[1:]
            if before[-1].last < claim.at and concludes and "free" not in found.stream.vocabulary:
                yield from _judged(found, claim, before)


def _claims(found: Evidence, number: int) -> Iterator[Claim]:
    part, texts = found.parts[number], found.stream.texts
    if not found.asserted(part.first):
        return
    ways = {at: label for label, at in directions(found, number)}
    for at in range(part.first + 1, part.last):
        word = texts[at]
        if word == "as" and texts[at + 1 : at + 2] and texts[at + 1] in AS_MUCH and not TIMES_AS.isdisjoint(texts[at - 2 : at]):
            placed = texts[at + 2 : at + 3]
            end = clause_end(found.stream, at + 3, part.last)
            if placed and placed[0] in PLACES:
                yield Claim(at, end, True, False, content(found.stream, at + 3, end), frozenset())
            continue
        way = ways.get(at) if texts[at + 1 : at + 2] == ["in"] else None
        more, less = word in MORE | LATE or way == "UP", word in LESS | EARLY or way == "DOWN"
        most, least = word in MOST or word in DOMINATES, word in LEAST
        if texts[at - 1] in NOT_MOST or not (more or less or most or least) or not OPPOSED.isdisjoint(texts[max(part.first, at - 4) : at]):
            continue
        start = clause_start(found.stream, at, part.first)
        before = content(found.stream, start, at)
        than = next((i for i in range(at + 1, min(part.last, at + 9)) if texts[i] == "than"), -1)
        after, end = frozenset[str](), at + 1
        if than > 0 and not (most or least):
            end = clause_end(found.stream, than + 1, part.last)
            placed = next((i for i in range(at + 1, than) if texts[i] in PLACES), -1)
            mine = content(found.stream, placed + 1, than) if placed > 0 else before
            after = content(found.stream, than + 1, end)
        else:
            placed = next((i for i in range(at + 1, min(part.last, at + 4)) if texts[i] in PLACES), -1)
            mine = before
            if 0 < placed < part.last - 1 and found.stream[placed + 1].number is None:
                end = clause_end(found.stream, placed + 1, part.last)
                mine = content(found.stream, placed + 1, end)
        if mine and not NOT_MOST.intersection(texts[at + 1 : at + 2]):
            yield Claim(at, end, more or most, most or least, mine - after or mine, after)


def _judged(found: Evidence, claim: Claim, figures: Sequence[Figure]) -> Iterator[Check]:
    texts = found.stream.texts
    figures = [f for f in figures if f.kind in ("count", "percent", "effect") and not f.sign]
    units = {f.unit for f in figures if f.kind == "count" and f.unit}
    alike = len({f.kind for f in figures}) == 1 and len(units) <= 1
    if not 2 <= len(figures) <= 6 or not alike or abs(figures[-1].last - claim.at) > SPAN:
        return
    if any(texts[f.first - 1] in UNSIDED or texts[f.last : f.last + 1] == ["time"] for f in figures):
        return
    if any(is_of(found, *pair) for pair in pairwise(figures)) or not APART.isdisjoint(claim.holder):
        return
    if figures[0].kind == "percent" and texts[claim.at] in SIZES or (len(figures) > 2 and not claim.most):
        return
    said = _segments(found, claim, figures)
    common = frozenset.intersection(*said)
    words = [own - common for own in said]
    foils = (claim.other - claim.holder) | {f"{no}{word}" for word in claim.holder for no in ("un", "non", "non-", "in")}
    scores = [len(own & claim.holder) if "non" not in own else 0 for own in words]
    against = [len(own & foils) for own in words]
    named = units or figures[0].kind != "count"
    if len(figures) == 2 and not any((*scores, *against)) and CONTROLS.isdisjoint(claim.holder):
        against = [len(own & CONTROLS) for own in words]
    if len(figures) == 2 and scores[1] < len(claim.holder) and _in_order(found, figures):
        scores, against = [1, 0], [0, 1]
    elif not named and not (any((*scores, *against)) and all(own - {"its"} for own in words)):
        return
    held = [n for n, own in enumerate(words) if "its" in own]
    best = [n for n, score in enumerate(scores) if score == max(scores) and score and not against[n]]
    if not best and len(figures) == 2:
        best = [1 - n for n, hits in enumerate(against) if hits and not against[1 - n]]
    best = best or held
    if len(best) != 1:
        return
    # All below zero: what changes most is the farthest from it.
    values = [abs(f.value) if all(g.value < 0 for g in figures) else f.value for f in figures]
    holder, rest = figures[best[0]], [v for n, v in enumerate(values) if n != best[0]]
    sort = set(texts[max(0, claim.at - 3) : claim.end + 2])
    inverse = not POTENT.isdisjoint(sort) and not INVERSE.isdisjoint(found.stream.vocabulary)
    timed = holder.unit in TIMES
    word = texts[claim.at]
    if (word in EARLY | LATE) != (timed and word not in LASTING) or holder.kind == "effect":
        return
    more = claim.more != inverse
    mine = values[best[0]]
    passed = all(mine >= v for v in rest) if more else all(mine <= v for v in rest)
    says = f"{word}, with {mine:g} against {', '.join(f'{v:g}' for v in rest)}"
    yield Check("a comparison against its figures", passed, says, (found.span(claim.at, claim.at + 1), holder.span))


def _segments(found: Evidence, claim: Claim, figures: Sequence[Figure]) -> list[Words]:
    """By figure the words of its own segment; "its" for what is the subject's."""
    texts = found.stream.texts
    part_ends = {i for f in figures for i in (found.parts[f.part].last,)}
    segments = []
    for n, figure in enumerate(figures):
        low = figures[n - 1].last if n else found.parts[figure.part].first
        low = max(low, claim.end) if figure.first > claim.at else low
        start = figure.first
        while start > low and texts[start - 1] not in CUTS:
            start -= 1
        high = figures[n + 1].first if n + 1 < len(figures) else min(len(texts), max(part_ends))
        end = figure.last
        while end < high and texts[end] not in CUTS:
            end += 1
        if end == high and n + 1 < len(figures):
            end = figure.last  # two figures without a cut between them: the words are of the second
        own = content(found.stream, start, figure.first) | content(found.stream, figure.last, end)
        segments.append(own - {figure.unit} | ({"its"} if not ITS.isdisjoint(texts[start : figure.first]) else set()))
    return segments


def _in_order(found: Evidence, figures: Sequence[Figure]) -> bool:
    """ "Rarer with the drug than with placebo (12 % vs 31 %)": the figures in the order of the names."""
    texts = found.stream.texts
    between = texts[figures[0].last : figures[1].first]
    opened = not OPENS.isdisjoint(texts[max(0, figures[0].first - 5) : figures[0].first])
    return opened and not ORDERED.isdisjoint(between) and len(between) <= 3
