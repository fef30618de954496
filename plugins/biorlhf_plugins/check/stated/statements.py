"""What all checks of statements ask of a sentence: whether it denies, what it compares, with the drug or
without; and of the table: a tissue's count.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from biorlhf_plugins.check.reading import Line, Reading
from biorlhf_plugins.check.table import FactTable
from biorlhf_plugins.language.evidence.comparisons import GREATER, OVER, SMALLER, UNDER
from biorlhf_plugins.language.words.mentions import Mention

COUNTED = re.compile(r"\b(?:degs?|genes?(?! sets?\b)|count)\b|>", re.IGNORECASE)
REACTS = re.compile(
    r"\b(?:react|respon[ds]|sensitiv|affect|hit|chang|effect|touch|alter|perturb|interact)", re.IGNORECASE
)
TURNING = frozenset(("neg", "hyp", "report", "reject", "corr"))
"""Mentions that deny, suppose or only report."""
THAN = frozenset(("than", "vs", "versus", "compared", "relative"))
YES_NO = re.compile(r"\W*(yes|no)\b(?! (?:tissue|organ|gene|single))", re.IGNORECASE)
ASKS = frozenset(("which", "what", "where", "who", "name"))
MEMBERS = frozenset(("tissue", "organ", "often", "muscle"))
VAGUE = frozenset(("at", "least", "most", "up", "about", "some", "these", "those", "other"))
COMPARED = frozenset(("to", "than", "behind"))
POOLED = frozenset(("combined", "together", "pooled", "summed", "sum", "total", "added"))
NO_MEASURE = frozenset(("deg", "mouse", "background", "tissue"))
FEW = 10
"""Genes up to which a tissue may be called silent."""


class Held(NamedTuple):
    """Whether a tissue bears a statement out; ``words`` are the figures that say so, ``size`` the count."""

    true: bool
    words: str
    size: float = 0.0


Holds = dict[str, Held]


def value(
    table: FactTable, entity: str, condition: str, treated: bool, quantity: str = "deg"
) -> float | None:
    """The count of a tissue under a condition, with the drug or without."""
    for figure in table.find(quantity=quantity, entity=entity, condition=condition):
        if figure.is_interaction or (figure.treatment == "kmp") == treated:
            return figure.value
    return None


def treatments(reading: Reading, line: Line) -> list[bool]:
    """With the drug or without; both, where the question alone speaks of it and the line of a condition."""
    if "vehicle" in line.values("treatment"):
        return [False]
    if "kmp" in line.values("treatment"):
        return [True]
    if "kmp" not in reading.asked("treatment"):
        return [False]
    return [False, True] if line.values("condition") else [True]


def turned(line: Line, but: Mention | None = None) -> bool:
    """Whether the sentence denies, supposes or only reports; a "no tissue" itself is no denial, and what
    stands before a colon, as in "Not really: none of them", denies nothing behind it."""
    since = (
        max((i for i, text in enumerate(line.texts[: but.first]) if text == ":"), default=-1) if but else -1
    )
    turning = [m for m in line.mentions if m.kind in TURNING and m.first > since]
    return any(but is None or m.first != but.first for m in turning)


def comparator(line: Line) -> tuple[int, int, bool] | None:
    """Where the one word of more or less stands, where its other side begins (0: nowhere), whether more."""
    texts = line.texts
    at = [i for i, text in enumerate(texts) if text in GREATER or text in SMALLER or text in OVER | UNDER]
    if len(at) != 1 or texts[max(0, at[0] - 1)] in ("no", "not", "time", "fold"):
        return None
    word = texts[at[0]]
    more = word in GREATER or word in OVER
    verb = word in OVER or word in UNDER
    pivot = next((i for i in range(at[0], len(texts)) if texts[i] in THAN), at[0] if verb else 0)
    return at[0], pivot, more


def counts_tissues(line: Line, asked: Line | None) -> Mention | None:
    """The number that an answer opens with, where the question is how many tissues or how often."""
    at = asked.texts.index("how") if asked is not None and "how" in asked.words else -1
    if asked is None or at < 0 or MEMBERS.isdisjoint(asked.texts[at + 1 : at + 5]):
        return None
    first = next((m for m in line.mentions if m.kind == "num" and m.first < 3), None)
    return first if first is not None and not VAGUE & {*line.texts[: first.first]} else None
