"""Numbers as people and models write them: 1,555 · 1 555 · 1.6k · 0,9 · −2.3 · 17.7× · 95 % · 3 × 10^-5.

A number is a whole token: "6,425" is never found inside "16,425". What is glued to a Latin word ("V1",
"RR-6", "IL-2") is part of that word; a script without spaces has no such words ("共有6425个"). Digits that
are grouped as no number is ("6,4250", "1.2.3") are read as one name, so that no part of them is a figure.
Words ("six thousand", "none") are read in ``mentions``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

from biorlhf_plugins.language.words.units import GLUED

NUMBER = (
    r"(?<![a-z\d_.^])(?P<sign>(?<![a-z\d_)\]%^])[+-](?=\d|\.\d))?"
    r"(?P<digits>\d{1,3}(?:\{,\}\d{3})+(?!\d)(?:\.\d+)?|\d{1,3}(?: \d{3})+(?![\d,]\d|\d)(?:\.\d+)?"
    r"|\d+(?:[.,']\d+)*|\.\d+)"
    r"(?P<exp>e[+-]?\d{1,3}(?![a-z\d])"
    r"|(?:\s?(?:[×x*]|\\times|\\cdot)|(?=\s{1,3}10[-^]))\s{0,3}10"
    r"(?:\s?\^\s?[{(]?\s?[+-]?\s?\d{1,3}[)}]?(?!\^)|[+-]?(?:\^\d){1,3})"
    r"|(?<=\b10)(?:\^\s?[{(]?[+-]?\d{1,3}[)}]?(?!\^)|[+-]?(?:\^\d){1,3}))?"
    r"(?:\s?(?P<unit>%|percentage points?\b|percent\b|per cent\b|×(?!\s?\d)|x(?!\s?\d)(?![a-z])|-?\s?fold\b)"
    r"|(?P<scale>k|m|bn)(?![a-z\d])|(?P<glued>[a-z]+[a-z\d]*))?"
)
WELL_FORMED = re.compile(
    r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:'\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\d{1,3}(?:\.\d{3}){2,}|\.\d+"
)
DECIMAL_COMMA = re.compile(r"0,\d{1,2}|\d{1,2},\d{1,2}|\d{1,3}(?:\.\d{3})+,\d+")
"""A comma before decimals: after a zero, or where a percent, a fold or a power follows."""

SCALES = {"k": 1e3, "m": 1e6, "bn": 1e9}
PERCENT = ("%", "percent", "per cent", "percentage point", "percentage points")
UNITS = {**dict.fromkeys(PERCENT, "percent"), "×": "ratio", "x": "ratio"}
OVERFLOW = 1e300


ABOVE = frozenset((">", ">=", "over", "above", "exceed", "exceeding"))
BELOW = frozenset(("<", "<=", "under", "below"))
AT_LEAST = frozenset(
    (("at", "least"), ("no", "fewer"), *((word, "than") for word in ("more", "greater", "larger", "higher")))
)
AT_MOST = frozenset(
    (("at", "most"), ("up", "to"), *((word, "than") for word in ("fewer", "le", "less", "smaller", "lower")))
)
"""Words before a number that make a bound of it."""


class Number(NamedTuple):
    """``value`` with its sign and scale; ``unit`` "percent", "ratio", a measure such as "mg", or "".

    ``word`` is the text for matching names; ``signed`` says that a sign was written; ``decimals`` is the
    number of decimals, ``digits`` that of significant digits. A range ("between 10 and 20", "at least 5")
    has ``low``, ``high`` or both. What is no number has the unit "name".
    """

    value: float
    unit: str
    word: str
    signed: bool
    decimals: int
    scaled: bool
    low: float | None = None
    high: float | None = None
    digits: int = 0


def parse_number(match: re.Match[str]) -> Number:
    """The number behind a match of ``NUMBER``."""
    return _number(*match.group("sign", "digits", "exp", "unit", "scale", "glued"))


@functools.lru_cache(maxsize=4096)
def _number(
    sign: str | None, written: str, exp: str | None, unit: str | None, scale: str | None, glued: str | None
) -> Number:
    exponent, unit_text, scale, glued = exp or "", (unit or "").strip(), scale or "", glued or ""
    plain = written.isdigit()
    digits = written if plain else _digits(written, bool(exponent or unit_text or scale))
    if digits is None:
        return Number(0.0, "name", written, False, 0, False)
    value, decimals = float(digits), len(digits.partition(".")[2])
    if exponent:
        power = _power(exponent)
        value = _scaled(1.0 if exponent[0] in "^+-" else value, power)
        decimals = max(0, decimals - power)
    value *= SCALES.get(scale, 1.0)
    value = min(value, OVERFLOW) * (-1.0 if sign == "-" else 1.0)
    unit = UNITS.get(unit_text, "ratio" if unit_text else "")
    if glued in GLUED:
        unit, glued = glued, ""
    word = digits + scale + glued if plain or digits == written else digits
    word = f"-{word}" if sign == "-" else word  # day -1 is not day 1
    significant = len(digits.replace(".", "").lstrip("0")) or 1
    return Number(
        value, "name" if glued else unit, word, bool(sign), decimals, bool(scale), digits=significant
    )


def _digits(written: str, marked: bool) -> str | None:
    """Digits with a decimal point only; None where they are grouped as no number is."""
    two = written[-3:-2] == ","  # two digits after a comma are decimals
    if DECIMAL_COMMA.fullmatch(written) and (marked or two or written[0] == "0" or "." in written):
        return written.replace(".", "").replace(",", ".")
    if " " in written or "{" in written:
        return re.sub(r"[ {},]", "", written)
    if not WELL_FORMED.fullmatch(written):
        return None
    return re.sub(r"[,']", "", written) if written.count(".") < 2 else written.replace(".", "")


def _power(exponent: str) -> int:
    """The power of ten behind "e-5", "× 10^{-5}" or, for a bare 10, "^-5"."""
    tail = exponent[1:] if exponent[0] == "e" else exponent
    tail = tail[tail.index("10") + 2 :] if "10" in tail and exponent[0] not in "e^+-" else tail
    return int(re.sub(r"[^\d-]", "", tail))


def _scaled(value: float, power: int) -> float:
    if value == 0 or power <= -300:
        return 0.0
    return value * 10.0**power if power < 300 else OVERFLOW


WRITTEN_OUT = frozenset(("of", "is", "was", "at", "=", ":", "about"))
"""Before a "minus" that is a sign in words, and no difference."""


def bounded(texts: Sequence[str], index: int, number: Number) -> Number:
    """The number behind "more than", "at most" or the like, as a bound."""
    before = texts[index - 1] if index > 0 else ""
    second = texts[index - 2] if index > 1 else ""
    if before == "minus" and second in WRITTEN_OUT and not number.signed:
        return number._replace(value=-number.value, word=f"-{number.word}", signed=True)
    if before in ABOVE or (second, before) in AT_LEAST:
        return number._replace(low=number.value)
    # "… and 42 % add up to 100 %"
    adds = number.unit == "percent" and texts[max(0, index - 3) : index - 2] in (["add"], ["adding"], ["sum"])
    if before in BELOW or ((second, before) in AT_MOST and not adds):
        return number._replace(high=number.value)
    return number


COHORTS = frozenset(("arm", "group", "cohort", "trial", "village"))
"""What people are in: "the drug arm 140 …" counts them where "the clone 14 cells" names one."""


def counted(texts: Sequence[str], index: int) -> bool:
    """True for the 42 of "in the treated arm 42 of 60 responded": a count, not the arm's name."""
    led = "the" in texts[max(0, index - 4) : index - 1]
    if led and texts[index - 1] in COHORTS and texts[index + 1 : index + 2] and texts[index + 1].isalpha():
        return texts[index + 1] not in ("and", "or", "vs", "versus")  # "in the drug arm 140 completed it"
    whole = texts[index + 2 : index + 3] if texts[index + 1 : index + 2] in (["of"], ["/"]) else []
    return led and whole != [] and whole[0].isdigit()


def cited(texts: Sequence[str], index: int, end: int) -> bool:
    """True for the "[1]" of a citation."""
    if index == 0 or end >= len(texts) or texts[index - 1] != "[" or texts[end] != "]":
        return False
    labelled = index > 1 and texts[index - 2] in (":", "=")
    return not labelled and texts[index].isdigit() and len(texts[index]) < 3
