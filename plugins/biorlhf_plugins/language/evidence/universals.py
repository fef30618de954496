"""All and none against their exceptions: "Every accession flowered earlier. Col-0 did not", "All six
seroconverted, though one did not", "No gene passes the FDR. The significant ones are …"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from biorlhf_plugins.language.evidence.records import Check, Evidence, content
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.records import Span
from biorlhf_plugins.language.words.evidence import words_of

EVERY = words_of("every")
NONE = words_of("none")
EXCEPTS = words_of("excepts")
NEUTRAL, PLACES = words_of("neutral"), words_of("places")
WHENEVER = frozenset(("when", "if", "where", "after", "once"))
TURNS = frozenset(("but", "while", "whereas", "though", "although"))
UNLIKE = frozenset(("non", "not", "other", "except", "unlike"))
ENDS = re.compile(r"(?:ed|ing|es|e|s)$")
VOWELS = dict.fromkeys(map(ord, "aeiou"))
LIMIT = 40


def universals(found: Evidence) -> Iterator[Check]:
    """ "Every accession flowered earlier. Col-0 did not", "all are up: …", against what denies it."""
    left = LIMIT
    for number, part in (
        enumerate(found.parts) if not found.stream.vocabulary.isdisjoint(EVERY | NONE) else ()
    ):
        words = set(found.stream.texts[part.first : part.last])
        every, none = words & EVERY, found.stream.texts[part.first] in NONE
        head = found.stream.texts[part.first : part.last]
        head = head[: head.index(":")] if ":" in head else head  # "all fell: A and B fell, but C rose"
        if any(word in EVERY and before in WHENEVER for before, word in pairwise(head)):
            continue  # "when each was fitted alone"
        if not (every or none) or EXCEPTS & {*head} or part.kind == "row" or not found.asserted(part.first):
            continue
        said = stemmed(found.words(number))
        excepted = _excepted(found, number) if every else None
        if excepted is not None:
            spans = (found.span(part.first, part.last), excepted)
            yield Check("a universal against an exception", False, "all, but one", spans)
            continue
        if words & EXCEPTS:
            continue
        ways = {label for label, _ in directions(found, number)}
        for at in range(number + 1, min(number + 8, len(found.parts))):
            other = found.parts[at]
            left -= 1
            if left < 0:
                return
            against = _against(found, at, said, ways, none, words)
            if against is not None:
                spans = (found.span(part.first, part.last), found.span(other.first, other.last))
                says = "without exception, and " + ("one that bears it out" if against else "an exception")
                yield Check("a universal against an exception", against, says, spans, alone=against)


def _excepted(found: Evidence, number: int) -> Span | None:
    """ "All cyclins fell: CCNA2 and CCNB1 fell, but CCND1 rose": what stands after "but" goes the other way.

    It is an exception where it has every word of the universal's own subject ("D, also a cyclin, rose"), or
    where one sentence lists them after a colon and it is one bare name.
    """
    part = found.parts[number]
    texts = found.stream.texts
    colon = next((i for i in range(part.first, part.last) if texts[i] == ":"), 0)
    first, end = (colon, part.last) if colon else (part.last, 0)
    after = number if colon else number + 1
    if not colon and after < len(found.parts) and found.asserted(found.parts[after].first):
        first, end = found.parts[after].first, found.parts[after].last
    ways = [w for w in directions(found, number) if w[1] < (colon or part.last)]
    others = [w for w in directions(found, after) if first <= w[1] < end] if end else []
    cut = next((i for i in range(end - 1, first, -1) if texts[i] in TURNS), 0)
    here = {label for label, at in others if at > cut}
    before = {label for label, at in others if at < cut}
    opposite = len(here) == 1 and here | before == {"UP", "DOWN"}
    if not cut or not opposite or len(ways) != 1 or before != {ways[0][0]}:
        return None
    subject = content(found.stream, part.first, ways[0][1]) - NEUTRAL - EVERY
    clause = set(texts[cut + 1 : end])
    way = min(at for _, at in others if at > cut)
    named = content(found.stream, cut + 1, way) - {texts[way]}
    bare = colon and texts[cut] == "but" and len(named) == 1 and way - cut <= 3
    member = subject and subject <= named
    foreign = clause & (EVERY | NONE | UNLIKE) or PLACES & clause
    return found.span(cut + 1, end) if (bare or member) and not foreign else None


def _skeleton(word: str) -> str:
    """The consonants of a verb, which "fell" and "fall", "grew" and "grow" share."""
    return ENDS.sub("", word).translate(VOWELS)


def _against(
    found: Evidence, number: int, said: frozenset[str], ways: set[str], none: bool, spoken: set[str]
) -> bool | None:
    """Whether a later sentence bears a universal out (True), excepts itself from it (False), or neither."""
    part = found.parts[number]
    texts = found.stream.texts[part.first : part.last]
    if not texts or not found.asserted(part.first) or set(texts) & (EVERY | NONE):
        return None
    denied = "neg" in part.inside
    stems = stemmed(found.words(number))
    shared = stems & said
    named = stems - said
    if len(named) > 4:
        return None
    if (
        denied
        and texts[-1] == "not"
        and texts[-2:-1]
        and texts[-2] in ("did", "do", "does", "is", "was", "has")
        and named
    ):
        return none
    at = len(texts) - 1 - texts[::-1].index("not") if "not" in texts else 0
    same = {*texts[at + 2 :]} <= spoken and len(named) <= 3  # of the same place and time
    if 0 < at < len(texts) - 1 and same and _skeleton(texts[at + 1]) in map(_skeleton, spoken):
        return none  # "All genera fell. Dorea did not fall."
    label = {way for way, _ in directions(found, number)}
    if label == {"NS"} and not ways:
        denied, label = True, set()
    if len(ways) == 1 and len(label) == 1 and ways <= {"UP", "DOWN"} and not denied and named:
        subject = {w for w in shared if len(w) > 2}
        return (label == ways) != none if subject or len(named) <= 2 else None
    elsewhere = {b for a, b in pairwise(texts) if a in PLACES and b in found.words(number)} - spoken
    if named and len(shared) >= 2 and len(named) <= 2 and not label:
        return denied == none if not none or spoken.isdisjoint(PLACES) or not elsewhere else None
    return None


def stemmed(listed: frozenset[str]) -> frozenset[str]:
    return frozenset(ENDS.sub("", word) for word in listed)
