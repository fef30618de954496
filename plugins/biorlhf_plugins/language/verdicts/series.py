"""Figures that are set side by side, each with its name: of a sentence, a list or a column of a table."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from biorlhf_plugins.language.evidence.records import FUNCTION, LABELS, Evidence, Figure, content
from biorlhf_plugins.language.evidence.signs import TIMES
from biorlhf_plugins.language.evidence.universals import ENDS as ENDINGS
from biorlhf_plugins.language.verdicts.passages import passages
from biorlhf_plugins.language.words.evidence import words_of

PLACES = words_of("places") | {"among", "without", "of"}
NEUTRAL = words_of("neutral")
ENDS = frozenset((",", ";", ".", "and", "but", "while", "whereas", "(", ")", "versus", "vs", "against"))
SIDE = ("count", "percent", "effect", "fold", "ratio")
BEFORE = 8
"""Tokens before a bracket that may name what its figure is of."""


def stem(word: str) -> str:
    """A word without its ending: the mulch of "mulching", the irriga of "irrigation"."""
    if len(word) > 7 and word.isalpha():
        return word[:6]
    return ENDINGS.sub("", word) if len(word) > 4 else word


class Entry(NamedTuple):
    """A figure with the words that no other figure of its series has."""

    words: frozenset[str]
    figure: Figure


class Series(NamedTuple):
    """Entries in the order of the text, of tokens [first, last); ``about`` are the words around them."""

    entries: list[Entry]
    first: int
    last: int
    about: frozenset[str]

    def named(self, words: frozenset[str]) -> Entry | None:
        """The one entry that some words name, "mulching" that of "under mulch" too."""
        stems = frozenset(map(stem, words))
        hits = [e for e in self.entries if not stems.isdisjoint(map(stem, e.words))]
        return hits[0] if len(hits) == 1 else None


def series(found: Evidence) -> list[Series]:
    """Every series of two figures or more."""
    told = []
    for group in (*_in_prose(found), *_listed(found)):
        made = _series(found, group)
        if made is not None:
            told.append(made)
    return told


def _in_prose(found: Evidence) -> Iterator[list[Figure]]:
    """The figures of one kind and unit of a sentence; of sentences in a row where each has but few."""
    run: dict[tuple[int, str], list[Figure]] = {}
    for passage in passages(found):
        part = found.parts[passage.numbers[0]]
        if part.kind != "prose":
            continue
        for kind in SIDE:
            own = [f for f in passage.figures if f.kind == kind and _free(found, f)]
            units = {u for u in (_unit(found, f) for f in own) if u}
            if not own or len(units) > 1:
                continue
            if len(own) > 1:
                yield own
            label = "".join(found.stream.texts[own[0].first - 2 : own[0].first])
            run.setdefault((part.paragraph, kind + label), []).extend(own)
    for group in run.values():
        if len({f.part for f in group}) > 1 and len(group) <= 6:
            yield group


def _free(found: Evidence, figure: Figure) -> bool:
    """Whether a figure is a value: no "session 4", no "after 10 days", no bound and no "95 % CI"."""
    texts = found.stream.texts
    before, after = texts[figure.first - 1 : figure.first], texts[figure.last : figure.last + 2]
    numbered = before and (before[0] in LABELS or before[0] in TIMES or before[0] in ("session", "trial"))
    dated = figure.unit in TIMES and before and before[0] in ("at", "after", "by", "within", "for", "over")
    warmed = after[:1] == ["°"] and not {"at", "to", "of"}.isdisjoint(before)  # "at 36 °C"
    degree = warmed or after[:1] in (["ci"], ["x"], ["×"])
    return not (figure.sign or numbered or dated or degree)


def _unit(found: Evidence, figure: Figure) -> str:
    word = "".join(found.stream.texts[figure.last : figure.last + 1])
    return word if word.isalpha() and word not in PLACES and (len(word) == 1 or word not in FUNCTION) else ""


def _listed(found: Evidence) -> Iterator[list[Figure]]:
    """The items of one list with one figure each, and each column of a table."""
    for kind, block in itertools.groupby(enumerate(found.parts), key=lambda pair: pair[1].kind):
        numbers = [number for number, _ in block]
        if kind == "item":
            rows = [[f for f in found.by_part.get(n, ()) if f.kind in SIDE] for n in numbers]
            if all(len(row) == 1 for row in rows):
                yield [row[0] for row in rows]
        elif kind == "row":
            figures = [f for n in numbers for f in found.by_part.get(n, ()) if f.kind in SIDE]
            for _, column in itertools.groupby(sorted(figures, key=_column), key=_column):
                yield list(column)


def _column(figure: Figure) -> tuple[str, ...]:
    return tuple(sorted(figure.right))


def _series(found: Evidence, figures: Sequence[Figure]) -> Series | None:
    if len(figures) < 2:
        return None
    names = [_name(found, f) for f in figures]
    entries = []
    for name, figure in zip(names, figures, strict=True):
        others = frozenset().union(*(n for n in names if n is not name))
        entries.append(Entry(name - others - NEUTRAL, figure))
    if not all(e.words for e in entries):
        return None
    numbers = {f.part for f in figures}
    first, last = min(found.parts[n].first for n in numbers), max(found.parts[n].last for n in numbers)
    around = frozenset().union(*(found.words(n) for n in range(max(min(numbers) - 1, 0), max(numbers) + 1)))
    return Series(entries, first, last, around | frozenset().union(*(f.right for f in figures)))


def _name(found: Evidence, figure: Figure) -> frozenset[str]:
    """The words that a figure is of: before it, before its bracket, and after "in" or "with"."""
    part, texts = found.parts[figure.part], found.stream.texts
    if part.kind == "row":
        return figure.left
    if part.kind == "item":
        cells = content(found.stream, part.first, figure.first)
        return cells | frozenset(t for t in texts[part.first : figure.first] if t.isalnum())
    name = _behind(found, figure, part.last)
    if name and texts[figure.last : figure.last + 1] != [")"]:
        return name
    opens = next(
        (i for i in range(figure.first - 1, max(part.first, figure.first - 6), -1) if texts[i] in "()"), 0
    )
    if opens and texts[opens] == "(":
        return _before(found, opens, part.first)
    return figure.left or _before(found, figure.first, part.first)


def _behind(found: Evidence, figure: Figure, last: int) -> frozenset[str]:
    """ "58 with biochar", "2.2 kg N/ha under no-till", "8.4 (kidney)"."""
    texts = found.stream.texts
    if texts[figure.last : figure.last + 1] == ["("]:
        end = next((i for i in range(figure.last + 1, min(last, figure.last + 6)) if texts[i] == ")"), 0)
        words = content(found.stream, figure.last + 1, end)
        return (
            words if end and not any(t.number for t in found.stream[figure.last + 1 : end]) else frozenset()
        )
    for at in range(figure.last, min(last, figure.last + 7)):
        if texts[at] in ENDS or found.stream[at].number is not None:
            return frozenset()
        if texts[at] in PLACES and texts[at] != "of":
            end = next((i for i in range(at + 1, last) if texts[i] in ENDS), last)
            return content(found.stream, at + 1, end)
    return frozenset()


def _before(found: Evidence, end: int, first: int) -> frozenset[str]:
    """The words before a bracket, back to the last cut or figure."""
    texts = found.stream.texts
    start = end
    while start > max(first, end - BEFORE) and texts[start - 1] not in ENDS | {":"}:
        number = found.stream[start - 1].number
        if number is not None and number.unit != "name":
            break
        start -= 1
    return content(found.stream, start, end)
