"""Units of measure and their sizes: "µM", "mg/kg", "days", "kb", "%". Case counts: nM is no nm."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

PREFIXES = {
    "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "c": 1e-2, "d": 1e-1,
    "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9,
}  # fmt: skip
BASES = {
    "M": "concentration", "mol/L": "concentration", "mol": "amount", "g": "mass", "s": "time", "m": "length",
    "L": "volume", "l": "volume", "Gy": "dose", "Da": "molecular mass", "bp": "sequence", "b": "sequence",
    "t": "mass", "Bq": "activity", "Pa": "pressure", "J": "energy",
}  # fmt: skip
SIZES = {"t": 1e6}
"""Sizes of bases that are no base of their dimension: a tonne in grams."""

WORDS = {
    "time": {
        "s": 1.0, "sec": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0, "h": 3600.0, "hr": 3600.0,
        "hour": 3600.0, "d": 86400.0, "day": 86400.0, "wk": 604800.0, "week": 604800.0,
        "hpi": 3600.0, "dpi": 86400.0, "wpi": 604800.0,
        "month": 2629800.0, "mo": 2629800.0, "y": 31557600.0, "yr": 31557600.0, "year": 31557600.0,
    },
    "concentration": {
        "molar": 1.0, "millimolar": 1e-3, "micromolar": 1e-6, "nanomolar": 1e-9, "picomolar": 1e-12,
    },
    "mass": {"gram": 1.0, "milligram": 1e-3, "microgram": 1e-6, "nanogram": 1e-9, "kilogram": 1e3,
             "tonne": 1e6, "mcg": 1e-6},
    "length": {"metre": 1.0, "meter": 1.0, "millimetre": 1e-3, "millimeter": 1e-3, "micrometre": 1e-6,
               "micrometer": 1e-6, "micron": 1e-6, "nanometre": 1e-9, "nanometer": 1e-9,
               "centimetre": 1e-2, "centimeter": 1e-2, "kilometre": 1e3, "kilometer": 1e3, "Å": 1e-10},
    "area": {"ha": 1.0, "hectare": 1.0},
    "volume": {"litre": 1.0, "liter": 1.0, "millilitre": 1e-3, "milliliter": 1e-3, "microlitre": 1e-6,
               "microliter": 1e-6},
    "sequence": {"nt": 1.0, "kilobase": 1e3, "megabase": 1e6, "base": 1.0, "basepair": 1.0},
    "share": {"%": 1e-2, "percent": 1e-2, "percentage point": 1e-2, "‰": 1e-3},
    "temperature": {"°C": 1.0, "°": 1.0},
    "temperature on another scale": {"°F": 1.0},
    "enzyme": {"U": 1.0, "IU": 1.0, "mU": 1e-3, "mIU": 1e-3, "µU": 1e-6, "kU": 1e3},
    "pressure": {"mmHg": 133.322},
}  # fmt: skip

GLUED = frozenset((
    "mg", "g", "kg", "ug", "ng", "pg", "ml", "ul", "dl", "l", "um", "mm", "nm", "pm", "cm", "mmol", "umol",
    "nmol", "h", "hr", "d", "wk", "gy", "cgy", "mgy", "min", "day", "days", "week", "weeks", "month",
    "months", "year", "years", "bp", "kb", "mb", "gb", "kbp", "mbp", "nt", "kda", "da", "ms", "sec", "t",
))  # fmt: skip
"""Units, in lower case, that may stand right behind a number and are no part of a name."""

SCALES = frozenset(("k", "m", "bn"))
"""Right behind a number these are its scale: 1.2M."""

UNIT = re.compile(
    r"[ \u00a0\u2009\u202f-]?(%|percentage points?\b|percent\b|per cent\b|‰|°C|°F|°|"
    r"[A-Za-zµμÅ]{1,12}(?:\^?[23²³](?!\d))?(?:(?:\s?/\s?|\s+per\s+)[A-Za-zµμ]{1,12}(?:\^?[23²³](?!\d))?){0,2}"
    r"(?:[ ·][A-Za-zµμ]{1,6}(?:⁻¹|\^?-1|\^\{-1\})(?!\d))?)"
    r"(?![^\W_])"
)
POWER = re.compile(r"(.*?)\^?([23²³]?)")
COUNTS = re.compile(
    r"(?:PFU|CFU|FFU|TCID50|cell|cop(?:y|ie)|spike|spine|read|event|vg|gc|RNA cop(?:y|ie))s?", re.I
)
"""What is counted in a volume, an area or a length: units only before a bar, "PFU/mL"."""
IN_NAME = re.compile(
    r"[\[(]([^\[\]()]{1,20})[\])]|\bin ([A-Za-zµμ%/³²°]{1,14})[?.]?\s*$"
    r"|^(seconds|minutes|hours|days|weeks|months|years)\b|\b(seconds|minutes|hours|days|weeks|months|years)$"
)
ENDING = re.compile(r"[A-Za-zµμ%]+$")
PER = re.compile(r"\s?/\s?|\s+per\s+")
INVERSE = re.compile(r"[ ·]([A-Za-zµμ]{1,6})(?:⁻¹|\^?-1|\^\{-1\})$")
"""The last of "mg kg⁻¹"."""


class Unit(NamedTuple):
    """``size`` in the base of its ``dimension``: µM is 1e-6 of "concentration"."""

    size: float
    dimension: str


@functools.lru_cache(maxsize=4096)
def unit_of(text: str) -> Unit | None:
    """The unit behind a name such as "µM", "mg/kg", "days"; None where the name is of no known unit."""
    parts = PER.split(INVERSE.sub(r"/\1", text.strip()).replace("per cent", "%"))
    size, dimensions = 1.0, []
    for place, part in enumerate(parts):
        counted = place == 0 and len(parts) > 1 and COUNTS.fullmatch(part)
        single = Unit(1.0, "count") if counted else _raised(part)
        if single is None:
            return None
        size = size * single.size if place == 0 else size / single.size
        dimensions.append(single.dimension)
    dimension = "/".join(dimensions)
    return Unit(size, "concentration" if dimension == "amount/volume" else dimension)


@functools.lru_cache(maxsize=4096)
def unit_in(text: str) -> Unit | None:
    """The unit that a quantity's name or a question holds: "nitrate (mg/L)", "hours to peak", "…, in µM?"."""
    found = (unit_of(next(name for name in match.groups() if name)) for match in IN_NAME.finditer(text))
    return next((unit for unit in found if unit is not None), None)


def _raised(name: str) -> Unit | None:
    """A unit that may be squared or cubed: "mm³"."""
    base, power = POWER.fullmatch(name).groups()  # type: ignore[union-attr]
    single, times = _single(base), {"": 1, "2": 2, "²": 2, "3": 3, "³": 3}[power]
    return single and (Unit(single.size**times, f"{single.dimension}^{times}") if power else single)


def _single(name: str) -> Unit | None:
    for dimension, sizes in WORDS.items():
        size = sizes.get(name) or sizes.get(name.lower().removesuffix("s"))
        if size is not None:
            return Unit(size, dimension)
    for base in ("mol", "Gy", "Da", "bp", "Bq", "Pa", "M", "g", "s", "m", "L", "l", "b", "t", "J"):
        prefix = name.removesuffix(base)
        if prefix != name and prefix in PREFIXES:
            if base == "b" and prefix not in ("k", "M", "G"):
                return None
            return Unit(PREFIXES[prefix] * SIZES.get(base, 1.0), BASES[base])
    return None


def unit_at(text: str, start: int, end: int) -> tuple[str, Unit] | None:
    """The unit of the figure that stands at [start, end) of a text as it was written."""
    glued = None if text[end - 1].isdigit() else ENDING.search(text, start, end)
    end += 2 * text.startswith("**", end)  # a figure in bold
    name = glued[0] if glued and glued.start() > start else ""
    if not name or name.lower() in SCALES:
        after = UNIT.match(text, end, end + 40)
        name = after[1] if after else ""
    elif (longer := UNIT.match(text, glued.start() if glued else start, end + 30)) is not None:
        name = longer[1]
    while name:
        unit = unit_of(name)
        if unit is not None:
            return name, unit
        name = name[: max(name.rfind("/"), name.rfind(" per "), 0)].strip()
    return None
