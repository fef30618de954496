"""The study's figures as small tables by tissue, for notebooks; each is made when it is first asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from biorlhf_plugins.datasets.kmp.facts import (
    DEG_COUNT,
    PATHWAYS,
    RESPONSE_TYPE,
    TISSUES,
    TYPE_NAMES,
    kmp_facts,
)
from biorlhf_plugins.datasets.kmp.factual import askable


def _by_tissue(conditions: Mapping[str, str]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {tissue.capitalize(): {} for tissue in TISSUES}
    for fact in kmp_facts():
        if fact.quantity == DEG_COUNT and fact.condition in conditions:
            table[fact.tissue.capitalize()][conditions[fact.condition]] = int(fact.value)
    return table


@functools.cache
def stressor_effects() -> dict[str, dict[str, int]]:
    """Tissue -> stressor -> DEG count against control."""
    return _by_tissue({"HU": "HU", "IR": "IR", "HU+IR": "HU_IR"})


@functools.cache
def kmp_effects() -> dict[str, dict[str, int]]:
    """Tissue -> condition -> DEG count of KMP against vehicle within it."""
    return _by_tissue({"KMP baseline": "baseline", "KMP HU": "HU", "KMP IR": "IR", "KMP HU+IR": "HU_IR"})


@functools.cache
def interactions() -> dict[str, dict[str, int]]:
    """Tissue -> interaction term -> DEG count."""
    return _by_tissue({"HU_x_IR": "HU_x_IR", "KMP_x_HU": "KMP_x_HU", "KMP_x_IR": "KMP_x_IR"})


@functools.cache
def tissue_types() -> dict[str, tuple[str, str]]:
    """Tissue -> (letter, name) of its KMP response type."""
    return {
        fact.tissue.capitalize(): (str(fact.value), TYPE_NAMES[str(fact.value)])
        for fact in kmp_facts()
        if fact.quantity == RESPONSE_TYPE
    }


@functools.cache
def oxphos_patterns() -> dict[str, dict[str, Any]]:
    """Tissue -> NES of oxidative phosphorylation under HU+IR and for KMP in it, and the pattern (None:
    disputed)."""
    name = PATHWAYS["OXIDATIVE_PHOSPHORYLATION"]
    table: dict[str, dict[str, Any]] = {}
    for fact in kmp_facts():
        if fact.quantity == f"{name} NES":
            key = "KMP_NES" if fact.condition.startswith("KMP") else "stress_NES"
            table.setdefault(fact.tissue.capitalize(), {})[key] = fact.value
        elif fact.quantity == f"{name} pattern":
            pattern = fact.value if askable(fact) else None
            table.setdefault(fact.tissue.capitalize(), {})["pattern"] = pattern
    return table


#: The names under which ``biorlhf_plugins.datasets.kmp`` offers them.
EFFECTS: dict[str, Callable[[], dict[str, Any]]] = {
    "STRESSOR_EFFECTS": stressor_effects,
    "KMP_EFFECTS": kmp_effects,
    "INTERACTIONS": interactions,
    "TISSUE_TYPES": tissue_types,
    "OXPHOS_PATTERNS": oxphos_patterns,
}
