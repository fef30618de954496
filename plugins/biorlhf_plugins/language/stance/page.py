"""A text's tokens with their mentions, for looking around a statement of confidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from biorlhf_plugins.language.records import Span
from biorlhf_plugins.language.words.mentions import Mention, grouped
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.language.words.text import Stream

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
        return self.stream.texts[index] if 0 <= index < len(self.stream) else ""


def _starts(found: dict[str, list[Mention]], kinds: Iterable[str]) -> set[int]:
    return {m.first for kind in kinds for m in found.get(kind, ())}
