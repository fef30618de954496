"""The places that a text gives to things, against the figures beside their names: "Karl was the worst",
"came second", "followed by", "the largest increase was that of CRP".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from biorlhf_plugins.language.evidence.comparisons import INVERSE
from biorlhf_plugins.language.evidence.records import Check, Evidence, content
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.evidence.statements import content_of
from biorlhf_plugins.language.evidence.universals import ENDS as ENDINGS
from biorlhf_plugins.language.verdicts.passages import Passage, clauses, passages
from biorlhf_plugins.language.verdicts.series import Entry, Series, series
from biorlhf_plugins.language.words.evidence import words_of

MOST, LEAST = words_of("most"), words_of("least")
GOOD, BAD = frozenset(("best",)), frozenset(("worst",))
PLACED = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
COMES = frozenset(
    ("come", "came", "is", "was", "rank", "ranks", "ranked", "ranking", "finished", "place", "placed")
)
SO = frozenset(("so", "thus", "hence", "therefore"))
NARROWED = words_of("narrowed")
"""What leaves a superlative open to others than all that have a figure: "among", "after", "except"."""
NOT_MOST = words_of("not_most")
NEUTRAL = words_of("neutral") | words_of("concludes") | words_of("places")


class Rank(NamedTuple):
    """An entry's place: from the top where ``falls``, from the bottom where not, None where open."""

    entry: Entry
    place: int
    falls: bool | None
    at: int
    passage: int


def ranks(found: Evidence) -> Iterator[Check]:
    """Every check of this room: one for each place that is given to a thing of a series of three or more."""
    words = found.stream.vocabulary
    if words.isdisjoint(MOST | LEAST | GOOD | BAD | PLACED.keys() | {"followed"}):
        return
    known = [s for s in series(found) if len(s.entries) > 2]
    told = passages(found) if known else []
    asked = _stems(content_of(found.prompt)) if known else frozenset()
    for one in known:
        if sum(_rivals(one, other) for other in known) > 1:
            continue  # two measures of the same things
        said: list[Rank] = []
        for number, passage in enumerate(told):
            said += _ranks(found, one, passage, number, asked)
        yield from _against(found, one, said)
        for passage in told:
            yield from _following(found, one, passage)


def _rivals(one: Series, other: Series) -> bool:
    """Whether two series have things in common, and are not the same figures."""
    same = {e.figure.first for e in one.entries} <= {e.figure.first for e in other.entries}
    shared = frozenset().union(*(e.words for e in one.entries)) & frozenset().union(
        *(e.words for e in other.entries)
    )
    return one is other or (bool(shared) and not same)


def _stems(words: frozenset[str]) -> frozenset[str]:
    return frozenset(ENDINGS.sub("", word)[:6] for word in words)


def _ranks(
    found: Evidence, one: Series, passage: Passage, number: int, asked: frozenset[str]
) -> Iterator[Rank]:
    texts = found.stream.texts
    if not NARROWED.isdisjoint(texts[passage.first : passage.last]) or texts[passage.first] == "after":
        return
    about = asked | _stems(one.about)
    for first, last in clauses(found, passage, commas=True):
        for at in range(first, last):
            read = _place(found, first, at, last)
            if read is None:
                continue
            place, falls = read
            if not _measured(found, one, (first, at, last), about):
                continue
            entry = _holder(found, one, first, at, last)
            if entry is not None:
                yield Rank(entry, place, falls, at, number)
            break


def _place(found: Evidence, first: int, at: int, last: int) -> tuple[int, bool | None] | None:
    """The place that a word gives, and from which end: 1 of "most", 2 of "the second highest"."""
    texts = found.stream.texts
    word, after, before = texts[at], "".join(texts[at + 1 : at + 2]), texts[max(first, at - 3) : at]
    if {"one", "not", "no", "at", "among", "next"} & set(before) or after in NOT_MOST or "%" in after:
        return None
    if word in PLACED:
        if after in MOST | LEAST:
            return PLACED[word], after in MOST
        comes = not COMES.isdisjoint(before) and (at + 1 == last or texts[at + 1] in (",", "with", "(", "at"))
        return (PLACED[word], None) if comes else None
    if word in GOOD | BAD:
        return (1 if word in GOOD else -1), None
    if word not in MOST | LEAST or (word == "top" and after != "") or "than" in texts[at:last]:
        return None
    if word in ("most", "least") and after == "of":
        return None
    return 1, word in MOST


def _measured(found: Evidence, one: Series, clause: tuple[int, int, int], about: frozenset[str]) -> bool:
    """Whether a clause is about what the series measures: no new word follows its superlative."""
    first, at, last = clause
    texts = found.stream.texts
    words = content(found.stream, first, last) - {texts[at]} - NEUTRAL - MOST - LEAST - PLACED.keys() - COMES
    number = next(n for n, p in enumerate(found.parts) if at < p.last)
    words -= {texts[i] for _, i in directions(found, number)}  # "the largest decrease", of what fell
    new = [w for w in words if not _stems(frozenset((w,))) <= about]
    so = not SO.isdisjoint(texts[first:last])  # "AAV5 was thus the most efficient vector"
    close = set() if so else set(texts[at + 1 : at + 4])
    verb = not {"are", "were"}.isdisjoint(texts[first:last])
    plural = "both" in texts[first:last] or (verb and texts[first - 1 : first] == ["and"])
    return len(new) <= 1 + so and not close & set(new) and not plural and not any(w.isdigit() for w in new)


def _holder(found: Evidence, one: Series, first: int, at: int, last: int) -> Entry | None:
    """The thing that has the place: named before the word, or after it where none is before."""
    before, after = content(found.stream, first, at), content(found.stream, at + 1, last)
    names = frozenset(found.stream.texts[first:at])
    hits = [e for e in one.entries if e.words & (before | names)]
    if len(hits) == 1:
        return hits[0]
    return one.named(after) if not hits else None


def _against(found: Evidence, one: Series, said: Sequence[Rank]) -> Iterator[Check]:
    """Strict places by themselves; those of an open end by the end of their sentence, or by either."""
    values = [e.figure.value for e in one.entries]
    bent = min(values) < 0 or not INVERSE.isdisjoint(found.stream.vocabulary)
    for rank in said:
        ends = {r.falls for r in said if r.falls is not None and abs(r.passage - rank.passage) <= 1}
        falls = rank.falls
        if falls is not None and _turned(found, rank):
            falls = None
        elif falls is None and len(ends) == 1 and not bent:
            falls = ends.pop()
        sides = (True, False) if falls is None or bent else (falls,)
        passed = any(_holds(values, rank, side) for side in sides)
        others = [r for r in said if r.falls is None and r is not rank]
        if passed and falls is None and others:  # "best" and "worst" of one text have one good end
            passed = any(all(_holds(values, r, side) for r in (rank, *others)) for side in (True, False))
        says = f"{rank.entry.figure.value:,g} is called {found.stream.texts[rank.at]} of {sorted(values)}"
        span = (found.span(rank.at, rank.at + 1), rank.entry.figure.span)
        yield Check("a place against its figures", passed, says, span)


def _following(found: Evidence, one: Series, passage: Passage) -> Iterator[Check]:
    """ "E2 had the strongest activity (14.9), followed by E4 (12.4) and E1 (3.3)": in one order."""
    texts = found.stream.texts
    at = next((i for i in range(passage.first, passage.last) if texts[i : i + 2] == ["followed", "by"]), 0)
    here = [e.figure for e in one.entries if passage.first <= e.figure.first < passage.last]
    ahead, after = [f for f in here if f.first < at], [f for f in here if f.first > at]
    lead = set(texts[passage.first : at])
    if not at or len(ahead) != 1 or not after or lead.isdisjoint(MOST | LEAST | GOOD | BAD | PLACED.keys()):
        return
    if not NARROWED.isdisjoint(texts[passage.first : passage.last]) or "respectively" in texts:
        return
    values = [f.value for f in (*ahead, *after)]
    falls, rises = sorted(values, reverse=True) == values, sorted(values) == values
    says = " > ".join(f"{v:,g}" for v in values)
    yield Check("a ranking against its figures", falls or rises, says, (ahead[0].span, after[-1].span))


def _holds(values: Sequence[float], rank: Rank, falls: bool) -> bool:
    order = sorted(values, reverse=falls)
    place = rank.place - 1 if rank.place > 0 else len(order) + rank.place
    return place < len(order) and order[place] == rank.entry.figure.value


def _turned(found: Evidence, rank: Rank) -> bool:
    """Whether a superlative may mean the other end: "most diverse", "most sensitive", "largest decrease"."""
    texts = found.stream.texts
    after = texts[rank.at + 1 : rank.at + 2]
    number = next(n for n, p in enumerate(found.parts) if rank.at < p.last)
    falls = any(label == "DOWN" and abs(at - rank.at) < 6 for label, at in directions(found, number))
    open_word = texts[rank.at] in (
        "most",
        "least",
        "top",
        "fastest",
        "slowest",
        "strongest",
        "weakest",
        "mildest",
    )
    return falls or (open_word and bool(after))
