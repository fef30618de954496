"""The words that the evidence is read by, from ``evidence.json``, in the one form that tokens have."""

from __future__ import annotations

from typing import Any

from biorlhf_plugins.language.words.lexicon import table
from biorlhf_plugins.language.words.text import canonical


def words_of(name: str) -> frozenset[str]:
    """A list of words: a string with spaces between them, or a list where white space is one of them."""
    listed = table("evidence")[name]
    return frozenset(canonical(word) for word in (listed.split() if isinstance(listed, str) else listed))


def meanings(name: str) -> dict[str, Any]:
    """Words with what each means."""
    return {canonical(word): meaning for word, meaning in table("evidence")[name].items()}
