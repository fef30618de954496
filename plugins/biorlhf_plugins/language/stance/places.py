"""Where a confidence stands: under a heading, in a table's column; and where one is a statistic's."""

from __future__ import annotations

import itertools

from biorlhf_plugins.language.stance.page import Page
from biorlhf_plugins.language.stance.stakes import ratio_of, scale
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.numbers import Number

STATISTICAL = frozenset(("interval", "ci", "band", "limit", "region", "bound", "level", "coefficient"))
"""After "confidence" these belong to a statistic: "at the 95 % confidence level"."""

NAMES_HEADING = frozenset(("assessment", "level", "score", "rating", "estimate", "statement", "value"))
USUAL = frozenset((90, 95, 99, 99.9))
ADVERBS = frozenset(
    ["likely", "probably", "probable", "possibly", "perhaps", "maybe", "surely", "certainly", "unlikely"]
)
LEADING_WORDS = """to be been that it is are go going significantly strongly slightly the not about around
roughly a type answer ~ ≈ , :"""
LEADING = frozenset(LEADING_WORDS.split())
OPENERS = frozenset(("", ".", ",", ";", "!", "?", "\n", "(", ")", ":", "—"))
OWN = frozenset(("my", "i", "overall", "our"))
BEFORE_HEADING = frozenset(("my", "final", "overall", "stated", "the", ".", ")", "•", "—", "estimated"))
RULES = frozenset(("|", "—", ":", "\n", "-", "+"))

Cell = tuple[int, int]
Placed = tuple[float | None, int, int, str]
"""(value or None where it is invalid, first token, last token, "number" or "category")."""


def statistical(page: Page, trigger: Mention) -> bool:
    """True for the confidence of an interval, a limit or a level, which is not the writer's."""
    last = trigger.last
    if page.text(last) in STATISTICAL - {"level"}:
        return True
    if _significance(page, trigger) or _bounds(page, trigger):
        return True
    levelled = "level" in (page.text(last - 1), page.text(last), page.text(trigger.first))
    before = page.number_ends.get(trigger.first)
    if not levelled or before is None:
        return False
    number: Number = before.value  # type: ignore[assignment]
    own = {page.text(i) for i in range(before.first - 5, before.first)} & OWN
    return number.unit == "percent" and not own


def _significance(page: Page, trigger: Mention) -> bool:
    """True for "at a confidence level of 99 %", with a level that tests of significance use."""
    after = page.numbers.get(trigger.last + (page.text(trigger.last) == "of"))
    number: Number | None = after.value if after is not None else None  # type: ignore[assignment]
    at = trigger.first - (page.text(trigger.first - 1) in ("a", "the"))
    levelled = page.text(trigger.last - 1) == "level" and page.text(at - 1) == "at"
    return levelled and number is not None and number.unit == "percent" and number.value in USUAL


def _bounds(page: Page, trigger: Mention) -> bool:
    """True for "with 95 % confidence, the ratio lies between 0.4 and 0.7", which gives an interval."""
    before = page.number_ends.get(trigger.first)
    number: Number | None = before.value if before is not None else None  # type: ignore[assignment]
    if before is None or number is None or number.value not in USUAL or page.text(before.first - 1) != "with":
        return False
    ahead = (page.numbers.get(at) for at in range(trigger.last, trigger.last + 16))
    return any(m is not None and m.value.low is not None and m.value.high is not None for m in ahead)


def on_scale(page: Page, hit: Mention) -> tuple[float | None, int] | None:
    """(probability, end) of "8 on a scale of 10", "8 on a scale from 1 to 10"."""
    if [page.text(i) for i in range(hit.last, hit.last + 3)] != ["on", "a", "scale"]:
        return None
    for at in range(hit.last + 3, hit.last + 8):
        top = page.numbers.get(at)
        number: Number | None = top.value if top is not None else None  # type: ignore[assignment]
        if top is not None and number is not None and max(number.value, number.high or 0.0) in (5, 10, 100):
            whole = number._replace(value=max(number.value, number.high or 0.0))
            return ratio_of(hit, whole), top.last
    return None


def hedges(page: Page, trigger: Mention) -> bool:
    """True for a "likely" that says nothing of the answer: "is likely a protective response". It does where
    a direction, a figure or a class follows at once, or comes right before: "down, most likely"."""
    if page.text(trigger.last - 1) not in ADVERBS:
        return False
    if page.text(trigger.first - 1) in OPENERS and page.text(trigger.last) in OPENERS:
        return False
    at = trigger.last
    while at < trigger.last + 4 and page.text(at) in LEADING:
        at += 1
    if at in page.said:
        return False
    closes = page.text(trigger.last) in OPENERS
    return not (closes and any(i in page.said for i in range(trigger.first - 4, trigger.first)))


def heads(page: Page, trigger: Mention) -> bool:
    """Does a trigger fill its line: "### Confidence level:"? What it names then stands below."""
    at = trigger.first - 1
    while page.text(at) in BEFORE_HEADING or (
        at >= 0 and page.stream[at].kind == "n" and page.text(at + 1) in ".)"
    ):
        at -= 1
    if at >= 0 and page.text(at) != "\n":
        return False
    after = trigger.last + (page.text(trigger.last) in NAMES_HEADING)
    return page.text(after + (page.text(after) == ":")) == "\n"


def below(page: Page, triggers: list[Mention]) -> tuple[set[int], list[Placed]]:
    """The triggers that head a table's column, by token, and what the rows under them say."""
    heading: set[int] = set()
    placed: list[Placed] = []
    if "|" not in page.stream.vocabulary:
        return heading, placed
    columns: list[int] = []
    for first, last in _lines(page):
        if "|" not in {page.text(i) for i in range(first, last)}:
            columns = []
            continue
        cells = _cells(page, first, last)
        if all(page.text(i) in RULES for i in range(first, last)):
            continue
        inside = [t for t in triggers if first <= t.first < last]
        if inside and not any(first <= at < last and not _scale(page, at) for at in page.numbers):
            columns = [i for i, (a, b) in enumerate(cells) if any(a <= t.first < b for t in inside)]
            alone = columns == [0] and any(
                first <= at < last for at in page.levels
            )  # "| confidence | high |"
            columns = [] if alone else columns
            heading |= {t.first for t in inside if not alone}
            continue
        for column in columns:
            if column < len(cells) and (found := _value(page, cells[column])) is not None:
                placed.append(found)
    return heading, placed


def _scale(page: Page, at: int) -> bool:
    """True for the "0-100" of "confidence (0-100)"."""
    number: Number = page.numbers[at].value  # type: ignore[assignment]
    return number.low in (0, 1) and number.high in (1, 10, 100)


def _lines(page: Page) -> list[Cell]:
    ends = [i for i, text in enumerate(page.stream.texts) if text == "\n"] + [len(page.stream)]
    starts = [0, *(end + 1 for end in ends[:-1])]
    return [(a, b) for a, b in zip(starts, ends, strict=True) if b > a]


def _cells(page: Page, first: int, last: int) -> list[Cell]:
    bars = [i for i in range(first, last) if page.text(i) == "|"]
    edges = [*([] if bars[0] == first else [first - 1]), *bars, *([] if bars[-1] == last - 1 else [last])]
    return [(a + 1, b) for a, b in itertools.pairwise(edges)]


def _value(page: Page, cell: Cell) -> Placed | None:
    first, last = cell
    numbers = [page.numbers[i] for i in range(first, last) if i in page.numbers]
    if len(numbers) == 2 and page.text(numbers[0].last) in ("/", "out", "of"):
        return ratio_of(numbers[0], numbers[1].value), numbers[0].first, numbers[1].last, "number"
    if numbers:
        return scale(numbers[0].value), numbers[0].first, numbers[0].last, "number"  # type: ignore[arg-type]
    levels = [page.levels[i] for i in range(first, last) if i in page.levels]
    if levels:
        return float(str(levels[0].value)), levels[0].first, levels[0].last, "category"
    return None
