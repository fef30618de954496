"""None of them, and some of them: "No graft took. Four of the grafts took", "not detected in any sample …
detected in 6 of the 20", "all died before birth; nine were weaned".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.evidence.records import FUNCTION, Check, Evidence, Figure
from biorlhf_plugins.language.evidence.universals import NEUTRAL
from biorlhf_plugins.language.words.evidence import meanings, words_of

BODIES, DIED, LIVED = words_of("bodies"), words_of("died"), words_of("lived")
SHOWN, PLACED, TURNS = words_of("shown"), words_of("prepositions"), words_of("otherwise_of_some")
AGES = meanings("ages")
"""Days, and what a number of them is of."""
ONLY, ALSO = frozenset(("only", "exclusively")), frozenset(("also", "too", "well", "just"))
UNLIKE = TURNS - {"other", "remaining"} | frozenset(
    ("another", "different", "neither", "nor", "never", "less")
)
ALL = frozenset(("any", "every", "all", "none"))
NEAR = 2
"""Sentences from one to the other."""


def denied(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    texts = found.stream.texts
    for number, part in enumerate(found.parts):
        if part.kind == "row" or not found.asserted(part.first):
            continue
        if not ONLY.isdisjoint(texts[part.first : part.last]):
            yield from _only(found, number)
        for start, end in _clauses(texts, part.first, part.last):
            said = _denial(texts, start, end)
            if said is None:
                continue
            later = [f for n in range(number, number + NEAR) for f in found.by_part.get(n, ())]
            later = [f for f in later if f.first >= end or (not said[2] and f.part == number)]
            some = next((f for f in later if _some(found, f, *said)), None)
            if some is not None:
                says = f"none, and {some.value:g}"
                yield Check("what is denied and stated", False, says, (found.span(start, end), some.span))
                return


def _clauses(texts: Sequence[str], first: int, last: int) -> Iterator[tuple[int, int]]:
    start = first
    for at in range(first, last):
        if texts[at] in (",", ":", ";", "and", "but"):
            yield start, at
            start = at + 1
    yield start, last


def _named(words: Sequence[str]) -> list[str]:
    return [w for w in words if w not in FUNCTION | NEUTRAL and w.isalnum() and not w.isdigit()]


def _denial(texts: list[str], start: int, end: int) -> tuple[str, list[str], list[str]] | None:
    """How something is denied of all, of what, and what is denied of it."""
    words = texts[start:end]
    if not TURNS.isdisjoint(words[1:]) and {"any", "none"}.isdisjoint(words):
        return None
    at = next((i for i, word in enumerate(words) if word in DIED), 0)
    if words[:1] == ["all"] and at:
        return "died", _named(words[1:at]), words[at:]
    if words[:1] in (["no"], ["none"]):
        at = next((i for i, word in enumerate(words) if word in LIVED), 0)
        return ("died", _named(words[1:at]), words[at:]) if at else ("none", _named(words[1:]), words[1:])
    if "mutually exclusive" in " ".join(words) or words[-3:] == ["exclude", "one", "another"]:
        return "both", [], ["both"]
    cut = next((i for i, word in enumerate(words) if word in ALL), 0)
    absent = next((i for i in range(end - start) if words[i - 2 : i] == ["absent", "from"]), 0)
    shown = not SHOWN.isdisjoint(words[:cut]) and ("not" in words[:cut] or words[cut] == "none")
    if absent or (cut and shown):
        of = _named(words[(absent or cut) + 1 :])
        return "absent", of, [w for w in _named(words[: absent or cut]) if w not in SHOWN | {"absent"}]
    return None


def _age(words: Sequence[str]) -> float | None:
    """The latest age that is spoken of, in days."""
    told = []
    for at, word in enumerate(words):
        beside = [w for w in (*words[max(0, at - 1) : at], *words[at + 1 : at + 2]) if w.isdigit()]
        told += [AGES[word] * float(*beside[:1] or (1,))] if word in AGES else []
    return max(told, default=None)


def _some(found: Evidence, figure: Figure, how: str, subject: list[str], rest: list[str]) -> bool:
    """Whether a figure counts some of those of which all is denied."""
    texts, part = found.stream.texts, found.parts[figure.part]
    start, end = next(c for c in _clauses(texts, part.first, part.last) if c[0] <= figure.first < c[1])
    words, behind = texts[start:end], texts[figure.last : end]
    plain = figure.kind in ("count", "percent") and figure.value > 0 and not figure.sign
    if not plain or not TURNS.isdisjoint(words) or not found.asserted(part.first):
        return False
    named = _named(words)
    head = _named(texts[part.first : part.first + 3]) if texts[part.first] in PLACED else []
    if how != "died" and not {*head} <= {*subject, *rest}:
        return False  # "After enrichment it was detected in 3"
    if how == "both":
        return "both" in behind and "of" not in behind
    if how == "absent":
        spoken = {*rest} <= {*named} or not {"it", "its"}.isdisjoint(words) or start > part.first
        return spoken and not SHOWN.isdisjoint(words) and ({*subject} <= {*named} or "there" in words)
    if how == "died":
        ages = _age(rest), _age(words)
        late = ages[0] is None or ages[1] is None or ages[1] >= ages[0]
        of = [w for w in _named(behind) if w not in LIVED | AGES.keys()]
        same = {*subject} - BODIES <= {*of} and {*of} <= {*subject} | BODIES
        same = same or (not of and start > part.first)
        return same and late and not LIVED.isdisjoint(words)
    own = _named(behind)
    placed = [w for i, word in enumerate(behind) if word in PLACED for w in _named(behind[i : i + 4])]
    led = {*_named(texts[start : figure.first])} <= {*subject}
    return led and own[: len(subject)] == subject and len(subject) > 1 and {*placed} <= {*subject}


def _only(found: Evidence, number: int) -> Iterator[Check]:
    """ "Only KIN1 responds to cold. COR15A also responds to cold"."""
    if number + 1 >= len(found.parts) or not found.asserted(found.parts[number + 1].first):
        return
    texts, one, other = found.stream.texts, found.parts[number], found.parts[number + 1]
    first, second = texts[one.first : one.last], texts[other.first : other.last]
    at = next(i for i, word in enumerate(first) if word in ONLY)
    placed = {*first[at + 1 : at + 2]} & PLACED and {*_named(first[at + 2 :])}.isdisjoint(second)
    said = {w[:5] for w in _named(first)}
    own = [w for w in _named(second) if w[:5] not in said and w not in ALSO]
    shared = [i for i, w in enumerate(second) if w in found.words(number + 1) and w[:5] in said]
    after = _named(second[shared[-1] + 1 :]) if shared else ["?"]
    alike = ("significantly" in first) == ("significantly" in second)
    turned = "not" in first or at + 1 == len(first) or first[at + 1].isdigit()
    also = not ALSO.isdisjoint(second) and UNLIKE.isdisjoint(second)
    elsewhere = second[0] in PLACED and not placed
    if also and own and alike and {*after} <= ALSO and not (turned or elsewhere):
        says = "only one, and another as well"
        spans = (found.span(one.first, one.last), found.span(other.first, other.last))
        yield Check("what is denied and stated", False, says, spans)
