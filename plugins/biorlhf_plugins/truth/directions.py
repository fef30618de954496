"""V2's grading: the direction of a set in a tissue, mission and contrast.

A match 1; anything else, both asserted, and no claim 0. The denominator is the gold slots. Names of sets that do not exist, and an NES whose sign contradicts the
stated direction, cost precision.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.records import Claim, Extraction
from biorlhf_plugins.language.sentences.anaphora import PARTS
from biorlhf_plugins.language.stance.stance import prompt_words
from biorlhf_plugins.language.words.text import vocabulary
from biorlhf_plugins.truth.facts import condition_fits
from biorlhf_plugins.truth.gold import Direction, Gold
from biorlhf_plugins.truth.graded import Graded

OPPOSITE = {"UP": "DOWN", "DOWN": "UP"}
SIGNIFICANT = 0.05
CHANGES = frozenset(("MIXED",))
ASKING = vocabulary("is are was were do does did has have")
CHANGED = vocabulary(
    "change changed changes differ different difference alter altered affect affected respond significant significantly"
)
OF_IT = re.compile(
    r"[^.;!?]{0,80}[.;!?]\s*(?:however,?|but|yet|still,?)?\s*"
    r"(?:it|this|that|the (?:change|difference|trend|effect|shift|increase|decrease|rise|fall))\b",
    re.I,
)
"""From a direction on: a next sentence that speaks of it by a pronoun."""

ELLIPSIS = re.compile(r"-\s*(?:or|and|/|and/or)\s*|\s+or\s+(?:be\s)?")


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


def grade_told(gold: Gold, said: Extraction, prompt: str, graded: Graded) -> None:
    """Grade the facts that are directions ("regulation: down") among the other facts of a gold."""
    several = len({slot.pathway for slot in gold.told}) > 1
    for slot in gold.told:
        answered = graded.answered
        graded.answered = False
        credit = _grade_slot(slot, gold, said, prompt, graded, several, False)
        graded.credits.append(credit)
        graded.guesses.append(1.0 / options(prompt))
        if graded.answered:
            graded.claims.append(credit)
        graded.answered = graded.answered or answered


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
    if not slot.pathway and (named.pathways or claim.weak or claim.partial):
        return False
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
    elif named.entity.startswith("?"):
        return False
    elif slot.tissue and named.entity != slot.tissue and slot.tissue not in PARTS.get(named.entity, ()):
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
    if slot.condition is not None and slot.condition.startswith("?"):
        return False
    if not contrast or "flight" in numerator or "ground" in numerator:
        return (slot.condition in (None, "stress", "ir", "hu+ir") and slot.treatment != "kmp") or not contrast
    if slot.treatment == "kmp" and not re.search(r"kmp|kaempferol", contrast.lower()):
        return False
    found = [str(m.value) for m in prompt_mentions(numerator.replace("_", " ")) if m.kind == "condition"]
    return not found or condition_fits(found[0], slot.condition)


def _grade_slot(
    slot: Direction, gold: Gold, said: Extraction, prompt: str, graded: Graded, several: bool, spread: bool
) -> float:
    told = [c for c in said.directions if c.modality == "asserted"]
    if not slot.pathway and not {m.value for m in prompt_mentions(prompt) if m.kind == "dir"}:
        told = []  # neither the gold nor the question says of what
    claims = matching(slot, gold, told, several, spread)
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
    claims = _settled(_firm(claims), said.text)
    claims = [c for c in claims if not _one_of_two(c, claims, said.text)]
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


def _firm(claims: Sequence[Claim]) -> list[Claim]:
    """The claims that are plainly about the set, where there are such; "enriched" and mere neighbours else."""
    stated = [c for c in claims if not c.negated]
    plain = {c.sentence for c in stated if c.about != "loose"}
    stated = [c for c in stated if c.about != "loose" or not plain or c.sentence in plain]
    stated = [c for c in stated if not c.weak] or stated
    return [c for c in claims if c.negated or c in stated]


def _settled(claims: Sequence[Claim], text: str) -> list[Claim]:
    """Without what "slightly up, but not significant" and "It trends up, but this is n.s." take back."""
    stated = [c for c in claims if not c.negated]
    shy = [c for c in stated if c.label == "NS"]
    ways = {c.label for c in stated} - {"NS"}
    if not shy or len(ways) != 1 or ways == {"MIXED"}:
        return list(claims)
    kept = []
    for claim in claims:
        later = any(
            n.slot.mission == claim.slot.mission
            and (
                (n.sentence == claim.sentence and not _offered(text, claim, n))
                or (n.sentence == claim.sentence + 1 and OF_IT.match(text, claim.span[1]))
            )
            for n in shy
        )
        if claim.label == "NS" or claim.negated or not later:
            kept.append(claim)
    return kept


def _one_of_two(claim: Claim, claims: Sequence[Claim], text: str) -> bool:
    """True for both halves of "consistently up- or down-regulated", which says neither."""
    near = (c for c in claims if c.sentence == claim.sentence and c.label != claim.label and c is not claim)
    return any(
        ELLIPSIS.fullmatch(text[min(c.span[1], claim.span[1]) : max(c.span[0], claim.span[0])]) for c in near
    )


def _offered(text: str, one: Claim, other: Claim) -> bool:
    """Are two labels alternatives, "up or not significant"?"""
    first, last = sorted((one.span, other.span))
    return re.search(r"\bor\b|/", text[first[1] : last[0]].lower()) is not None


def _from_missions(slot: Direction, gold: Gold, said: Extraction, several: bool, spread: bool) -> set[str]:
    """What statements about single missions add up to."""
    by_mission: dict[str, str] = {}
    told: dict[str, set[str]] = {}
    for claim in _firm([c for c in said.directions if c.slot.mission]):
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
    answers = {c.label for c in said.answers}
    if not answers:
        return set(), set()
    labels = {str(m.value) for m in prompt_mentions(prompt) if m.kind == "dir"}
    if answers == {"NEITHER"} and {"UP", "DOWN"} <= labels:
        return {"NS"}, set()
    if (
        answers == {"NO"}
        and len(labels & set(OPPOSITE)) != 1
        and CHANGES.isdisjoint(labels)
        and asks_of_change(prompt)
    ):
        return {"NS"}, set()
    if len(labels) != 1 or not labels <= set(OPPOSITE):
        return set(), set()
    return (labels if "YES" in answers else set()), (labels if "NO" in answers else set())


def asks_of_change(prompt: str) -> bool:
    """Is it asked whether there is a change: "Does X differ between A and B, and is it up or down?"."""
    words = prompt_words(prompt)
    return bool(words) and not ASKING.isdisjoint(words[:1]) and not CHANGED.isdisjoint(words)


def _credit(gold: str, stated: set[str], denied: set[str]) -> float:
    return 1.0 if stated == {gold} and not stated & denied else 0.0


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
        if (
            number.slot.quantity in ("nes", "log2fc")
            and number.asserted
            and number.value
            and number.low is None
        ):
            sign = "UP" if number.value > 0 else "DOWN"
            here = directions.get(_place(number), [])
            if here and all(c.label != sign for c in here):
                found.append((number, here[0]))
    return found


def _place(claim: Claim) -> tuple:
    slot = claim.slot
    return claim.sentence, slot.entity, slot.mission, slot.condition, slot.treatment
