"""Directions of pathways against the signs of their scores: "stress lowers it and kaempferol raises it"."""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.check.findings import Finding
from biorlhf_plugins.check.reading import Reading
from biorlhf_plugins.check.stated.statements import COUNTED
from biorlhf_plugins.check.table import FactTable

SIGNS = {"UP": 1, "DOWN": -1}
STRESS = (None, "stress", "hu+ir")
"""Of one stressor alone the table has no scores."""


def check_directions(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """The direction of a set in one tissue, under stress or with the drug."""
    for claim in reading.asserted("direction"):
        line, slot = reading.line_of(claim), claim.slot
        open_ = claim.partial or claim.weak or claim.about in ("loose", "other")
        if open_ or claim.label not in SIGNS or slot.condition not in STRESS:
            continue
        # Whose doing it is must be told; figures and patterns are checked by themselves.
        agents = line.values("condition") + line.values("treatment")
        if not agents and len(reading.lines) == 1:
            agents = reading.asked("condition") + reading.asked("treatment")
        told = bool(agents) and slot.treatment in (None, *agents)
        if not told or line.kind == "row" or line.numbers() or line.values("pattern"):
            continue
        if COUNTED.search(reading.quote(line)):
            continue
        scores = table.find(quantity="nes", entity=slot.entity, treatment=slot.treatment)
        named = [f for f in scores if f.pathway in slot.pathways]
        if named and all((f.value or 0.0) * SIGNS[claim.label] < 0 for f in named):
            expected = "; ".join(map(str, named))
            yield reading.finding(line, "wrong_direction", expected, "the table's score has the other sign")
