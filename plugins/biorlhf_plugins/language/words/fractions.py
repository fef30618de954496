"""Shares in words: "half", "a quarter", "two thirds", "one in five", "over a third"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.language.words.spelt import WORD_NUMBERS
from biorlhf_plugins.language.words.text import Stream

PARTS = {"half": 2, "third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}
OVER, UNDER = frozenset(("over", "more", "above")), frozenset(("under", "less", "below", "fewer"))
ROUGH = words_of("rough")
NO_HALF = frozenset(("life", "live", "time", "as", "a", "an", "maximal", "way", "year", "hour", "hourly"))
NOT_BEFORE_HALF = frozenset(("first", "second", "other", "better", "and", "am", "are"))
ENDS = frozenset((*".,;:)", "of", "do", "does", "is", "are", "was", "were", "have", "had"))
"""After "a third" of something, and not after "a third mouse" or "a quarter mile"."""
REACH = 3


class Share(NamedTuple):
    """A share from 0 to 1 at tokens [first, last); ``bound`` is ">" for "over half", "<" for "under half"."""

    value: float
    first: int
    last: int
    bound: str = ""
    rough: bool = False


def worded(stream: Stream, first: int, last: int) -> Iterator[Share]:
    """The shares in words of the tokens [first, last)."""
    for at in (i for i in range(first, last) if stream.texts[i] in PARTS or stream.texts[i] == "one"):
        share = share_at(stream, at, first)
        if share is not None:
            yield share


def share_at(stream: Stream, at: int, first: int) -> Share | None:
    """The share whose word stands at a token, of a clause that begins at ``first``."""
    texts = stream.texts
    before, behind = texts[at - 1] if at > first else "", texts[at + 1 : at + 3]
    start, end, value = at - 1, at + 1, 0.0
    if texts[at] == "half":
        one_and_a_half = before == "a" and texts[max(first, at - 2)] == "and"
        if NO_HALF.isdisjoint(behind[:1]) and before not in NOT_BEFORE_HALF and not one_and_a_half:
            start, value = at - (before == "a"), 0.5
    elif texts[at] in PARTS:
        other = before == "a" and bool(behind) and behind[0] not in ENDS
        times = 0 if other else WORD_NUMBERS.get(before, 1 if before == "a" else 0)
        value = times / PARTS[texts[at]]
    elif texts[at] == "one" and behind[:1] == ["in"] and len(behind) > 1:
        start, end, number = at, at + 3, stream[at + 2].number
        value = 1 / (WORD_NUMBERS.get(behind[1]) or (number.value if number else 0) or 1)
    if not 0 < value < 1 or (behind[:1] == ["of"] and behind[1:] in (["a"], ["an"])):
        return None  # "a quarter of an hour"
    near = set(texts[max(first, start - REACH) : start])
    bound = ">" if near & OVER else "<" if near & UNDER else ""
    return Share(value, start, end, bound, bool(near & ROUGH))
