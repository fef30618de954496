"""V2's grading: the direction of a set or a feature in a tissue, mission and contrast.

A match 1; anything else, both asserted, and no claim 0. The denominator is the gold slots. Names of sets
that do not exist, and an NES whose sign contradicts the stated direction, cost precision.
"""

from __future__ import annotations

from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.records import OPPOSITE, Claim, Extraction
from biorlhf_plugins.truth.free.fitting import matching
from biorlhf_plugins.truth.free.verdicts import labels_of
from biorlhf_plugins.truth.gold import Direction, Gold
from biorlhf_plugins.truth.graded import Graded, Line


def grade_directions(gold: Gold, said: Extraction, prompt: str) -> Graded:
    """Grade the direction slots of a gold. The overall slot and its missions weigh one half each."""
    graded = Graded()
    guess = 1.0 / options(prompt)
    details: list[float] = []
    for slot in gold.directions:
        credit = _grade_slot(slot, gold, said, prompt, graded)
        graded.credits.append(credit or 0.0)
        graded.guesses.append(guess)
        (graded.primary if slot.overall else details).append(credit or 0.0)
    graded.weigh(details)
    graded.charge(_charges(said, prompt))
    return graded


def grade_told(gold: Gold, said: Extraction, prompt: str, graded: Graded) -> None:
    """Grade the facts that are directions ("regulation: down") among the other facts of a gold."""
    for slot in gold.told:
        credit = _grade_slot(slot, gold, said, prompt, graded)
        graded.credits.append(credit or 0.0)
        graded.guesses.append(1.0 / options(prompt))
        if credit is not None:
            graded.claims.append(credit)


def options(prompt: str) -> int:
    """How many directions a question offers: two for "up or down?", four where it names none or one."""
    labels = {m.value for m in prompt_mentions(prompt) if m.kind == "dir"}
    return max(2, len(labels)) if len(labels) > 1 else 4


def _grade_slot(slot: Direction, gold: Gold, said: Extraction, prompt: str, graded: Graded) -> float | None:
    """The credit of one slot; None where the text fills it with nothing."""
    told = [c for c in said.directions if c.modality == "asserted"]
    if not slot.pathway and not {m.value for m in prompt_mentions(prompt) if m.kind == "dir"}:
        told = []  # neither the gold nor the question says of what
    claims = matching(slot, gold, told)
    stated, denied = labels_of(claims, said, slot, gold, prompt)
    expected = slot.describe()
    if not stated and not denied:
        graded.missed.append({"expected": expected})
        return None
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


def _credit(gold: str, stated: set[str], denied: set[str]) -> float:
    # "Mixed: up in the first cohort, down in the second" tells what is mixed.
    told = {gold} if gold == "MIXED" and stated == {"MIXED", "UP", "DOWN"} else stated
    return 1.0 if told == {gold} and not told & denied else 0.0


def _charges(said: Extraction, prompt: str) -> list[Line]:
    """The sets that a text names and that do not exist, and each NES that its own direction contradicts."""
    # A name that the question itself uses is no invention of the answer.
    unknown = [(name, span) for name, span in said.unknown_sets if name not in prompt.upper()]
    named = "the name of a known gene set"
    lines: list[Line] = [{"expected": named, "found": name, "where": list(span)} for name, span in unknown]
    for number, claim in nes_clashes(said):
        found, where = f"NES {number.value:g}", list(number.span)
        lines.append({"expected": f"an NES that fits {claim.label}", "found": found, "where": where})
    return lines


def nes_clashes(said: Extraction) -> list[tuple[Claim, Claim]]:
    """(NES, direction) of one sentence and one slot that contradict each other."""
    directions: dict[tuple, list[Claim]] = {}
    told = [claim for claim in said.directions if claim.asserted and claim.label in OPPOSITE]
    plain = {claim.slot.pathways: claim for claim in told if not claim.weak}
    for claim in told:
        # "Enriched" says that the test is significant where another word tells the way.
        meant = plain.get(claim.slot.pathways, claim) if claim.weak else claim
        directions.setdefault(_place(claim), []).append(meant)
    clashes = []
    for number in said.numbers:
        if (
            number.slot.quantity in ("nes", "log2fc")
            and number.asserted
            and number.value
            and number.low is None
        ):
            sign = "UP" if number.value > 0 else "DOWN"
            here = [c for c in directions.get(_place(number), []) if _of_one(number, c)]
            part = said.parts[number.sentence]
            if not number.signed and "negative" in said.stream.texts[part.first : part.last]:
                continue  # "a negative NES beyond two" has its sign in words
            if here and all(c.label != sign for c in here):
                clashes.append((number, here[0]))
    return clashes


def _of_one(one: Claim, other: Claim) -> bool:
    """Whether two claims may be of one set: "an NES of 2.17, whereas G2M is suppressed" is of two."""
    sets = one.slot.pathways, other.slot.pathways
    return not all(sets) or not set(sets[0]).isdisjoint(sets[1])


def _place(claim: Claim) -> tuple:
    slot = claim.slot
    return claim.sentence, slot.entity, slot.mission, slot.condition, slot.treatment
