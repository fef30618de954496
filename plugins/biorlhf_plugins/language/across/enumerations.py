"""How many things a sentence announces, and how many it lists: "Five sets stand out: a, b and c"."""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.language.evidence.parts import OPEN_ENDED, TIMES
from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.words.evidence import words_of

NAMELY = frozenset(("namely",))
APPOSED = frozenset(["which", "who", "that", "usually", "were", "was", "are", "is", "had", "has"])
BEARERS = words_of("bearers")
"""Things that are counted beside a list of something else: "12 donors (blood, liver and spleen)"."""
MANY = 12
REACH = 20
NOT_ALL = OPEN_ENDED | {
    "such",
    "e.g.",
    "like",
    "example",
    "here",
    "least",
    "about",
    "each",
    "per",
    "both",
    "every",
}
WITHIN = frozenset(
    ("(", ";", ":", "=", "with", "while", "whereas", "but", "or", "→", "vs", "versus", "to", "in")
)
"""What makes of a list more than names, so that its commas may divide something else."""


def enumerations(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    texts = found.stream.texts
    for number, figures in found.by_part.items():
        part = found.parts[number]
        if part.kind == "row" or not found.asserted(part.first) or not figures:
            continue
        for count in figures:
            announced = count.kind == "count" and not count.sign and not count.decimals
            announced = announced and count.unit not in TIMES
            if not announced or not 2 <= count.value <= MANY or not _whole(texts[count.first - 1]):
                continue
            opened = _opened(found, count.last, part.last)
            if not opened or any(count.last <= f.first < opened for f in figures):
                continue
            end = _end(found, opened, part.last)
            items = _items(texts[opened:end])
            telling = APPOSED.isdisjoint(texts[opened:end]) and count.unit not in BEARERS
            oxford = items == count.value + 1 and texts[opened:end].count(",") >= items - 1
            if items and telling and not oxford and NOT_ALL.isdisjoint(texts[part.first : end]):
                says = f"{count.value:g} announced, {items} listed"
                spans = (count.span, found.span(opened, end))
                yield Check("what is announced and listed", items == count.value, says, spans)
                break


def _whole(before: str) -> bool:
    """Whether a count may be of all: not of "the first three", "another two"."""
    return before not in (
        "first",
        "last",
        "top",
        "other",
        "another",
        "least",
        "of",
        "than",
        "next",
        "more",
        "-",
    )


def _opened(found: Evidence, first: int, last: int) -> int:
    """Where the list after a count begins; 0 where another clause comes between."""
    texts = found.stream.texts
    for at in range(first, min(last, first + REACH)):
        if (texts[at] == ":" and at > first) or texts[at] in NAMELY:
            return at + 1
        if texts[at] == "(":
            return at + 1 if at > first else 0
        if texts[at] == ";" or (texts[at] in (",", "and") and texts[at + 1 : at + 2] != ["namely"]):
            return 0
    return 0


def _end(found: Evidence, first: int, last: int) -> int:
    texts = found.stream.texts
    bracket = texts[first - 1] == "("
    return next((i for i in range(first, last) if bracket and texts[i] == ")"), last)


def _items(words: list[str]) -> int:
    """How many names are listed; 0 where that is not plain: one "and", before the last of them."""
    if words.count("and") != 1 or not WITHIN.isdisjoint(words) or len(words) > 40:
        return 0
    at = words.index("and")
    head, tail = words[:at], words[at + 1 :]
    head = head[:-1] if head[-1:] == [","] else head
    if "," in tail or not head or not tail:
        return 0
    runs, size = [0], 0
    for word in head:
        if word == ",":
            runs.append(0)
        else:
            runs[-1] += 1
    size = max(*runs, len(tail))
    # "a, b and c": names of a few words each, none of them empty.
    return len(runs) + 1 if len(runs) > 1 and min(runs) > 0 and size <= 7 else 0
