"""The names of a dataset's world as additions to the lexicon: the foils of every question.

They are read in every text, so a name that only says something beside its own question is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from biorlhf_plugins.language.words.lexicon import SIDES, Additions, Entry, base, longest
from biorlhf_plugins.language.words.lexicon import words as words_of
from biorlhf_plugins.language.words.text import stream_of

KNOWN = ("frame", "dir", "pattern", "quantity", "condition", "treatment")
"""What the built-in lexicon reads as one of these keeps that meaning."""

GENOTYPES = frozenset(
    ("knockout", "knock", "out", "ko", "null", "deficient", "mutant", "homozygous", "heterozygous", "wild",
     "type", "wildtype", "wt")
)  # fmt: skip
"""Of whichever gene the question is about."""


def additions_of_names(names: Mapping[str, Mapping[str, Any]]) -> Additions:
    """Additions from a dataset's names as plain data: see :class:`biorlhf.types.Names`.

    A name of one common word ("response") says nothing by itself: the question that asks of it adds it,
    and so does whoever gives it a synonym. What the built-in lexicon reads otherwise keeps its meaning, or
    "flight mice" would be a place, and "IR" no condition, in every other question.
    """
    entries: list[Entry] = []
    for kind, role in (("entities", "entity"), ("conditions", "condition")):
        for name, synonyms in names.get(kind, {}).items():
            spelt = tuple(n for n in (name, *synonyms) if _names(n))
            if spelt and (synonyms or _telling(name)):
                entries.append((role, name.lower(), spelt))
    for name, synonyms in names.get("sets", {}).items():
        if synonyms or not _reads_as(name, ("path",)):
            entries.append(("pathway", name, tuple(synonyms)))
    for contrast, sides in names.get("contrasts", {}).items():
        entries += [(role, contrast, tuple(side)) for role, side in zip(SIDES, sides, strict=True)]
    return Additions(tuple(entries))


def _names(name: str) -> bool:
    """Whether a name is one in the text of any other question."""
    telling = {word for word in words_of(name) if word[0].isalnum()} - GENOTYPES
    return bool(telling) and not _reads_as(name, KNOWN)


def _reads_as(name: str, kinds: Iterable[str]) -> bool:
    """Whether the built-in lexicon reads a name as a whole as one of these kinds."""
    stream = stream_of(name)
    end, meanings = longest(base().content[0], stream, 0)
    return end == len(stream) and any(kind in kinds for kind, _ in meanings or ())


def _telling(name: str) -> bool:
    """Whether a name is more than one small word: it has a digit, a capital inside, or several words."""
    return len(name.split()) > 1 or any(c.isdigit() for c in name) or name[1:] != name[1:].lower()
