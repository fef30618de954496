"""Whether the facts bear a single claim out."""

from __future__ import annotations

from biorlhf_plugins.check.table import FactTable
from biorlhf_plugins.language import Claim


def borne_out(claim: Claim, table: FactTable) -> bool | None:
    """Whether the table has this very figure or class; None, where it has nothing of the kind."""
    slot = claim.slot
    own = table.find(entity=slot.entity, quantity=slot.quantity)
    if slot.quantity != "type":
        own = [f for f in own if f.condition == slot.condition or slot.quantity == "pattern"]
        own = [f for f in own if f.treatment == slot.treatment or f.is_interaction or f.value is None]
        own = [f for f in own if f.pathway is None or f.pathway in slot.pathways]
    if not own:
        return None
    return any(claim.label in f.accepted if f.value is None else claim.value == f.value for f in own)
