"""What reading evidence yields: figures with the words that they belong to, and what could be checked."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar, TypeVarTuple

from biorlhf_plugins.language.records import Extraction, Span
from biorlhf_plugins.language.sentences.clauses import Sentence
from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.numbers import counted
from biorlhf_plugins.language.words.text import Stream, Token
from biorlhf_plugins.language.words.units import Unit, unit_at

FUNCTION = words_of("function")
"""Words that name nothing."""
CLAUSES = words_of("breaks") - {","}
LEVELLED = frozenset(("ci", "confidence", "credible", "credibility", "interval", "cri"))
"""What follows the level of an interval: "95 % CI"."""
TIMES = words_of("times")
LABELS = words_of("numbered")
"""What a number after it is the name of: "Step 1", "Patient 7"."""


class Figure(NamedTuple):
    """``kind``: "count" (any plain figure), "percent", "ratio", "effect" (its sign is the direction), "fold"
    (above or below 1), "hazard", "p", "alpha", "n", "low" and "high" (of an interval), "level" (its percent).

    ``left`` and ``right`` are the words beside it, ``words`` both, ``unit`` the first of the words after it.
    ``sign`` is "<", ">" or "" (before it); [first, last) are tokens.
    """

    value: float
    kind: str
    part: int
    first: int
    last: int
    left: frozenset[str]
    right: frozenset[str]
    unit: str
    sign: str
    decimals: int
    span: Span
    words: frozenset[str]


new_figure = functools.partial(tuple.__new__, Figure)
"""A figure of a tuple of its fields: see ``new_mention``."""


Key = TypeVarTuple("Key")
Read = TypeVar("Read")


def once(read: Callable[[Evidence, *Key], Read]) -> Callable[[Evidence, *Key], Read]:
    """What a function reads of a text (or of a sentence of it), for all that ask for it."""

    @functools.wraps(read)
    def remembered(found: Evidence, *key: *Key) -> Read:
        kept, at = found.kept, (read, *key)
        if at not in kept:
            kept[at] = read(found, *key)
        return kept[at]  # type: ignore[no-any-return]

    return remembered


@dataclass(frozen=True, slots=True)
class Evidence:
    """A text's tokens, sentences and figures. ``said`` is the extraction that they come from.

    What several checks ask of it is read once, and remembered in ``kept``: see :func:`once`.
    """

    said: Extraction
    prompt: str
    stream: Stream
    parts: Sequence[Sentence]
    figures: tuple[Figure, ...]
    by_part: dict[int, list[Figure]] = field(default_factory=dict)
    turned: dict[Span, str] = field(default_factory=dict)
    """By span the directions that the extraction turned into the frame of the contrast."""
    pool: tuple[Figure, ...] = ()
    """Figures that can be compared: no p values, intervals, ratios or bounds."""
    common: frozenset[str] = frozenset()
    """Words that most of them have beside them, which tell none from another."""
    kept: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    @once
    def words(self, number: int) -> frozenset[str]:
        """The words of a sentence that name something."""
        return content(self.stream, self.parts[number].first, self.parts[number].last)

    @once
    def unit(self, figure: Figure) -> tuple[str, Unit] | None:
        """The unit that a figure is written with."""
        return unit_at(self.said.text, *figure.span)

    def span(self, first: int, last: int) -> Span:
        return self.stream.span(first, last)

    def asserted(self, index: int) -> bool:
        return not self.said.marks[index]


def content(stream: Stream, first: int, last: int) -> frozenset[str]:
    """The words of [first, last) that name something, and the numbers that are part of a name."""
    if first >= last:
        return frozenset()
    stream.naming = stream.naming or [
        text
        if (kind == "w" and text not in FUNCTION) or (number is not None and number.unit == "name")
        else ""
        for text, kind, _, _, number in stream
    ]
    words = frozenset(filter(None, stream.naming[max(first, 0) : last]))
    if not LABELS.isdisjoint(words):  # "drug A", "compound 7"
        words |= {
            stream.texts[i]
            for i in range(max(first, 1), last)
            if stream.texts[i - 1] in LABELS
            and stream.texts[i].isalnum()
            and (len(stream.texts[i]) == 1 or (len(stream.texts[i]) == 2 and stream.texts[i] not in FUNCTION))
        }
    return words


class Check(NamedTuple):
    """One thing that could be checked. ``says`` tells what was compared, ``expected`` what would be right.

    ``severity`` is its weight. ``alone`` marks what stands by itself, such as "2 + 2 = 4": it needs nothing
    else in the text, so that anybody can write it down.
    """

    name: str
    passed: bool
    says: str
    spans: tuple[Span, ...]
    severity: float = 1.0
    alone: bool = False
    expected: str = ""


def gap(found: Evidence, one: Figure, other: Figure) -> list[str]:
    """The tokens between two figures."""
    return found.stream.texts[one.last : other.first]


def is_year(found: Evidence, figure: Figure) -> bool:
    """2019, of no thing: as it stands after "in", "since" or the name of a month."""
    if not 1900 <= figure.value < 2100:
        return False
    written = found.said.text[figure.span[0] : figure.span[1]]
    return written[:4].isdigit() and written[4:5] not in GOES_ON


def is_level(found: Evidence, figure: Figure) -> bool:
    """The 95 % of "95 % CI"."""
    return not LEVELLED.isdisjoint(found.stream.texts[figure.last : figure.last + 1])


GOES_ON = frozenset(".,0123456789")
"""Behind four digits these make another figure of them."""
DATING = frozenset(("in", "since", "until", "by"))
VERBS = words_of("verbs")


def _plural(said: Extraction, word: Token) -> bool:
    return said.clean.text[word.end - 1] == "s" != word.text[-1]


def ends_name(said: Extraction, stream: Stream, numbers: list[Mention], n: int) -> bool:
    """True for the 22 of "Nagina 22 (3.1 t/ha)" and of "Patient 7": a number that ends a name."""
    m = numbers[n]
    if m.last - m.first != 1 or not m.first or m.value.decimals or m.value.unit or not m.value.word.isdigit():
        return False
    word, number = stream[m.first - 1], stream[m.first]
    if word.text in DATING and number.end - number.start == 4 and 1900 <= m.value.value < 2100:
        return m.last == len(stream) or stream[m.last].kind == "p" or stream.texts[m.last] in ("to", "and")
    if word.text in LABELS:
        following = stream.texts[m.last] if m.last < len(stream) else ""
        # "Of the 80 isolates 44 are rare"
        several = n and following.isalpha() and following not in ("and", "or") and _plural(said, word)
        named = len(m.value.word) < 3 and stream.texts[m.first - 2] != "wild" and not several
        return named and not counted(stream.texts, m.first)
    if word.kind != "w" or stream[m.first].start - word.end > 1:
        return False
    start = said.clean.span(word.start, word.end)[0]
    if not said.text[start : start + 1].isupper():
        return False
    following = stream.texts[m.last] if m.last < len(stream) else ""
    opens = following in ("(", ":", "=", "—") and n + 1 < len(numbers) and numbers[n + 1].first <= m.last + 3
    return opens or (len(m.value.word) < 3 and following in VERBS)


class Passage(NamedTuple):
    """Tokens [first, last) of one sentence, of the parts with these numbers, with its figures."""

    first: int
    last: int
    numbers: list[int]
    figures: list[Figure]


def passages(found: Evidence) -> list[Passage]:
    """Every sentence and list item that the text states; rows are read by their column instead."""
    texts = found.stream.texts
    joined: list[Passage] = []
    depth = 0
    for number, part in enumerate(found.parts):
        own = found.by_part.get(number, [])
        before = joined[-1] if joined else None
        if depth > 0 and before is not None and found.parts[before.numbers[0]].paragraph == part.paragraph:
            joined[-1] = Passage(before.first, part.last, [*before.numbers, number], [*before.figures, *own])
        else:
            depth = 0
            joined.append(Passage(part.first, part.last, [number], list(own)))
        here = texts[part.first : part.last]
        depth += here.count("(") - here.count(")")
    return [p for p in joined if found.parts[p.numbers[0]].kind != "row" and found.asserted(p.first)]


def clauses(found: Evidence, passage: Passage) -> Iterator[tuple[int, int]]:
    """Where each clause begins and ends: at "but", "and" and ";" in no bracket."""
    texts = found.stream.texts
    depth, start = 0, passage.first
    for at in range(passage.first, passage.last):
        depth += (texts[at] == "(") - (texts[at] == ")")
        if depth <= 0 and texts[at] in CLAUSES:
            if at > start:
                yield start, at
            start = at + 1
    if start < passage.last:
        yield start, passage.last
