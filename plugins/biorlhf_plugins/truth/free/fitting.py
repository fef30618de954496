"""Which claims of a text speak of a gold slot: its set or feature, its tissue, its mission, its contrast."""

from __future__ import annotations

import re
from collections.abc import Sequence

from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.records import Claim
from biorlhf_plugins.truth.free.facts import condition_fits
from biorlhf_plugins.truth.gold import Direction, Gold

PARTS = {
    "muscle": frozenset(("soleus", "gastrocnemius", "quadriceps", "tibialis anterior", "edl", "heart")),
    "brain": frozenset(("hippocampus",)),
    "retina": frozenset(("eye",)),
}
"""What is spoken of by the name of the organ that it is part of, or by that of its part."""


def matching(slot: Direction, gold: Gold, claims: Sequence[Claim]) -> list[Claim]:
    """The claims that speak of a slot; those on the very set before those on its family."""
    fitting = [c for c in claims if fits(slot, gold.contrast, c)]
    if slot.mission:  # "They disagree: down in RR-1, up in RR-3" tells of each
        fitting = [c for c in fitting if c.slot.mission] or fitting
    exact = [c for c in fitting if len(c.slot.pathways) <= 1]
    return exact or fitting


def fits(slot: Direction, contrast: str, claim: Claim) -> bool:
    named = claim.slot
    if not slot.pathway and (named.pathways or claim.weak or claim.partial):
        return False
    if named.pathways:
        if slot.pathway and slot.pathway not in named.pathways:
            return False
    # Where several sets are asked for, a claim without a name could be of any of them.
    elif slot.several:
        return False
    if named.db and slot.db and named.db != slot.db:
        return False
    if named.entity is None:
        # The same of several tissues.
        if slot.spread:
            return False
    # "?" marks what only looks like the name of a tissue or cell line: not the asked one, for all that is
    # known.
    elif named.entity.startswith("?") or (
        slot.tissue
        and named.entity not in (slot.tissue, *slot.tissue.split())
        and slot.tissue not in PARTS.get(named.entity, ())
    ):
        return False
    if slot.mission:
        asked = "mission" not in named.stated and slot.mission.startswith(f"{named.mission} ")
        unsaid = named.mission is None and slot.overall and not slot.spread
        if named.mission != slot.mission and not asked and not unsaid:
            return False
    elif named.mission is not None and "mission" in named.stated:
        return False
    return contrast_fits(contrast, claim)


def contrast_fits(contrast: str, claim: Claim) -> bool:
    numerator = contrast.lower().partition("_vs_")[0]
    slot = claim.slot
    if slot.condition is not None and slot.condition.startswith("?"):
        return False
    if not contrast or "flight" in numerator or "ground" in numerator:
        return (slot.condition in (None, "stress", "ir", "hu+ir") and slot.treatment != "kmp") or not contrast
    if slot.treatment == "kmp" and not re.search(r"kmp|kaempferol", contrast.lower()):
        return False
    conditions = [str(m.value) for m in prompt_mentions(numerator.replace("_", " ")) if m.kind == "condition"]
    return not conditions or condition_fits(conditions[0], slot.condition)
