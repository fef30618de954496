"""How the KMP study's slots are put in words: one place, so that questions and answers use the same names."""

from __future__ import annotations

from itertools import chain

from biorlhf_plugins.datasets.kmp.facts import DEG_COUNT, DEG_DOWN, DEG_UP, FOLD_CHANGE, RESPONSE_TYPE, Fact

STRESSORS = ("HU", "IR", "HU+IR")
KMP_CONDITIONS = ("KMP baseline", "KMP HU", "KMP IR", "KMP HU+IR")
INTERACTION_TERMS = ("HU_x_IR", "KMP_x_HU", "KMP_x_IR")
COUNT_CONDITIONS = tuple(chain(STRESSORS, KMP_CONDITIONS, INTERACTION_TERMS))


def number(value: int | float | str) -> str:
    """6425 -> 6,425; 3.691 -> 3.691; a label stays as it is."""
    return f"{value:,}" if isinstance(value, int) else str(value)


def degs(value: int | float | str) -> str:
    """6425 -> 6,425 DEGs; 1 -> 1 DEG."""
    return f"{number(value)} DEG{'' if value == 1 else 's'}"


def where(condition: str) -> str:
    """A condition as an adverbial: "under HU", "for KMP under IR", "for the KMP×HU interaction"."""
    if "_x_" in condition:
        return f"for the {condition.replace('_x_', '×')} interaction"
    if condition == "KMP baseline":
        return "for KMP at baseline"
    if condition.startswith("KMP "):
        return f"for KMP under {condition.removeprefix('KMP ')}"
    return f"under {condition}"


def statement(fact: Fact, value: int | float | str | None = None) -> str:
    """The fact as a sentence; with ``value``, the same sentence with another figure."""
    shown = number(fact.value if value is None else value)
    counted = degs(fact.value if value is None else value)
    tissue, place = fact.tissue, where(fact.condition)
    if fact.quantity == DEG_COUNT:
        if "_x_" in fact.condition:
            name = fact.condition.replace("_x_", "×")
            return f"The {name} interaction in {tissue} has {counted}."
        return f"{tissue.capitalize()} has {counted} {place}."
    if fact.quantity in (DEG_UP, DEG_DOWN):
        side = "upregulated" if fact.quantity == DEG_UP else "downregulated"
        return f"{tissue.capitalize()} has {shown} {side} DEGs {place}."
    if fact.quantity == RESPONSE_TYPE:
        return f"{tissue.capitalize()} is KMP response type {shown}."
    if fact.quantity.endswith(" NES"):
        return f"The {fact.quantity} in {tissue} is {shown} {place}."
    if fact.quantity == FOLD_CHANGE:
        return f"The mean |log2FC| of {fact.entity} in {tissue} is {shown}."
    return f"The {fact.quantity} of KMP in {tissue} is {shown}."
