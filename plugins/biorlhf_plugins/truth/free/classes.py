"""V1 on facts that are classes: a response type, a pattern, a direction, a name."""

from __future__ import annotations

import re

from biorlhf_plugins.language.records import Claim, Extraction, Slot
from biorlhf_plugins.language.visible import visible_text
from biorlhf_plugins.truth.credits import GUESSES, OPEN_GUESS
from biorlhf_plugins.truth.free.restated import passed_over, second
from biorlhf_plugins.truth.free.rivals import rivals
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


def grade_class(fact: Fact, said: Extraction, prompt: str, graded: Graded, alone: bool) -> None:
    graded.guesses.append(GUESSES.get(fact.quantity or "", OPEN_GUESS))
    if fact.quantity in GUESSES:
        fitting = [
            c for c in said.classes if c.slot.quantity == fact.quantity and _class_fits(fact, c, alone)
        ]
    else:
        fitting = [
            Claim("class", Slot(), n.span, label=str(n.value).upper(), negated=n.denied)
            for n in said.named
            if n.kind in ("phrase", "type", "pattern") and not (n.aside or n.compared)
            and not second(said, n, prompt) and not passed_over(said, n, prompt)
        ]  # fmt: skip
        fitting = [c for c in fitting if c.label in fact.alternatives]
    # Only where no class is named in full: "A" is an article more often than a type.
    bare = fact.quantity == "type" and not said.classes
    seen = visible_text(said.text)[:LETTERS] if bare else ""
    letter = _letter(seen)
    if letter is not None:
        fitting = [Claim("class", Slot(), letter.span(1), label=letter[1].upper())]
    elif bare and not said.abstains:
        fitting = _letters(seen)
    stated = {c.label: c for c in fitting if c.asserted}
    denied = [c for c in fitting if c.negated and c.label in fact.alternatives]
    others = [] if fact.quantity in GUESSES else rivals(said, [c.span for c in stated.values()])
    what = fact.describe()
    told = [(float(label in fact.alternatives), line(what, claim)) for label, claim in stated.items()]
    told += [(0.0, line(what, claim, "the text denies it")) for claim in denied[:1]]
    graded.settle(what, told, len(told) + len(others))


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
