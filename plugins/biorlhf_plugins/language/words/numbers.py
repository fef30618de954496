"""Numbers as people and models write them: 1,555 · 1555 · 1 555 · 1.6k · 0,9 · −2.3 · 17.7× · 95 % · 1e-3.

A number is a whole token: "6,425" is never found inside "16,425". What is glued to a word ("V1",
"RR-6", "IL-2") is part of that word. Words ("six thousand", "none") are read in ``mentions``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

NUMBER = (
    r"(?<![\w.])(?P<sign>(?<![\w)\]%])[+-](?=\d|\.\d))?"
    r"(?:(?P<group>\d{1,3}(?:,\d{3})+|\d{1,3}(?:\{,\}\d{3})+|\d{1,3}(?:[ ']\d{3})+)(?![\d,]\d)"
    r"(?P<gdec>\.\d+)?"
    r"|(?P<plain>0,\d{1,2}(?![\d,])|\d{1,2},\d{1,2}(?=\s?[%×]|k\b)|\d+(?:\.\d+)?|(?<!\d)\.\d+))"
    r"(?P<exp>e[+-]?\d{1,3}(?!\w)|\s?[×x]\s?10\s?\^\s?-?\s?\d{1,3})?"
    r"(?:\s?(?P<unit>%|percent\b|per cent\b|×(?!\s?\d)|x(?!\s?\d)(?![a-z])|-?\s?fold\b)"
    r"|(?P<scale>k|m|bn)(?![\w])|(?P<glued>[a-z]+\w*))?"
)
SCALES = {"k": 1e3, "m": 1e6, "bn": 1e9}
UNITS = {"%": "percent", "percent": "percent", "per cent": "percent", "×": "ratio", "x": "ratio"}
UNIT_WORDS = frozenset(
    ("mg", "g", "kg", "ug", "ng", "ml", "um", "mm", "nm", "h", "d", "wk", "gy", "cgy", "min", "day")
)


class Number(NamedTuple):
    """``value`` with its sign and scale; ``unit`` "percent", "ratio", a measure such as "mg", or "".

    ``word`` is the text for matching names; ``signed`` says that a sign was written; ``decimals`` is the
    number of decimals. A range ("between 10 and 20", "at least 5") has ``low``, ``high`` or both.
    """

    value: float
    unit: str
    word: str
    signed: bool
    decimals: int
    scaled: bool
    low: float | None = None
    high: float | None = None


def parse_number(match: re.Match[str]) -> Number:
    """The number behind a match of ``NUMBER``."""
    group, plain = match["group"], match["plain"]
    digits = re.sub(r"[, '{}]", "", group) + (match["gdec"] or "") if group else plain.replace(",", ".")
    value = float(digits)
    decimals = len(digits.partition(".")[2])
    sign = (match["sign"] or "").strip()
    if match["exp"]:
        exponent = re.sub(r"\s", "", match["exp"])
        power = int(exponent[1:] if exponent[0] == "e" else exponent.partition("^")[2])
        value = value * 10.0**power if -300 < power < 300 else (0.0 if power < 0 else 1e300)
    if sign == "-":
        value = -value
    unit_text = (match["unit"] or "").strip()
    unit = UNITS.get(unit_text, "ratio" if unit_text else "")
    scale = match["scale"] or ""
    value *= SCALES.get(scale, 1.0)
    glued = match["glued"] or ""
    if glued in UNIT_WORDS:
        unit, glued = glued, ""
    if not -1e300 < value < 1e300:
        value = 1e300 if value > 0 else -1e300
    word = (digits + scale + glued) if not group else digits
    return Number(value, "name" if glued else unit, word, bool(sign), decimals, bool(scale))
