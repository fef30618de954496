"""Which of several names a text puts first, where the question asks for the most, the top or the highest."""

from __future__ import annotations

from collections.abc import Sequence

from biorlhf_plugins.language.records import Extraction, Named
from biorlhf_plugins.language.stance.stance import prompt_words
from biorlhf_plugins.language.words.text import vocabulary

TOPS = vocabulary(
    "most top first highest largest biggest greatest strongest commonest best dominant dominate predominant main "
    "leading lead longest fastest richest chief principal major prevail least lowest smallest"
)
"""What a question for the first of several holds; and the clause that names it."""

PLACED = vocabulary("is was are were come came rank ranked finish finished place placed be been in only as a the")
LATER = vocabulary("second third fourth fifth last 2nd 3rd next")
REACH = 4
"""Tokens between "second" and the name that is before it: "second, well behind MYH7"."""

PAST = vocabulary("to after behind")
CONCEDES = frozenset(("although", "though", "while", "whereas", "despite"))
ORDERS = frozenset(("order", "ranking", "ranked", "rank"))


def asks_first(prompt: str) -> bool:
    return not TOPS.isdisjoint(prompt_words(prompt))


def leads(said: Extraction, first: int) -> bool:
    """Is the name at token ``first`` that which another is second to: "ACTA1 came second, behind MYH7"?"""
    before = said.stream.texts[max(0, first - REACH) : first]
    at = max((i for i, word in enumerate(before) if word in LATER), default=-1)
    return at >= 0 and not PAST.isdisjoint(before[at + 1 :])


def trails(said: Extraction, name: Named, tokens: tuple[int, int], prompt: str) -> bool:
    """Is a name told as one behind another: placed second, set after ">" or "before", later in a list of ranks,
    granted in an "although" beside the one that is first?"""
    texts, part, (first, last) = said.stream.texts, said.parts[name.sentence], tokens
    if not asks_first(prompt):
        return False
    behind = last
    while behind < part.last and texts[behind] in PLACED:
        behind += 1
    if behind > last and texts[behind : behind + 1] and texts[behind] in LATER:
        return True
    if first > part.first + 1 and (texts[first - 1] == "before" or name.link == ">"):
        return True
    return _listed_later(said, first, part.first) or _granted(texts, part.first, part.last, first)


def _listed_later(said: Extraction, first: int, start: int) -> bool:
    """ "2. Fatigue" below "1. Nausea"; the second of "in descending order: nausea, fatigue"."""
    texts = said.stream.texts
    if texts[max(0, first - 2) : first] in (["2", "."], ["3", "."], ["2", ")"], ["3", ")"]):
        return "1" in texts[: first - 2]
    colon = next((i for i in range(first - 1, start, -1) if texts[i] == ":"), None)
    ordered = colon is not None and not ORDERS.isdisjoint(texts[start:colon])
    return ordered and colon is not None and not {",", ">", "then"}.isdisjoint(texts[colon:first])


def _granted(texts: Sequence[str], start: int, end: int, first: int) -> bool:
    """ "Although Fatigue is common, Nausea is the top event"."""
    if texts[start] not in CONCEDES:
        return False
    comma = next((i for i in range(first, end) if texts[i] == ","), None)
    if comma is None or "," in texts[start:first]:
        return False
    return TOPS.isdisjoint(texts[start:comma]) and not TOPS.isdisjoint(texts[comma:end])
