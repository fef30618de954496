"""Lists of what the data give and of what they lack: one thing must not stand in both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from biorlhf_plugins.check.findings import ERROR, Finding
from biorlhf_plugins.check.reading import Text
from biorlhf_plugins.language.words.text import clean, tokens

ITEM = re.compile(r"\s*(?P<mark>[-•*✓✔✗✘]|\d+[.)])\s+(?P<said>\S.*)")
LACKS = re.compile(
    r"\b(?:missing|misses|lacks?|cannot|can't|does not|do not|not show|not tell|needed|unknown|unavailable)"
    r"\b",
    re.IGNORECASE,
)
GIVES = re.compile(r"\b(?:provides?|shows?|gives?|contains?|includes?|available)\b", re.IGNORECASE)
WORDS = 2


def check_listed(texts: Sequence[Text]) -> Iterator[Finding]:
    """A list item that one text gives under "what the data provide", another under "what is missing"."""
    provided: dict[tuple[str, ...], tuple[int, str]] = {}
    lacking: dict[tuple[str, ...], tuple[int, str]] = {}
    for text in texts:
        for gives, key, item in _items(text.answer):
            (provided if gives else lacking).setdefault(key, (text.index, item))
    for key in provided.keys() & lacking.keys():
        (index, item), (other, against) = provided[key], lacking[key]
        if index != other:
            yield Finding(
                index, ERROR, "contradicts_example", item, against,
                f"example {other} says that the data lack this",
            )  # fmt: skip


def _items(answer: str) -> Iterator[tuple[bool, tuple[str, ...], str]]:
    """(whether the data give it, its first words, the item), for items under a heading that says which."""
    heading = ""
    for line in answer.splitlines():
        match = ITEM.match(line)
        if match is None:
            heading = line if line.strip() else heading
            continue
        mark = match["mark"]
        # Lacking first: "does not provide" holds a word of giving as well.
        if mark in "✗✘" or LACKS.search(heading):
            gives = False
        elif mark in "✓✔" or GIVES.search(heading):
            gives = True
        else:
            continue
        words = [token.text for token in tokens(clean(match["said"]).text) if token.kind == "w"]
        if len(words) >= WORDS:
            yield gives, tuple(words[:WORDS]), match["said"].strip()
