"""All and none against their exceptions: "Every accession flowered earlier. Col-0 did not", "All six
seroconverted, though one did not", "No gene passes the FDR. The significant ones are …"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.words.evidence import words_of

EVERY = words_of("every")
NONE = words_of("none")
EXCEPTS = words_of("excepts")
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
        if not (every or none) or words & EXCEPTS or part.kind == "row" or not found.asserted(part.first):
            continue
        said = stemmed(found.words(number))
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
    if named and len(shared) >= 2 and len(named) <= 2 and not label:
        return denied == none
    return None


def stemmed(listed: frozenset[str]) -> frozenset[str]:
    return frozenset(ENDS.sub("", word) for word in listed)
