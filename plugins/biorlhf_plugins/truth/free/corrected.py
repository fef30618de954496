"""Figures that a text itself replaces by others: "first given as 235, later corrected to 253", "9,812 was a
typing error; it is 8,912", "4,110. Sorry, the correct number is 1,200"."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence

from biorlhf_plugins.language.claims.quantities import PREPOSITIONS
from biorlhf_plugins.language.records import Extraction
from biorlhf_plugins.language.words.text import vocabulary
from biorlhf_plugins.truth.free.figures import Reading

ENDS = frozenset((".", ";", ",", "\n", "!", "?", "but", "—"))
FIRST = vocabulary("first initially originally original preliminary")
TOLD = vocabulary(
    "say said give given report reported quote quoted print printed state stated list listed announce "
    "announced publish published draft release version table count estimate value figure number"
)
DRAFTS = vocabulary("preprint typo misprint")
WRONG = vocabulary("wrong incorrect mistake mistaken erroneous typo misprint slip miscounted misread")
ERRORS = vocabulary("typing printing copying clerical reading rounding")
RIGHT = vocabulary("correct corrected right true actual revised amended updated")
MEANT = vocabulary("number figure value count total")
CORRECTS = vocabulary("corrected correct revised amended erratum corrigendum correction updated changed")
REPLACES = FIRST | DRAFTS | WRONG | RIGHT | CORRECTS | {"error"}
"""Without one of these, or a word of correction, a text replaces nothing."""


def without_corrected(told: Sequence[Reading], said: Extraction, asked: Collection[str]) -> list[Reading]:
    """The readings without those that the text takes back for another of the same kind; all where the
    question's words ask for what was told first, or is right or wrong."""
    figures = {r.claim.chunk: r for r in told}
    at = sorted(figures)
    if len(at) < 2 or not (FIRST | DRAFTS | WRONG | RIGHT).isdisjoint(asked):
        return list(told)
    if REPLACES.isdisjoint(said.stream.vocabulary) and all("corr" not in p.inside for p in said.parts):
        return list(told)
    gone = {a for a in at if _taken_back(a, at, said)}
    for before, after in itertools.pairwise(at):
        replaced = _meant(after, at, said) or _sorry(before, after, said)
        if replaced and after not in gone:
            gone |= {a for a in at if a <= before}
        elif _changed(before, after, said):
            gone.add(before)
    left = [a for a in at if a not in gone]
    gone = {a for a in gone if any(_alike(figures[a], figures[b], said, asked) for b in left)}
    return [r for r in told if r.claim.chunk not in gone]


def _alike(one: Reading, other: Reading, said: Extraction, asked: Collection[str]) -> bool:
    """Is another figure of the same kind: one that counts the same, or nothing of its own?"""
    if other.claim.slot.quantity is not None:
        return other.claim.slot.quantity in (one.claim.slot.quantity, "number", "figure", "value", "count")
    behind = said.stream[other.claim.chunk + 1 : other.claim.chunk + 2]
    return not behind or behind[0].kind != "w" or behind[0].text in asked or behind[0].text in PREPOSITIONS


def _segment(at: int, figures: Sequence[int], said: Extraction) -> tuple[list[str], list[str]]:
    """The words before and behind a figure, up to the next mark or figure."""
    texts, part = said.stream.texts, said.parts[_part(at, said)]
    first, last = at, at + 1
    while first > part.first and texts[first - 1] not in ENDS and first - 1 not in figures:
        first -= 1
    while last < part.last and texts[last] not in ENDS and last not in figures:
        last += 1
    return texts[first:at], texts[at + 1 : last]


def _part(at: int, said: Extraction) -> int:
    return next((n for n, part in enumerate(said.parts) if part.first <= at < part.last), 0)


def _taken_back(at: int, figures: Sequence[int], said: Extraction) -> bool:
    """Is a figure told as that of a first version, or as wrong?"""
    before, behind = _segment(at, figures, said)
    spoken = {*before, *behind}
    if not DRAFTS.isdisjoint(spoken) and RIGHT.isdisjoint(spoken):
        return True
    first = next((i for i, word in enumerate(before) if word in FIRST), None)
    if first is not None and not TOLD.isdisjoint(before[first : first + 3]):
        return True
    held = [b for b in behind[:6] if b in WRONG or b == "error"]
    denied = "not" in behind[:6]
    return bool(held) and not denied and ("error" not in held or not ERRORS.isdisjoint(behind[:6]))


def _meant(at: int, figures: Sequence[int], said: Extraction) -> bool:
    """ "The right figure is 253", "the corrected one gives 253": of what comes before it."""
    before, behind = _segment(at, figures, said)
    named = any(a in RIGHT and b in MEANT for words in (before, behind) for a, b in itertools.pairwise(words))
    return named and at != figures[0] and "not" not in before


def _sorry(before: int, after: int, said: Extraction) -> bool:
    """Whether "sorry", "correction" or the like stands between two figures, in the sentence of the second."""
    part = said.parts[_part(after, said)]
    return any(before < m.first < after for m in part.inside.get("corr", ()))


def _changed(before: int, after: int, said: Extraction) -> bool:
    """ "An erratum changed 9,812 to 8,912", "9,812, later corrected to 8,912"."""
    texts, first = said.stream.texts, said.parts[_part(before, said)].first
    between = texts[before + 1 : after]
    if between == ["to"]:
        return not CORRECTS.isdisjoint(texts[max(first, before - 4) : before])
    return len(between) > 1 and between[-1] == "to" and between[-2] in CORRECTS
