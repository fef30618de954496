"""Is a stated figure the gold one? In its own scale: fold and log2 fold, percent and share, µM and nM."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from biorlhf_plugins.language.records import OPPOSITE, Claim, Extraction
from biorlhf_plugins.language.visible import visible_text
from biorlhf_plugins.language.words.units import unit_at, unit_of
from biorlhf_plugins.truth.credits import APPROXIMATE, NARROW, closeness
from biorlhf_plugins.truth.slots import Fact, words

MULTIPLES = frozenset(("ratio", "fold", "time", "multiple", "depth", "coverage", "dilution", "magnification"))
RAW_P = re.compile(r"((?:adj\w*\.?|FDR|BH)[ -]?)?\bp(?:[ -]?val(?:ue)?)?\s*(?:=|<|:|was|of|is)\s*$", re.I)
ADJUSTED = frozenset(("padj", "adjusted", "adj", "fdr", "q"))
COUNT_SCALES = {"M": 1e6, "G": 1e9}
FOLDS = ("log2fc", "fc")
COMPARED = re.compile(r"\b(?:relative to|compared (?:to|with)|versus|vs\.?|against|than)\s", re.I)
RELATIVE = re.compile(r"\b(?:higher|lower|more|less|fewer|greater|smaller)\b", re.I)
"""Told of the denominator, these turn the direction, and the figure is that of the contrast."""

WINDOW = 90
"""Characters on each side of a figure in which its contrast is looked for."""

SENTENCE_END = re.compile(r"[.!?;](?=\s)|\n")
UNDONE = re.compile(
    r"[^.;:,!?\d]{0,50}?\b(?:(?:did|do|does|have|has|was|were|is|are) not|\w+n't|fail(?:ed|s)? to)\s+(\w+)",
    re.I,
)
"""Behind a share: what the part of which it is did not do."""

OVER = re.compile(
    r"s?\s?[/:–-]\s?|-(?:to|over)-"
    r"|\s(?:to|over|per|by|for (?:each|every)|exceed\w*|outnumber\w*|divided by)\s(?:the\s)?"
)
"""Between the two things of a ratio."""

BY = re.compile(
    r"(?:\bby(?: an? log2?[ -]?(?:fc|fold[ -]change) of)?|[–—-])\s*"
    r"(?:about|roughly|~|≈)?\s*(?:[\d.]{1,8}\s?(?:,|and)\s?){0,3}$",
    re.I,
)
LESS = re.compile(r"\s*log2?(?:[ -](?:units?|fold))* (?:lower|less|down|below)\b", re.I)
"""Before and behind the size of a fall: "by 1.5", "4.6 log2 units lower"."""
TO = re.compile(r"\b(?:to|at)\s*(?:about|roughly|only|~|≈)?\s*$", re.I)
CHANGES = frozenset(("change", "difference", "shift", "delta"))
"""Quantities whose sign may stand in a verb."""

UNFIT, OTHER, FITTING = 0, 1, 2


class Reading(NamedTuple):
    """A claim's ``credit``, and its ``value`` in the scale of the gold."""

    claim: Claim
    credit: float
    value: float


def reading(fact: Fact, claim: Claim, said: Extraction) -> Reading | None:
    """A claim compared with a fact's figure; None where it is no such quantity: 3 mg for 3 h."""
    gold = float(fact.value)
    if fact.quantity in FOLDS:
        unit = unit_at(said.text, *claim.span)
        if unit and unit[1].dimension != "share":
            return None  # the 10 of "10 nM"
        return _fold(fact, claim, said, gold)
    if fact.quotient and gold and _upside_down(*fact.quotient, *_around(said.text, claim)):
        gold = 1.0 / gold
    scaled = _scaled(fact, claim, said.text, gold)
    if scaled and not claim.signed and CHANGES & fact.asked.words and _way(claim, said) == "DOWN":
        told = _credit(claim, -scaled)  # "19 % lower" is a change of -19 %
        return told._replace(value=gold if told.credit else -told.value)
    if scaled is not None and claim.slot.quantity == "percent" and _complement(fact, claim, said.text):
        told = _credit(claim._replace(negated=False), 100.0 - scaled)
        return told._replace(value=gold if told.credit else 100.0 - (claim.value or 0.0))
    return None if scaled is None else _credit(claim, scaled, gold / scaled if scaled else 1.0)


def _upside_down(above: str, below: str, before: str, after: str) -> bool:
    """Is the ratio that is told nearest the other one: B/A, "B to A", "of B for each A"?"""
    names = rf"({re.escape(above)}|{re.escape(below)})"
    pair = re.compile(rf"{names}(?:{OVER.pattern}){names}")
    told = [*pair.finditer(before.lower())][-1:] or [*pair.finditer(after.lower())][:1]
    return bool(told) and told[0][1] == below and told[0][2] == above


def _complement(fact: Fact, claim: Claim, text: str) -> bool:
    """ "38 % did not respond" where the share of those that responded is asked for."""
    match = UNDONE.match(text, claim.span[1])
    asked = {word[:5] for word in fact.asked.words if len(word) >= 5}
    return match is not None and match[1][:5].lower() in asked


def other_p(fact: Fact, claim: Claim, text: str) -> bool:
    """Is an adjusted p asked for and a raw one told, or the other way round?"""
    before = text[max(0, claim.span[0] - 24) : claim.span[0]]
    told = RAW_P.search(before)
    adjusted = bool(fact.asked.words & ADJUSTED)
    return told is not None and (told[1] is None) == adjusted


def _credit(claim: Claim, gold: float, back: float = 1.0) -> Reading:
    """``gold`` in the scale of the claim; times ``back``, the claim is in that of the gold."""
    value = claim.value or 0.0
    if claim.low is not None and claim.high is not None:
        inside = claim.low <= gold <= claim.high and not wide(claim)
        return Reading(claim, APPROXIMATE if inside else 0.0, value * back)
    credit = closeness(value, gold, claim.approximate, claim.decimals, claim.digits)
    return Reading(claim, credit, value * back)


def wide(claim: Claim) -> bool:
    if claim.low is None or claim.high is None:
        return False
    return claim.low <= 0 or claim.high / claim.low > NARROW


def _scaled(fact: Fact, claim: Claim, text: str, gold: float) -> float | None:
    """The gold in the unit of the claim; None where that measures something else."""
    stated = unit_at(text, *claim.span)
    if stated and fact.asked.counts and stated[1].dimension.startswith("count"):
        stated = None  # "19 spikes per minute"
    unit = stated[1] if stated else unit_of("%") if claim.slot.quantity == "percent" else None
    if fact.asked.counts and unit is None and gold == round(gold) and 0 < (claim.value or 0.0) < 1:
        return None  # the 5e-8 of "83 loci pass 5e-8"
    if stated and fact.asked.counts and stated[0] in COUNT_SCALES:  # "21.4 M reads"
        return gold / COUNT_SCALES[stated[0]]
    share = fact.asked.share or (fact.unit is not None and fact.unit.dimension == "share")
    if claim.slot.quantity == "ratio" and fact.asked.own:
        return gold if fact.asked.words & MULTIPLES else None
    if unit is not None and unit.dimension == "share":
        if fact.unit is not None:
            return gold if fact.unit.dimension == "share" else None
        if fact.asked.counts and not 0 < gold < 1:
            return None
        if 0 < abs(gold) <= 1 and fact.quantity != "percent":
            return gold * 100
        named = claim.slot.quantity == fact.quantity
        return gold if share or named else None
    if share and unit is None and abs(gold) > 1 and 0 < abs(claim.value or 0.0) <= 1:
        return gold / 100
    if fact.unit is None or unit is None:
        return None if unit is not None and fact.asked.counts else gold
    return gold * fact.unit.size / unit.size if unit.dimension == fact.unit.dimension else None


def _fold(fact: Fact, claim: Claim, said: Extraction, gold: float) -> Reading | None:
    """Fold changes: the claim's and the gold's, each as a ratio of numerator to denominator."""
    scale = claim.slot.quantity
    scale = fact.quantity if scale not in ("log2fc", "fc", "ratio", "percent") else scale
    value = claim.value or 0.0
    before, after = _around(said.text, claim)
    way, turned = _way(claim, said), _turned(fact, before, after)
    if turned is None:
        way, turned = OPPOSITE.get(way or ""), False
    # A power above 1023 overflows, and no fold change comes near 500. A negative fold change is written for
    # the reciprocal: -4 is a quarter.
    ratio = 2.0 ** min(gold, 500.0) if fact.quantity == "log2fc" else -1.0 / gold if gold < 0 else gold
    ratio = 1.0 / ratio if turned and ratio else ratio
    if scale == "log2fc":
        target = math.log2(ratio) if fact.quantity == "fc" or turned else gold
        # "Reduced by 1.5": the figure is the size, and the verb its sign.
        if way == "DOWN" and value > 0 and not claim.signed and (BY.search(before) or LESS.match(after)):
            target = -target
    elif scale == "percent":
        part = _percent_target(before, after, way, ratio)
        if part is None:
            return None
        target = part
    else:
        # "4-fold lower" says 4 of a quarter.
        target = 1.0 / ratio if way == "DOWN" and value > 1 and ratio else ratio
        if value < 0:
            value, target = -value, 1.0 / ratio
            claim = claim._replace(value=value)
    if scale == fact.quantity == "fc" and gold < 0 and (claim.value or 0) < 0:
        target = gold
    told = _credit(claim, target)
    return told._replace(value=gold if told.credit else value)


def _percent_target(before: str, after: str, way: str | None, ratio: float) -> float | None:
    """ "down by 75 %" of a quarter is 75; "fell to 25 % of the control" is 25."""
    if TO.search(before) or re.match(r"\s*of\s", after):
        return 100 * ratio
    if way is None:
        return None
    return 100 * (1 - ratio) if way == "DOWN" else 100 * (ratio - 1)


def _around(text: str, claim: Claim) -> tuple[str, str]:
    """The text before and behind a figure, in its own sentence."""
    start, end = claim.span
    shown = visible_text(text[max(0, start - WINDOW) : end + WINDOW])
    before, after = shown[: min(start, WINDOW)], shown[min(start, WINDOW) + end - start :]
    ends = [m.end() for m in SENTENCE_END.finditer(before)]
    stop = SENTENCE_END.search(after)
    return before[ends[-1] if ends else 0 :], after[: stop.start()] if stop else after


def _way(claim: Claim, said: Extraction) -> str | None:
    """The direction that the figure's own sentence gives its name: UP or DOWN."""
    near = [
        d for d in said.directions
        if d.sentence == claim.sentence and d.label in ("UP", "DOWN") and not d.negated
        and (d.slot.entity == claim.slot.entity or None in (d.slot.entity, claim.slot.entity))
    ]  # fmt: skip
    if not near:
        return None
    return min(near, key=lambda d: abs(d.chunk - claim.chunk)).label


def _names(text: str, side: frozenset[str], other: frozenset[str]) -> bool:
    """Does a text name one side of a contrast? By the words that the other lacks; "smokers" against
    "non-smokers" has none, and is named where the other's are absent."""
    spoken, distinct = words(text), side - other
    return bool(distinct & spoken) if distinct else bool(side & spoken) and not (other - side) & spoken


def _turned(fact: Fact, before: str, after: str) -> bool | None:
    """True for "+3.2 in normal relative to tumour" of tumour vs normal; None where only a direction turns:
    "8-fold lower in normal"."""
    if fact.sides is None:
        return False
    upper, lower = fact.sides
    sentence = before + " # " + after
    cut = COMPARED.search(sentence)
    if cut is not None and _names(sentence[cut.end() :], upper, lower):
        left = sentence[: cut.start()]
        turned = _names(left, lower, upper) and not _names(left, upper, lower)
        return None if turned and RELATIVE.search(left) else turned
    alone = cut is None and _names(sentence, lower, upper) and not _names(sentence, upper, lower)
    return None if alone and RELATIVE.search(sentence) else False
