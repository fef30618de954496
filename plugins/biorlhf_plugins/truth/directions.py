"""V2's grading: the direction of a set in a tissue, mission and contrast.

A match 1; NS or MIXED against UP or DOWN 0.25; both asserted, or the opposite, 0; no claim 0. The
denominator is the gold slots. Names of sets that do not exist, and an NES whose sign contradicts the
stated direction, cost precision.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.records import Claim, Extraction
from biorlhf_plugins.truth.credits import SIGNIFICANT
from biorlhf_plugins.truth.gold import Direction, Gold
from biorlhf_plugins.truth.graded import Graded
from biorlhf_plugins.truth.slots import condition_fits

NEAR = 0.25
OPPOSITE = {"UP": "DOWN", "DOWN": "UP"}


def grade_directions(gold: Gold, said: Extraction, prompt: str) -> Graded:
    """Grade the direction slots of a gold. The overall slot and its missions weigh one half each."""
    graded = Graded()
    several = len({slot.pathway for slot in gold.directions}) > 1
    places = {slot.tissue for slot in gold.directions}
    guess = 1.0 / options(prompt)
    for slot in gold.directions:
        credit = _grade_slot(slot, gold, said, prompt, graded, several, len(places) > 1)
        graded.credits.append(credit)
        graded.guesses.append(guess)
        if slot.overall:
            graded.primary.append(credit)
    details = [c for c, s in zip(graded.credits, gold.directions, strict=True) if not s.overall]
    if details and graded.primary:
        mean = sum(graded.primary) / len(graded.primary)
        graded.credits = [mean, sum(details) / len(details)]
    graded.penalty = _penalty(said, graded, prompt)
    return graded


def options(prompt: str) -> int:
    """How many directions a question offers: two for "up or down?", four where it names none or one."""
    labels = {m.value for m in prompt_mentions(prompt) if m.kind == "dir"}
    return max(2, len(labels)) if len(labels) > 1 else 4


def matching(
    slot: Direction, gold: Gold, claims: Sequence[Claim], several: bool, spread: bool
) -> list[Claim]:
    """The claims that speak of a slot; those on the very set before those on its family."""
    found = [c for c in claims if _fits(slot, gold.contrast, c, several, spread)]
    exact = [c for c in found if len(c.slot.pathways) <= 1]
    return exact or found


def _fits(slot: Direction, contrast: str, claim: Claim, several: bool, spread: bool) -> bool:
    named = claim.slot
    if named.pathways:
        if slot.pathway and slot.pathway not in named.pathways:
            return False
    elif several:
        return False
    if named.db and slot.db and named.db != slot.db:
        return False
    if named.entity is None:
        if spread:
            return False
    elif slot.tissue and named.entity != slot.tissue:
        return False
    if slot.mission:
        if named.mission != slot.mission and not (named.mission is None and slot.overall and not spread):
            return False
    elif named.mission is not None and "mission" in named.stated:
        return False
    return _contrast_fits(contrast, claim)


def _contrast_fits(contrast: str, claim: Claim) -> bool:
    numerator = contrast.lower().partition("_vs_")[0]
    slot = claim.slot
    if not contrast or "flight" in numerator or "ground" in numerator:
        return (slot.condition in (None, "stress") and slot.treatment != "kmp") or not contrast
    if slot.treatment == "kmp" and not re.search(r"kmp|kaempferol", contrast.lower()):
        return False
    found = [str(m.value) for m in prompt_mentions(numerator.replace("_", " ")) if m.kind == "condition"]
    return not found or condition_fits(found[0], slot.condition)


def _grade_slot(
    slot: Direction, gold: Gold, said: Extraction, prompt: str, graded: Graded, several: bool, spread: bool
) -> float:
    claims = matching(slot, gold, [c for c in said.directions if c.modality == "asserted"], several, spread)
    stated, denied = _labels(claims, said, slot, gold, several, spread, prompt)
    expected = slot.describe()
    if not stated and not denied:
        graded.missed.append({"expected": expected})
        return 0.0
    graded.answered = True
    credit = _credit(slot.label, stated, denied)
    lines = [
        {"expected": expected, "found": f"{'not ' if c.negated else ''}{c.label}", "where": list(c.span)}
        for c in claims
    ] or [
        {"expected": expected, "found": " and ".join(sorted(stated)) or "not " + " or ".join(sorted(denied))}
    ]
    (graded.matched if credit == 1 else graded.wrong).extend(lines)
    return credit


def _labels(
    claims: Sequence[Claim],
    said: Extraction,
    slot: Direction,
    gold: Gold,
    several: bool,
    spread: bool,
    prompt: str,
) -> tuple[set[str], set[str]]:
    """(labels stated, labels denied) for a slot."""
    whole = {str(c.label) for c in claims if not c.negated and not c.partial}
    parts = {str(c.label) for c in claims if not c.negated and c.partial}
    denied = {str(c.label) for c in claims if c.negated}
    if "MIXED" in parts:
        whole, parts = whole | {"MIXED"}, parts - {"MIXED"}
    if "MIXED" not in whole:
        if {"UP", "DOWN"} <= parts and not whole:
            whole = {"MIXED"}
        elif not whole:
            whole = parts
    if not slot.mission and not whole:
        whole = _from_missions(slot, gold, said, several, spread)
    if not slot.mission and not whole:
        whole = _from_nes(slot, gold, said, several, spread)
    yes, no = _from_answer(said, prompt)
    if slot.overall and yes and not (whole and "MIXED" in whole):
        whole = whole | yes
    if slot.overall:
        denied = denied | no
    if {"UP", "DOWN"} <= denied and not whole:
        return {"NS"}, set()
    return whole, denied


def _from_missions(slot: Direction, gold: Gold, said: Extraction, several: bool, spread: bool) -> set[str]:
    """What statements about single missions add up to."""
    by_mission: dict[str, str] = {}
    told: dict[str, set[str]] = {}
    for claim in said.directions:
        bare = claim.slot
        fits_set = not bare.pathways or not slot.pathway or slot.pathway in bare.pathways
        fits_place = bare.entity in (None, slot.tissue) or slot.tissue is None
        if (
            claim.asserted
            and bare.mission
            and fits_set
            and fits_place
            and _contrast_fits(gold.contrast, claim)
        ):
            by_mission[bare.mission] = str(claim.label)
            told.setdefault(bare.mission, set()).add(str(claim.label))
    if any({"UP", "DOWN"} <= labels for labels in told.values()):
        return set()  # both directions for one mission say nothing of any
    labels = set(by_mission.values())
    if {"UP", "DOWN"} <= labels:
        return {"MIXED"}
    return labels if len(labels) == 1 else labels - {"NS"}


def _from_nes(slot: Direction, gold: Gold, said: Extraction, several: bool, spread: bool) -> set[str]:
    found = [
        c for c in said.numbers
        if c.asserted and c.slot.quantity == "nes" and c.value
        and _fits(slot, gold.contrast, c, several, spread)
    ]  # fmt: skip
    values = {
        c.sentence: c.value
        for c in said.numbers
        if c.slot.quantity == "padj" and c.asserted and c.low is None
    }
    labels = set()
    for claim in found:
        p = values.get(claim.sentence)
        above = any(
            c.slot.quantity == "padj" and c.sentence == claim.sentence and c.low is not None
            for c in said.numbers
        )
        insignificant = above or (p is not None and p > SIGNIFICANT)
        labels.add("NS" if insignificant else "UP" if (claim.value or 0) > 0 else "DOWN")
    return labels


def _from_answer(said: Extraction, prompt: str) -> tuple[set[str], set[str]]:
    """What "yes" or "no" means where the question names one direction."""
    labels = {str(m.value) for m in prompt_mentions(prompt) if m.kind == "dir"}
    if len(labels) != 1 or not said.answers or not labels <= set(OPPOSITE):
        return set(), set()
    answers = {c.label for c in said.answers}
    return (labels if "YES" in answers else set()), (labels if "NO" in answers else set())


def _credit(gold: str, stated: set[str], denied: set[str]) -> float:
    if stated & denied:
        return 0.0
    if not stated:
        return 0.0 if gold in denied or denied <= {"NS", "MIXED"} else NEAR
    if len(stated) == 1:
        label = next(iter(stated))
        if label == gold:
            return 1.0
        return 0.0 if OPPOSITE.get(label) == gold else NEAR
    if {"UP", "DOWN"} <= stated or "NS" in stated:
        return 0.0
    return NEAR if gold in stated else 0.0


def _penalty(said: Extraction, graded: Graded, prompt: str) -> float:
    """1, or less where the text names sets that do not exist or contradicts its own NES."""
    asked = prompt.upper()
    unknown = [(name, span) for name, span in said.unknown_sets if name not in asked]
    for name, span in unknown:
        graded.wrong.append({"expected": "the name of a known gene set", "found": name, "where": list(span)})
    clashes = nes_clashes(said)
    for number, claim in clashes:
        graded.wrong.append(
            {
                "expected": f"an NES that fits {claim.label}",
                "found": f"NES {number.value:g}",
                "where": list(number.span),
            }
        )
    bad = len(unknown) + len(clashes)
    good = max(1, sum(1 for c in graded.credits if c > 0))
    return good / (good + bad)


def nes_clashes(said: Extraction) -> list[tuple[Claim, Claim]]:
    """(NES, direction) of one sentence and one slot that contradict each other."""
    directions: dict[tuple, list[Claim]] = {}
    for claim in said.directions:
        if claim.asserted and claim.label in OPPOSITE:
            directions.setdefault(_place(claim), []).append(claim)
    found = []
    for number in said.numbers:
        if number.slot.quantity == "nes" and number.asserted and number.value and number.low is None:
            sign = "UP" if number.value > 0 else "DOWN"
            here = directions.get(_place(number), [])
            if here and all(c.label != sign for c in here):
                found.append((number, here[0]))
    return found


def _place(claim: Claim) -> tuple:
    slot = claim.slot
    return claim.sentence, slot.entity, slot.mission, slot.condition, slot.treatment
