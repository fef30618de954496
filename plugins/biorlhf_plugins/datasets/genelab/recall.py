"""The plain questions in other words than training's, for a test of what was taught: ``making.taught``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from biorlhf_plugins.datasets.genelab.items import CONSENSUS, SAYS, item_of, slots, truth_of
from biorlhf_plugins.datasets.genelab.names import DIRECTIONAL_NAME, title
from biorlhf_plugins.datasets.genelab.rows import Row
from biorlhf_plugins.making.items import Item
from biorlhf_plugins.making.taught import RECALL


def recall(rows: Sequence[Row], scope: str) -> Iterator[Item]:
    """One set in one mission, and over all missions, of every row that is passed in."""
    rows = [row for row in rows if not DIRECTIONAL_NAME.search(row.pathway)]
    for row in rows:
        name, mission = title(row), row.mission
        yield item_of(
            "mission_specific",
            row.fact_id,
            "factual",
            f"{row.tissue.capitalize()} of {mission}: is {name} raised, lowered or unmoved by the flight?",
            f"In {mission}, {row.tissue} shows {name} as {SAYS[row.direction]} relative to ground.",
            (row,),
            wording=RECALL,
            truth=truth_of(row.pathway, row.db, direction=row.direction, tissue=row.tissue, mission=mission),
        )
    for slot in slots(rows):
        if not slot.consensus:
            continue
        name = title(slot.rows[0])
        yield item_of(
            CONSENSUS[slot.consensus],
            f"{slot.tissue}:{slot.pathway}",
            "calibration" if slot.consensus == "MIXED" else "factual",
            f"Put the missions{scope} together: how does {slot.tissue} respond in {name}?",
            f"Put together, the missions{scope} show {name} in {slot.tissue} as {SAYS[slot.consensus]}.",
            slot.rows,
            wording=RECALL,
            truth=truth_of(slot.pathway, slot.rows[0].db, direction=slot.consensus, tissue=slot.tissue),
        )
