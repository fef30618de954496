"""Ratios and shares that neither the text's figures nor the table's counts give."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from biorlhf_plugins.check.findings import Finding
from biorlhf_plugins.check.reading import Line, Reading
from biorlhf_plugins.check.stated.differences import named_counts
from biorlhf_plugins.check.table import COUNTS, FactTable
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.numbers import Number

COARSE = 0.15
"""The relative error up to which a ratio or share in round figures is only rounded coarsely."""
FINE = 0.03
SMALL = 10
"""Figures below it number things, and are no sides of a ratio."""
TOTALS = frozenset(("total", "all", "overall", "sum"))
VERSUS = frozenset(("than", "vs", "versus", "against", "over", "as", "to"))
SLIGHT = frozenset(("bit", "little", "slightly", "just", "barely"))
OF_AN_AMOUNT = frozenset(("time", "fold"))


def check_ratios(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """ "166× more than soleus", "a factor of 8.8", "78.6% of them", "491× increase" from a count of zero."""
    for line in reading.lines:
        for m in line.mentions:
            unit = unit_of(line, m)
            if unit and line.kind != "row":
                finding = (_zero(reading, line, m.value) if unit == "ratio" else None) or _against(
                    reading, table, line, m, unit
                )
                if finding is not None:
                    yield finding


def unit_of(line: Line, m: Mention) -> str:
    """ "ratio" or "percent", for a figure that is one: "4.6×", "4.6 times", "a factor of nearly 18"."""
    if m.kind != "num" or not isinstance(m.value, Number):
        return ""
    slightly = not SLIGHT.isdisjoint(line.texts[max(0, m.first - 3) : m.first - 1])
    if (m.value.low, m.value.high) != (None, None) and not slightly:
        return ""  # "a bit more than 78%" is a share all the same
    if m.value.unit:
        return m.value.unit if m.value.unit in ("ratio", "percent") else ""
    multiplied = not OF_AN_AMOUNT.isdisjoint(line.texts[m.last : m.last + 1])
    factor = "factor" in line.texts[max(0, m.first - 4) : m.first]
    return "ratio" if multiplied or factor else ""


def _zero(reading: Reading, line: Line, number: Number) -> Finding | None:
    figures = [v for v in reading.figures() if v >= 0]
    positive = list(dict.fromkeys(v for v in figures if v > 0))
    if number.value == 0 and len(positive) >= 2:
        low, high = sorted((positive[-1], positive[-2]))
        expected = f"{high / low:.3g}× between {high:,g} and {low:,g}"
        told = "a ratio of zero between two figures above zero"
        return reading.finding(line, "wrong_ratio", expected, told)
    if 0.0 in figures and number.value > 1 and number.value in positive and 1.0 not in positive:
        expected = f"undefined: from 0 to {number.value:,g} there is no ratio"
        told = "the figure itself stands as a ratio, as if the other were one and not zero"
        return reading.finding(line, "wrong_ratio", expected, told)
    return None


def _against(reading: Reading, table: FactTable, line: Line, m: Mention, unit: str) -> Finding | None:
    """A ratio or share that is none of the figures beside it, nor of the counts that are named."""
    own, figures = plain_of(line), [v for other in reading.all_lines() for v in plain_of(other)][:40]
    pairs = list(itertools.combinations(own, 2)) or _sides(reading, line, table, m, unit)
    strict = len(own) < 2
    if len(own) == 1 and not pairs and not TOTALS.isdisjoint(line.words):
        listed = [o for o in reading.lines if (o.paragraph, o.kind) == (line.paragraph, line.kind)]
        wholes = [sum(v for other in listed for v in plain_of(other)), *figures]
        pairs = [(own[0], whole) for whole in wholes if whole > own[0]]
    if not pairs or m.value.value <= 0:
        return None
    quotients = told = [max(pair) / min(pair) for pair in pairs]
    if len(own) > 2:
        quotients = [*told, max(own) / (sum(own) - max(own))]  # "4.6 times the sum of 165 and 33"
    if own and strict:
        # One side beside it: the other is a count that is named, or a figure of before.
        sides = [*itertools.chain(*pairs), *(v for v in figures if v != own[0])]
        quotients = [*told, *(q for side in sides for q in (own[0] / side, side / own[0]))]
    if not strict:
        # Of figures beside it a ratio need not be: it may be of some that stand further off.
        shares = [p for o in reading.all_lines() for e in o.values("entity") for p in _split(table, str(e))]
        quotients = [*quotients, *(a / b for a, b in (*itertools.permutations(figures, 2), *shares))]
    if unit == "percent":
        quotients = [100 * value for q in quotients for value in (q, 1 / q, 1 - q, 1 - 1 / q, q - 1)]
        told = [100 / q for q in told]
    if any(close(m.value, q, unit) for q in quotients):
        return None
    best = min(told, key=lambda q: abs(q - m.value.value))
    mark, kind = ("%", "wrong_percentage") if unit == "percent" else ("×", "wrong_ratio")
    words = f"{m.value.value:g}{mark} is none of the figures that it is of"
    return reading.finding(line, kind, f"about {best:.3g}{mark}", words)


def _split(table: FactTable, entity: str) -> list[tuple[float, float]]:
    """The parts of a tissue's counts that go up and down, each with its whole."""
    own = [f for f in table.find(entity=entity) if f.quantity in COUNTS and f.value]
    wholes = {(f.condition, f.treatment): f.value or 0.0 for f in own if f.quantity == "deg"}
    parts = [f for f in own if f.quantity != "deg" and (f.condition, f.treatment) in wholes]
    return [(f.value or 0.0, wholes[f.condition, f.treatment]) for f in parts]


def plain_of(line: Line) -> list[float]:
    """The figures of a line that a ratio may be of."""
    plain = [m.value for m in line.mentions if m.kind == "num" and not unit_of(line, m)]
    return [n.value for n in plain if isinstance(n, Number) and not n.unit and n.value >= SMALL]


def _sides(
    reading: Reading, line: Line, table: FactTable, m: Mention, unit: str
) -> list[tuple[float, float]]:
    """The two counts that a ratio is of, where no figures stand beside it."""
    names = {other.first > m.first for other in line.mentions if other.kind == "entity"}
    # "166 times that of the heart" has its first side elsewhere.
    plain = len(names) == 2 or len(line.values("entity")) < 2 or not VERSUS.isdisjoint(line.texts[m.last :])
    return [p for p in named_counts(reading, line, table) if plain and unit == "ratio" and all(p)]


def close(number: Number, right: float, unit: str) -> bool:
    """Whether a ratio or share is another one, as it is rounded: with decimals finely, in tens coarsely."""
    coarse = number.value % 10 == 0 or (unit == "ratio" and number.value < SMALL)
    if number.decimals:
        slack = 0.15 if unit == "percent" else max(FINE * abs(right), 0.06)
    elif unit == "percent":
        slack = 3.0 if coarse else 1.5
    else:
        slack = max((COARSE if coarse else 2 * FINE) * abs(right), 0.6)
    return abs(number.value - right) <= slack
