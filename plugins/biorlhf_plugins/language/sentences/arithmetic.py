"""Sums that a text writes out: "8,484 / 479 ≈ 17.7", "3,251 + 3,174 = 6,425"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.text import Stream

OPERATORS = {
    "/": "/", "÷": "/", "×": "×", "x": "×", "time": "×", "+": "+", "plus": "+", "—": "-", "–": "-",
    "minus": "-",
}  # fmt: skip
EQUALS = frozenset(("=", "≈", "equal", "~", "is", "give", "make", "yield"))
ROUGHLY = frozenset(("about", "roughly", "approximately", "to", "~", "≈", "=", "around", "some", "nearly"))
TERMS = 8


class Equation(NamedTuple):
    """Terms joined by ``operator`` are said to make the number that ends tokens [first, last)."""

    operator: str
    first: int
    last: int


def equations(stream: Stream, mentions: Sequence[Mention]) -> list[Equation]:
    """Every "a op b (op c …) = result", in the order of the text."""
    numbers = {m.first: m for m in mentions if m.kind == "num"}
    found: list[Equation] = []
    done = -1
    for first, start in numbers.items():
        if first < done:
            continue
        terms, operator, at = 1, "", start.last
        while terms < TERMS and at + 1 < len(stream):
            sign = OPERATORS.get(stream.texts[at], "")
            step = 2 if stream.texts[at] == "divided" and stream.texts[at + 1] == "by" else 1
            sign = "/" if step == 2 else sign
            following = numbers.get(at + step)
            if not sign or following is None or (operator and sign != operator):
                break
            terms, operator, at = terms + 1, sign, following.last
        if terms < 2 or at >= len(stream) or stream.texts[at] not in EQUALS:
            continue
        after = at + 1
        while after < len(stream) and stream.texts[after] in ROUGHLY:
            after += 1
        result = numbers.get(after)
        if result is not None:
            found.append(Equation(operator, first, result.last))
            done = result.first
    return found
