"""Ratios and percentages that neither the text's figures nor the table give."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from biorlhf_plugins.check.findings import Finding
from biorlhf_plugins.check.reading import Line, Reading
from biorlhf_plugins.check.table import FactTable
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.numbers import Number

# The relative error beyond which a ratio is wrong, and not only rounded coarsely.
FAR = 0.15
# Percentage points: shares are mostly written without decimals.
SHARE_POINTS = 1.5
TOTALS = frozenset(("total", "all", "overall", "sum"))


def check_ratios(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """ "166× more than soleus", "Ratio: 0.0×", "491× increase" from a baseline of zero."""
    for line in reading.lines:
        for mention in line.mentions:
            number = mention.value
            if mention.kind != "num" or not isinstance(number, Number) or number.unit != "ratio":
                continue
            finding = _zero(reading, line, number) or _against(reading, table, line, mention, number)
            if finding is not None:
                yield finding


def check_fewer(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """ "Heart has 5,303 fewer DEGs than liver": the difference of the two counts."""
    for claim in reading.asserted("number"):
        line = reading.line_of(claim)
        names = [str(name) for name in line.values("entity")]
        if claim.slot.quantity != "difference" or not claim.value or len(names) != 2:
            continue
        if "than" not in line.words:
            continue
        pairs = list(_pairs(table, names[0], names[1], reading.conditions(line)))
        if not pairs or any(abs(abs(a - b) - claim.value) <= 0.005 * claim.value for a, b in pairs):
            continue
        high, low = max(pairs[0]), min(pairs[0])
        told = f"{claim.value:,g} is no difference of {' and '.join(names)}"
        yield reading.finding(line, "wrong_arithmetic", f"{high:,g} - {low:,g} = {high - low:,g}", told)


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


def _against(
    reading: Reading, table: FactTable, line: Line, mention: Mention, number: Number
) -> Finding | None:
    """A ratio with its two sides named in the sentence: X has N times more than Y."""
    before = [m.value for m in line.mentions if m.kind == "entity" and m.first < mention.first]
    after = [m.value for m in line.mentions if m.kind == "entity" and m.first > mention.first]
    if not before or len(set(after)) != 1 or before[-1] == after[0] or number.value <= 0:
        return None
    # Without a word of comparison, two names and a ratio need not belong together.
    if not {"than", "vs", "over"} & set(line.texts[mention.last :]):
        return None
    first, second = str(before[-1]), str(after[0])
    # Larger over smaller: which of them is the larger is for the check of orders.
    pairs = _pairs(table, first, second, reading.conditions(line))
    quotients = [max(pair) / min(pair) for pair in pairs if min(pair)]
    values = [n.value for n in line.numbers("") if n.value > 0]
    quotients += [max(a, b) / min(a, b) for a, b in itertools.combinations(values, 2)]
    if not quotients or any(_close(number.value, q, FAR) for q in quotients):
        return None
    best = min(quotients, key=lambda q: abs(q - number.value))
    sides = f"{first} to {second}"
    return reading.finding(
        line, "wrong_ratio", f"about {best:.3g}× ({sides})", f"{number.value:g}× is not the ratio of {sides}"
    )


def _pairs(table: FactTable, first: str, second: str, conditions: list[str]) -> Iterator[tuple[float, float]]:
    """The counts of two tissues, in the conditions that are named, else in any."""
    for a in table.find(entity=first, quantity="deg"):
        for b in table.find(entity=second, quantity="deg", condition=a.condition, treatment=a.treatment):
            named = not conditions or a.condition in conditions
            if named and a.value is not None and b.value is not None:
                yield a.value, b.value


def _close(value: float, other: float, share: float) -> bool:
    return abs(value - other) <= max(share * other, 0.05)


def check_shares(reading: Reading) -> Iterator[Finding]:
    """ "8,968 DEGs (70% of total)": a share of a total, beside the figure that it is a share of."""
    for line in reading.lines:
        parts = [n for n in line.numbers("") if n.value > 0]
        shares = line.numbers("percent")
        if len(parts) != 1 or len(shares) != 1 or "of" not in line.words or not line.words & TOTALS:
            continue
        part, share = parts[0].value, shares[0].value
        # No part is larger than its whole.
        totals = [v for v in _totals(reading, line) if v >= part]
        if not totals or any(abs(100 * part / total - share) <= SHARE_POINTS for total in totals):
            continue
        best = min(totals, key=lambda total: abs(100 * part / total - share))
        yield reading.finding(
            line,
            "wrong_percentage",
            f"{100 * part / best:.3g}% of {best:,g}",
            f"{share:g}% of no total that the text gives",
        )


def _totals(reading: Reading, line: Line) -> list[float]:
    """Sums of the list that the line stands in, and every larger figure of the text."""
    run = [
        other.numbers("")[0].value
        for other in reading.lines
        if other.kind == line.kind and other.paragraph == line.paragraph and other.numbers("")
    ]
    return [sum(run), *reading.figures()] if len(run) > 1 else reading.figures()
