"""None of them, and some of them: "No graft took. Four of the grafts took", "not detected in any tower …
detected in 3 of the 12", "all died within a day; seven were alive on day 4".
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
ONLY, ALSO, UNLIKE = frozenset(("only", "exclusively")), words_of("also"), words_of("unlike")
NOT = frozenset(("not", "never", "do", "does", "did"))
ALL = frozenset(("any", "every", "all", "none", "the"))
WHOLE = ALL - {"the"}
DENYING = WHOLE | {"no", "mutually", "another", "absent"}
UNNAMED = FUNCTION | NEUTRAL


def denied(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    texts = found.stream.texts
    if not found.stream.vocabulary.isdisjoint(("not", "never")):
        yield from _taken_back(found)
    for number, part in enumerate(found.parts):
        if part.kind == "row" or not found.asserted(part.first):
            continue
        if not ONLY.isdisjoint(texts[part.first : part.last]):
            yield from _only(found, number)
        for start, end in _clauses(texts, part.first, part.last):
            said = _denial(texts[start:end])
            for f in [f for n in (number, number + 1) for f in found.by_part.get(n, ())] if said else ():
                later = f.first >= end or (said is not None and not said[2] and f.part == number)
                if later and said and _some(found, f, *said):
                    spans = (found.span(start, end), f.span)
                    yield Check("what is denied and stated", False, f"none, and {f.value:g}", spans)
                    return


def _taken_back(found: Evidence) -> Iterator[Check]:
    """ "The enzyme is stable at 60 °C. The enzyme is not stable at 60 °C": word for word, but for a not."""
    said: dict[tuple[str, ...], tuple[bool, int]] = {}
    for number, part in enumerate(found.parts):
        words = found.stream.texts[part.first : part.last]
        plain = tuple([w.removesuffix("s") for w in words if w not in NOT and w[0].isalnum() and w != "is"])
        if part.kind != "prose" or len(plain) < 3 or ":" in words or not found.asserted(part.first):
            continue
        denies = sum(word in ("not", "never") for word in words) % 2 == 1
        before, first = said.setdefault(plain, (denies, number))
        if before != denies:
            spans = tuple(found.span(found.parts[n].first, found.parts[n].last) for n in (first, number))
            yield Check("what is denied and stated", False, " ".join(words), spans)
            return


def _clauses(texts: Sequence[str], first: int, last: int) -> Iterator[tuple[int, int]]:
    start = first
    for at in range(first, last):
        if texts[at] in (",", ":", ";", "and", "but"):
            yield start, at
            start = at + 1
    yield start, last


def _named(words: Sequence[str]) -> list[str]:
    return [w for w in words if w not in UNNAMED and w.isalnum() and not w.isdigit()]


def _denial(words: list[str]) -> tuple[str, list[str], list[str]] | None:
    """How something is denied of all, of what, and what is denied of it."""
    if DENYING.isdisjoint(words):
        return None
    if not TURNS.isdisjoint(words[1:]) and {"any", "none"}.isdisjoint(words):
        return None
    of = DIED if words[:1] == ["all"] else LIVED
    at = next((i for i, word in enumerate(words) if word in of), 0)
    if words[:1] in (["no"], ["none"]) or (words[:1] == ["all"] and at):
        return ("died", _named(words[1:at]), words[at:]) if at else ("none", _named(words[1:]), words[1:])
    if "mutually exclusive" in " ".join(words) or words[-3:] == ["exclude", "one", "another"]:
        return "both", [], ["both"]
    absent = next((i for i in range(2, len(words)) if words[i - 2 : i] == ["absent", "from"]), 0)
    cut = absent or next((i for i, word in enumerate(words) if word in WHOLE), 0)
    shown = absent or (("not" in words[:cut] or words[cut : cut + 1] == ["none"]) and {*words[:cut]} & SHOWN)
    whole = [w for w in _named(words[cut:]) if w not in ALL] if cut and shown and words[cut] in ALL else []
    return (
        ("absent", whole, [w for w in _named(words[:cut]) if w not in SHOWN | {"absent"}]) if whole else None
    )


def _age(words: Sequence[str]) -> float:
    """The latest age that is spoken of, in days; -1 for none."""
    beside = {at: [w for w in words[max(0, at - 1) : at + 2] if w.isdigit()] for at in range(len(words))}
    told = [AGES[word] * float(*beside[at][:1] or (1,)) for at, word in enumerate(words) if word in AGES]
    return max(told, default=-1)


def _some(found: Evidence, figure: Figure, how: str, subject: list[str], rest: list[str]) -> bool:
    """Whether a figure counts some of those of which all is denied."""
    texts, part = found.stream.texts, found.parts[figure.part]
    start, end = next(c for c in _clauses(texts, part.first, part.last) if c[0] <= figure.first < c[1])
    words, behind = texts[start:end], texts[figure.last : end]
    named, head = _named(words), _named(texts[part.first : part.first + 3])
    plain = figure.kind in ("count", "percent") and figure.value > 0 and TURNS.isdisjoint(words)
    # "Against isolate 1 none of 30 …; against isolate 2 12 of 30"
    plain = plain and not (texts[part.first] in PLACED | {"against"} and part.first < start)
    # "After enrichment it was detected in 3"
    elsewhere = how != "died" and texts[part.first] in PLACED and not {*head} <= {*subject, *rest}
    if not plain or elsewhere or not found.asserted(part.first):
        return False
    if how == "both":
        return "both" in behind and "of" not in behind
    if how == "absent":
        spoken = {*rest} <= {*named} or not {"it", "its"}.isdisjoint(words) or start > part.first
        return spoken and not SHOWN.isdisjoint(words) and ({*subject} <= {*named} or "there" in words)
    if how == "died":
        late = _age(words) in (-1, max(_age(rest), _age(words)))
        of = [w for w in _named(behind) if w not in LIVED | AGES.keys()]
        same = {*subject} - BODIES <= {*of} and {*of} <= {*subject} | BODIES
        same = same or (not of and start > part.first)
        return same and late and not LIVED.isdisjoint(words)
    own = _named(behind)
    placed = [w for i, word in enumerate(behind) if word in PLACED for w in _named(behind[i : i + 4])]
    led = {*_named(texts[start : figure.first])} <= {*subject}
    return led and own[: len(subject)] == subject and len(subject) > 1 and {*placed} <= {*subject}


def _only(found: Evidence, number: int) -> Iterator[Check]:
    """ "Only SOD2 is induced. CAT is induced as well"."""
    if number + 1 >= len(found.parts) or not found.asserted(found.parts[number + 1].first):
        return
    texts, one, other = found.stream.texts, found.parts[number], found.parts[number + 1]
    first, second = texts[one.first : one.last], texts[other.first : other.last]
    at = next(i for i, word in enumerate(first) if word in ONLY)
    placed = {*first[at + 1 : at + 2]} & PLACED and {*_named(first[at + 2 :])}.isdisjoint(second)
    said = {w[:5] for w in _named(first)}
    own = [w for w in _named(second) if w[:5] not in said and w not in ALSO]
    shared = [i for i, w in enumerate(second) if w in found.words(number + 1) and w[:5] in said]
    also = bool(own and shared) and not ALSO.isdisjoint(second) and UNLIKE.isdisjoint(second)
    also = also and ("significantly" in first) == ("significantly" in second)
    turned = "not" in first or first[at + 1 :][:1] == [] or first[at + 1].isdigit()
    if (
        also
        and not turned
        and (placed or second[0] not in PLACED)
        and {*_named(second[shared[-1] + 1 :])} <= ALSO
    ):
        spans = (found.span(one.first, one.last), found.span(other.first, other.last))
        yield Check("what is denied and stated", False, "only one, and another as well", spans)
