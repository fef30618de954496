"""V3's checks of named slots: two values, classes or directions for one tissue, set and condition."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from biorlhf_plugins.language.evidence.records import Check
from biorlhf_plugins.language.records import Claim, Extraction
from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.verifiers.consistency.alike import another, chained, same_words

EVERY = words_of("every")
PLACED = frozenset(("entity", "condition", "pathways"))
COUNTS = frozenset((None, "deg", "nes"))
PARTED = re.compile(r"[A-Za-z]-?\d+_[A-Za-z]")
EITHER = re.compile(r"\bup\b[- ]*(?:\w+ )?(?:and|or|/) *down|\bdown\b[- ]*(?:\w+ )?(?:and|or|/) *up", re.I)
"""Names both ways, as in "up- or down-regulated" and "the sum of up and down"."""

MOVES = ("increases", "decreases", "rises", "reductions", "gains", "losses")
COUNTED = re.compile(rf"\bof the (?:[\d,]+ )?(?:{'|'.join(MOVES)})$")
SHORT = 8
PLACING = frozenset(("in", "at", "after", "under", "among", "during"))
PRONOUNS = frozenset(("it", "they", "this", "that", "both"))
ENUMERATION = "every direction for one slot"


def two_values(said: Extraction, figures: list[Claim], asked: frozenset[str]) -> Iterator[Check]:
    """One value for each slot, of what the question asks to count (or to score) or the text names itself.

    A rival must name its tissue and condition itself, not inherit them, and say the same of them.
    """
    slots: dict[tuple, list[Claim]] = {}
    for c in figures:
        s = c.slot
        if s.quantity not in COUNTS or not (s.entity or s.condition or s.pathways):
            continue
        if s.quantity not in ("deg", "nes") and PLACED.isdisjoint(s.stated):
            continue
        if s.pathways and any(name.startswith("?") for name in s.pathways):
            continue  # left to the text's own words
        if chained(said, c):
            continue
        key = (s.entity, s.condition, s.treatment, s.mission, s.quantity or "deg", s.pathways)
        slots.setdefault(key, []).append(c)
    spoken: Mapping[tuple[int, object], int] = {}
    for key, claims in slots.items():
        counted = [c for c in claims if _counts(said, c, asked)]
        first = (counted or claims)[0]
        rivals = [c for c in counted[1:] if not _close(first, c) and same_words(said, first, c)]
        spoken = spoken or (_spoken(said) if rivals else {})
        rival = next((c for c in rivals if _names(spoken, first, c)), None) if rivals else None
        place = " ".join([str(k) for k in key[:3] if k]) or "one slot"
        values = ", ".join(dict.fromkeys([f"{c.value:g}" for c in claims]))
        yield Check(
            "one value per slot",
            rival is None,
            f"{place}: {values}",
            (first.span, rival.span) if rival else (first.span,),
            alone=rival is None,
        )


def _counts(said: Extraction, claim: Claim, asked: frozenset[str]) -> bool:
    """Whether a figure is plainly a count of DEGs or an NES: by its own words, or as what is asked."""
    if claim.slot.quantity == "nes" or (claim.slot.pathways and "nes" in asked):
        return claim.slot.quantity in ("nes", None)
    return not claim.slot.pathways and ("deg" in asked or _differs(said, claim))


def _differs(said: Extraction, claim: Claim) -> bool:
    """Whether a figure's sentence says that it counts what differs: "6,425 DEGs", not "18,204 genes"."""
    part = said.parts[claim.sentence]
    words = said.stream.texts[part.first : part.last]
    return any(word in ("deg", "dge", "differentially") for word in words)


def of_group(said: Extraction, claim: Claim) -> bool:
    """The "three" of "the highest count of the three"."""
    start, end = claim.span
    return said.text[start:end].isalpha() and said.text[max(0, start - 8) : start].lower() == " of the "


def _spoken(said: Extraction) -> Mapping[tuple[int, object], int]:
    """How often each sentence names each tissue and condition."""
    return Counter((n.sentence, n.value) for n in said.named if n.kind in ("entity", "condition"))


def _names(named: Mapping[tuple[int, object], int], one: Claim, other: Claim) -> bool:
    """Whether a claim's sentence names what the text gives of its slot; twice, where both stand in it."""
    times = 2 if one.sentence == other.sentence else 1
    places = [getattr(other.slot, role) for role in ("entity", "condition") if role in other.slot.stated]
    counts = [named[other.sentence, place] for place in places if place]
    return not counts or (max(counts) >= times and min(counts) >= 1)


def _close(one: Claim, other: Claim) -> bool:
    a, b = one.value or 0.0, other.value or 0.0
    if a == b:
        return True
    # NES and fold changes are quoted with few digits; counts are exact unless they are marked.
    slack = 0.05 if one.approximate or other.approximate or (abs(a) < 10 and abs(b) < 10) else 0.0
    return (a < 0) == (b < 0) and abs(a - b) <= slack * max(abs(a), abs(b))


SPOKEN_OF = re.compile(r"\b(?:this|that|its|their)\s$", re.I)
"""What names no class: "suppressed by HU+IR, and this suppression is reversed"."""


def classes(said: Extraction, figures: list[Claim]) -> Iterator[Check]:
    """One class per tissue, and one that the figures bear out."""
    by_tissue: dict[tuple, list[Claim]] = {}
    for c in said.classes:
        if c.asserted and not SPOKEN_OF.search(said.text, 0, c.span[0]):
            by_tissue.setdefault((c.slot.entity, c.slot.quantity), []).append(c)
    for (entity, quantity), claims in by_tissue.items():
        labels = list(dict.fromkeys(str(c.label) for c in claims))
        spans = tuple({c.label: c.span for c in claims}.values())
        says = f"{entity or 'the tissue'}: {', '.join(labels)}"
        yield Check("one class per tissue", len(labels) == 1, says, spans, alone=len(labels) == 1)
        if len(labels) == 1:
            bad = _class_against(labels[0], [c for c in figures if c.slot.entity == entity], quantity)
            if bad is not None:
                yield Check("a class against its figures", not bad[0], bad[1], spans)


def _class_against(label: str, figures: list[Claim], quantity: str | None) -> tuple[bool, str] | None:
    if quantity == "type":
        rest = [
            c.value for c in figures if c.slot.condition == "baseline" and c.slot.quantity in (None, "deg")
        ]
        stressed = [
            c.value
            for c in figures
            if c.slot.condition in ("hu+ir", "stress") and c.slot.quantity in (None, "deg")
        ]
        if not rest or not stressed:
            return None
        low, high = rest[0] or 0.0, stressed[0] or 0.0
        # Type A is stress-activated: KMP changes more genes under stress than without. Types B and C
        # (baseline-active, stress-blocked) respond less there.
        wrong = high < low if label == "A" else high > low
        return wrong, f"type {label} with {low:g} at baseline and {high:g} under stress"
    nes = [c for c in figures if c.slot.quantity == "nes"]
    stress = [c.value or 0.0 for c in nes if c.slot.treatment != "kmp"]
    treated = [c.value or 0.0 for c in nes if c.slot.treatment == "kmp"]
    if not stress or not treated or label not in ("RESCUE", "SUPPRESSION"):
        return None
    # Rescue: stress lowers the set and KMP raises it again. Suppression is its mirror image.
    want = (-1, 1) if label == "RESCUE" else (1, -1)
    wrong = stress[0] * want[0] < 0 or treated[0] * want[1] < 0
    return wrong, f"{label.lower()} with NES {stress[0]:g} under stress and {treated[0]:g} with KMP"


def two_directions(said: Extraction, directions: list[Claim]) -> Iterator[Check]:
    """One direction for each slot; parts of a mission ("MHU-2_dorsal") are one mission to the lexicon."""
    if not directions:
        return
    slots: dict[tuple, list[Claim]] = {}
    named = _named(said)
    parted = "_" in said.text and PARTED.search(said.text) is not None
    for c in directions:
        s = c.slot
        start, end = c.span
        # The pattern looks at every letter before it: what it ends with is looked at first.
        ends = said.text.endswith(MOVES, 0, end) and said.text[start].islower()
        if ends and COUNTED.search(said.text, 0, end):
            continue  # "41 of the 58 decreases and one of the increases"
        if c.partial or not s.pathways or c.label == "MIXED" or (parted and s.mission):
            continue
        slots.setdefault((s.pathways, s.entity, s.mission, s.condition, s.treatment), []).append(c)
    for key, found in slots.items():
        if any(name.startswith("?") and len(name) > 1 for name in key[0]):
            found = [c for c in found if _here(said, found[0], c)]
        if key[0] == ("?",):
            found = [c for c in found if c is found[0] or not another(said, found[0], c)]
        claims = [c for c in found if _said_of(said, c, named.get(c.sentence, []))] or found[:1]
        if len({c.label for c in claims} - {"NS"}) == 1:
            claims = [c for c in claims if c.label != "NS"]  # "a decrease that does not reach significance"
        if len(claims) > 1 and _parted(said, claims):
            claims = claims[:1]
        labels = list(dict.fromkeys([str(c.label) for c in claims]))
        # Reversed, so that of each label the first span stays.
        firsts = {c.label: c.span for c in reversed(claims)}
        if len(labels) >= 3:
            yield Check(ENUMERATION, False, ", ".join(labels), tuple(firsts.values()))
        place = ", ".join([str(k if isinstance(k, str) else " or ".join(k)) for k in key if k])
        yield Check(
            "one direction per set, tissue and condition", len(labels) == 1, f"{place}: {', '.join(labels)}",
            tuple(firsts.values()), alone=len(labels) == 1,
        )  # fmt: skip


def _parted(said: Extraction, claims: list[Claim]) -> bool:
    """Whether each sentence opens with a time, a group or a method of its own: "At week 1 …. At week 6 …"."""
    heads = []
    for c in claims:
        first = said.parts[c.sentence].first
        texts = said.stream.texts[first : first + 3]
        heads.append(tuple(texts) if texts[0] in PLACING or texts[0] == "by" else ())
    return all(heads) and len(set(heads)) == len({c.sentence for c in claims}) > 1


def _named(said: Extraction) -> dict[int, list[str]]:
    """By sentence the kinds of the sets and places that it names."""
    found: dict[int, list[str]] = {}
    for n in said.named:
        if n.kind in ("path", "entity", "mission"):
            found.setdefault(n.sentence, []).append(n.kind)
    return found


def _here(said: Extraction, one: Claim, other: Claim) -> bool:
    """Whether a statement of a name that no list has is of the same place as another, and has no new subject:
    not "CRP fell in the treated arm" and "CRP is higher in men", nor "It lowers LDL" and "Survival rose"."""
    first, second = (said.parts[c.sentence] for c in (one, other))
    if first is second:
        return True
    mine, theirs = (said.stream.texts[part.first : part.last] for part in (first, second))
    placed, then = _places(mine), _places(theirs)
    speaks = "path" in second.inside or not PRONOUNS.isdisjoint(theirs) or len(theirs) <= 2
    elsewhere = placed and then and placed.isdisjoint(theirs) and then.isdisjoint(mine)
    return speaks and not elsewhere


def _places(texts: list[str]) -> set[str]:
    """The words that a preposition of place leads to: "arm" is not among those of "in the treated arm"."""
    return {
        b if b not in ("the", "a") else c
        for a, b, c in zip(texts, texts[1:], [*texts[2:], ""], strict=False)
        if a in PLACING
    }


def _said_of(said: Extraction, claim: Claim, names: list[str]) -> bool:
    """Whether a direction is plainly of its slot: its sentence names the set (or the place), or is short,
    and has no other direction, unless the names are as many as the directions.
    """
    part = said.parts[claim.sentence]
    length = part.last - part.first
    named = "path" in names if "pathways" in claim.slot.stated else bool(names)
    if not named and length > SHORT:
        return False
    if length <= 2 * SHORT:
        return True
    ways = [m for m in part.inside.get("dir", ()) if not said.stream.texts[m.first].startswith("enrich")]
    return len(ways) <= 1 or len(names) >= len(ways)


def denied(said: Extraction, directions: list[Claim]) -> Iterator[Check]:
    """ "Not down; it is down": a direction denied and stated for one slot."""
    stated = {(c.slot.pathways, c.slot.entity, c.slot.mission, c.label): c for c in directions}
    for c in said.directions:
        s = c.slot
        if c.negated and c.modality == "asserted" and not c.partial and (s.pathways or s.entity):
            part = said.parts[c.sentence]
            words = said.stream.texts[part.first : part.last]
            if "not" in words and not EVERY.isdisjoint(words[words.index("not") :][:4]):
                continue  # "Not all declined" leaves open which did
            other = stated.get((s.pathways, s.entity, s.mission, c.label))
            if other is not None and other.slot.condition == s.condition and same_words(said, c, other):
                yield Check("denied and stated", False, f"{c.label}, and not {c.label}", (c.span, other.span))
