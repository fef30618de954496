"""The two sides of a contrast, and what each is called: ``tumour_vs_normal``, ``KO_vs_WT``."""

from __future__ import annotations

import functools

SYNONYMS: tuple[tuple[str, ...], ...] = (
    ("ground", "ground control", "ground controls", "control", "controls"),
    ("flight", "spaceflight", "space flight", "flown", "space", "microgravity"),
    ("control", "controls", "vehicle", "untreated", "mock", "sham", "dmso", "placebo", "baseline"),
    ("vehicle", "control", "controls", "dmso", "untreated", "saline", "placebo"),
    ("normal", "healthy", "adjacent", "normal tissue", "non-tumour", "benign"),
    ("healthy", "control", "controls", "normal"),
    ("wt", "wild type", "wild-type", "wildtype", "littermate", "+/+"),
    ("ko", "knockout", "knock-out", "knock out", "null", "deficient", "-/-", "mutant"),
    ("tumour", "tumor", "cancer", "carcinoma", "tumours", "tumors", "malignant"),
    ("drug", "treated", "treatment"),
    ("treated", "treatment", "drug"),
    ("mutant", "mutants", "mut"),
)


@functools.lru_cache(maxsize=1024)
def side_names(contrast: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the numerator and of the denominator; a name that both have belongs to neither."""
    sides = [side.replace("_", " ").strip() for side in contrast.split("_vs_")]
    if len(sides) != 2:
        return (), ()
    one, two = ({side.lower(), *_synonyms(side.lower())} for side in sides)
    return tuple(sorted(one - two)), tuple(sorted(two - one))


def _synonyms(side: str) -> set[str]:
    found: set[str] = set()
    for names in SYNONYMS:
        if side == names[0] or names[0] in side.split():
            found.update(names)
    return found
