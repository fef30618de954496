"""Shares of a part that is told: "1,400 of 5,600 (a quarter)", "491 genes, 425 of them up. That is 87 %"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from biorlhf_plugins.language.across.counts import counted, plural
from biorlhf_plugins.language.evidence.parts import OF_THESE
from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, content, gap
from biorlhf_plugins.language.evidence.shares import ROUGH, among, is_of, plain_of
from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.language.words.fractions import Share, worded

THEM = frozenset(("them", "these", "those", "which", "whom"))
THAT = frozenset(("that", "this", "which", "it", "its"))
CONCLUDES = words_of("concludes") | {"correspond", "amount", "represent", "mean", "is"}
WORDED = 0.04
"""How far a share told in words may be from its figures: a quarter of what is 28 %."""


def portions(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    for number in found.by_part:
        part = found.parts[number]
        if part.kind == "row" or not found.asserted(part.first):
            continue
        told = list(pairs(found, number))
        for one, whole in told:
            of = found.stream.texts[one.last : one.last + 2]
            if one.value > whole.value and not THEM.isdisjoint(of):  # "37 species, 49 of them"
                says = f"{one.value:,g} of {whole.value:,g}"
                yield Check("parts and whole", False, says, (one.span, whole.span))
                return
        yield from _others(found, number, told)
        yield from _among_those(found, number)
        yield from _of_whom(found, number)
        if len(told) == 1:
            yield from _here(found, number, *told[0])
            yield from _next(found, number, *told[0])


def pairs(found: Evidence, number: int) -> Iterator[tuple[Figure, Figure]]:
    """(part, whole) of a sentence; the whole of "80 of them" may stand in the sentence before."""
    texts, figures = found.stream.texts, plain_of(found.by_part.get(number, ()))
    first = found.parts[number].first
    for one, other in itertools.pairwise(figures):
        if is_of(found, one, other):
            yield one, other
        elif among(found, one, gap(found, one, other)) or _out_of(found, first, one):
            yield other, one
    if (
        tuple(texts[first : first + 2]) in OF_THESE
        and figures
        and len(before := counted(found, number - 1)) == 1
        and figures[0].value != before[0].value
    ):
        yield figures[0], before[0]
    for at, one in enumerate(figures):
        if texts[one.last : one.last + 1] == ["of"] and {*texts[one.last + 1 : one.last + 2]} & THEM:
            before = figures[:at] or counted(found, number - 1)
            wholes = [f for f in before if f.value >= one.value] or [f for f in before if not f.decimals]
            if len(wholes) == 1:
                yield one, wholes[0]


def _others(found: Evidence, number: int, told: list[tuple[Figure, Figure]]) -> Iterator[Check]:
    """ "402 of them were excluded, and the remaining 812 randomised": with the whole of "them"."""
    texts, part = found.stream.texts, found.parts[number]
    if len(told) != 1 or told[0][0].part != number:
        return
    one, whole = told[0]
    ends = part.last, found.parts[number + 1].last if number + 1 < len(found.parts) else part.last
    others = [f for n in (number, number + 1) for f in counted(found, n) if one.last <= f.first < ends[1]]
    led = [f for f in others if texts[f.first - 2] == "the" and texts[f.first - 1] in ("remaining", "other")]
    between = [f for f in others if led and f.first < led[0].first and f is not whole]
    if len(led) == 1 and not between and (led[0].part == number or led[0].first <= part.last + 3):
        total = one.value + led[0].value
        says = f"{one.value:,g} + {led[0].value:,g} = {total:,g}, of {whole.value:,g}"
        spans = (whole.span, one.span, led[0].span)
        yield Check(
            "parts and whole", total == whole.value, says, spans, expected=f"{whole.value - one.value:,g}"
        )


def _among_those(found: Evidence, number: int) -> Iterator[Check]:
    """ "610 of the quantified proteins", and so many were quantified: no more than those."""
    texts = found.stream.texts
    for figure in counted(found, number):
        if texts[figure.last : figure.last + 2] != ["of", "the"]:
            continue
        stop = min(figure.last + 6, len(texts))
        end = next((i + 1 for i in range(figure.last + 2, stop) if plural(found, i)), 0)
        restricted = not {"of", "in", "from", "that", "which", "with"}.isdisjoint(texts[end : end + 1])
        said = content(found.stream, figure.last + 2, end) if end and not restricted else frozenset()
        if len(said) < 2:
            continue
        near = [f for n in (number - 1, number) for f in found.by_part.get(n, ())]
        before = [f for f in near if f.kind == "count" and f.last <= figure.first and f.value >= 2]
        fits = [f for f in before if _stems(said) <= _stems(f.words)]
        if len({f.value for f in fits}) == 1:
            says = f"{figure.value:,g} of {fits[0].value:,g}"
            yield Check("parts and whole", figure.value <= fits[0].value, says, (figure.span, fits[0].span))


def _of_whom(found: Evidence, number: int) -> Iterator[Check]:
    """ "24 had an event, of whom 9 stopped the drug": no more than those; and "the remaining 15"."""
    texts, plain = found.stream.texts, counted(found, number)
    for one, other in itertools.pairwise(plain):
        if texts[other.first - 2 : other.first] in (["of", "whom"], ["of", "which"]):
            says = f"{other.value:,g} of {one.value:,g}"
            yield Check("parts and whole", other.value <= one.value, says, (one.span, other.span))
            after = counted(found, number + 1)[:1]
            led = after and texts[after[0].first - 2 : after[0].first] == ["the", "remaining"]
            if led and other is plain[-1] and after[0].first <= found.parts[number + 1].first + 2:
                yield from _others(found, number, [(other, one)])


def _stems(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word[:6] for word in words)


def _out_of(found: Evidence, first: int, whole: Figure) -> bool:
    return found.stream.texts[first : first + 2] == ["out", "of"] and whole.first <= first + 3


def _here(found: Evidence, number: int, part: Figure, whole: Figure) -> Iterator[Check]:
    """A share in words beside its part, or before a bracket with both."""
    texts, bounds = found.stream.texts, found.parts[number]
    said = list(worded(found.stream, bounds.first, bounds.last))
    if len(said) != 1 or whole.value <= 0:
        return
    share = said[0]
    end = max(part.last, whole.last if whole.part == number else 0)
    bracketed = texts[part.first - 1] in ("(", ":") and texts[share.last - 1] != "of"
    bracketed = bracketed and "by" not in texts[share.first - 2 : share.first]  # "dropped by about a third"
    after = 0 <= share.first - part.last <= 4 or 0 <= share.first - end <= 3
    after = after and texts[share.last : share.last + 1] != ["of"]
    if (bracketed and share.first < part.first) or after:
        yield _check(found, share, part, whole, WORDED + 0.03 * share.rough)


def _next(found: Evidence, number: int, part: Figure, whole: Figure) -> Iterator[Check]:
    """ "That is about 87 %": the one share of the next sentence, which says what it follows from."""
    if number + 1 >= len(found.parts) or whole.value <= 0:
        return
    after = found.parts[number + 1]
    texts = found.stream.texts[after.first : after.last]
    figures = found.by_part.get(number + 1, ())
    told = {*texts[:1]} & THAT and not CONCLUDES.isdisjoint(texts[1:8])
    told = told or texts[:3] == ["in", "other", "word"]
    if not told or not found.asserted(after.first):
        return
    said = [_percent(found, f) for f in figures if f.kind == "percent" and not f.sign]
    said = said or [(s, WORDED + 0.03 * s.rough) for s in worded(found.stream, after.first, after.last)]
    if len(said) == 1 and len(figures) <= 1 and _ends(found, said[0][0], whole):
        (share, slack), right = said[0], part.value / whole.value
        if abs(1 - right - share.value) > slack:  # "that means 70 % were at rest"
            yield _check(found, share, part, whole, slack)


def _ends(found: Evidence, share: Share, whole: Figure) -> bool:
    """Whether a share is told of the whole: at the end of its clause, or "of them"; no "50 % improvement"."""
    texts = found.stream.texts
    after = texts[share.last : share.last + 3]
    if not after or not after[0].isalnum():
        return True
    if after[0] == "of":
        named = [w for w in after[1:] if w not in ("the", "all")]
        return not named or named[0] in THEM | whole.words | {"response", "total"}
    return after[0] in ("were", "was", "are", "is") and (
        texts[found.parts[whole.part].last + 1 :][:1] == ["in"]
    )


def _percent(found: Evidence, figure: Figure) -> tuple[Share, float]:
    """A percentage as a share, and how far it may be off."""
    rough = ROUGH & set(found.stream.texts[max(0, figure.first - 2) : figure.first])
    slack = 0.015 if rough else 0.006 if figure.decimals == 0 else 0.0011
    return Share(figure.value / 100, figure.first, figure.last), slack


def _check(found: Evidence, share: Share, part: Figure, whole: Figure, slack: float) -> Check:
    right = part.value / whole.value
    passed = abs(right - share.value) <= slack
    if share.bound:
        passed = (right >= share.value - 0.02) if share.bound == ">" else (right <= share.value + 0.02)
    says = f"{part.value:,g} of {whole.value:,g} = {right:.3g}, stated {share.value:.3g}"
    spans = (part.span, whole.span, found.span(share.first, share.last))
    return Check("ratios and percentages", passed, says, spans, expected=f"{right:.3g}")
