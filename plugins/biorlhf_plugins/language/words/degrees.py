"""Directions that are told by degree and not by a word of their own: "twice as much", "above the wild-type
level", "switches the pathway on", "expressed more weakly in", "hypermethylated"."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence

PREFIXED = re.compile(
    r"(?:(hyper|over)|(?:hypo|under))"
    r"(?:\w*(?:ylat(?:ed|ion)|activ(?:e|ated|ation|ity))|express(?:ed|ion|ing)?|represent(?:ed|ation))"
)
OVER = frozenset(
    ("above", "exceed", "exceeded", "exceeding", "surpass", "surpassed", "outstrip", "outstripped")
)
UNDER = frozenset(("below", "trail", "trailed", "trailing", "lag", "lagged", "behind"))
AMOUNTS = frozenset(
    ("much", "many", "high", "abundant", "strong", "large", "active", "common", "frequent", "strongly")
)
MULTIPLES = frozenset(("twice", "time", "thrice", "fold"))
PARTS = frozenset(("half", "third", "quarter", "fifth", "tenth"))
MANNERS = {"strongly": 1, "highly": 1, "intensely": 1, "abundantly": 1, "weakly": -1, "faintly": -1}
STAYING = frozenset(("stay", "stayed", "remain", "remained"))
APART = frozenset((",", ";", "but", "while", "whereas"))
ALIKE = frozenset(("both", "alike", "also", "too", "likewise", "same", "as", "despite"))
SWITCHES = frozenset((
    "switch", "switched", "switching", "turn", "turned", "turning", "shut", "shutting", "flip", "flipped",
    "flipping",
))  # fmt: skip
SETTING_OFF = frozenset((
    "make", "made", "cause", "caused", "get", "got", "lead", "led", "drive", "drove", "prompt", "prompted",
    "force", "forced", "trigger", "triggered",
))  # fmt: skip
HOLDING = frozenset(("keep", "kept", "hinder", "hindered", "block", "blocked", "bar", "barred"))
RELEASES = frozenset(("secrete", "release", "discharge", "exude"))
RELEASING = frozenset(("secreting", "releasing", "discharging", "exuding", "pouring", "pumping", "spewing"))
NOUN_LEADS = frozenset(
    ("", "the", "a", "an", "this", "that", "of", "atac", "chip", "seq", "no", "all", "most", "these")
)
ENDS = frozenset(
    (".", ",", ";", ":", "!", "?", "\n", ")", "(", "—", "in", "than", "by", "within", "after", "under", "on")
)
LEVELS = frozenset(("level", "amount", "abundance", "value", "expression", "that", "those"))
WORDS = (
    OVER | UNDER | MANNERS.keys() | PARTS | RELEASES
    | {"as", "more", "less", "on", "off"}
    | {"time", "short", "excess", "where", "from", "peak", "peaked", "high", "low", "=",
       "≈"}
)  # fmt: skip
REACH = 5

Found = list[tuple[str, str, int]]
"""(kind, value, tokens that it covers)."""


def degrees(texts: Sequence[str], index: int, is_side: Callable[[int], bool]) -> Found:
    """What a token says of direction by degree; ``is_side`` tells whether a side of the contrast is named at
    a token."""
    word = texts[index]
    before = texts[index - 1] if index else ""
    after = texts[index + 1] if index + 1 < len(texts) else "."
    if word in OVER or word in UNDER:
        if any(is_side(at) for at in range(index + 1, min(index + REACH, len(texts)))):
            return [("dir", "UP" if word in OVER else "DOWN", 1), ("cmp", "", 1)]
    elif word in PARTS or word == "time":
        reach = texts[index + 1 : index + 1 + REACH]
        side = any(is_side(at) for at in range(index + 2, min(index + 2 + REACH, len(texts))))
        if after in ("of", "the") and side and not LEVELS.isdisjoint(reach):
            return [("dir", "UP" if word == "time" else "DOWN", 1), ("cmp", "", 1)]
    elif word in ("more", "less"):
        if before in ("", ".", "\n", ":") and after in ".,:;!—\n":
            return [("dir", "UP" if word == "more" else "DOWN", 1)]  # "Less. It falls …"
    elif word in ("short", "excess"):
        if after == "of":  # "30 % short of control values"
            return [("dir", "DOWN" if word == "short" else "UP", 1), ("cmp", "", 1)]
    elif word in ("=", "≈"):
        if index and is_side(index - 1) and is_side(index + 1):
            return [("dir", "NS", 1)]
    elif word == "as":
        if after in AMOUNTS and before in MULTIPLES | PARTS:
            return [("dir", "UP" if before in MULTIPLES else "DOWN", 2)]
        earlier = texts[max(0, index - REACH) : index]
        if any(a == "as" and b in AMOUNTS for a, b in itertools.pairwise(earlier)):
            return [("cmp", "", 1)]
    elif word in MANNERS:
        if before in ("more", "less") and after in ENDS:
            return [("dir", "UP" if (before == "more") == (MANNERS[word] > 0) else "DOWN", 1)]
    elif word in ("on", "off"):
        if (after in ENDS or before in SWITCHES) and not SWITCHES.isdisjoint(
            texts[max(0, index - REACH) : index]
        ):
            return [("dir", "UP" if word == "on" else "DOWN", 1)]
    elif word == "where":  # "leaves HSP101 where it was"
        left = not {"leave", "left", "stay", "stayed"}.isdisjoint(texts[max(0, index - REACH) : index])
        if left and texts[index + 1 : index + 3] in (["it", "was"], ["they", "were"]):
            return [("dir", "NS", 3)]
    elif (match := PREFIXED.fullmatch(word)) is not None:
        return [("dir", "UP" if match[1] else "DOWN", 1)]
    else:
        return _doings(texts, index, is_side)
    return []


def _doings(texts: Sequence[str], index: int, is_side: Callable[[int], bool]) -> Found:
    """What is released, peaks, or stays as it is, where the words around tell of which side."""
    word, before = texts[index], texts[index - 1] if index else ""
    after = texts[index + 1] if index + 1 < len(texts) else "."
    if word in RELEASES:  # "makes the cells release it"; "IL10 release" alone tells no direction
        if not SETTING_OFF.isdisjoint(texts[max(0, index - REACH) : index]):
            return [("dir", "UP", 1)]
    elif word == "from":  # "keeps the cells from releasing it"
        if after in RELEASING and not HOLDING.isdisjoint(texts[max(0, index - REACH) : index]):
            return [("dir", "DOWN", 2 + (texts[index + 2 : index + 3] == ["out"]))]
    elif word in ("peak", "peaked"):  # "Per2 peaks at dusk", and no "2,317 peaks" or "the peak" of a track
        noun = before in NOUN_LEADS or before[:1].isdigit()
        if not noun and any(is_side(at) for at in range(index + 1, min(index + REACH, len(texts)))):
            return [("dir", "UP", 1)]
    elif word in ("high", "low"):  # "stays high on placebo; on the drug it falls"; on both it says nothing
        near = range(max(0, index - 2 * REACH), min(index + 2 * REACH, len(texts)))
        named = [at for at in near if is_side(at)]
        apart = bool(named) and not APART.isdisjoint(texts[named[0] : named[-1]])
        if before in STAYING and apart and ALIKE.isdisjoint(texts[at] for at in near):
            return [("dir", "UP" if word == "high" else "DOWN", 1)]
    return []
