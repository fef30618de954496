"""V1's grading: figures, classes, a short answer and a ranking against the fact table.

Per gold slot: exact 1; within 1 % 0.9; within 5 % and marked as approximate 0.6; else 0. Zero and the
sign must be exact. Of k rival candidates in a slot the best counts 1/k. Recall is the mean over slots,
precision that over the claims that the table can check; the score is their F1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.records import Claim, Extraction, Slot
from biorlhf_plugins.language.words.text import visible_text
from biorlhf_plugins.truth.answers import grade_answer, grade_ranking
from biorlhf_plugins.truth.gold import OPEN_GUESS, Fact, Gold
from biorlhf_plugins.truth.graded import RIGHT, Graded, line

VAGUE = 10
"""A wide range stands for this many rival candidates."""

MANY = 6
"""From three rivals on, precision counts at least this many, so that listing never beats declining."""

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

NARROW = 1.1
GUESSES = {"type": 1 / 3, "pattern": 1 / 2}
PARTS = frozenset(("deg_up", "deg_down", "percent"))
STRESSES = frozenset(("hu", "ir", "hu+ir"))


def closeness(stated: float, gold: float, approximate: bool) -> float:
    """Credit in {0, 0.6, 0.9, 1} of a stated figure."""
    if stated == gold:
        return 1.0
    if gold == 0 or stated == 0 or (stated < 0) != (gold < 0):
        return 0.0
    error = abs(stated - gold) / abs(gold)
    if error <= 0.01:
        return 0.9
    return 0.6 if approximate and error <= 0.05 else 0.0


def grade_facts(gold: Gold, said: Extraction, prompt: str) -> Graded:
    """Grade facts, answer and ranking. ``answered`` is false where nothing in the text fills a slot."""
    graded = Graded()
    if not said.classes and (listed := _listed(said, prompt)):
        said = replace(said, classes=listed)
    positions = _in_order(gold.facts, said.numbers)
    for number, fact in enumerate(gold.facts):
        if isinstance(fact.value, str):
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


def fits(fact: Fact, claim: Claim, alone: bool = True) -> bool:
    """Does a claim speak of a fact's slot?"""
    slot = claim.slot
    if fact.quantity == "ratio":
        elsewhere = "entity" in slot.stated and slot.entity not in fact.entity.split("/")
        return slot.quantity == "ratio" and not elsewhere
    if slot.entity is None:
        if not alone:
            return False
    elif slot.entity not in fact.entity.split("/"):
        return False
    if not condition_fits(fact.condition, slot.condition):
        return False
    if fact.condition and "_x_" in fact.condition:
        return _quantity_fits(fact.quantity, slot.quantity)
    if fact.treatment == "kmp" and slot.treatment == "vehicle":
        return False
    named = slot.treatment == "kmp" and "treatment" in slot.stated  # a prompt's default says nothing
    if fact.treatment is None and fact.condition is not None and named:
        return False
    return _quantity_fits(fact.quantity, slot.quantity)


def condition_fits(gold: str | None, stated: str | None) -> bool:
    if gold is None or stated is None or gold == stated:
        return True
    return (stated == "stress" and gold in STRESSES) or (gold == "stress" and stated in STRESSES)


def _quantity_fits(gold: str | None, stated: str | None) -> bool:
    if gold is None:
        return stated not in ("padj", "operand")
    return stated is None or stated == gold


def _grade_number(fact: Fact, said: Extraction, graded: Graded, placed: Claim | None, alone: bool) -> None:
    gold = float(fact.value)
    graded.guesses.append(OPEN_GUESS)
    fitting = [c for c in said.numbers if c is placed or (placed is None and fits(fact, c, alone))]
    stated = [c for c in fitting if c.asserted]
    if fact.quantity in PARTS:  # a whole told on the way to its part or share is no rival of it
        stated = [c for c in stated if c.slot.quantity == fact.quantity] or stated
    denied = [c for c in fitting if c.negated and c.modality == "asserted" and c.value == gold]
    points = [c for c in stated if c.low is None and c.high is None]
    ranges = [c for c in stated if c.low is not None and c.high is not None]
    rivals = 0
    groups: list[list[Claim]] = []
    for claim in points + ranges:
        group = next((g for g in groups if _same(claim, g[0])), None)
        if group is None:
            groups.append([claim])
            rivals += VAGUE if _wide(claim) else 1
        else:
            group.append(claim)
    best = 0.0
    for group in groups:
        claim = max(group, key=lambda c: _credit(c, gold))
        credit = _credit(claim, gold)
        best = max(best, credit)
        graded.claims.append(credit)
        (graded.matched if credit >= RIGHT else graded.wrong).append(line(fact.describe(), claim))
    if denied:
        rivals += 1
        graded.claims.append(0.0)
        graded.wrong.extend(line(fact.describe(), c, "the text denies it") for c in denied)
    graded.answered = graded.answered or bool(groups) or bool(denied)
    graded.credits.append(best / max(1, rivals) if rivals < 3 else min(best / rivals, OPEN_GUESS))
    if rivals >= 3:
        graded.claims.extend([0.0] * max(0, MANY - rivals))
    if best < RIGHT:
        graded.missed.append({"expected": fact.describe()})


def _credit(claim: Claim, gold: float) -> float:
    if claim.low is not None and claim.high is not None:
        return 0.6 if claim.low <= gold <= claim.high and not _wide(claim) else 0.0
    return closeness(claim.value or 0.0, gold, claim.approximate)


def _wide(claim: Claim) -> bool:
    if claim.low is None or claim.high is None:
        return False
    return claim.low <= 0 or claim.high / claim.low > NARROW


def _same(one: Claim, other: Claim) -> bool:
    """The same figure, or a rounded one beside its exact form."""
    a, b = one.value or 0.0, other.value or 0.0
    if a == b:
        return True
    near = abs(a - b) <= 0.05 * max(abs(a), abs(b)) and (a < 0) == (b < 0)
    return near and (one.approximate or other.approximate)


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
