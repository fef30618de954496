"""A text's tokens with their mentions, for looking around a statement of confidence: what it stands under,
and whether it is a statistic's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from biorlhf_plugins.language.records import Span
from biorlhf_plugins.language.words.mentions import Mention, grouped
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.language.words.text import Stream, vocabulary

STATISTICAL = frozenset(("interval", "ci", "band", "limit", "region", "bound", "level", "coefficient"))
"""After "confidence" these belong to a statistic: "at the 95 % confidence level"."""

NAMES_HEADING = frozenset(("assessment", "level", "score", "rating", "estimate", "statement", "value"))
USUAL = frozenset((90, 95, 99, 99.9))
ADVERBS = vocabulary("likely probably probable possibly perhaps maybe surely certainly unlikely")
LEADING = vocabulary(
    "to be been that it is are go going significantly strongly slightly the not about around roughly a "
    "type answer ~ ≈ , :"
)
OPENERS = frozenset(("", ".", ",", ";", "!", "?", "\n", "(", ")", ":", "—"))
OTHERS = vocabulary("colleague author reviewer referee supervisor student collaborator coauthor he she")
OWN = frozenset(("my", "i", "overall", "our"))
BEFORE_HEADING = frozenset(("my", "final", "overall", "stated", "the", ".", ")", "•", "—", "estimated"))

SAYING = frozenset(("dir", "num", "type", "pattern", "entity", "phrase", "mission", "path", "agree"))
"""Mentions that may be an answer."""

TOPICS = frozenset(("dir", "path", "entity", "type", "pattern", "agree"))
"""Mentions that a confidence may be about."""


Found = tuple[float | None, Span, str, int]
"""(value or None where it is invalid, span, "number", "category" or "words", token of the value)."""


class Page:
    """Where the numbers, levels, negations and topics of a text stand, by token."""

    def __init__(self, stream: Stream, content: Sequence[Mention], stance: Sequence[Mention]):
        self.stream = stream
        said, stated = grouped(content), grouped(stance)
        figures, levels = said.get("num", []), stated.get("level", [])
        self.numbers = {m.first: m for m in figures}
        self.number_ends = {m.last: m for m in figures}
        self.about = _starts(said, TOPICS) | _starts(stated, ("about",))
        self.said = _starts(said, SAYING) | _starts(stated, ("yes", "no"))
        self.asides = _starts(stated, ("aside",))
        self.levels = {m.first: m for m in levels}
        self.level_ends = {m.last: m for m in levels}
        self.negations = _starts(said, ("neg",))
        self.found: list[Found] = []

    def state(self, how: str, value: float | None, first: int, last: int, start: int) -> None:
        """Note a confidence that tokens [first, last) state, with its value at token ``start``."""
        span = self.stream.span(first, min(last, len(self.stream)))
        self.found.append((value, span, how, start))

    def number(self, at: int) -> Number | None:
        """The number that begins at a token."""
        return self.numbers[at].value if at in self.numbers else None

    def text(self, index: int) -> str:
        texts = self.stream.texts
        return texts[index] if 0 <= index < len(texts) else ""


def _starts(found: dict[str, list[Mention]], kinds: Iterable[str]) -> set[int]:
    return {m.first for kind in kinds for m in found.get(kind, ())}


def statistical(page: Page, trigger: Mention) -> bool:
    """True for the confidence of an interval, a limit or a level, which is not the writer's."""
    last = trigger.last
    if page.text(last) in STATISTICAL - {"level"} or page.text(trigger.first - 2) == "order":
        return True
    if page.text(trigger.last - 1) == "odd" and _plain_odds(page, last):
        return True
    at = trigger.first - 1
    while at > trigger.first - 7 and page.text(at) not in OPENERS:
        if page.text(at) in OTHERS:
            return True  # "my colleague is 20 % sure"
        at -= 1
    if _significance(page, trigger) or _bounds(page, trigger):
        return True
    levelled = "level" in (page.text(last - 1), page.text(last), page.text(trigger.first))
    before = page.number_ends.get(trigger.first)
    if not levelled or before is None:
        return False
    own = {page.text(i) for i in range(before.first - 5, before.first)} & OWN
    return before.value.unit == "percent" and not own


def _plain_odds(page: Page, at: int) -> bool:
    """True for the odds of a study, which go up "by 1.5", or a ratio above 1 without a second side."""
    hit = page.numbers.get(at + (page.text(at) in ("of", "by", "were", "was", "are")))
    sided = hit is not None and page.text(hit.last) in ("to", ":", "/", "out", "against", "in")
    above = hit is not None and not hit.value.unit and hit.value.value > 1
    near = range(at, at + 5)
    times = any(
        page.text(i) == "time" or ((n := page.number(i)) is not None and n.unit == "ratio") for i in near
    )
    return page.text(at) == "by" or times or (above and not sided)


def _significance(page: Page, trigger: Mention) -> bool:
    """True for "at a confidence level of 99 %", with a level that tests of significance use."""
    number = page.number(trigger.last + (page.text(trigger.last) == "of"))
    at = trigger.first - (page.text(trigger.first - 1) in ("a", "the"))
    levelled = page.text(trigger.last - 1) == "level" and page.text(at - 1) == "at"
    return levelled and number is not None and number.unit == "percent" and number.value in USUAL


def _bounds(page: Page, trigger: Mention) -> bool:
    """True for "with 95 % confidence, the ratio lies between 0.4 and 0.7", which gives an interval."""
    before = page.number_ends.get(trigger.first)
    if before is None or before.value.value not in USUAL or page.text(before.first - 1) != "with":
        return False
    ahead = (page.number(at) for at in range(trigger.last, trigger.last + 16))
    return any(n is not None and n.low is not None and n.high is not None for n in ahead)


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
