"""Whether two statements are of one thing, as far as their words tell."""

from __future__ import annotations

import re

from biorlhf_plugins.language.evidence.records import FUNCTION
from biorlhf_plugins.language.records import Claim, Extraction
from biorlhf_plugins.language.sentences.clauses import ROLES, Chunk
from biorlhf_plugins.language.words.evidence import words_of

RESTRICTING = words_of("restricting")
"""What makes a part or another thing of one that is named: "only", "of these", "without"."""

MEASURED = re.compile(r" (\w+) (?:level|expression|abundance|activity|concentration)s?\b")
NAMES = ROLES | {"quantity"}
UNSAYING = (FUNCTION | words_of("neutral") | words_of("concludes") | words_of("restating")) - RESTRICTING
"""Words that tell no statement from another."""


def same_words(said: Extraction, one: Claim, other: Claim) -> bool:
    """Whether two clauses say the same apart from the figure or direction: not "in liver 1,204 genes changed"
    and "liver-only genes number 893", nor "118 at day 3" and "402 at day 7"."""
    return _told(said, one) == _told(said, other)


def _chunk(said: Extraction, claim: Claim) -> Chunk:
    """The clause that a claim stands in."""
    chunks = [chunk for chunk in said.parts[claim.sentence].chunks if chunk.first < chunk.last]
    before = [c for c in chunks if said.clean.span(said.stream[c.first].start, 0)[0] <= claim.span[0]]
    return before[-1] if before else chunks[0]


def _told(said: Extraction, claim: Claim) -> frozenset[str]:
    """The words and other figures of a claim's clause that name something, without those of its slot."""
    chunk = _chunk(said, claim)
    known = {i for m in chunk.mentions if m.kind in NAMES for i in range(m.first, m.last)}
    told = []
    for at in range(chunk.first, chunk.last):
        token = said.stream[at]
        start, end = said.clean.span(token.start, token.end)
        own = start < claim.span[1] and claim.span[0] < end
        if not own and at not in known and token.kind != "p" and token.text not in UNSAYING:
            told.append(token.text)
    return frozenset(told)


def chained(said: Extraction, claim: Claim) -> bool:
    """Whether a sentence puts names in order, which then all stand beside its figures: "A > B: A has 12"."""
    part, stream = said.parts[claim.sentence], said.stream
    if ":" not in stream.texts[part.first : part.last]:
        return False
    marks = (i for i in range(part.first, part.last - 1) if stream.texts[i] in (">", "<"))
    return any(stream[i + 1].kind == "w" for i in marks)


def another(said: Extraction, one: Claim, other: Claim) -> bool:
    """Whether what has no name in any list is another thing: ferritin, "the reduced transferrin level"."""
    mine, theirs = (said.parts[c.sentence] for c in (one, other))
    named = MEASURED.match(said.text, other.span[1]) if mine is not theirs else None
    return named is not None and named[1].lower() not in said.stream.texts[mine.first : mine.last]
