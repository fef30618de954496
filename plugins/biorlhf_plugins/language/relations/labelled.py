"""More and less of two or more sides that each have their figure, in whatever order: "A is more potent than
B: its IC50 is 5 nM, that of B 340 nM", "detected most often in NK cells: 92 % of NK cells, 41 % of T cells".

A claim has a holder (the words of what has more or less), a side (more, less), and figures of one kind that
follow it. Each figure has the words of its own segment; what all segments share names none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from biorlhf_plugins.language.evidence.comparisons import (
    GREATER,
    INVERSE,
    POTENT,
    SMALLER,
    Words,
    clause_end,
    clause_start,
    open_ended,
)
from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, content
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.language.words.text import vocabulary

TIMES = words_of("times") | {"s", "sec", "second", "ms"}
MOST, LEAST = words_of("most"), words_of("least")
NOT_MOST = words_of("not_most")
MORE = (GREATER | {"commoner", "likelier"}) - {"better"}
LESS = (SMALLER | {"rarer"}) - {"worse"}
EARLY, LATE = frozenset(("earlier", "sooner", "faster", "quicker")), frozenset(("later", "slower"))
LASTING = frozenset(("as", "longer", "shorter", "older", "younger"))
DOMINATES = vocabulary("lead led dominate dominated prevail prevailed predominate predominated")
CUTS, OPPOSED, CONTROLS = words_of("segments"), words_of("unreal"), words_of("controls")
ITS = frozenset(("its", "it", "their", "they", "his", "her"))
ORDERED = frozenset(("against", "vs", "versus"))
OPENS = frozenset((":", "(", ",", "at", "with"))
PLACES = frozenset(("in", "with", "on", "under", "for", "at", "among"))
UNSIDED = frozenset(("than", "by", "all", "only", "these", "both"))
"""Before a figure: it is a change, or of more than one side."""
APART = frozenset(("difference", "contrast", "gap", "change", "effect"))
SIZES = words_of("sizes")
"""These are of a measure of their own, and no share."""
UPWARDS, DOWNWARDS, SUPERLATIVE = MORE | LATE, LESS | EARLY, MOST | LEAST | DOMINATES
CUES = UPWARDS | DOWNWARDS | SUPERLATIVE | {"as"}
THEREFORE = frozenset(("so", "therefore", "thus", "hence"))
AS_MUCH = frozenset(("many", "much", "high", "large", "long", "abundant"))
TIMES_AS = frozenset(("twice", "half", "time", "threefold", "twofold"))
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
    given = found.by_part
    for number, part in enumerate(found.parts):
        figures = len(given.get(number - 1, ())) + len(given.get(number, ())) + len(given.get(number + 1, ()))
        if part.kind != "row" and figures > 1:
            claims = list(_claims(found, number))
            for claim in claims:
                yield from _judged(found, claim, _ahead(found, claim, number))
            if claims:
                yield from _concluded(found, number, claims)


def _ahead(found: Evidence, claim: Claim, number: int) -> Sequence[Figure]:
    """The figures that follow a claim: in its sentence and the clause after it, or in the next sentence."""
    part, texts = found.parts[number], found.stream.texts
    own = found.by_part.get(number, [])
    after = found.by_part.get(number + 1, [])
    if after and found.parts[number + 1].kind == "row":
        return ()
    if not own:
        return after if len(after) > 1 else ()
    figures = [f for f in own if f.first >= claim.end]
    goes_on = ";" in (texts[part.last - 1], *texts[part.last : part.last + 1])
    return [*figures, *after] if goes_on and len(figures) == 1 else figures


def _concluded(found: Evidence, number: int, claims: Sequence[Claim]) -> Iterator[Check]:
    """ "The IC50 is 2 nM for A and 95 nM for B. A is more potent": the claim follows its figures."""
    part, texts = found.parts[number], found.stream.texts
    ends = {claim.at for claim in claims}
    # "Thus 4.5 g heavier": by how much, and of neither side.
    own = [f for f in found.by_part.get(number, ()) if ends.isdisjoint((f.last, f.last + bool(f.unit)))]
    so = not THEREFORE.isdisjoint(texts[part.first : part.last])
    if not (own or so) and number in found.by_part:
        return  # "Body weight was only 8 % lower"
    before = own or (found.by_part.get(number - 1, []) if number else [])
    if len(before) < 2 or found.parts[before[0].part].kind == "row" or "free" in found.stream.vocabulary:
        return
    # "The lower Ct, 3.1 against 5.4, and therefore the higher level"; "in older patients it was longer".
    if (own and len(claims) > 1) or (not own and texts[part.first] in PLACES | {"after"}):
        return
    for claim in claims:
        since = texts[before[-1].last : claim.at]
        concludes = not (THEREFORE | {";", "ie"}).isdisjoint(since) if own else "," not in since[1:]
        if before[-1].last < claim.at and concludes:
            yield from _judged(found, claim, before)


def _claims(found: Evidence, number: int) -> Iterator[Claim]:
    part, texts = found.parts[number], found.stream.texts
    if not found.asserted(part.first):
        return
    ways = {at: label for label, at in directions(found, number)}
    here = texts[part.first : part.last]
    if not ways and CUES.isdisjoint(here):
        return
    for at in [i for i, word in enumerate(here, part.first) if word in CUES or i in ways]:
        more, most = _sense(texts, at, ways.get(at, ""))
        if more is None:
            continue
        start = part.first + 2 * (texts[part.first : part.first + 2] == ["no", ","])  # "No, it is higher"
        unsaid = not OPPOSED.isdisjoint(texts[max(start, at - 4) : at])
        # "Lowered infections more in children": more of a lowering.
        lowered = any(label == "DOWN" and at - 6 <= i < at for i, label in ways.items())
        unsaid = unsaid or (lowered and texts[at] in ("more", "less", "most", "least"))
        if unsaid or texts[at - 1] in NOT_MOST or not NOT_MOST.isdisjoint(texts[at + 1 : at + 2]):
            continue
        # "Twice as many in saliva": the place is behind "many".
        behind = at + 1 if texts[at] == "as" else at
        than = next((i for i in range(at + 1, min(part.last, at + 9)) if texts[i] == "than"), 0)
        placed = next(
            (i for i in range(behind + 1, than or min(part.last, behind + 4)) if texts[i] in PLACES), 0
        )
        if placed and not than and (placed + 1 >= part.last or found.stream[placed + 1].number is not None):
            placed = 0
        holder = content(found.stream, clause_start(found.stream, at, part.first), at)
        other, end = frozenset[str](), at + 1
        if than:
            end = clause_end(found.stream, than + 1, part.last)
            other = content(found.stream, than + 1, end)
        if placed:
            close = than or clause_end(found.stream, placed + 1, part.last)
            holder, end = content(found.stream, placed + 1, close), max(end, close)
        if most and not holder and texts[at + 1 : at + 2] == ["is"]:  # "The highest is liver with 200 DEGs"
            holder = content(found.stream, at + 2, clause_end(found.stream, at + 2, part.last))
        if holder:
            yield Claim(at, end, more, most, holder - other or holder, other)


def _sense(texts: Sequence[str], at: int, way: str) -> tuple[bool | None, bool]:
    """Whether a word says more (True) or less (False), None where neither; and whether of all."""
    word = texts[at]
    if word == "as":
        counts = not AS_MUCH.isdisjoint(texts[at + 1 : at + 2]) and not TIMES_AS.isdisjoint(
            texts[max(0, at - 2) : at]
        )
        return (texts[at - 1] != "half" if counts else None), False
    if word in SUPERLATIVE:
        return word not in LEAST, True
    placed = way in ("UP", "DOWN") and texts[at + 1 : at + 2] == ["in"]
    if word in UPWARDS or word in DOWNWARDS or placed:
        return word in UPWARDS or (placed and way == "UP"), False
    return None, False


def _judged(found: Evidence, claim: Claim, figures: Sequence[Figure]) -> Iterator[Check]:
    texts, word = found.stream.texts, found.stream.texts[claim.at]
    figures = [f for f in figures if f.kind in ("count", "percent") and not f.sign]
    if not _comparable(found, claim, figures):
        return
    at = _holder(found, claim, figures)
    timed = not TIMES.isdisjoint((figures[0].unit, texts[figures[0].first - 1])) and word not in LASTING
    if at is None or (word in EARLY | LATE) != timed:
        return
    # All below zero: what changes most is the farthest from it.
    values = [abs(f.value) if all(g.value < 0 for g in figures) else f.value for f in figures]
    mine, rest = values[at], [value for n, value in enumerate(values) if n != at]
    sort = texts[max(0, claim.at - 3) : claim.end + 2]
    if open_ended(found, sort):
        return
    inverse = not POTENT.isdisjoint(sort) and not INVERSE.isdisjoint(found.stream.vocabulary)
    more = claim.more != inverse
    passed = all(mine >= value for value in rest) if more else all(mine <= value for value in rest)
    says = f"{word}, with {mine:g} against {', '.join(f'{value:g}' for value in rest)}"
    spans = (found.span(claim.at, claim.at + 1), figures[at].span)
    yield Check("a comparison against its figures", passed, says, spans)


def _comparable(found: Evidence, claim: Claim, figures: Sequence[Figure]) -> bool:
    """Whether figures are of one measure, one of each side: no changes, no k of n, nothing far away."""
    texts = found.stream.texts
    if not 2 <= len(figures) <= (6 if claim.most else 2) or abs(figures[-1].last - claim.at) > SPAN:
        return False
    units = {f.unit for f in figures if f.kind == "count" and f.unit}
    given = [f for f in figures if f.first == found.parts[f.part].first + 1]  # "At 10 % power it lost 47 %"
    if any(texts[f.first - 1] in ("at", "after") for f in given):
        return False
    alike = len({f.kind for f in figures}) == 1 and len(units) <= 1
    sided = not any(texts[f.first - 1] in UNSIDED or texts[f.last : f.last + 1] == ["time"] for f in figures)
    sized = figures[0].kind == "percent" and texts[claim.at] in SIZES
    return alike and sided and not sized and APART.isdisjoint(claim.holder)


def _holder(found: Evidence, claim: Claim, figures: Sequence[Figure]) -> int | None:
    """Which of the figures is the holder's; None where that is not plain."""
    said = _segments(found, claim, figures)
    common = frozenset.intersection(*said)
    words = [own - common for own in said]
    unlike = {f"{no}{word}" for word in claim.holder for no in ("un", "non", "in")}
    foils = (claim.other - claim.holder) | unlike
    matched = [own & claim.holder if "non" not in own else frozenset() for own in words]
    scores = [len(own) for own in matched]
    against = [len(own & foils) for own in words]
    two = len(figures) == 2
    if two and not any((*scores, *against)) and CONTROLS.isdisjoint(claim.holder):
        against = [len(own & CONTROLS) for own in words]
    if _in_order(found, figures):
        return 0
    measured = figures[0].kind != "count" or any(f.unit for f in figures)
    if not measured and not (any((*scores, *against)) and all(own - {"its"} for own in words)):
        return None
    its = [n for n, own in enumerate(words) if "its" in own]
    best = [n for n, score in enumerate(scores) if score == max(scores) and score and not against[n]]
    # "1.9 in exhausted and 0.4 in effector T cells. It is higher in exhausted T cells."
    best = [n for n in best if all(own <= matched[n] for own in matched)]
    if len(its) == 1 and max(scores) < len(claim.holder):
        return its[0]  # "compound A is more potent: its IC50 is 20 nM, that of compound B 150 nM"
    if not best and two:
        best = [1 - n for n, hits in enumerate(against) if hits and not against[1 - n]]
    best = best or its
    return best[0] if len(best) == 1 else None


def _segments(found: Evidence, claim: Claim, figures: Sequence[Figure]) -> list[Words]:
    """By figure the words of its own segment; "its" for what is the subject's."""
    texts, last = found.stream.texts, max(found.parts[f.part].last for f in figures)
    segments = []
    for n, figure in enumerate(figures):
        low = figures[n - 1].last if n else found.parts[figure.part].first
        low = max(low, claim.end) if figure.first > claim.at else low
        start = next((i for i in range(figure.first, low, -1) if texts[i - 1] in CUTS), low)
        high = figures[n + 1].first if n + 1 < len(figures) else last
        end = next((i for i in range(figure.last, high) if texts[i] in CUTS), high)
        own = content(found.stream, start, figure.first) | content(found.stream, figure.last, end)
        its = {"its"} if not ITS.isdisjoint(texts[start : figure.first]) else set()
        segments.append(own - {figure.unit} | its)
    return segments


def _in_order(found: Evidence, figures: Sequence[Figure]) -> bool:
    """ "Rarer with the drug than with placebo (12 % vs 31 %)": the figures in the order of the names."""
    texts = found.stream.texts
    between = texts[figures[0].last : figures[1].first]
    opened = not OPENS.isdisjoint(texts[max(0, figures[0].first - 5) : figures[0].first])
    return opened and not ORDERED.isdisjoint(between) and len(between) <= 3
