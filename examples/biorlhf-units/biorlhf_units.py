"""A verifier of units: is each figure stated in a unit that makes it the measured one?

A fact names its unit in the quantity, as a table's heading does: ``IC50 (nM)``. To 20 nM, "0.02 µM" is right,
"20 µM" wrong by a factor of a thousand, and "20" leaves open which of them is meant.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from biorlhf import Question, Score, VerifierPlugin, hookimpl

TOLERANCE = 0.01
"""Relative: 1.99 µM is what a person writes for 1,985 nM."""

DIMENSIONS: dict[str, dict[str, float]] = {
    "molar concentration": {
        "M": 1.0, "mM": 1e-3, "μM": 1e-6, "uM": 1e-6, "nM": 1e-9, "pM": 1e-12,
        "millimolar": 1e-3, "micromolar": 1e-6, "nanomolar": 1e-9, "picomolar": 1e-12,
    },
    "mass concentration": {
        "g/L": 1.0, "g/l": 1.0, "mg/mL": 1.0, "mg/ml": 1.0, "μg/mL": 1e-3, "μg/ml": 1e-3, "ug/mL": 1e-3,
        "ug/ml": 1e-3, "ng/mL": 1e-6, "ng/ml": 1e-6, "pg/mL": 1e-9, "pg/ml": 1e-9,
    },
    "dose per body weight": {"g/kg": 1.0, "mg/kg": 1e-3, "μg/kg": 1e-6, "ug/kg": 1e-6},
    "radiation dose": {"Gy": 1.0, "cGy": 1e-2, "mGy": 1e-3},
    "time": {
        "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "min": 60.0, "minute": 60.0, "minutes": 60.0,
        "h": 3600.0, "hr": 3600.0, "hrs": 3600.0, "hour": 3600.0, "hours": 3600.0,
        "d": 86400.0, "day": 86400.0, "days": 86400.0, "week": 604800.0, "weeks": 604800.0,
    },
    "length": {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "μm": 1e-6, "um": 1e-6, "nm": 1e-9},
    "volume": {"L": 1.0, "mL": 1e-3, "ml": 1e-3, "μL": 1e-6, "μl": 1e-6, "uL": 1e-6, "ul": 1e-6, "nL": 1e-9},
    "mass": {"kg": 1e3, "g": 1.0, "mg": 1e-3, "μg": 1e-6, "ug": 1e-6, "ng": 1e-9, "pg": 1e-12},
    "molecular mass": {"kDa": 1e3, "Da": 1.0},
}  # fmt: skip
"""The units of each dimension, with their sizes relative to one of them."""

UNITS = {unit: (dimension, size) for dimension, units in DIMENSIONS.items() for unit, size in units.items()}
SPELT = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
NUMBER = r"[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?"
STATED = re.compile(rf"(?<![\w.])({NUMBER})(?:[ \t-]?({SPELT})(?![\w/]))?")
HEADING = re.compile(r"\(([^()]+)\)\s*$")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, and the unit behind it; None where none stands there."""

    number: float
    unit: str | None

    def __str__(self) -> str:
        return f"{self.number:g} {self.unit}" if self.unit else f"{self.number:g}"

    def equals(self, other: Figure) -> bool:
        """The same amount, in whichever units of one dimension; a figure without a unit is no amount."""
        if self.unit is None or other.unit is None:
            return False
        (dimension, size), (of_other, size_of_other) = UNITS[self.unit], UNITS[other.unit]
        amounts = (self.number * size, other.number * size_of_other)
        return dimension == of_other and math.isclose(*amounts, rel_tol=TOLERANCE)


class Units:
    """The mean over the facts that name a unit: 1 right, 0.5 right and contradicted, 0 anything else."""

    def score(self, question: Question, completion_text: str) -> Score:
        expected = list(measured(question))
        if not expected:
            return Score.not_applicable("no fact's quantity ends with a unit, as in 'IC50 (nM)'")
        stated = figures(completion_text)
        judged = [judge(figure, stated) for figure in expected]
        return Score.scored(sum(value for value, _ in judged) / len(judged), facts=[row for _, row in judged])


def measured(question: Question) -> Iterator[Figure]:
    """The figures of the ground truth that have a unit."""
    for fact in question.ground_truth.get("facts", ()):
        heading = HEADING.search(unicodedata.normalize("NFKC", str(fact.get("quantity", ""))))
        value = fact.get("value")
        if heading and heading[1] in UNITS and isinstance(value, int | float):
            yield Figure(float(value), heading[1])


def figures(text: str) -> list[Figure]:
    """Every number of a text, in order, with the unit behind it."""
    plain = unicodedata.normalize("NFKC", text)  # one sign for micro, plain spaces for thin ones
    return [
        Figure(float(number.replace(",", "").replace("−", "-")), unit or None)
        for number, unit in STATED.findall(plain)
    ]


def judge(expected: Figure, stated: list[Figure]) -> tuple[float, dict[str, Any]]:
    """The value of one fact, and what a person reads of it."""
    right = [figure for figure in stated if figure.equals(expected)]
    # The number itself with a unit of another size or kind. One without a unit contradicts nothing.
    wrong = [f for f in stated if f.number == expected.number and f.unit and not f.equals(expected)]
    bare = [f for f in stated if f.number == expected.number and f.unit is None]
    row = {"expected": str(expected), "stated": [str(figure) for figure in (*right, *wrong, *bare)]}
    return (0.5 if right and wrong else float(bool(right))), row


@hookimpl
def biorlhf_verifiers() -> Iterator[VerifierPlugin]:
    yield VerifierPlugin(
        name="units",
        summary="each figure is stated in its unit (biorlhf-units)",
        build=lambda config: Units(),
    )
