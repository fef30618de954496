"""V1's grading: figures, classes, a short answer and a ranking against the fact table.

Per gold slot: exact 1; within 1 % 0.9; within 5 % and marked as approximate 0.6; else 0. Zero and the
sign must be exact. Of k rival candidates in a slot the best counts 1/k. Recall is the mean over slots,
precision that over the claims that the table can check; the score is their F1.
"""

from __future__ import annotations

import re
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from biorlhf_plugins.claims.gold import OPEN_GUESS, Fact, Gold
from biorlhf_plugins.claims.records import Claim, Extraction, Named, Slot
from biorlhf_plugins.claims.stance import prompt_words

SENTENCE_END = re.compile(r"(?<=[.?!])\s+|\n+")
VAGUE = 10
"""A wide range stands for this many rival candidates."""

MANY = 6
"""From three rivals on, precision counts at least this many, so that listing never beats declining."""

BARE_CLASS = re.compile(r"^\W*(?:answer\W{1,5})?([abc])\b(?!['’])[^\w\n]*$", re.I | re.M)
NARROW = 1.1
RIGHT = 0.6
GUESSES = {"type": 1 / 3, "pattern": 1 / 2}
STRESSES = frozenset(("hu", "ir", "hu+ir"))


@dataclass(slots=True)
class Graded:
    """Credits of the gold slots and of the claims, with lines that explain them."""

    credits: list[float] = field(default_factory=list)
    claims: list[float] = field(default_factory=list)
    guesses: list[float] = field(default_factory=list)
    matched: list[dict[str, Any]] = field(default_factory=list)
    missed: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[dict[str, Any]] = field(default_factory=list)
    answered: bool = False
    penalty: float = 1.0
    primary: list[float] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return sum(self.credits) / len(self.credits) if self.credits else 0.0

    @property
    def precision(self) -> float:
        return sum(self.claims) / len(self.claims) if self.claims else 0.0

    @property
    def f1(self) -> float:
        whole = self.recall + self.precision
        return round(2 * self.recall * self.precision / whole, 12) if whole else 0.0

    @property
    def guess(self) -> float:
        return sum(self.guesses) / len(self.guesses) if self.guesses else OPEN_GUESS


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
    positions = _in_order(gold.facts, said.numbers)
    for number, fact in enumerate(gold.facts):
        if isinstance(fact.value, str):
            _grade_class(fact, said, graded, alone=len(gold.facts) == 1)
        else:
            _grade_number(fact, said, graded, positions.get(number), alone=len(gold.facts) == 1)
    if gold.answer is not None:
        _grade_answer(gold, said, graded, prompt)
    if gold.ranking:
        _grade_ranking(gold.ranking, said, graded)
    return graded


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
        return slot.quantity == "ratio"
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
        (graded.matched if credit >= RIGHT else graded.wrong).append(_line(fact.describe(), claim))
    if denied:
        rivals += 1
        graded.claims.append(0.0)
        graded.wrong.extend(_line(fact.describe(), c, "the text denies it") for c in denied)
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
            Claim("class", _slot_of(n), n.span, label=str(n.value).upper(), negated=n.denied)
            for n in said.named
            if n.kind in ("phrase", "type", "pattern") and not n.aside and not n.compared
        ]
        fitting = [c for c in fitting if c.label in fact.alternatives]
    letter = BARE_CLASS.search(said.text[:400]) if fact.quantity == "type" and not said.classes else None
    if letter is not None:
        fitting = [Claim("class", Slot(), letter.span(1), label=letter[1].upper())]
    stated = {c.label: c for c in fitting if c.asserted}
    denied = [c for c in fitting if c.negated and c.label in fact.alternatives]
    right = [label for label in stated if label in fact.alternatives]
    k = len(stated) + (1 if denied else 0)
    graded.answered = graded.answered or bool(stated) or bool(denied)
    for label, claim in stated.items():
        good = label in fact.alternatives
        graded.claims.append(1.0 if good else 0.0)
        (graded.matched if good else graded.wrong).append(_line(fact.describe(), claim))
    if denied:
        graded.claims.append(0.0)
        graded.wrong.append(_line(fact.describe(), denied[0], "the text denies it"))
    credit = len(right) / max(1, k) / max(1, len(right)) if right else 0.0
    graded.credits.append(credit if k < 3 else min(credit, graded.guesses[-1]))
    if not right:
        graded.missed.append({"expected": fact.describe()})


def _slot_of(named: Named) -> Any:
    return Slot()


def _class_fits(fact: Fact, claim: Claim, alone: bool) -> bool:
    if claim.slot.entity is None:
        return alone
    return claim.slot.entity == fact.entity


def _grade_answer(gold: Gold, said: Extraction, graded: Graded, prompt: str) -> None:
    assert gold.answer is not None
    if gold.answer_kind is None:
        graded.guesses.append(0.5)
        labels = {c.label: c for c in said.answers}
        if not labels:
            labels = _echoed(said, prompt)
        _grade_labels(gold.answer.upper(), labels, graded, f"answer: {gold.answer}")
        return
    kind, value = gold.answer_kind
    graded.guesses.append(OPEN_GUESS)
    if kind == "dir":
        found: dict[Any, Any] = {c.label: c for c in said.directions if c.asserted}
    else:
        found = {n.value: n for n in _first_named(said, kind)}
    _grade_labels(value, found, graded, f"answer: {gold.answer}")


def _grade_labels(gold: Any, found: dict[Any, Any], graded: Graded, what: str) -> None:
    graded.answered = graded.answered or bool(found)
    for label, claim in found.items():
        good = label == gold
        graded.claims.append(1.0 if good else 0.0)
        (graded.matched if good else graded.wrong).append(
            {"expected": what, "found": str(label), "where": list(claim.span)}
        )
    k = len(found)
    credit = 1.0 / k if gold in found else 0.0
    graded.credits.append(credit if k < 3 else min(credit, graded.guesses[-1]))
    if gold not in found:
        graded.missed.append({"expected": what})


def _first_named(said: Extraction, kind: str) -> list[Named]:
    """The names of a kind in the first sentence that gives one as an answer."""
    usable = [n for n in said.named if n.kind == kind and not n.denied and not n.aside]
    first = next((n.sentence for n in usable if not n.compared), None)
    names: list[Named] = []
    for n in usable:
        if n.sentence == first and not n.compared:
            names.append(n)
        elif n.sentence == first and n.compared:
            break
    listed = [n for n in names if n.span[0] - names[0].span[1] <= 40 or n.link]
    seen: dict[Any, Named] = {}
    previous = names[0] if names else None
    for n in listed:
        if previous is not None and n.span[0] - previous.span[1] > 12:
            break
        if n.link in "<>" and n.link:
            break
        seen.setdefault(n.value, n)
        previous = n
    return list(seen.values())


def _echoed(said: Extraction, prompt: str) -> dict[str | None, Claim]:
    """Yes or no by restating the question: most of its words in a sentence, with or without a negation."""
    asked = {w for w in prompt_words(prompt) if len(w) > 3}
    if len(asked) < 3 or said.degenerate:
        return {}
    parts = SENTENCE_END.split(said.text[:2000])  # what is copied from the prompt is no answer to it
    told = [part for part in parts if part.strip() not in prompt and not part.rstrip().endswith("?")]
    spoken = set(prompt_words(" ".join(told)))
    if len(asked & spoken) < 0.6 * len(asked):
        return {}
    label = "NO" if spoken & {"not", "cannot", "no", "never"} else "YES"
    return {
        label: Claim(
            "answer", _slot_of(Named("", "", (0, 0), 0)), (0, min(len(said.text), 2000)), label=label
        )
    }


def _grade_ranking(gold: Sequence[str], said: Extraction, graded: Graded) -> None:
    graded.guesses.append(OPEN_GUESS)
    orders = rankings(said, gold)
    graded.answered = graded.answered or bool(orders)
    credits = [_concordance(order, gold) for order in orders]
    graded.credits.append(credits[-1] / len({tuple(o) for o in orders}) if orders else 0.0)
    graded.claims.extend(credits)
    line = {"expected": "ranking: " + " > ".join(gold)}
    if not orders:
        graded.missed.append(line)
    for order, credit in zip(orders, credits, strict=True):
        (graded.matched if credit == 1 else graded.wrong).append({**line, "found": " > ".join(order)})


def rankings(said: Extraction, among: Sequence[str] = ()) -> list[list[str]]:
    """Orders that the text states, highest first: chains with ">" or "<", else the order of first mention."""
    wanted = set(among)
    entities = [
        n for n in said.named if n.kind == "entity" and not n.aside and (not wanted or n.value in wanted)
    ]
    chains: list[list[str]] = []
    by_sentence: dict[int, list[Named]] = {}
    for n in entities:
        by_sentence.setdefault(n.sentence, []).append(n)
    for names in by_sentence.values():
        linked = [n for n in names if n.link]
        order = list(dict.fromkeys(str(n.value) for n in names))
        if linked and len(order) >= 2:
            chains.append(order[::-1] if linked[0].link == "<" else order)
    if chains:
        longest = max(len(c) for c in chains)
        return [c for c in chains if len(c) == longest]
    order = list(dict.fromkeys(str(n.value) for n in entities))
    if len(order) < 2:
        return []
    lowered = said.text.lower()
    ascending = any(
        p in lowered
        for p in (
            "lowest to highest",
            "ascending",
            "least to most",
            "smallest to largest",
            "lowest first",
            "smallest first",
        )
    )
    return [order[::-1] if ascending else order]


def _concordance(order: Sequence[str], gold: Sequence[str]) -> float:
    """Kendall's tau over the gold pairs, not below 0; a pair with a missing member counts as no agreement."""
    place = {name: i for i, name in enumerate(order)}
    pairs = [(a, b) for i, a in enumerate(gold) for b in gold[i + 1 :]]
    if not pairs:
        return 1.0 if list(order[:1]) == list(gold) else 0.0
    signs = [(place[a] < place[b]) - (place[a] > place[b]) for a, b in pairs if a in place and b in place]
    return max(0.0, sum(signs) / len(pairs))


def _line(expected: str, claim: Claim, why: str = "") -> dict[str, Any]:
    found = claim.label if claim.label is not None else _figure(claim)
    place = " ".join(str(x) for x in (claim.slot.entity, claim.slot.treatment, claim.slot.condition) if x)
    line: dict[str, Any] = {
        "expected": expected,
        "found": f"{place}: {found}" if place else found,
        "where": list(claim.span),
    }
    return {**line, "why": why} if why else line


def _figure(claim: Claim) -> str:
    if claim.low is not None and claim.high is not None:
        return f"{claim.low:g} to {claim.high:g}"
    return f"{claim.value:g}" if claim.value is not None else ""


def spans(lines: Iterable[dict[str, Any]]) -> list[list[int]]:
    return [line["where"] for line in lines if "where" in line]
