"""Confidences in other forms: "put 30 % on it", "nine in ten", "I would bet 4 to 1", "give it 8/10"."""

from __future__ import annotations

from collections.abc import Mapping

from biorlhf_plugins.language.records import Confidence
from biorlhf_plugins.language.stance.page import Page
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.language.words.text import Stream

LEADS_WORDS = """only just about around roughly approximately maybe perhaps at most best least no not more
better less higher than my a an me you it that this of money odd chance probability confidence likelihood ~
≈ ( something like somewhere near it the certainty say"""
LEADS = frozenset(LEADS_WORDS.split())
"""Words between "put" and the number."""

CLOSES_WORDS = (
    ". , ; ) ! — on that this it for chance odd probability confidence certainty likelihood and but of"
)
CLOSES = frozenset((*CLOSES_WORDS.split(), "\n"))
"""What may follow a stake; "put 30 % of genes up" states none."""

SPREAD = 0.15
"""Two explicit confidences that differ by more contradict each other."""

WAGERS = frozenset(("bet", "betting", "wager", "stake", "lay", "odd"))
LONGEST = 8
RIGHT = frozenset(("right", "correct", "true", "hold"))


def fraction(
    stream: Stream, numbers: Mapping[int, Mention], hit: Mention, odds: bool
) -> tuple[float | None, int] | None:
    """(probability, end) of "9/10", "nine in ten", "4 out of 5" and, of a wager, "4 to 1"."""
    after = stream.texts[hit.last : hit.last + 2]
    if not after or (after[0] not in ("/", "in", "out") and not (odds and after[0] in ("to", ":"))):
        return None
    under = numbers.get(hit.last + (2 if after[0] == "out" else 1))
    if under is None:
        return None
    upper, lower = _value(hit), _value(under)
    if after[0] in ("to", ":"):
        if upper <= 0 or lower <= 0:
            return None, under.last
        value = upper / (upper + lower)
        against = under.last < len(stream) and stream.texts[under.last] == "against"
        return (1.0 - value if against else value), under.last
    if lower <= 0 or not 0 <= upper <= lower:
        return None if after[0] == "in" else (None, under.last)
    return upper / lower, under.last


def stake(
    stream: Stream, numbers: Mapping[int, Mention], mark: Mention
) -> tuple[float | None, int, int] | None:
    """(value or None where invalid, first, last) of the number that "put", "bet" or "give it" leads to."""
    at = mark.last
    wager = not WAGERS.isdisjoint(stream.texts[mark.first : mark.last])
    while at < min(mark.last + LONGEST, len(stream)) and at not in numbers:
        if stream.texts[at] not in LEADS:
            return None
        wager = wager or stream.texts[at] in WAGERS
        at += 1
    hit = numbers.get(at)
    if hit is None:
        return None
    ratio = fraction(stream, numbers, hit, odds=wager)
    if ratio is not None:
        return ratio[0], hit.first, ratio[1]
    number: Number = hit.value  # type: ignore[assignment]
    if hit.last < len(stream) and stream.texts[hit.last] not in CLOSES:
        return None
    if number.unit == "percent":
        return scale(number), hit.first, hit.last
    return (number.value, hit.first, hit.last) if 0 < number.value < 1 and number.decimals else None


def times(
    stream: Stream, numbers: Mapping[int, Mention], ends: Mapping[int, Mention], mark: Mention
) -> tuple[float | None, int, int] | None:
    """ "9 times out of 10 I would be right"."""
    top, bottom = ends.get(mark.first), numbers.get(mark.last)
    if top is None or bottom is None:
        return None
    if RIGHT.isdisjoint(stream.texts[bottom.last : bottom.last + LONGEST]):
        return None
    return ratio_of(top, bottom.value), top.first, bottom.last


def _value(mention: Mention) -> float:
    number: Number = mention.value  # type: ignore[assignment]
    return number.value


def ratio_of(top: Mention, bottom: Number) -> float | None:
    upper: Number = top.value  # type: ignore[assignment]
    if bottom.value <= 0 or not 0 <= upper.value <= bottom.value:
        return None
    return upper.value / bottom.value


def scale(number: Number) -> float | None:
    """A number as a probability: 95 %, 0.95, 95; None where it is out of range or has no clear scale."""
    if number.low is not None and number.high is not None:
        divisor = 100.0 if number.unit == "percent" or number.high > 1 else 1.0
        wide = (number.high - number.low) / divisor > SPREAD
        return None if wide or not 0 <= number.value / divisor <= 1 else number.value / divisor
    if number.unit == "percent":
        return number.value / 100.0 if 0 <= number.value <= 100 else None
    if 0 <= number.value <= 1:
        return number.value
    return number.value / 100.0 if 10 < number.value <= 100 else None


def bare(page: Page) -> Confidence:
    """ "Down (95 %).", "Down, 9/10" where a confidence was asked for: what ends the text."""
    last = len(page.stream)
    while last > 0 and page.text(last - 1) in (".", ")", "]", "\n"):
        last -= 1
    hit = page.number_ends.get(last)
    number: Number | None = hit.value if hit is not None else None  # type: ignore[assignment]
    if hit is None or number is None:
        return Confidence()
    first, value = hit.first, scale(number) if number.unit == "percent" else None
    top = page.number_ends.get(first - 1 - (page.text(first - 2) == "out"))
    if top is not None and page.text(first - 1) in ("/", "of") and number.value in (5, 10, 100):
        first, value = top.first, ratio_of(top, number)
    elif number.unit != "percent":
        return Confidence()
    if first > 0 and page.stream[first - 1].kind != "p" and page.text(first - 1) not in LEADS:
        return Confidence()
    span = page.span(first, hit.last)
    problem = "" if value is not None else "a confidence out of range or without a clear scale"
    return Confidence(value, problem, span, ((value if value is not None else -1.0, span, "number"),))
