"""Foils that only their place tells: the tea of "3.1 kg on the diet and 0.4 kg on tea"."""

from __future__ import annotations

from collections.abc import Sequence

from biorlhf_plugins.language.words.measured import GENERIC
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.text import Stream
from biorlhf_plugins.language.words.vocabulary import STOP_WORDS

LEADS = frozenset(("with", "in", "on", "for", "of", "from", "under", "after", "among", "at"))
ARTICLES = frozenset(("the", "a", "an", "our"))
NEAR = 4
"""Tokens between a figure and the preposition behind it."""

FAR = 30
"""Tokens between two figures that are told alike."""

LONG = 4
"""Letters of a word that may be a name."""


def parallels(
    stream: Stream, mentions: Sequence[Mention], names: frozenset[str], prompt: frozenset[str]
) -> list[Mention]:
    """Where a figure is followed by a preposition and the asked name, what follows the same preposition
    behind another figure is a name as well."""
    spoken = [m for m in mentions if m.kind == "entity" and m.value in names]
    if not spoken:
        return []
    numbers = [m for m in mentions if m.kind == "num"]
    if len(numbers) < 2:
        return []
    taken = {i for m in mentions for i in range(m.first, m.last)}
    found: list[Mention] = []
    for asked in spoken:
        at = asked.first - 1
        while at >= 0 and stream.texts[at] in ARTICLES:
            at -= 1
        lead = stream.texts[at] if at >= 0 else ""
        if lead not in LEADS or not any(0 <= at - n.last <= NEAR for n in numbers):
            continue
        for number in numbers:
            if (
                abs(number.first - asked.first) <= FAR
                and (other := _after(stream, number, lead, taken)) is not None
            ):
                word = stream.texts[other]
                if len(word) >= LONG and word not in prompt | STOP_WORDS | GENERIC:
                    found.append(Mention("entity", word, other, other + 1))
                    taken.add(other)
        return found
    return found


def _after(stream: Stream, number: Mention, lead: str, taken: set[int]) -> int | None:
    """The free word that follows a figure and a preposition."""
    for at in range(number.last, min(number.last + NEAR, len(stream) - 1)):
        if stream[at].number is not None or stream.texts[at] in (".", ";", ","):
            return None
        if stream.texts[at] == lead:
            at += 1
            while at < len(stream) - 1 and stream.texts[at] in ARTICLES:
                at += 1
            return at if stream[at].kind == "w" and at not in taken else None
    return None
