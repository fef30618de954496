"""The names of a dataset's world, collected from its ground truths: the foils of every question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from biorlhf.types import Names


def names_of(truths: Iterable[Mapping[str, Any]]) -> Names:
    """What a dataset's ground truths speak of, with the synonyms that they give.

    Genes are left out: what looks like one is taken for one, and a table may have twenty thousand.
    """
    entities: dict[str, set[str]] = {}
    sets: dict[str, set[str]] = {}
    quantities: dict[str, str] = {}
    for truth in truths:
        for fact in truth.get("facts") or ():
            for part in str(fact.get("entity", "")).split("/"):
                entities.setdefault(part, set()).update(map(str, fact.get("aliases") or ()))
            quantities.setdefault(str(fact.get("quantity", "")), str(fact.get("unit") or ""))
        for name in (*(truth.get("ranking") or ()), *(truth.get("tissue_directions") or ())):
            entities.setdefault(str(name), set())
        if truth.get("tissue"):
            entities.setdefault(str(truth["tissue"]), set())
        for row in (truth, *(truth.get("pathways") or ()), *(truth.get("features") or ())):
            name = row.get("pathway") or (row.get("feature") if row.get("kind") == "set" else None)
            if name:
                sets.setdefault(str(name), set()).update(map(str, row.get("aliases") or ()))
    return Names(
        entities={name: tuple(sorted(found)) for name, found in sorted(entities.items()) if name},
        sets={name: tuple(sorted(found)) for name, found in sorted(sets.items())},
        quantities=dict(sorted(quantities.items())),
    )
