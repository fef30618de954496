"""Rivals of a name that is an answer: what a text offers for the same slot, whether or not anything knows it.

Two general signs, and no list of names: another sentence that says the same of another name ("Glycolysis.
Hypoxia.", "Line 2: dwarf. Line 2: sterile."), and the neighbours in a list ("dwarf, sterile or early").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.records import Extraction, Span
from biorlhf_plugins.language.words.lexicon import grammar
from biorlhf_plugins.language.words.vocabulary import METHODS

WORDS = grammar()
ENDS = frozenset(".!?;\n|•")
JOINS = frozenset((",", "or", "and", "/", "&", "vs", "versus"))
SMALL = frozenset().union(
    *(WORDS[kind] for kind in ("determiner", "pronoun", "preposition", "auxiliary", "conjunction", "adverb"))
) - {"of"} | {"unlike"}
PLAIN = WORDS["adjective"] | WORDS["telling"] | METHODS | {"yes", "confidence", "answer", "final", "likely"}
OPENS = WORDS["auxiliary"] | {":", "either", "include", "including", "candidate", "option", "("}
"""What may stand before the first name of a list: "candidates are", "either"."""

ASIDE = frozenset(("unlike", "contrary", "although", "though", "while", "whereas", "despite"))
SEVERAL = 50
"""Mentions of one name that are looked at."""

ALONE, FRAMED = 3, 6
"""Words of a name that is a sentence, and of one in a frame of other words."""


def rivals(said: Extraction, spans: Sequence[Span]) -> list[str]:
    """The rivals of a name that stands at ``spans``: of its mentions, the one with the fewest decides."""
    stream = said.stream
    starts = {said.clean.span(t.start, t.end)[0]: i for i, t in enumerate(stream)} if spans else {}
    pieces = list(_pieces(stream.texts))
    barred = [*said.abstains, *(span for _, span, _ in said.confidence.found)]
    free = [
        (a, b) for a, b in pieces
        if not any(s <= said.clean.span(stream[a].start, stream[a].end)[0] < e for s, e in barred)
    ]  # fmt: skip
    found: list[list[str]] = []
    for start, end in spans[:SEVERAL]:
        first = starts.get(start)
        if first is None:
            continue
        last = first + 1
        while last < len(stream) and said.clean.span(stream[last].start, stream[last].end)[0] < end:
            last += 1
        piece = next((p for p in pieces if p[0] <= first and last <= p[1]), None)
        if piece is not None:
            texts = stream.texts
            told = [*_framed(texts, piece, first, last, free), *_listed(texts, piece, first, last)]
            found.append(list(dict.fromkeys(told)))
    return min(found, key=len, default=[])


def _pieces(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    first = 0
    for index, text in enumerate([*texts, "\n"]):
        if text in ENDS:
            if first < index:
                yield first, index
            first = index + 1


def _framed(
    texts: Sequence[str], piece: tuple[int, int], first: int, last: int, pieces: Sequence[tuple[int, int]]
) -> Iterator[str]:
    """What stands in the name's place in sentences that are otherwise the same."""
    before, after = texts[piece[0] : first], texts[last : piece[1]]
    most = FRAMED if before or after else ALONE
    for a, b in pieces:
        inside = texts[a + len(before) : b - len(after)]
        same = texts[a : a + len(before)] == before and texts[b - len(after) : b] == after
        if same and len(inside) <= most and inside != texts[first:last] and _is_name(inside):
            yield " ".join(inside)


def _listed(texts: Sequence[str], piece: tuple[int, int], first: int, last: int) -> Iterator[str]:
    """The names beside it in a list, to its right and to its left."""
    name, at = texts[first:last], last
    while at < piece[1] and texts[at] in JOINS:
        at += 1 + (at + 1 < piece[1] and texts[at + 1] in JOINS)
        end = at
        while end < piece[1] and texts[end] not in JOINS | SMALL and texts[end] not in "(:":
            end += 1
        stops = end == piece[1] or texts[end] in JOINS | WORDS["auxiliary"]
        if not stops or texts[at:end] == name or not _is_name(texts[at:end]):
            break
        yield " ".join(texts[at:end])
        at = end
    at = first
    if texts[piece[0]] in ASIDE:
        return  # "Unlike Ler, which was quick, Col-0"
    while at > piece[0] and texts[at - 1] in JOINS:
        at -= 1 + (at - 2 >= piece[0] and texts[at - 2] in JOINS)
        start = at
        while start > piece[0] and texts[start - 1] not in JOINS | SMALL | OPENS and texts[start - 1] != ")":
            start -= 1
        opens = start == piece[0] or texts[start - 1] in JOINS | OPENS
        if not opens or texts[start:at] == name or not _is_name(texts[start:at]):
            break
        yield " ".join(texts[start:at])
        at = start


def _is_name(words: Sequence[str]) -> bool:
    if not 0 < len(words) <= FRAMED or not words[0][0].isalnum():
        return False
    telling = [w for w in words if w not in PLAIN and not w.endswith("ly")]
    return (
        words[0] not in METHODS
        and bool(telling)
        and any(w[0].isalpha() for w in telling)
        and not SMALL & set(words)
    )
