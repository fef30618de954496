"""The scales of a confidence: 95 %, 0.95, 95, "nine in ten", "8/10"; and one that ends a text unnamed."""

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
"""Words before the number."""

SPREAD = 0.15
"""Two explicit confidences that differ by more contradict each other."""


def fraction(stream: Stream, numbers: Mapping[int, Mention], hit: Mention) -> tuple[float | None, int] | None:
    """(probability, end) of "9/10", "nine in ten", "4 out of 5"."""
    at = hit.last + (stream.texts[hit.last : hit.last + 1] == ["chance"])  # "nine chances in ten"
    after = stream.texts[at : at + 2]
    if not after or after[0] not in ("/", "in", "out"):
        return None
    under = numbers.get(at + (2 if after[0] == "out" else 1))
    if under is None:
        return None
    value = ratio_of(hit, under.value)  # type: ignore[arg-type]
    return None if value is None and after[0] == "in" else (value, under.last)


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
