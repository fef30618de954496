"""A text's tokens with their mentions, for looking around a statement of confidence."""

from __future__ import annotations

from collections.abc import Sequence

from biorlhf_plugins.language.records import Span
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.text import Clean, Stream

SAYING = frozenset(("dir", "num", "type", "pattern", "entity", "phrase", "mission", "path", "agree"))
"""Mentions that may be an answer."""


class Page:
    """Where the numbers, levels, negations and topics of a text stand, by token."""

    def __init__(self, stream: Stream, clean: Clean, content: Sequence[Mention], stance: Sequence[Mention]):
        self.stream, self.clean, self.content, self.stance = stream, clean, content, stance
        self.numbers = {m.first: m for m in content if m.kind == "num"}
        self.number_ends = {m.last: m for m in content if m.kind == "num"}
        self.about = {m.first for m in stance if m.kind == "about"} | {
            m.first for m in content if m.kind in ("dir", "path", "entity", "type", "pattern", "agree")
        }
        self.said = {m.first for m in content if m.kind in SAYING} | {
            m.first for m in stance if m.kind in ("yes", "no")
        }
        self.asides = {m.first for m in stance if m.kind == "aside"}
        self.levels = {m.first: m for m in stance if m.kind == "level"}
        self.level_ends = {m.last: m for m in stance if m.kind == "level"}
        self.negations = {m.first for m in content if m.kind == "neg"}

    def span(self, first: int, last: int) -> Span:
        return self.clean.span(self.stream[first].start, self.stream[min(last, len(self.stream)) - 1].end)

    def text(self, index: int) -> str:
        return self.stream.texts[index] if 0 <= index < len(self.stream) else ""
