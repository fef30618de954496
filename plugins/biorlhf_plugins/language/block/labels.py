"""What stands before a figure in a block: "TOP2A log2FC = 3.2", "IC50: 14 nM", "KRAS: 3.2".

A label may say whose figure it is. That of another name, one of the data or a symbol beside an asked symbol,
is no answer; a label may hold digits of its own, which are no figure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from biorlhf_plugins.language.words.vocabulary import METHODS

Kinds = Callable[[str], tuple[str, Any] | None]
STARTS = re.compile(r"(?<![\w.])[+\-−]?\s?(?:\d|\.\d)")
SYMBOL = re.compile(r"(?<![\w-])[A-Z][A-Z0-9]{2,}(?:-[A-Z0-9]+)*(?![\w-])")
KINDS = ("entity", "path", "mission")
LONGEST = 5
"""Words of a name that is looked up."""


def labelled(value: str) -> tuple[str, str]:
    """The label before the first figure that stands by itself, and the rest: ("IC50 = ", "14 nM")."""
    starts = STARTS.search(value)
    return (value[: starts.start()], value[starts.start() :]) if starts else ("", value)


def foreign(label: str, names: Sequence[str], prompt: str, kind_of: Kinds) -> str:
    """The name in a label that is none of ``names`` and that the question does not have; "" for none."""
    own = {kind_of(name) for name in names}
    known = f"{prompt} {' '.join(names)}".lower()
    words = re.findall(r"[\w+./-]+", label)
    for size in range(min(LONGEST, len(words)), 0, -1):
        for at in range(len(words) - size + 1):
            said = " ".join(words[at : at + size])
            meant = kind_of(said) if len(said) > 2 and said.lower() not in known else None
            if meant and meant[0] in KINDS and meant not in own:
                return said
    told = [s for s in SYMBOL.findall(label) if s.lower() not in METHODS and s.lower() not in known]
    return told[0] if told and any(SYMBOL.fullmatch(name) for name in names) else ""
