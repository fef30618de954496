"""All and none against their exceptions: "Every accession flowered earlier. Col-0 did not", "All six
seroconverted, though one did not", "No gene passes the FDR. The significant ones are …"."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from biorlhf_plugins.language.evidence.records import Check, Evidence, content
from biorlhf_plugins.language.evidence.signs import directions, threshold
from biorlhf_plugins.language.evidence.vocabulary import words_of
from biorlhf_plugins.language.words.mentions import WORD_NUMBERS
from biorlhf_plugins.language.words.text import vocabulary

EVERY = words_of("every")
NONE = words_of("none")
EXCEPTS = words_of("excepts")
ENDS = re.compile(r"(?:ed|ing|es|e|s)$")
VOWELS = dict.fromkeys(map(ord, "aeiou"))
LIMIT = 40
NEARLY = (["not"], ["nearly"], ["almost"], ["hardly"], ["virtually"])
TURNS = frozenset(
    (",", ";", ":", "—", "(", "but", "though", "although", "while", "whereas", "yet", "however", "and")
)
SOME = frozenset(WORD_NUMBERS) | {"some", "several"}
DENIES = frozenset(("not", "none", "no", "never", "fail", "failed", "without", "them", "these", "those"))
PASSES = vocabulary(
    "pass passes passed survive survives survived reach reached significant differential fdr padj q"
)
HITS = vocabulary("significant significantly hit hits differential degs deg")
RATES = vocabulary("rate count number list")
NOMINAL = vocabulary(
    "nominal nominally uncorrected unadjusted raw trend trends would suggestive candidate candidates"
)
PLACING = frozenset(
    ("in", "for", "at", "under", "after", "with", "among", "between", "when", "by", "before", "without")
)


def universals(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    yield from _universals(found)
    yield from _some_do_not(found)
    yield from _none_passes(found)


def _stems(found: Evidence, number: int) -> frozenset[str]:
    return _stemmed(found.words(number))


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
        and texts[-2] in ("did", "do", "doe", "is", "was", "has")
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


def _some_do_not(found: Evidence) -> Iterator[Check]:
    """ "All six seroconverted, though one of them did not", in one sentence or two."""
    texts = found.stream.texts
    for part in found.parts if not found.stream.vocabulary.isdisjoint(EVERY) else ():
        at = next((i for i in range(part.first, part.last) if texts[i] in EVERY), -1)
        if at < 0 or part.kind == "row" or not found.asserted(at) or texts[at - 1 : at] in NEARLY:
            continue
        end = next((i for i in range(at, part.last) if texts[i] in TURNS), part.last)
        if (end - at <= 3 and texts[end : end + 1] == ["but"]) or set(texts[part.first : end]) & EXCEPTS:
            continue
        said = _stemmed(content(found.stream, part.first, end))
        starts = [i + 1 for i in range(end, min(len(texts) - 1, end + 12)) if texts[i] in TURNS | {"."}]
        for start in starts:
            stop = next((i for i in range(start, len(texts)) if texts[i] in TURNS | {".", "\n"}), len(texts))
            counted = found.stream[start].number is not None or texts[start] in SOME
            denied = not DENIES.isdisjoint(texts[start:stop])
            others = _stemmed(content(found.stream, start + 1, stop) - DENIES) - said
            if counted and denied and not others and found.asserted(start):
                spans = (found.span(at, end), found.span(start, stop))
                yield Check("a universal against an exception", False, "all of them, and some do not", spans)


def _stemmed(listed: frozenset[str]) -> frozenset[str]:
    return frozenset(ENDS.sub("", word) for word in listed)


def _none_passes(found: Evidence) -> Iterator[Check]:
    """ "No gene passes the FDR. The significant ones are FOS and JUN", of the same comparison."""
    texts, alpha = found.stream.texts, threshold(found)
    for number, part in enumerate(found.parts[:-1]):
        said = texts[part.first : part.last]
        at = next((i for i, word in enumerate(said) if word in NONE), -1)
        if at < 0 or not PASSES & set(said[at:]) or EXCEPTS & set(said) or not found.asserted(part.first):
            continue
        for other in range(number + 1, min(number + 3, len(found.parts))):
            later = found.parts[other]
            words = texts[later.first : later.last]
            placed = any(a in PLACING and b not in said and b.isalpha() for a, b in itertools.pairwise(words))
            if placed or NOMINAL & set(words) or not found.asserted(later.first):
                continue
            denied = "neg" in later.inside or NONE & set(words)
            low = any(
                f.kind == "p" and f.sign != ">" and f.value < alpha for f in found.by_part.get(other, ())
            )
            named = any(a in HITS and b not in RATES for a, b in itertools.pairwise(words))
            if not denied and (low or named):
                spans = (found.span(part.first, part.last), found.span(later.first, later.last))
                yield Check(
                    "a universal against an exception", False, "none passes, and hits are named", spans
                )
                return
