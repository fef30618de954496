"""Shares in words, "a quarter", "two thirds of them", against a share that is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.language.across.portions import NO_HALF, OVER, PARTS, ROUGH, UNDER
from biorlhf_plugins.language.records import Claim, Extraction, Slot
from biorlhf_plugins.language.words.spelt import WORD_NUMBERS
from biorlhf_plugins.truth.credits import closeness
from biorlhf_plugins.truth.free.figures import Reading
from biorlhf_plugins.truth.slots import Fact

DECIMALS = 2
"""With which a share in words is told: 0.33 is a third."""

NEAR = 3
DENIES = frozenset(("not", "never"))


def worded_shares(fact: Fact, said: Extraction) -> list[Reading]:
    """The shares in words of a text that has no figure, as percent; none where no share is asked for."""
    if fact.value == 0 and fact.asked.counts:
        return [Reading(c, 1.0, 0.0) for c in _none(fact, said)]
    of_hundred = (fact.unit is not None and fact.unit.dimension == "share") or abs(float(fact.value)) > 1
    if not (fact.asked.share or of_hundred) or not 0 < float(fact.value) <= 100:
        return []
    gold = float(fact.value) / (100 if of_hundred else 1)
    return [Reading(c, closeness(c.value or 0.0, gold, c.approximate, DECIMALS, DECIMALS), c.value or 0.0)
            for c in _told(said)]  # fmt: skip


def _none(fact: Fact, said: Extraction) -> Iterator[Claim]:
    """ "No off-target edit was found": none of what is counted."""
    texts = said.stream.texts
    for number, part in enumerate(said.parts):
        for at in range(part.first, part.last):
            named = not fact.asked.words.isdisjoint(texts[at + 1 : at + 1 + NEAR])
            if (texts[at] == "none" or (texts[at] == "no" and named)) and not said.marks[at]:
                span = said.clean.span(said.stream[at].start, said.stream[at].end)
                yield Claim("number", Slot(), span, value=0.0, sentence=number, chunk=at)


def _told(said: Extraction) -> Iterator[Claim]:
    texts = said.stream.texts
    for number, part in enumerate(said.parts):
        for at in range(part.first, part.last):
            word, before = texts[at], texts[at - 1] if at > part.first else ""
            times = WORD_NUMBERS.get(before, 1 if before == "a" else 0)
            if word not in PARTS or said.marks[at]:
                continue
            if word == "half":
                times = 1 if NO_HALF.isdisjoint(texts[at + 1 : at + 2]) else 0
            near = set(texts[max(part.first, at - 1 - NEAR) : at])
            # "More than half" states no figure.
            if 0 < times < PARTS[word] and near.isdisjoint(OVER | UNDER):
                span = said.clean.span(said.stream[at].start, said.stream[at].end)
                yield Claim(
                    "number", Slot(quantity="percent"), span,
                    value=times / PARTS[word], approximate=not near.isdisjoint(ROUGH),
                    negated=not near.isdisjoint(DENIES), sentence=number, chunk=at,
                )  # fmt: skip
