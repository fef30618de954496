"""The words that the evidence is read by, from ``evidence.json``, in the one form that tokens have."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from biorlhf_plugins.language.words.text import canonical


@functools.cache
def _tables() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
    return found


def words_of(name: str) -> frozenset[str]:
    """A list of words: a string with spaces between them, or a list where white space is one of them."""
    table = _tables()[name]
    return frozenset(canonical(word) for word in (table.split() if isinstance(table, str) else table))


def meanings(name: str) -> dict[str, Any]:
    """Words with what each means."""
    return {canonical(word): meaning for word, meaning in _tables()[name].items()}
