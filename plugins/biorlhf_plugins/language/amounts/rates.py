"""Rates and ratios against what they are made of: "18 bleeds over 1,200 person-years, 1.5 per 100"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.amounts.read import Amount
from biorlhf_plugins.language.evidence.records import Check, Evidence

ADJUSTED = frozenset(
    ("adjusted", "standardised", "standardized", "weighted", "pooled", "expected", "regression")
)
JOINS = frozenset(("for", "over", "/", "to", "against", "vs", "versus", "and", ":", ","))


def rates(found: Evidence, amounts: dict[int, list[Amount]]) -> Iterator[Check]:
    """Every rate of a text, odds ratio and ratio with its two figures in brackets."""
    for number, here in amounts.items():
        part, texts = found.parts[number], found.stream.texts
        words = texts[part.first : part.last]
        if part.kind == "row" or not here or not found.asserted(part.first) or not ADJUSTED.isdisjoint(words):
            continue
        before = amounts.get(number - 1, [])
        for rate in here:
            if rate.kind == "rate" and not rate.bound:
                yield from _rate(found, rate, here, before)
        yield from _odds(found, here)
        earlier = texts[found.parts[number - 1].first : part.first] if number else []
        if "ratio" in words or ("ratio" in earlier and "it" in words):
            yield from _bracketed(found, here)


def _rate(found: Evidence, rate: Amount, here: Sequence[Amount], before: Sequence[Amount]) -> Iterator[Check]:
    """So many of so many, times the base: of the counts beside it, or of those in the sentence before."""
    own = [a for a in here if a.kind == "count" and a is not rate and (not a.bound or _over(found, a))]
    if len(own) < 2 and sum(a.kind == "rate" for a in here) == 1:
        own = [a for a in before if a.kind == "count" and (not a.bound or _over(found, a))] + own
    pairs = [(a, b) for a, b in itertools.permutations(own, 2) if 0 < a.value < b.value]
    if not pairs:
        return
    rights = [(rate.base * a.value / b.value, a, b) for a, b in pairs]
    value, part, whole = min(rights, key=lambda r: abs(r[0] - rate.value))
    slack = 0.51 * 10.0**-rate.decimals + (0.1 if rate.rough else 0.02) * value
    passed = abs(value - rate.value) <= slack
    named: object = {whole.noun, whole.noun.rsplit(" ", 1)[-1]} & {_denominator(found, rate)}
    texts = found.stream.texts
    named = bool(named) or (texts[rate.last + 2 : rate.last + 3] == ["("] and own[0].first == rate.last + 3)
    if passed or (len(own) == 2 and len(pairs) == 1 and named and not part.rough):
        says = f"{part.value:,g} in {whole.value:,g} are {value:.3g} per {rate.base:g}, stated {rate.value:g}"
        spans = (part.span, whole.span, rate.span)
        yield Check("a rate of its counts", passed, says, spans, expected=f"{value:.3g}")


def _over(found: Evidence, amount: Amount) -> bool:
    """ "Over 1,200 person-years": during them, and no bound."""
    return found.stream.texts[amount.first - 1 : amount.first] == ["over"]


def _denominator(found: Evidence, rate: Amount) -> str:
    """The last word of what a rate is per: the "year" of "per 100 person-years"."""
    texts, at = found.stream.texts, rate.last + 2
    while at + 1 < len(texts) and texts[at + 1] in ("year", "day", "month", "week"):
        at += 1
    return texts[at] if at < len(texts) else ""


def _odds(found: Evidence, here: Sequence[Amount]) -> Iterator[Check]:
    """ "The odds were 3.0 in cases and 0.33 in controls, giving an odds ratio of 9"."""
    texts = found.stream.texts
    stated = [a for a in here if _named(texts, a) and not a.bound]
    if len(stated) != 1 or stated[0] is not here[-1]:
        return
    ratio = stated[0]
    opening = texts[found.parts[ratio.part].first : here[0].first]
    kind = "odd" if "odd" in texts[ratio.first - 4 : ratio.first] else "risk"
    own = [a for a in here if a is not ratio and not a.bound]
    if len(own) != 2 or own[0].kind != own[1].kind or kind not in opening or own[0].unit != own[1].unit:
        return
    yield from _quotient(found, ratio, own[0], own[1])


def _named(texts: Sequence[str], amount: Amount) -> bool:
    before = texts[max(0, amount.first - 4) : amount.first]
    told = "relative" in before or "ratio" in before
    return told and not {"odd", "risk", "rate"}.isdisjoint(before) and before[-1] in ("of", "is", "was")


def _bracketed(found: Evidence, here: Sequence[Amount]) -> Iterator[Check]:
    """ "it was 1.75 (3,500 g of feed for 2,000 g of gain)"."""
    texts = found.stream.texts
    for value, one, other in zip(here, here[1:], here[2:], strict=False):
        opened = texts[value.last : one.first]
        between = texts[one.last : other.first]
        if opened[:1] != ["("] or len(opened) > 2 or ")" in between or value.unit or value.bound:
            continue
        if one.unit != other.unit or one.kind != other.kind or JOINS.isdisjoint(between) or len(between) > 8:
            continue
        if value.kind in ("count", "measure", "fold") and ")" in texts[other.last : other.last + 5]:
            yield from _quotient(found, value, one, other)


def _quotient(found: Evidence, ratio: Amount, one: Amount, other: Amount) -> Iterator[Check]:
    low, high = sorted((abs(one.value), abs(other.value)))
    if low <= 0:
        return
    half = 0.51 * (10.0**-one.decimals / abs(one.value) + 10.0**-other.decimals / abs(other.value))
    rights = (high / low, low / high)
    right = min(rights, key=lambda r: abs(r - ratio.value))
    passed = abs(right - ratio.value) <= right * (half + 0.03) + 0.51 * 10.0**-ratio.decimals
    says = f"{one.value:g} and {other.value:g} make a ratio of {right:.3g}, stated {ratio.value:g}"
    yield Check(
        "ratios and percentages", passed, says, (one.span, other.span, ratio.span), expected=f"{right:.3g}"
    )
