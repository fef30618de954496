"""Yes or no against the two figures that the question is about ("Did no-till reduce emissions?"), or against
the bound that it gives ("Were at least 40 % in remission?").
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import NamedTuple

from biorlhf_plugins.language.evidence.comparisons import (
    SAME,
    asked,
    comparisons,
    inverse,
    prompt_tokens,
    value_of,
)
from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, content
from biorlhf_plugins.language.evidence.risks import of_interval
from biorlhf_plugins.language.evidence.signs import TIMES
from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.verdicts.passages import passages
from biorlhf_plugins.language.verdicts.series import Series, series
from biorlhf_plugins.language.words.evidence import words_of

SUBJECTS = frozenset(("it", "they", "he", "she", "this", "that", "these", "there"))
HELPS = frozenset(("do", "does", "did", "is", "are", "was", "were", "has", "have", "had", "can", "could"))
UNWANTED, WANTED = words_of("unwanted"), words_of("wanted")
NOT = frozenset(("not", "n't", "never"))
REPLIES = {"yes": True, "no": False}
BOUNDS = {
    ("at", "least"): True, ("more", "than"): True, ("greater", "than"): True, ("higher", "than"): True,
    ("less", "than"): False, ("fewer", "than"): False, ("at", "most"): False, ("lower", "than"): False,
}  # fmt: skip
LONGEST = 9
"""Tokens of a first sentence that may be a reply by itself: "It did not reduce them"."""


class Asked(NamedTuple):
    """What a question asks: whether ``mine`` is more (or less) than ``other``."""

    more: bool
    mine: frozenset[str]
    other: frozenset[str]
    sort: str


def replies(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    told = list(asked(found, functools.partial(value_of, found)))
    yield from told
    says = reply(found)
    if says is None or told:
        return
    yield from _bound(found, says)
    wanted = _wanted(found)
    chance = any(f.kind == "p" and f.sign != "<" and f.value > 0.05 for f in found.figures)
    words = found.stream.vocabulary | prompt_tokens(found.prompt).vocabulary
    if wanted is None or chance or not (SAME - {"same"}).isdisjoint(words):
        return
    told_of = [one for one in series(found) if not _turned(found, found.words(one.entries[0].figure.part))]
    pairs = {pair for one in told_of if (pair := _sides(one, wanted)) is not None}
    if len(pairs) != 1:
        return
    mine, other = pairs.pop()
    if mine.value == other.value or (not says and _alike(mine, other)) or mine.unit in TIMES - {"month"}:
        return
    more = (mine.value > other.value) == (wanted.more != inverse(found, wanted.sort.split()))
    label = f"{'YES' if says else 'NO'} to {'more' if wanted.more else 'less'}"
    yield Check(
        "yes or no against the comparison", more == says,
        f"{label}, with {mine.value:,g} and {other.value:,g}", (mine.span, other.span),
    )  # fmt: skip


def _turned(found: Evidence, words: frozenset[str]) -> bool:
    """Whether the question is about the other side of what is told: mortality, beside survival."""
    spoken = prompt_tokens(found.prompt).vocabulary
    return any(
        not spoken.isdisjoint(one) and not words.isdisjoint(other) and words.isdisjoint(one)
        for one, other in ((UNWANTED, WANTED), (WANTED, UNWANTED))
    )


def _alike(one: Figure, other: Figure) -> bool:
    """Whether "no" may mean that two figures hardly differ."""
    return abs(one.value - other.value) <= 0.1 * max(abs(one.value), abs(other.value))


def reply(found: Evidence) -> bool | None:
    """What a text answers, as "Based on the annotation, yes:" and "It did not reduce them" do too."""
    labels = {c.label for c in found.said.answers}
    if labels:
        return labels == {"YES"} if len(labels) == 1 else None
    part = found.parts[0] if found.parts else None
    if part is None or part.kind == "row" or not found.asserted(part.first):
        return None
    texts = found.stream.texts[part.first : part.last]
    for at, word in enumerate(texts[:LONGEST]):
        if word in REPLIES and at and texts[at - 1] == "," and texts[at + 1 : at + 2] in ([], [":"], [","]):
            return REPLIES[word]
    if len(texts) > LONGEST or texts[0] not in SUBJECTS or texts[1:2] == [] or texts[1] not in HELPS:
        return None
    denied = texts[2:3] != [] and texts[2] in NOT
    rest = texts[2 + denied :]
    spoken = prompt_tokens(found.prompt).vocabulary
    bare = not rest or rest[0] in (",", ":")
    return None if not (bare or rest[0] in spoken) or (not NOT.isdisjoint(rest)) else not denied


def _wanted(found: Evidence) -> Asked | None:
    """The one comparison of a question, or its one verb of direction and what is before it."""
    stream = prompt_tokens(found.prompt)
    compared = list(comparisons(stream, 0, len(stream)))
    if len(compared) == 1:
        one = compared[0]
        return Asked(one.more, frozenset().union(*one.subjects[1:], one.subjects[0]), one.other, one.sort)
    ways = [m for m in prompt_mentions(found.prompt) if m.kind == "dir" and m.value in ("UP", "DOWN")]
    if compared or len(ways) != 1 or "than" in stream.vocabulary:
        return None
    acts = stream.texts[0] in HELPS and stream.texts[ways[0].first - 1] not in ("be", "been", "to")
    subject = content(stream, 0, ways[0].first)
    return Asked(ways[0].value == "UP", subject, frozenset(), "") if acts and subject else None


def _sides(one: Series, wanted: Asked) -> tuple[Figure, Figure] | None:
    """The figure of what is asked about and the other, of a series of just two."""
    if len(one.entries) != 2:
        return None
    mine, theirs = one.named(wanted.mine - wanted.other), one.named(wanted.other - wanted.mine)
    if mine is None and theirs is not None:
        mine = next(e for e in one.entries if e is not theirs)
    if mine is None or mine is theirs:
        return None
    return mine.figure, next(e for e in one.entries if e is not mine).figure


def _bound(found: Evidence, says: bool) -> Iterator[Check]:
    """ "Yes, it was met: 34 of 100 (34 %)", where the question asks for at least 40 %."""
    bounds = [m for m in prompt_mentions(found.prompt) if m.kind == "num"]
    texts = prompt_tokens(found.prompt).texts
    if len(bounds) != 1 and len([m for m in bounds if m.value.unit == "percent"]) != 1:
        return
    for m in bounds:
        upward = BOUNDS.get((texts[m.first - 2], texts[m.first - 1])) if m.first > 1 else None
        if upward is None or m.value.unit != "percent":
            continue
        limit = m.value.value
        for passage in passages(found)[:2]:
            shown = [f for f in passage.figures if f.kind == "percent" and f.value != limit]
            shown = [f for f in shown if not of_interval(found, f) and not f.sign]
            if len({f.value for f in shown}) > 1:
                return
            if shown and not _turned(found, frozenset(found.stream.texts[passage.first : passage.last])):
                true = (shown[0].value > limit) == upward
                label = "YES" if says else "NO"
                text = f"{label} to {limit:g} %, with {shown[0].value:g} %"
                yield Check("yes or no against the comparison", true == says, text, (shown[0].span,))
                return
