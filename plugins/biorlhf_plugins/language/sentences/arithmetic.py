"""Sums that a text writes out: "8,484 / 479 ≈ 17.7", "3,251 + 3,174 = 6,425"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.language.words.text import Stream

OPERATORS = {
    "/": "/", "÷": "/", "×": "×", "x": "×", "time": "×", "+": "+", "plus": "+", "—": "-", "–": "-",
    "minus": "-",
}  # fmt: skip
EQUALS = frozenset(("=", "≈", "equal", "~", "is", "give", "make", "yield"))
ROUGHLY = frozenset(("about", "roughly", "approximately", "to", "~", "≈", "=", "around", "some", "nearly"))
TERMS = 8


class Equation(NamedTuple):
    """``terms`` joined by ``operator`` are said to make ``result``; tokens [first, last)."""

    terms: tuple[float, ...]
    operator: str
    result: float
    first: int
    last: int
    decimals: int = 0
    percent: bool = False

    @property
    def value(self) -> float | None:
        """What the left side makes; None for a division by zero or an overflow."""
        total = self.terms[0]
        for term in self.terms[1:]:
            if self.operator == "/":
                if term == 0:
                    return None
                total /= term
            elif self.operator == "×":
                total *= term
            else:
                total += term if self.operator == "+" else -term
        return total if abs(total) < 1e300 else None

    @property
    def holds(self) -> bool:
        """True within 2 % or half a unit of the last decimal that is written."""
        value = self.value
        if value is None:
            return False
        scales = (1.0, 100.0) if self.percent else (1.0,)
        slack = 0.5000001 * 10.0**-self.decimals if self.decimals or abs(self.result) < 1000 else 0.5
        return any(
            abs(value * scale - self.result)
            <= max(0.02 * abs(self.result), slack if self.operator == "/" else 1e-6)
            for scale in scales
        )


def equations(stream: Stream, mentions: Sequence[Mention]) -> list[Equation]:
    """Every "a op b (op c …) = result", in the order of the text."""
    numbers = {m.first: m for m in mentions if m.kind == "num"}
    ends = {m.last: m for m in numbers.values()}
    found: list[Equation] = []
    done = -1
    for first, start in numbers.items():
        if first < done:
            continue
        terms, operator, at = [_value(start)], "", start.last
        while len(terms) < TERMS and at + 1 < len(stream):
            sign = OPERATORS.get(stream.texts[at], "")
            step = 2 if stream.texts[at] == "divided" and stream.texts[at + 1] == "by" else 1
            sign = "/" if step == 2 else sign
            following = numbers.get(at + step)
            if not sign or following is None or (operator and sign != operator):
                break
            terms.append(_value(following))
            operator, at = sign, following.last
        if len(terms) == 2 and operator == "×" and stream.texts[start.last] == "time":
            multiple = _multiple(stream, ends, start, terms)
            if multiple is not None:
                found.append(multiple._replace(last=at))
                done = at
                continue
        if len(terms) < 2 or at >= len(stream) or stream.texts[at] not in EQUALS:
            continue
        after = at + 1
        while after < len(stream) and stream.texts[after] in ROUGHLY:
            after += 1
        result = numbers.get(after)
        if result is not None:
            number: Number = result.value  # type: ignore[assignment]
            percent = number.unit == "percent"
            found.append(
                Equation(tuple(terms), operator, number.value, first, result.last, number.decimals, percent)
            )
            done = result.first
    return found


def _multiple(
    stream: Stream, ends: dict[int, Mention], start: Mention, terms: list[float]
) -> Equation | None:
    """ "6,425 is about 1.6 times 4,110", as 6,425 / 4,110 = 1.6."""
    at = start.first
    while at > 0 and stream.texts[at - 1] in ROUGHLY:
        at -= 1
    whole = ends.get(at - 1) if at > 0 and stream.texts[at - 1] in ("is", "=", "≈", "equal") else None
    if whole is None:
        return None
    number: Number = start.value  # type: ignore[assignment]
    return Equation((_value(whole), terms[1]), "/", number.value, whole.first, start.last, number.decimals)


def _value(mention: Mention) -> float:
    number: Number = mention.value  # type: ignore[assignment]
    return number.value
