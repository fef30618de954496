"""The scales of a confidence: 95 %, 0.95, 95, "nine in ten", "8/10"; and one that ends a text unnamed."""

from __future__ import annotations

from biorlhf_plugins.language.stance.page import Page
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.language.words.text import vocabulary

LEADS = vocabulary(
    "only just about around roughly approximately maybe perhaps at most best least no not more better "
    "less higher than my a an me you it that this of money odd chance probability confidence likelihood ~ "
    "≈ ( something like somewhere near it the certainty say"
)
"""Words before the number."""

ESTIMATES = vocabulary(
    "put set say rate estimate place reckon call judge go guess assess make quote score hold"
)
"""What one does with a confidence: "I would put it at 0.4"."""

BETWEEN = LEADS | ESTIMATES | vocabulary(
    "i would should could we or but and perhaps maybe rather well more myself honestly personally really "
    "sure certain confident confidence then for as to with so though however in my mind be let us"
) | frozenset(".),;—\n")  # fmt: skip
CLOSED = frozenset(
    (".", ",", ";", ")", "!", "\n", "", "though", "however", "on", "myself", "only", "instead")
)
RESTATED = 20
"""Stated confidences behind which another is looked for."""

GAP = 14
"""Tokens from a confidence to the number that one puts it at behind it."""

SPREAD = 0.15
"""Two explicit confidences that differ by more contradict each other."""


def fraction(page: Page, hit: Mention) -> tuple[float | None, int] | None:
    """(probability, end) of "9/10", "nine in ten", "4 out of 5"."""
    at = hit.last + (page.text(hit.last) == "chance")  # "nine chances in ten"
    under = page.numbers.get(at + (2 if page.text(at) == "out" else 1))
    if under is None or page.text(at) not in ("/", "in", "out"):
        return None
    value = ratio_of(hit.value, under.value)
    return None if value is None and page.text(at) == "in" else (value, under.last)


def ratio_of(top: Number, bottom: Number) -> float | None:
    return top.value / bottom.value if 0 <= top.value <= bottom.value != 0 else None


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


def staked(page: Page, trigger: Mention) -> None:
    """ "I'd put 85 % on that", "I'd say 8 out of 10", "I'd bet 4 to 1"; "put 30 % of genes up" is none."""
    at, limit = trigger.last, trigger.last + 6
    while page.text(at) in LEADS and at < limit:
        at += 1
    hit = page.numbers.get(at)
    if hit is None or (page.found and told_before(page, at)):
        return
    odds = page.numbers.get(hit.last + 1) if page.text(hit.last) in ("to", ":") else None
    share = fraction(page, hit)
    value, end = share or (scale(hit.value), hit.last)
    if odds is not None:
        a, b = hit.value.value, odds.value.value
        value, end = (a / (a + b) if a + b > 0 else None), odds.last
    whole = page.text(end) in ("on", ".", ",", ";", ")", "")
    if whole and (share or odds or hit.value.unit == "percent"):
        page.state("number", value, trigger.first, end, at)


def restated(page: Page) -> None:
    """The second confidence of "Yes. Confidence: 90 %. I would put it at 0.4".

    None is found where nothing is answered before the confidence, since "it" is then the answer, and where
    the number is that of the answer.
    """
    starts = [start for _, _, how, start in page.found if how == "number"]
    for start in starts[:RESTATED]:
        first = page.numbers.get(start)
        if first is None or page.said.isdisjoint(range(start)):
            continue
        share = fraction(page, first)
        at, said, apart = share[1] if share else first.last, False, False
        while at < first.last + GAP and at not in page.numbers and page.text(at) in BETWEEN:
            said = said or page.text(at) in ESTIMATES
            apart = apart or page.text(at) in ".);\n"
            at += 1
        hit = page.numbers.get(at)
        if hit is None or at in starts or not (said and apart):
            continue
        number: Number = hit.value
        value, end = fraction(page, hit) or (scale(number), hit.last)
        alone = number.unit == "percent" or end > hit.last or 0 <= number.value <= 1
        if alone and not told_before(page, at) and page.text(end) in CLOSED:
            page.state("number", value, hit.first, end, hit.first)


def told_before(page: Page, at: int) -> bool:
    """Does the number at a token stand in the text before, as what is answered may: "40 %. I'd say 40 %."?"""
    number: Number = page.numbers[at].value
    before = (m.value for m in page.numbers.values() if m.first < at)
    return any((one.value, one.unit) == (number.value, number.unit) for one in before)


def bare(page: Page) -> None:
    """ "Down (95 %).", "Down, 9/10" where a confidence was asked for: what ends the text."""
    last = len(page.stream)
    while last > 0 and page.text(last - 1) in (".", ")", "]", "\n"):
        last -= 1
    hit = page.number_ends.get(last)
    if hit is None:
        return
    number: Number = hit.value
    first, value = hit.first, scale(number) if number.unit == "percent" else None
    top = page.number_ends.get(first - 1 - (page.text(first - 2) == "out"))
    if top is not None and page.text(first - 1) in ("/", "of") and number.value in (5, 10, 100):
        first, value = top.first, ratio_of(top.value, number)
    elif number.unit != "percent":
        return
    if first == 0 or page.stream[first - 1].kind == "p" or page.text(first - 1) in LEADS:
        page.state("number", value, first, hit.last, first)
