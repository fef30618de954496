"""What a text says again: a figure that is taken up at its end ("in conclusion", "the 90-min gradient") or is
in its short answer, and an "only" that the next sentence adds to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, content
from biorlhf_plugins.language.evidence.signs import TIMES
from biorlhf_plugins.language.evidence.universals import ENDS
from biorlhf_plugins.language.verdicts.passages import Passage, passages
from biorlhf_plugins.language.words.evidence import words_of

CONCLUDES = words_of("concludes") | {"summary", "short"}
NEUTRAL = words_of("neutral") | words_of("concludes") | {"taken", "together", "with", "given", "whole"}
ANOTHER = words_of("another")
OPENS = (["taken", "together"], ["in", "short"], ["in", "summary"], ["in", "conclusion"], ["with", "a"],
         ["with", "an"], ["with", "the"], ["given", "the"], ["given", "a"])  # fmt: skip
PLACES = words_of("places") | {"among", "from", "after"}
SINCE = frozenset(("at", "after", "by", "within", "during", "over", "in"))
HELPS = frozenset(("was", "were", "is", "are"))


def again(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    told = [p for p in passages(found) if p.last - p.first > 1]
    for at, passage in enumerate(told):
        for figure in passage.figures if at else ():
            first = _before(found, told[:at], passage, figure)
            if first is not None:
                yield _same(found, first, figure)
        yield from _only(found, passage, told[at + 1 : at + 2])
    yield from _short(found, told)


def _unit(found: Evidence, figure: Figure) -> str:
    """ "percent", or the word behind a figure: the min of "90-min", the mb of "529 Mb"."""
    if figure.kind == "percent":
        return "percent"
    word = "".join(found.stream.texts[figure.last : figure.last + 1])
    return word if figure.kind == "count" and word.isalpha() and word in figure.right else ""


def _before(found: Evidence, told: Sequence[Passage], passage: Passage, figure: Figure) -> Figure | None:
    """The one earlier figure that a recapitulation is of: its words were all beside that one."""
    texts = found.stream.texts
    unit = _unit(found, figure)
    opens = texts[passage.first : passage.first + 2]
    opens = opens[1:] if opens[:1] == ["\n"] else opens
    if texts[passage.first] == "\n":
        opens = texts[passage.first + 1 : passage.first + 3]
    recaps = opens in OPENS or opens[:1] == ["overall"] or not CONCLUDES.isdisjoint(opens)
    definite = texts[figure.first - 1] in ("the", "this") and figure.first > passage.first
    words = (_left(found, figure, passage.last) or figure.words) - {unit} - NEUTRAL
    alone = sum(_unit(found, f) == unit for f in passage.figures) == 1
    if not unit or figure.sign or not (recaps or definite) or not words or not alone:
        return None
    earlier = [f for p in told for f in p.figures if _unit(found, f) == unit and not f.sign]
    if any(f.value == figure.value for f in earlier) or not ANOTHER.isdisjoint(
        texts[passage.first : passage.last]
    ):
        return None
    near = [f for f in earlier if f.words & words]
    pool = near or (earlier if recaps and len(earlier) == 1 else [])
    if len(pool) != 1 or _dated(texts[passage.first : passage.last]):
        return None
    if definite and not recaps:
        return pool[0] if _noun(found, pool[0], figure) else None
    known = found.words(pool[0].part)
    return pool[0] if words <= known | pool[0].words else None


def _left(found: Evidence, figure: Figure, last: int) -> frozenset[str]:
    """The words of "a median follow-up of 6.8 years at 26 sites" up to its figure, and its place."""
    texts = found.stream.texts
    end = next((i for i in range(figure.last, last) if texts[i] in HELPS | {","}), last)
    place = next((i for i in range(figure.last, end) if texts[i] in PLACES), end)
    if texts[figure.first - 1] != "of":
        return frozenset()
    return figure.left | content(found.stream, place, min(end, place + 4))


def _dated(words: Sequence[str]) -> bool:
    """Whether a sentence says when: "survival of 61 % at five years"."""
    return any(w in SINCE and not TIMES.isdisjoint(words[i + 1 : i + 4]) for i, w in enumerate(words))


def _noun(found: Evidence, first: Figure, figure: Figure) -> bool:
    """Whether the same noun follows both: "a 120-min gradient", "the 90-min gradient"."""
    texts = found.stream.texts
    return texts[first.last : first.last + 2] == texts[figure.last : figure.last + 2]


def _same(found: Evidence, one: Figure, other: Figure) -> Check:
    passed = abs(one.value - other.value) <= 0.03 * max(abs(one.value), abs(other.value))
    says = f"{' '.join(sorted(other.words))}: {one.value:g}, {other.value:g}"
    return Check("one value per slot", passed, says, (one.span, other.span), alone=passed)


def _short(found: Evidence, told: Sequence[Passage]) -> Iterator[Check]:
    """ "Short answer: about 20 days", where the text has just one other figure in days."""
    texts = found.stream.texts
    if not told or texts[told[0].first : told[0].first + 2] not in (["short", "answer"], ["in", "short"]):
        return
    mine = [f for f in told[0].figures if not f.sign and f.kind in ("count", "percent")]
    unit = "".join(texts[mine[0].last : mine[0].last + 1]) if len(mine) == 1 else ""
    if len(mine) != 1 or not (unit.isalpha() or mine[0].kind == "percent"):
        return
    others = [
        f
        for p in told[1:]
        for f in p.figures
        if f.kind == mine[0].kind and not f.sign
        and (f.kind == "percent" or texts[f.last : f.last + 1] == [unit])
    ]  # fmt: skip
    if len({f.value for f in others}) == 1:
        passed = abs(others[0].value - mine[0].value) <= 0.1 * abs(others[0].value)
        says = f"{mine[0].value:g} in short, and {others[0].value:g}"
        yield Check("one value per slot", passed, says, (mine[0].span, others[0].span), alone=passed)


def _only(found: Evidence, passage: Passage, after: Sequence[Passage]) -> Iterator[Check]:
    """ "Only CYP2D6 was inhibited. CYP3A4 was inhibited …": another subject has the verb."""
    texts = found.stream.texts
    at = next((i for i in range(passage.first, passage.last) if texts[i] == "only"), -1)
    verb = (
        next((i for i in range(at + 2, min(at + 5, passage.last - 1)) if texts[i] in HELPS), 0)
        if at >= 0
        else 0
    )
    if not verb or not after or found.stream[at + 1].number is not None:
        return
    said, start = texts[verb + 1], after[0].first
    helps = next((i for i in range(start + 1, min(start + 4, after[0].last - 1)) if texts[i] in HELPS), 0)
    if not helps or texts[helps + 1] != said or not ENDS.search(said):
        return
    mine, theirs = set(texts[at + 1 : verb]), set(texts[start:helps])
    if mine & theirs or theirs & {"it", "this", "that", "which", "no", "none", "neither", "nothing", "in"}:
        return
    spans = (found.span(at, verb + 2), found.span(start, helps + 2))
    yield Check("a universal against an exception", False, "only one, and another", spans)
