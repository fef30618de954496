"""A stated figure against its gold, in the units of both."""

from __future__ import annotations

from biorlhf_plugins.language.block.values import Figure, read_figure
from biorlhf_plugins.truth.facts import closeness


def figure_credit(stated: Figure, gold: object, unit: str) -> float:
    """Credit in [0, 1]; a unit that cannot be turned into the gold's earns nothing."""
    if isinstance(gold, str):
        read = read_figure(gold)
        if not read.candidates:
            return 0.0
        value, unit = read.candidates[0].value, read.candidates[0].unit or unit
    else:
        value = float(gold)  # type: ignore[arg-type]
    percent = unit in ("%", "percent")
    if stated.unit in ("%", "percent", "per cent") and not percent:
        return closeness(stated.value / 100, value, stated.approximate) if 0 < abs(value) <= 1 else 0.0
    if percent and not stated.unit and abs(stated.value) <= 1 < abs(value):
        return closeness(stated.value * 100, value, stated.approximate)
    return closeness(stated.value, value, stated.approximate)
