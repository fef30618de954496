"""V3's checks: what a text says against what it says elsewhere. No outside truth is needed.

Each check yields one :class:`Check` per thing that it could check.
"""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.records import Claim, Extraction
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.truth.directions import OPPOSITE, nes_clashes
from biorlhf_plugins.verifiers.consistency.compare import (
    asked_comparison,
    differences,
    exceptions,
    quantified,
    shares,
    superlatives,
)
from biorlhf_plugins.verifiers.consistency.figures import Check, bounds, classes, ranked, sums, two_values

ENUMERATION = "every direction for one slot"


def checks(said: Extraction, prompt: str, consistent: bool | None) -> Iterator[Check]:
    """Every check that the text gives something for."""
    thresholds = _prompt_numbers(prompt)
    figures = [c for c in said.numbers if c.asserted and c.low is None and c.high is None]
    figures = [c for c in figures if c.value not in thresholds]
    directions = [c for c in said.directions if c.asserted]
    yield from two_values(figures)
    yield from _two_directions(directions)
    yield from _denied(said, directions)
    yield from classes(said, figures)
    yield from sums(said, figures)
    yield from bounds(said, figures, prompt)
    yield from ranked(said, figures, prompt)
    yield from superlatives(said, figures)
    yield from shares(said)
    yield from differences(said)
    yield from quantified(said, figures, prompt)
    yield from asked_comparison(said, figures, prompt)
    yield from _yes_no(said, directions, prompt)
    yield from _agreement(said, directions, prompt, consistent)
    yield from _universal(said, directions)
    yield from _significance(said, directions)


def _prompt_numbers(prompt: str) -> set[float]:
    found = prompt_mentions(prompt)
    return {m.value.value for m in found if m.kind == "num" and isinstance(m.value, Number)}


def _two_directions(directions: list[Claim]) -> Iterator[Check]:
    slots: dict[tuple, list[Claim]] = {}
    for c in directions:
        s = c.slot
        if not c.partial and (s.pathways or s.entity) and c.label != "MIXED":
            slots.setdefault((s.pathways, s.entity, s.mission, s.condition, s.treatment), []).append(c)
    for key, claims in slots.items():
        labels = list(dict.fromkeys(str(c.label) for c in claims))
        firsts = {c.label: c.span for c in reversed(claims)}
        if len(labels) >= 3:
            yield Check(ENUMERATION, False, ", ".join(labels), tuple(firsts.values()))
        place = ", ".join(str(k if isinstance(k, str) else " or ".join(k)) for k in key if k)
        yield Check(
            "one direction per set, tissue and condition", len(labels) == 1, f"{place}: {', '.join(labels)}",
            tuple(firsts.values()),
        )  # fmt: skip


def _denied(said: Extraction, directions: list[Claim]) -> Iterator[Check]:
    """ "Not down; it is down": a direction denied and stated for one slot."""
    stated = {(c.slot.pathways, c.slot.entity, c.slot.mission, c.label): c for c in directions}
    for c in said.directions:
        s = c.slot
        if c.negated and c.modality == "asserted" and not c.partial and (s.pathways or s.entity):
            other = stated.get((s.pathways, s.entity, s.mission, c.label))
            if other is not None and other.slot.condition == s.condition:
                yield Check("denied and stated", False, f"{c.label}, and not {c.label}", (c.span, other.span))


def _yes_no(said: Extraction, directions: list[Claim], prompt: str) -> Iterator[Check]:
    answers = {c.label: c for c in said.answers}
    if not answers:
        return
    spans = tuple(c.span for c in answers.values())
    yield Check("yes or no, not both", len(answers) == 1, " and ".join(str(a) for a in answers), spans)
    if len(answers) != 1:
        return
    classes = [c for c in said.classes if c.asserted]
    for kinds, claims in ((("dir",), directions), (("type", "pattern"), classes)):
        asked = {str(m.value) for m in prompt_mentions(prompt) if m.kind in kinds}
        whole = [c for c in claims if not c.partial]
        stated = {str(c.label) for c in whole}
        if len(asked) != 1 or len(stated) != 1 or (kinds == ("dir",) and not asked <= set(OPPOSITE)):
            continue
        label, claim = next(iter(answers.items()))
        passed = (stated == asked) == (label == "YES")
        evidence = whole[0]
        yield Check(
            "yes or no against the evidence", passed, f"{label} to {min(asked)}, with {min(stated)}",
            (claim.span, evidence.span),
        )  # fmt: skip


def _agreement(
    said: Extraction, directions: list[Claim], prompt: str, consistent: bool | None
) -> Iterator[Check]:
    stated = {str(c.label): c for c in said.agreements}
    asked = {str(m.value) for m in prompt_mentions(prompt) if m.kind == "agree"}
    answers = {c.label for c in said.answers}
    implied = set()
    if len(asked) == 1 and len(answers) == 1:
        other = {"SAME": "DIFF", "DIFF": "SAME"}[min(asked)]
        implied = asked if answers == {"YES"} else {other}
    shown = _shown(directions)
    every = set(stated) | implied | ({shown} if shown else set())
    if stated:
        spans = tuple(c.span for c in stated.values())
        yield Check("agreement against the evidence", len(every) == 1, " and ".join(sorted(every)), spans)
    if consistent is not None and every:
        wanted = "SAME" if consistent else "DIFF"
        spans = tuple(c.span for c in stated.values())
        yield Check(
            "do the tissues agree", every == {wanted}, f"stated {' and '.join(sorted(every))}", spans, 2.0
        )


def _shown(directions: list[Claim]) -> str:
    """What the stated directions of several tissues or missions add up to: SAME, DIFF or ""."""
    for field in ("entity", "mission"):
        places = {getattr(c.slot, field): c.label for c in directions if getattr(c.slot, field)}
        if len(places) > 1:
            return "SAME" if len(set(places.values())) == 1 else "DIFF"
    return ""


def _universal(said: Extraction, directions: list[Claim]) -> Iterator[Check]:
    """ "All tissues", "consistently", against a tissue or mission that the text says differs."""
    everyone = {n.sentence: n for n in said.named if n.kind == "everyone" and not n.denied and not n.aside}
    always = {n.sentence: n for n in said.named if n.kind == "univ" and not n.denied and not n.aside}
    excepted = exceptions(said) if everyone or always else {}
    for claims, marks in ((directions, {**always, **everyone}), (list(said.classes), everyone)):
        for sentence, mark in marks.items():
            general = [c for c in claims if c.sentence == sentence and c.asserted]
            if not general:
                continue
            label = general[0].label
            named = {n.value for n in said.named if n.sentence == sentence and n.kind == "entity"}
            spared = excepted.get(sentence, set())
            against = [
                c for c in claims
                if c.asserted and c.chunk != general[0].chunk
                and (c.label == label) == bool(spared & {c.slot.entity, c.slot.mission})
                and {"entity", "mission"} & c.slot.stated
                and not (mark.value == "rest" and c.slot.entity in named)
                and (_same_set(c, general[0]))
            ]  # fmt: skip
            says = f"{label} without exception" + (f", but {against[0].label}" if against else "")
            yield Check(
                "a universal against an exception", not against, says,
                tuple(s for s in (mark.span, against[0].span if against else None) if s),
            )  # fmt: skip


def _significance(said: Extraction, directions: list[Claim]) -> Iterator[Check]:
    clashes = nes_clashes(said)
    if any(c.slot.quantity == "nes" for c in said.numbers) and directions:
        spans = tuple(s for number, claim in clashes for s in (number.span, claim.span))
        says = (
            "; ".join(f"{claim.label} with NES {number.value:g}" for number, claim in clashes)
            or "the signs fit"
        )
        yield Check("the sign of the NES", not clashes, says, spans)
    for number in said.numbers:
        if number.slot.quantity != "padj" or not number.asserted or number.value is None:
            continue
        here = [c for c in directions if c.sentence == number.sentence]
        significant = [
            n for n in said.named if n.kind == "sig" and n.sentence == number.sentence and not n.denied
        ]
        if number.low is None and number.high is None and (here or significant):
            says_ns = any(c.label == "NS" for c in here)
            passed = not (says_ns and number.value < 0.05) and not (
                significant and not says_ns and number.value > 0.05
            )
            says = f"{'not significant' if says_ns else 'significant'} with p = {number.value:g}"
            yield Check("significance against the p value", passed, says, (number.span,), 0.5)


def _same_set(one: Claim, other: Claim) -> bool:
    mine, theirs = one.slot.pathways, other.slot.pathways
    return mine == theirs or not (mine and theirs)
