"""All and none against their exceptions: "Every accession flowered earlier. Col-0 did not", "All six
seroconverted, though one did not", "No gene passes the FDR. The significant ones are …"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from biorlhf_plugins.language.evidence.comparisons import clause_start
from biorlhf_plugins.language.evidence.records import Check, Evidence, content
from biorlhf_plugins.language.evidence.shares import WAYS, way_of
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.evidence.statements import content_of
from biorlhf_plugins.language.words.evidence import words_of

EVERY = words_of("every")
NONE = words_of("none")
EXCEPTS = words_of("excepts")
NEUTRAL = words_of("neutral")
MOST_ENDS = frozenset((":", ";", "(", ",", "—"))
COUNTED = frozenset(("most", "majority", "protein", "transcript"))
TURNING = frozenset(("but", "while", "whereas", "though", "although", "however", "overall", "contrast"))
ENDS = re.compile(r"(?:ed|ing|es|e|s)$")
VOWELS = dict.fromkeys(map(ord, "aeiou"))
LIMIT = 40


def universals(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    yield from _universals(found)
    if not found.stream.vocabulary.isdisjoint(("most", "majority")):
        yield from _majority(found)


def _stems(found: Evidence, number: int) -> frozenset[str]:
    return stemmed(found.words(number))


def _universals(found: Evidence) -> Iterator[Check]:
    """ "Every accession flowered earlier. Col-0 did not", "all are up: …", against what denies it."""
    left = LIMIT
    for number, part in (
        enumerate(found.parts) if not found.stream.vocabulary.isdisjoint(EVERY | NONE) else ()
    ):
        words = set(found.stream.texts[part.first : part.last])
        every, none = words & EVERY, found.stream.texts[part.first] in NONE
        if not (every or none) or words & EXCEPTS or part.kind == "row" or not found.asserted(part.first):
            continue
        if none and found.stream[min(part.first + 1, part.last - 1)].kind == "p":
            continue  # the "No" of "No, it falls"
        said = _stems(found, number)
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


def _majority(found: Evidence) -> Iterator[Check]:
    """ "Most are down: of 1,273 DEGs 860 are down and 413 are up", in one sentence or in two neighbours."""
    asked = content_of(found.prompt)
    for number, part in enumerate(found.parts):
        texts = found.stream.texts
        at = next((i for i in range(part.first, part.last) if texts[i] in ("most", "majority")), -1)
        if at < 0 or part.kind == "row" or not found.asserted(at) or not _quantifies(found, number, at):
            continue
        end = next((i for i in range(at, part.last) if texts[i] in MOST_ENDS), part.last)
        ways = [label for label, i in directions(found, number) if at < i < end]
        inside = any(at < f.first < end for f in found.by_part.get(number, ()))
        if len(set(ways)) != 1 or ways[0] not in ("UP", "DOWN") or inside:
            continue
        names = _names(found, number, clause_start(found.stream, at, part.first), end)
        for near in (number, number + 1, number - 1):
            sides = _sides(found, near) if 0 <= near < len(found.parts) else None
            if sides is None:
                continue
            up, down, others = sides
            if not others <= asked | names or (names - others - asked and near != number):
                continue
            says = f"most {ways[0]}, with {up:,g} up and {down:,g} down"
            passed = (up > down) == (ways[0] == "UP")
            yield Check("most against the figures", passed, says, (found.span(at, end),))
            break


def _names(found: Evidence, number: int, first: int, last: int) -> frozenset[str]:
    """What words name, beside directions and what every answer counts."""
    said = {found.stream.texts[i] for _, i in directions(found, number)}
    return content(found.stream, first, last) - NEUTRAL - WAYS.keys() - COUNTED - said


def _quantifies(found: Evidence, number: int, at: int) -> bool:
    """Whether a "most" is of the things: not "the most repressed gene", "is most repressed"."""
    first = clause_start(found.stream, at, found.parts[number].first)
    ahead = found.stream.texts[first:at]
    way = any(i == at + 1 for _, i in directions(found, number))
    return found.stream.texts[at] == "majority" or (not ahead and not way)


def _sides(found: Evidence, number: int) -> tuple[float, float, frozenset[str]] | None:
    """The one count that is up and the one that is down, and what else their words name."""
    part, texts = found.parts[number], found.stream.texts
    sided = [(f, way_of(found, f, part.last)) for f in found.by_part.get(number, ()) if f.kind == "count"]
    ups, downs = ([f for f, way in sided if way == side] for side in ("up", "down"))
    if len(ups) != 1 or len(downs) != 1 or len(sided) > 3 or part.kind == "row":
        return None
    first, last = min(f.first for f, _ in sided), max(ups[0].last, downs[0].last)
    if ups[0].value == downs[0].value or not TURNING.isdisjoint(texts[part.first : last]):
        return None
    start = max((i for i in range(part.first, first) if texts[i] in MOST_ENDS), default=part.first)
    return ups[0].value, downs[0].value, _names(found, number, start, last)


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
    stems = _stems(found, number)
    shared = stems & said
    if texts[-1] in ("exception", "exceptions") and "the" in texts:
        return False
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
