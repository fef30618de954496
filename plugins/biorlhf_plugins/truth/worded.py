"""Shares in words, "a quarter", "two thirds of them", against a share that is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.language.across.portions import NO_HALF, OVER, PARTS, ROUGH, UNDER
from biorlhf_plugins.language.records import Claim, Extraction, Slot
from biorlhf_plugins.language.words.spelt import WORD_NUMBERS
from biorlhf_plugins.truth.credits import closeness
from biorlhf_plugins.truth.free.figures import Reading
from biorlhf_plugins.truth.slots import Fact

NEAR = 3
NOT_BEFORE_HALF = frozenset(("first", "second", "other", "better", "and", "am", "are"))
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
    texts = said.stream.texts
    for number, part in enumerate(said.parts):
        for at in range(part.first, part.last):
            word, before = texts[at], texts[at - 1] if at > part.first else ""
            times = WORD_NUMBERS.get(before, 1 if before == "a" else 0)
            if word not in PARTS or said.marks[at]:
                continue
            behind = texts[at + 1 : at + 3]
            if word == "half":
                times = 1 if NO_HALF.isdisjoint(behind[:1]) and before not in NOT_BEFORE_HALF else 0
                times = (
                    0 if texts[max(part.first, at - 2) : at] == ["and", "a"] else times
                )  # "one and a half"
            if (
                before == "a"
                and word != "half"
                and behind
                and behind[0] not in (*".,;:)", "of", "do", "does")
            ):
                continue  # "a third mouse"
            if behind[:1] == ["of"] and behind[1:] in (["a"], ["an"]):
                continue  # "a quarter of an hour"
            near = set(texts[max(part.first, at - 1 - NEAR) : at])
            # "More than half" states no figure.
            if 0 < times < PARTS[word] and near.isdisjoint(OVER | UNDER):
                span = said.clean.span(said.stream[at].start, said.stream[at].end)
                yield Claim(
                    "number", Slot(quantity="percent"), span,
                    value=times / PARTS[word], approximate=not near.isdisjoint(ROUGH),
                    negated=not near.isdisjoint(DENIES), sentence=number, chunk=at,
                )  # fmt: skip
