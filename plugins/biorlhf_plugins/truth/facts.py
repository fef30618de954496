"""V1's grading: figures, classes, a short answer and a ranking against the fact table.

Per gold slot: exact 1; within 1 % 0.9; within 5 % and marked as approximate 0.6; else 0. Zero and the
sign must be exact. Of k rival candidates in a slot the best counts 1/k. Recall is the mean over slots,
precision that over the claims that the table can check; the score is their F1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from biorlhf_plugins.language.claims.quantities import AVERAGES, NOUN_UNITS
from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.records import Claim, Extraction, Slot
from biorlhf_plugins.language.words.measured import HEADS, LEXICAL, TRANSCRIPTS, directed, measures
from biorlhf_plugins.language.words.text import visible_text
from biorlhf_plugins.truth.answers import grade_answer, grade_ranking
from biorlhf_plugins.truth.credits import (
    APPROXIMATE_ERROR,
    FEW,
    GUESSES,
    MANY,
    OPEN_GUESS,
    RIGHT,
    VAGUE,
    shared,
)  # fmt: skip
from biorlhf_plugins.truth.figures import FITTING, FOLDS, OTHER, UNFIT, Reading, reading, wide
from biorlhf_plugins.truth.gold import Gold
from biorlhf_plugins.truth.graded import Graded, line
from biorlhf_plugins.truth.slots import Fact

BARE_CLASS = re.compile(r"^\W*(?:answer\W{1,5})?([abc])\b(?!['’])[^\w\n]*$", re.I | re.M)
OPENING_CLASS = re.compile(r"^\W*(?:answer\W{1,5})?([ABC])(?:[.:,;)\]]|\*\*|\s[-–—])(?=\W)")
LISTED_CLASS = re.compile(r"^\W*[ABC][.:)\]]", re.M)
"""A letter that opens the text answers, "A. Its response …"; several that open lines are a list."""

LETTER = re.compile(
    r"(\b(?:[Nn]either|[Nn]or|[Nn]ot|[Nn]ever|[Rr]ather than|[Ii]nstead of)\s+)?"
    r"\b([ABC])\b(?=[^\w\s]|\s*$|\s+(?:is|does|fits|applies|holds|nor|or|and|but|here|it|describes|matches)\b)"
)

LETTERS = 400
"""Characters in which a bare letter is looked for."""

NO_ANSWERS = frozenset(("evidence", "operand", "difference", "padj"))
REPLICATES = frozenset(("experiment", "replicate", "repeat", "donor", "batch", "run"))
"""How often something was measured, which is never its figure."""

PARTS = frozenset(("deg_up", "deg_down", "percent"))
STRESSES = frozenset(("hu", "ir", "hu+ir"))


def grade_facts(gold: Gold, said: Extraction, prompt: str) -> Graded:
    """Grade facts, answer and ranking. ``answered`` is false where nothing in the text fills a slot."""
    graded = Graded()
    if not said.classes and (listed := _listed(said, prompt)):
        said = replace(said, classes=listed)
    positions = _in_order(gold.facts, said.numbers)
    for number, fact in enumerate(gold.facts):
        if fact.quantity == "direction":
            _grade_direction(fact, said, graded, alone=len(gold.facts) == 1)
        elif isinstance(fact.value, str):
            _grade_class(fact, said, graded, alone=len(gold.facts) == 1)
        else:
            _grade_number(fact, said, graded, positions.get(number), alone=len(gold.facts) == 1)
    if gold.answer is not None:
        grade_answer(gold, said, graded, prompt)
    if gold.ranking:
        grade_ranking(gold.ranking, said, graded)
    return graded


def _listed(said: Extraction, prompt: str) -> tuple[Claim, ...]:
    """ "Heart and soleus." to "Which tissues are Type A?": the class that the prompt asks for, of each."""
    asked = prompt_mentions(prompt)
    classes = {(m.kind, str(m.value)) for m in asked if m.kind in ("type", "pattern")}
    if len(classes) != 1 or any(m.kind == "entity" for m in asked):
        return ()
    kind, label = next(iter(classes))
    return tuple(
        Claim("class", Slot(entity=str(n.value), quantity=kind), n.span, label=label, negated=n.denied)
        for n in said.named
        if n.kind == "entity" and not n.aside and not n.compared
    )


def _in_order(facts: Sequence[Fact], numbers: Sequence[Claim]) -> dict[int, Claim]:
    """Bare figures, as many as there are facts: taken in the order of the facts."""
    bare = [
        c for c in numbers if c.asserted and c.slot.entity is None and c.slot.quantity in (None, "deg", "nes")
    ]
    numeric = [i for i, f in enumerate(facts) if not isinstance(f.value, str)]
    if len(facts) > 1 and len(bare) == len(numeric) == len([c for c in numbers if c.asserted]):
        return dict(zip(numeric, bare, strict=True))
    return {}


def fits(fact: Fact, claim: Claim, alone: bool = True) -> int:
    """Does a claim speak of a fact's slot? ``OTHER`` where its quantity has another name than the asked."""
    slot = claim.slot
    if fact.quantity == "ratio":
        elsewhere = "entity" in slot.stated and slot.entity not in fact.entity.split("/")
        return FITTING if slot.quantity in ("ratio", "fc") and not elsewhere else UNFIT
    if slot.entity is None:
        if not alone:
            return UNFIT
    elif slot.entity not in fact.entity.split("/"):
        return UNFIT
    if not condition_fits(fact.condition, slot.condition):
        return UNFIT
    if fact.condition and "_x_" in fact.condition:
        return _quantity_fits(fact, slot.quantity)
    if fact.treatment == "kmp" and slot.treatment == "vehicle":
        return UNFIT
    named = slot.treatment == "kmp" and "treatment" in slot.stated  # a prompt's default says nothing
    if fact.treatment is None and fact.condition is not None and named:
        return UNFIT
    return _quantity_fits(fact, slot.quantity)


def condition_fits(gold: str | None, stated: str | None) -> bool:
    if gold is None or stated is None or gold == stated:
        return True
    return (stated == "stress" and gold in STRESSES) or (gold == "stress" and stated in STRESSES)


def _quantity_fits(fact: Fact, stated: str | None) -> int:
    """How a claim's quantity fits: by the lexicon's name, or by the words that name it."""
    gold = fact.quantity
    if stated is None or stated == gold:
        return FITTING
    if stated in NO_ANSWERS:
        return UNFIT
    if gold is None:
        return FITTING if stated not in LEXICAL else UNFIT
    if gold in FOLDS:
        return FITTING if stated in ("log2fc", "fc", "ratio", "percent") else UNFIT
    if stated == "sample":
        return OTHER
    if not fact.asked.own:
        return UNFIT
    shared_words = fact.asked.words & set(stated.split())
    if stated in measures() or (shared_words <= HEADS and fact.asked.words - HEADS):
        shared_words = frozenset()
    if stated in AVERAGES:
        return FITTING if stated in gold.split() or not AVERAGES & set(gold.split()) else UNFIT
    if stated in REPLICATES and not shared_words:
        return UNFIT
    if stated.startswith("deg") and fact.asked.words & TRANSCRIPTS:
        return FITTING if stated in ("deg", directed(fact.asked.words)) else UNFIT
    if stated in ("percent", "ratio", "dose", "time") or shared_words:
        return FITTING
    if stated == "share":
        return FITTING if fact.asked.counts else OTHER
    return UNFIT if stated in LEXICAL - NOUN_UNITS else OTHER


def _grade_number(fact: Fact, said: Extraction, graded: Graded, placed: Claim | None, alone: bool) -> None:
    graded.guesses.append(OPEN_GUESS)
    read = _readings(fact, said, placed, alone)
    denied = [r.claim for r in read if r.claim.negated and r.claim.modality == "asserted" and r.credit == 1.0]
    stated = [r for r in read if r.claim.asserted]
    whole = [r for r in stated if r.claim.low is None and r.claim.high is None]
    ranges = [r for r in stated if r.claim.low is not None and r.claim.high is not None]
    rivals = 0
    groups: list[list[Reading]] = []
    for told in whole + ranges:
        group = next((g for g in groups if _same(told, g[0])), None)
        if group is None:
            groups.append([told])
            rivals += VAGUE if wide(told.claim) else 1
        else:
            group.append(told)
    best = 0.0
    for group in groups:
        top = max(group, key=lambda r: r.credit)
        best = max(best, top.credit)
        graded.claims.append(top.credit)
        (graded.matched if top.credit >= RIGHT else graded.wrong).append(line(fact.describe(), top.claim))
    if denied:
        rivals += 1
        graded.claims.append(0.0)
        graded.wrong.extend(line(fact.describe(), c, "the text denies it") for c in denied)
    graded.answered = graded.answered or bool(groups) or bool(denied)
    graded.credits.append(shared(best, rivals, OPEN_GUESS))
    if rivals >= FEW:
        graded.claims.extend([0.0] * max(0, MANY - rivals))
    if best < RIGHT:
        graded.missed.append({"expected": fact.describe()})


def _readings(fact: Fact, said: Extraction, placed: Claim | None, alone: bool) -> list[Reading]:
    """The claims that speak of a fact's slot, compared with its figure.

    What has another name than the asked quantity counts only where nothing has that name or none, and a
    whole that is told on the way to its part or share is no rival of it.
    """
    found: list[tuple[int, Reading]] = []
    for claim in said.numbers:
        fit = FITTING if claim is placed else UNFIT if placed else fits(fact, claim, alone)
        told = reading(fact, claim, said) if fit else None
        if told is not None:
            found.append((fit, told))
    sure = [r for fit, r in found if fit == FITTING]
    if not any(r.claim.asserted for r in sure):
        sure = [r for _, r in found]
    if fact.quantity in PARTS:
        sure = [r for r in sure if r.claim.slot.quantity == fact.quantity] or sure
    return sure


def _same(one: Reading, other: Reading) -> bool:
    """The same figure, or a rounded one beside its exact form."""
    a, b = one.value, other.value
    if a == b or (one.credit == other.credit == 1.0):
        return True
    near = abs(a - b) <= APPROXIMATE_ERROR * max(abs(a), abs(b)) and (a < 0) == (b < 0)
    return near and (one.claim.approximate or other.claim.approximate)


def _grade_direction(fact: Fact, said: Extraction, graded: Graded, alone: bool) -> None:
    """A direction that is asked for as a fact: that of its name, whatever else rises or falls."""
    graded.guesses.append(GUESSES["direction"])
    fitting = [
        d for d in said.directions
        if (d.slot.entity in fact.entity.split("/") if d.slot.entity else alone)
        and condition_fits(fact.condition, d.slot.condition)
    ]  # fmt: skip
    stated = {d.label: d for d in fitting if d.asserted}
    denied = [d for d in fitting if d.negated and d.modality == "asserted" and d.label == fact.value]
    rivals = len(stated) + (1 if denied else 0)
    graded.answered = graded.answered or bool(stated) or bool(denied)
    for label, claim in stated.items():
        graded.claims.append(1.0 if label == fact.value else 0.0)
        (graded.matched if label == fact.value else graded.wrong).append(line(fact.describe(), claim))
    if denied:
        graded.claims.append(0.0)
        graded.wrong.append(line(fact.describe(), denied[0], "the text denies it"))
    right = fact.value in stated and rivals == 1  # both told is neither
    graded.credits.append(1.0 if right else 0.0)
    if not right:
        graded.missed.append({"expected": fact.describe()})


def _grade_class(fact: Fact, said: Extraction, graded: Graded, alone: bool) -> None:
    graded.guesses.append(GUESSES.get(fact.quantity or "", OPEN_GUESS))
    if fact.quantity in GUESSES:
        fitting = [
            c for c in said.classes if c.slot.quantity == fact.quantity and _class_fits(fact, c, alone)
        ]
    else:
        fitting = [
            Claim("class", Slot(), n.span, label=str(n.value).upper(), negated=n.denied)
            for n in said.named
            if n.kind in ("phrase", "type", "pattern") and not n.aside and not n.compared
        ]
        fitting = [c for c in fitting if c.label in fact.alternatives]
    bare = fact.quantity == "type" and not said.classes
    seen = visible_text(said.text)[:LETTERS] if bare else ""
    letter = _letter(seen)
    if letter is not None:
        fitting = [Claim("class", Slot(), letter.span(1), label=letter[1].upper())]
    elif bare and not said.abstains:
        fitting = _letters(seen)
    stated = {c.label: c for c in fitting if c.asserted}
    denied = [c for c in fitting if c.negated and c.label in fact.alternatives]
    right = [label for label in stated if label in fact.alternatives]
    k = len(stated) + (1 if denied else 0)
    graded.answered = graded.answered or bool(stated) or bool(denied)
    for label, claim in stated.items():
        good = label in fact.alternatives
        graded.claims.append(1.0 if good else 0.0)
        (graded.matched if good else graded.wrong).append(line(fact.describe(), claim))
    if denied:
        graded.claims.append(0.0)
        graded.wrong.append(line(fact.describe(), denied[0], "the text denies it"))
    credit = len(right) / max(1, k) / max(1, len(right)) if right else 0.0
    graded.credits.append(credit if k < 3 else min(credit, graded.guesses[-1]))
    if not right:
        graded.missed.append({"expected": fact.describe()})


def _letters(text: str) -> list[Claim]:
    """ "Neither A nor B fits; C does": letters that are no article, denied after neither, nor and not."""
    return [
        Claim("class", Slot(), m.span(2), label=m[2], negated=m[1] is not None) for m in LETTER.finditer(text)
    ]


def _letter(text: str) -> re.Match[str] | None:
    """The class that stands alone in a line, or opens a text."""
    opening = OPENING_CLASS.match(text)
    if opening is not None and len(LISTED_CLASS.findall(text)) < 2:
        return opening
    return BARE_CLASS.search(text)


def _class_fits(fact: Fact, claim: Claim, alone: bool) -> bool:
    if claim.slot.entity is None:
        return alone
    return claim.slot.entity == fact.entity
