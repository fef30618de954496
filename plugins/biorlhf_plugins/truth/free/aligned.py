"""Where a text answers a question for a name: the clause that has most of the question's words.

"In the treated mice Firmicutes take over; the controls are mostly Proteobacteria", asked for the treated:
Proteobacteria stand in a clause with fewer of the question's words than another one with a name of its own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from biorlhf_plugins.language.records import Extraction, Named
from biorlhf_plugins.language.words.text import vocabulary
from biorlhf_plugins.language.words.vocabulary import METHODS, POPULATIONS
from biorlhf_plugins.truth.free.beside import Words, stems

CUTS = frozenset((",", ";", "(", ")", ".", "!", "?", "\n", "•", "but", "while", "whereas", "—"))
OPEN = vocabulary("is was are were be been = by in of for to with from at as that")
"""A clause that ends with one of these goes on behind the comma."""
DENIES = frozenset(("not", "no", "never", "none", "nor", "neither", "without", "than", "unlike"))
STARTS = frozenset((".", "!", "?", ":", "\n", "•"))
NEAR = 4
"""Characters before a word that say whether it opens a sentence."""
LONG = 4
"""Tokens behind an "and" that make a clause of its own."""


def told_elsewhere(said: Extraction, name: Named, tokens: tuple[int, int], asked: Words) -> bool:
    """Has another clause more of the question's words, and a name beside them?"""
    texts = said.stream.texts
    pieces = list(_pieces(texts))
    named = _tokens_of(said, name) | {*range(*tokens)}
    asked = _one_way(asked)
    hits = [len(_one_way(stems(texts[a:b])) & asked) for a, b in pieces]
    own = [n for n, (a, b) in enumerate(pieces) if any(a <= i < b for i in named)]
    alone = tokens[0] == 0 or texts[tokens[0] - 1] in STARTS
    if not own or (alone and any(pieces[n][1] == tokens[1] for n in own)):
        return False  # the name alone is an answer
    best = max(hits[n] for n in own)
    return any(
        hits[n] > best
        and n not in own
        and texts[b - 1] not in OPEN
        and DENIES.isdisjoint(texts[a:b])
        and (any(_is_name(said, i, asked) for i in range(a, b)) or _is_subject(texts[a:b], asked))
        for n, (a, b) in enumerate(pieces)
    )


def _one_way(listed: Words) -> Words:
    """Stems of which a noun and its verb are one: "the increase" and "increased"."""
    return frozenset(
        "up" if w.startswith("increas") else "down" if w.startswith("decreas") else w for w in listed
    )


def _is_subject(words: list[str], asked: Words) -> bool:
    """The keratin of "keratin was the most abundant"."""
    words = words[words[:1] == ["the"] :]
    return words[1:2] != [] and words[1] in ("is", "was", "are", "were") and bool(stems(words[:1]) - asked)


def _pieces(texts: list[str]) -> Iterator[tuple[int, int]]:
    first = 0
    for index in range(len(texts) + 1):
        ends = index == len(texts) or texts[index] in CUTS
        ends = ends and (
            index == len(texts) or texts[index] != "," or texts[index + 1 : index + 2] != ["with"]
        )
        if not ends and texts[index : index + 1] == ["and"]:
            after = next((i for i in range(index + 1, len(texts)) if texts[i] in CUTS), len(texts))
            ends = after - index > LONG
        if ends:
            if first < index:
                yield first, index
            first = index + 1


def _tokens_of(said: Extraction, name: Named) -> set[int]:
    """Every token of every mention of a name."""
    spans = sorted(n.span for n in said.named if n.value == name.value)
    starts = [start for start, _ in spans]
    found = set()
    for i, token in enumerate(said.stream):
        first, _ = said.clean.span(token.start, token.end)
        at = bisect_right(starts, first) - 1
        if at >= 0 and first < spans[at][1]:
            found.add(i)
    return found


def _is_name(said: Extraction, at: int, asked: Words) -> bool:
    """Is a word that the question lacks written as a name: Firmicutes, E9.5, MCF-7?"""
    token = said.stream[at]
    measured = at > 0 and said.stream[at - 1].number is not None  # the "nM" of "1.2 nM"
    if measured or token.kind != "w" or token.text in METHODS - POPULATIONS or stems((token.text,)) & asked:
        return False
    start, end = said.clean.span(token.start, token.end)
    raw, before = said.text[start:end], said.text[max(0, start - NEAR) : start].strip(" \n-*")
    shaped = any(c.isdigit() for c in raw) or (bool(before) and before[-1] not in ".!?")
    return any(c.isupper() for c in raw[1:]) or (raw[0].isupper() and shaped)
