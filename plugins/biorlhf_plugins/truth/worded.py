"""Shares in words, "a quarter", "two thirds of them", against a share that is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.language.records import Claim, Extraction, Slot
from biorlhf_plugins.language.words.fractions import worded
from biorlhf_plugins.truth.credits import closeness
from biorlhf_plugins.truth.free.figures import Reading
from biorlhf_plugins.truth.slots import Fact

NEAR = 3
DENIES = frozenset(("not", "never"))


def worded_shares(fact: Fact, said: Extraction) -> list[Reading]:
    """The shares in words of a text, where a share is asked for; of a gold of none, "no" and "none"."""
    if fact.value == 0 and fact.asked.counts:
        return [Reading(c, 1.0, 0.0) for c in _none(fact, said)]
    in_percent = fact.unit is not None and fact.unit.dimension == "share"
    if not (fact.asked.share or in_percent) or not 0 < float(fact.value) <= 100:
        return []
    gold = float(fact.value) / (100 if in_percent or float(fact.value) > 1 else 1)
    return [Reading(c, closeness(c.value or 0.0, gold, c.approximate), c.value or 0.0) for c in _told(said)]


def _none(fact: Fact, said: Extraction) -> Iterator[Claim]:
    """ "No off-target edit was found": none of what is counted."""
    texts = said.stream.texts
    for number, part in enumerate(said.parts):
        for at in range(part.first, part.last):
            named = not fact.asked.words.isdisjoint(texts[at + 1 : at + 1 + NEAR])
            opens = at == part.first or texts[at - 1] in ("be", "were", "was", "are", "is", "saw", "found")
            named = named and opens and "such" not in texts[at : at + NEAR] and not said.abstains
            if (texts[at] == "none" or (texts[at] == "no" and named)) and not said.marks[at]:
                span = said.clean.span(said.stream[at].start, said.stream[at].end)
                yield Claim("number", Slot(), span, value=0.0, sentence=number, chunk=at)


def _told(said: Extraction) -> Iterator[Claim]:
    for number, part in enumerate(said.parts):
        for share in worded(said.stream, part.first, part.last):
            at = share.last - 1
            # "More than half" states no figure.
            if not share.bound and not said.marks[at]:
                near = said.stream.texts[max(part.first, share.first - NEAR) : share.first]
                span = said.clean.span(said.stream[at].start, said.stream[at].end)
                yield Claim(
                    "number", Slot(quantity="percent"), span, value=share.value, approximate=share.rough,
                    negated=not DENIES.isdisjoint(near), sentence=number, chunk=at,
                )  # fmt: skip
