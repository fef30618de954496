"""A figure of an answer block against its gold, in the units of both."""

from __future__ import annotations

import math

from biorlhf.ground_truth import AnswerSlot
from biorlhf_plugins.language.block.values import Figure, read_figure
from biorlhf_plugins.language.words.units import Unit, unit_in, unit_of
from biorlhf_plugins.truth.credits import closeness

SHARE = "share"


def figure_credit(stated: Figure, slot: AnswerSlot) -> float:
    """Credit in [0, 1]. A unit of something else earns nothing; without one, the asked unit is meant."""
    gold, unit = _gold(slot)
    value, told = stated.value, unit_of(stated.unit) if stated.unit else None
    logged = "log2" in slot.quantity.lower() or "logfc" in slot.quantity.lower()
    if stated.unit in ("fold", "x", "×") and logged:
        # No logarithm, so no log2 fold change is meant.
        if value <= 0:
            return 0.0
        # A fold change of two digits fixes its logarithm to about one decimal.
        return closeness(math.log2(value), gold, stated.approximate, 1, 2)
    if told is not None and told.dimension == SHARE and (unit is None or unit.dimension != SHARE):
        # A gold without a unit is a share only where it is a fraction: 25 % is 0.25.
        if not 0 < abs(gold) <= 1:
            return 0.0
        value /= 100
    elif unit is not None and told is not None:
        if told.dimension != unit.dimension:
            return 0.0
        value *= told.size / unit.size
    elif unit is not None and unit.dimension == SHARE and abs(value) <= 1 < abs(gold):
        value *= 100
    # Decimals were counted in the unit as written; after a conversion they say nothing of rounding.
    same = value == stated.value
    return closeness(value, gold, stated.approximate, stated.decimals if same else None, stated.digits)


def _gold(slot: AnswerSlot) -> tuple[float, Unit | None]:
    unit = unit_of(slot.unit) if slot.unit else unit_in(slot.quantity)
    if not isinstance(slot.value, str):
        return float(slot.value), unit  # type: ignore[arg-type]
    figure: Figure = read_figure(slot.value).candidates[0]
    return figure.value, unit or (unit_of(figure.unit) if figure.unit else None)
