"""What figures make together: written sums, ratios and differences."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, gap
from biorlhf_plugins.language.evidence.shares import (
    ROUGH,
    Taken,
    each,
    explained,
    intervals,
    percents,
    plain_of,
    shares,
    wholes,
)
from biorlhf_plugins.language.evidence.vocabulary import meanings, words_of
from biorlhf_plugins.language.words.mentions import WORD_NUMBERS

OPERATORS = meanings("operators")
SIGNS = frozenset(OPERATORS) | {"time"}
EQUALS = words_of("equals")
PADDING = ROUGH | {"to", "of", "(", ")", "by", "a", "the", "that", ","}
FOLDS = meanings("folds")
RISKS = frozenset(("hazard", "odd", "risk"))  # "odds ratio", as its tokens are
MORE = words_of("more")
JOINS = frozenset(("to", "vs", "vs.", "versus", "against", "→", "than"))
SLACK = 0.06
"""Relative error that a stated ratio of two stated figures may have."""
NEVER = frozenset(("p", "alpha", "n", "level", "low", "high", "range", "effect", "hazard", "fold"))
"""Kinds that are no count, share or measure of their own."""


def sums(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    written = not found.stream.vocabulary.isdisjoint(SIGNS)
    spanned = not found.stream.vocabulary.isdisjoint(("ci", "interval"))
    for part, figures in found.by_part.items():
        if not found.asserted(found.parts[part].first):
            continue
        used: set[int] = set()
        for check, taken in _equations(found, figures) if written and len(figures) > 2 else ():
            used |= taken
            yield check
        if len(figures) < 2:
            yield from _ratios(found, part, figures, used)
            continue
        for check, taken in (*shares(found, figures, used), *wholes(found, part, figures)):
            used = used | taken
            yield check
        yield from _ratios(found, part, figures, used)
        yield from _differences(found, figures, used)
        if "sum" in found.stream.vocabulary:
            yield from _multiples(found, part, figures)
        yield from percents(found, part, figures)
        if len(figures) == 3:
            yield from explained(found, figures, used)
            yield from each(found, figures)
        if spanned:
            yield from intervals(found, part, figures)


def _equations(found: Evidence, figures: Sequence[Figure]) -> Iterator[Taken]:
    """ "a + b = c", "c DEGs = a up + b down", "a over b is roughly c", "a is about c times b"."""
    run: list[Figure] = []
    links: list[str] = []
    for figure in figures:
        link = _link(gap(found, run[-1], figure)) if run else ""
        if run and not link:
            yield from _equation(found, run, links)
            run, links = [], []
        elif run:
            links.append(link)
        run.append(figure)
    yield from _equation(found, run, links)


def _link(between: list[str]) -> str:
    """The operator or equals sign between two figures, "" where there is none or more than one."""
    if len(between) > 6:
        return ""
    signs = [OPERATORS[w] for w in between if w in OPERATORS]
    equal = [w for w in between if w in ("=", "≈")]
    if equal and not signs:
        return "≈" if "≈" in between or set(between) & ROUGH else "="
    others = [w for w in between if w not in OPERATORS and w not in PADDING]
    if (
        len(signs) == 1
        and not equal
        and (len(others) <= 2 or signs[0] == "+")
        and not set(others) & {"=", "of"}
    ):
        return signs[0] if not (set(others) & EQUALS) else ""
    if (
        not signs
        and between
        and (set(between) & EQUALS)
        and all(w in EQUALS or w in PADDING for w in between)
    ):
        return "is"
    if between and set(between) <= PADDING and set(between) & ROUGH:
        return "≈"  # "6,425/165, about 39"
    if between[:1] == ["time"] and len(between) == 1:
        return "×"
    return ""


def _equation(found: Evidence, run: list[Figure], links: list[str]) -> Iterator[Taken]:
    marks = [i for i, link in enumerate(links) if link in ("=", "≈", "is")]
    if len(marks) != 1 or len(links) < 2:
        return
    at = marks[0]
    left, right = run[: at + 1], run[at + 1 :]
    if links[at] == "is" and (len(left) == 1) and not (len(right) == 2 and links[-1] == "×"):
        return  # "6,425 is 4,110 + …" is no sum that anybody writes
    one, other = _value(left, links[:at]), _value(right, links[at + 1 :])
    if one is None or other is None:
        return
    stated, value = (other, one) if len(left) > 1 else (one, other)
    result = right[-1] if len(left) > 1 else left[0]
    scales = (1.0, 100.0) if result.kind == "percent" else (1.0,)
    divides = "/" in links or links[-1] == "×"
    rough = divides or links[at] == "≈" or set(gap(found, left[-1], right[0])) & ROUGH
    slack = max(0.02 * abs(stated) if rough else 0.0, 0.51 * 10.0**-result.decimals if divides else 1e-6)
    slack += 0.51 * len(run) * 10.0 ** -max(f.decimals for f in run) if any(f.decimals for f in run) else 0.0
    if "×" in links and rough:
        slack += sum(
            abs(value / f.value) * 0.5 * 10.0**-f.decimals for f in right if f.value and f.value < 100
        )
    best = min((value * scale for scale in scales), key=lambda v: abs(v - stated))
    spans = (found.span(run[0].first, run[-1].last),)
    elsewhere = {f.value for f in found.figures if f not in run}
    alone = not any(f.value in elsewhere or _asked(found, f) for f in run)
    words = found.said.text[spans[0][0] : spans[0][1]]
    passed = abs(best - stated) <= slack
    says = f"{words}" + ("" if passed else f", but it is {best:,.4g}")
    yield (
        Check("arithmetic", passed, says, spans, alone=alone, expected=f"{best:,.4g}"),
        {f.first for f in run},
    )


def _asked(found: Evidence, figure: Figure) -> bool:
    """Whether the prompt names the figure, or the words that it is of."""
    text = found.said.text[figure.span[0] : figure.span[1]]
    lowered = found.prompt.lower()
    return (len(text) > 1 and text.lower() in lowered) or any(
        len(w) > 2 and w in lowered for w in figure.words
    )


def _value(terms: Sequence[Figure], links: Sequence[str]) -> float | None:
    total = terms[0].value
    if len(set(links)) > 1 and not set(links) <= {"+", "-"}:
        return None
    for term, link in zip(terms[1:], links, strict=True):
        if link == "/":
            if term.value == 0:
                return None
            total /= term.value
        elif link == "×":
            total *= term.value
        else:
            total += term.value if link == "+" else -term.value
    return total if abs(total) < 1e300 else None


def folds(found: Evidence, number: int, figures: Sequence[Figure]) -> list[tuple[float, int, int, int]]:
    """Stated ratios of a sentence: (value, its first token, its last, decimals)."""
    part, texts = found.parts[number], found.stream.texts
    stated = [(f.value, f.first, f.last, f.decimals) for f in figures if not f.sign and _is_fold(found, f)]
    if not found.stream.vocabulary.isdisjoint(FOLDS):
        taken = {first for _, first, _, _ in stated}
        for at in range(part.first, part.last):
            named = texts[at : at + 2] == ["doubling", "time"]
            if at not in taken and texts[at] in FOLDS and texts[max(0, at - 1)] != "not" and not named:
                stated.append((FOLDS[texts[at]], at, at + 1, 0))
    for at in range(part.first, part.last - 1) if "time" in found.stream.vocabulary else ():
        if texts[at] in WORD_NUMBERS and texts[at + 1] == "time" and not any(f.first == at for f in figures):
            stated.append((float(WORD_NUMBERS[texts[at]]), at, at + 1, 0))  # "ten times that of"
    return stated


def _multiples(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "300, three times the sum of 40 and 80": of three figures, with the multiple beside them."""
    part, texts = found.parts[number], found.stream.texts
    at = next((i for i in range(part.first, part.last - 1) if texts[i : i + 2] == ["sum", "of"]), -1)
    plain = plain_of(figures)
    stated = [(value, first) for value, first, *_ in folds(found, number, figures) if 0 < at - first <= 3]
    parts = [f for f in plain if f.first > at]
    whole = [f for f in plain if f.last <= at and all(f.first != first for _, first in stated)]
    if at < 0 or len(stated) != 1 or len(parts) != 2 or len(whole) != 1:
        return
    right = stated[0][0] * sum(f.value for f in parts)
    summed = " + ".join(f"{f.value:,g}" for f in parts)
    says = f"{stated[0][0]:g} × ({summed}) = {right:,g}, stated {whole[0].value:,g}"
    spans = tuple(f.span for f in (*whole, *parts))
    passed = abs(right - whole[0].value) <= SLACK * right
    yield Check("arithmetic", passed, says, spans, expected=f"{right:,g}")


def _is_fold(found: Evidence, figure: Figure) -> bool:
    """ "1.6-fold", "1.6 times", "a ratio of 1.6"."""
    if figure.kind != "count":
        return figure.kind == "ratio"
    texts, last = found.stream.texts, figure.last
    if texts[last : last + 1] == ["time"]:
        return texts[last + 1 : last + 2] != ["point"] or _named_ratio(found, figure)
    return _named_ratio(found, figure)


def _named_ratio(found: Evidence, figure: Figure) -> bool:
    if "ratio" not in found.stream.vocabulary:
        return False
    start = max(found.parts[figure.part].first, figure.first - 4)
    before = found.stream.texts[start : figure.first]
    if before[-1:] in (["is"], ["was"], ["="], ["of"]):  # "the ratio of root to shoot is 3"
        before = found.stream.texts[max(found.parts[figure.part].first, figure.first - 8) : figure.first]
    return "ratio" in before and before[-1] not in ("from", "to") and RISKS.isdisjoint(before)


def _ratios(found: Evidence, number: int, figures: Sequence[Figure], used: set[int]) -> Iterator[Check]:
    stated = folds(found, number, figures)
    if len({value for value, *_ in stated}) != 1:
        return
    value, first, last, decimals = stated[0]
    if first in used or value <= 0 or found.stream.texts[last - 1] == "point":
        return
    own = [
        f for f in figures if f.kind not in NEVER and f.first != first and not f.sign and f.kind != "ratio"
    ]
    if (
        not own
        and first - found.parts[number].first <= 6
        and all(p.kind == "prose" for p in found.parts[: number + 1])
    ):
        before = [f for n in (number - 2, number - 1) for f in found.by_part.get(n, ())]
        own = [f for f in before if f.kind == "count"] if len(before) == 2 else []
    pair = own if len(own) == 2 else _nearest_pair(found, own)
    pairs = [[f for f in own if f.kind == kind] for kind in ("count", "percent")]
    if len(pair) != 2 and len(own) == 4 and all(len(p) == 2 for p in pairs):
        # "At 5 µM 80 % die, at 1 µM 20 %: four-fold": of the doses, or of what they do.
        pair = min(pairs, key=lambda p: abs(_quotient(p) - value))
    if len(pair) != 2 or pair[0].kind != pair[1].kind or not (right := _quotient(pair)):
        return
    low, high = sorted(abs(f.value) for f in pair)
    right = 1.0 / right if value < 1 else right
    passed = abs(right - value) <= SLACK * right + 0.5 * 10.0**-decimals
    spans = (*(f.span for f in pair), found.span(first, last))
    says = f"{high:,g} / {low:,g} = {right:.3g}, stated {value:g}×"
    yield Check("ratios and percentages", passed, says, spans, expected=f"{right:.3g}×")


def _quotient(pair: Sequence[Figure]) -> float:
    low, high = sorted(abs(f.value) for f in pair)
    return high / low if low > 0 else 0.0


def _nearest_pair(found: Evidence, own: Sequence[Figure]) -> Sequence[Figure]:
    """Of more than two figures the two that "from … to" or "versus" joins, where one pair is so joined."""
    pairs = [
        (a, b) for a, b in itertools.pairwise(own)
        if JOINS & set(gap(found, a, b)) and len(gap(found, a, b)) < 9
    ]  # fmt: skip
    return pairs[0] if len(pairs) == 1 else ()


def _differences(found: Evidence, figures: Sequence[Figure], used: set[int]) -> Iterator[Check]:
    """ "6,425 and 4,110, a difference of 2,315", "that is 1,405 more"."""
    plain = plain_of(figures)
    if len(plain) != 3:
        return
    for f in plain:
        before = found.stream.texts[max(0, f.first - 4) : f.first]
        after = found.stream.texts[f.last : f.last + 2]
        gaps = "difference" in before or (bool(after) and after[0] in MORE and "time" not in after)
        others = [g for g in plain if g is not f and g.first not in used]
        if (
            not gaps
            or f.first in used
            or len(others) != 2
            or len({others[0].unit, others[1].unit} - {""}) > 1
        ):
            continue
        right = abs(others[0].value - others[1].value)
        slack = SLACK * right if set(before) & ROUGH else 0.51 * 10.0**-f.decimals if f.decimals else 1e-6
        says = f"{others[0].value:,g} and {others[1].value:,g} differ by {right:,g}, stated {f.value:,g}"
        yield Check(
            "a difference of its figures", abs(right - f.value) <= slack, says,
            tuple(g.span for g in (*others, f)), expected=f"{right:,g}",
        )  # fmt: skip
