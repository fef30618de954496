"""What is told a second time: "the 4,110 lost peaks", "as said, 2.9 h", "an index of 2.9 in that group"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from biorlhf_plugins.language.across.totals import plural
from biorlhf_plugins.language.evidence.parts import TIMES
from biorlhf_plugins.language.evidence.records import FUNCTION, Check, Evidence, Figure, content
from biorlhf_plugins.language.evidence.statements import content_of
from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.language.words.units import unit_at

AS = frozenset(("said", "given", "mentioned", "stated", "noted", "described", "reported"))
THAT = frozenset(("that", "this"))
GROUP = frozenset(
    ("group", "arm", "cohort", "sample", "strain", "tissue", "condition", "line", "plot", "site")
)
SETTINGS = frozenset(("depth", "dose", "temperature", "concentration", "age", "threshold", "cutoff", "rate"))
REACH = 4


def again(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    texts = found.stream.texts
    for at, figure in enumerate(found.figures):
        before = [f for f in found.figures[:at] if f.kind == figure.kind and not f.sign]
        if not before or figure.sign or not found.asserted(figure.first):
            continue
        if any(f.value == figure.value for f in before):
            continue
        first = _definite(found, figure, before) if texts[figure.first - 1] == "the" else None
        first = first or _as_said(found, figure, before) or _that_group(found, figure, before)
        first = first or _same_name(found, figure, before) or _this(found, figure, before)
        first = first or _concluded(found, figure, before) or _short(found, figure, before)
        if first is not None:
            says = f"{first.value:,g} and then {figure.value:,g}"
            yield Check("one value, told twice", False, says, (first.span, figure.span))


def _definite(found: Evidence, figure: Figure, before: list[Figure]) -> Figure | None:
    """The earlier count of what "the 4,110 lost peaks" counts, where it is no sum or difference of those."""
    if (
        figure.kind != "count"
        or figure.decimals
        or not figure.unit
        or figure.unit in TIMES
        or figure.value < 10
    ):
        return None
    if unit_at(found.said.text, *figure.span):
        return None
    said, head = _noun(found, figure)
    same = [f for f in before if head and said <= _told(found, f, figure) and _noun(found, f)[1] == head]
    values = [f.value for f in before]
    made = (
        {a + s * b for a, b in itertools.permutations(values, 2) for s in (1, -1)}
        if len(values) < 30
        else set()
    )
    if not _same_things(found, figure, same, said):
        return None
    if len(said) < 2 or len({f.value for f in same}) != 1 or figure.value in made:
        return None
    return same[0] if same[0].part != figure.part or same[0].last + 3 < figure.first else None


RESTRICTS = words_of("restricts")
TO_BE = frozenset(("is", "was", "are", "were", "had", "have", "has"))


def _same_things(found: Evidence, figure: Figure, same: list[Figure], said: frozenset[str]) -> bool:
    """Whether a second count may be of the first ones: not "the 600 open peaks near promoters", a part."""
    texts, at = found.stream.texts, figure.last
    while at + 1 < len(texts) and not plural(found, at):
        at += 1
    after = texts[at + 1 : at + 2]
    if not same or not after or after[0] in RESTRICTS or "of" in texts[same[0].last : same[0].last + 2]:
        return False
    placed = after[0] in ("at", "in", "under") and content(found.stream, at + 1, at + 4) <= said
    return figure.value > same[0].value or placed or after[0] in TO_BE


def _told(found: Evidence, first: Figure, again: Figure) -> frozenset[str]:
    """The words of a figure, and of its sentence where the second is told in another."""
    return first.words | (found.words(first.part) if first.part != again.part else frozenset())


def _noun(found: Evidence, figure: Figure) -> tuple[frozenset[str], str]:
    """The words of what is counted, up to its plural and where it was seen, and that plural."""
    texts, at = found.stream.texts, figure.last
    end = min(at + REACH, found.parts[figure.part].last)
    while at < end and texts[at].isalnum() and texts[at] not in FUNCTION and not plural(found, at):
        at += 1
    if at >= end or not plural(found, at):
        return frozenset(), ""
    placed = texts[at + 1 : at + 2] and texts[at + 1] in ("at", "in", "under")
    return content(found.stream, figure.last, at + 4 if placed else at + 1), texts[at]


def _as_said(found: Evidence, figure: Figure, before: list[Figure]) -> Figure | None:
    """The earlier figure of the unit of "as said, 2.9 h", "at 6.9 %, as given above"."""
    texts = found.stream.texts
    near = range(max(1, figure.first - REACH), min(figure.last + REACH, len(texts)))
    if not any(texts[i] in AS and texts[i - 1] == "as" for i in near):
        return None
    return next((f for f in before if f.unit == figure.unit), None)


def _that_group(found: Evidence, figure: Figure, before: list[Figure]) -> Figure | None:
    """ "a Shannon index of 3.6 in that group": the first figure of the same name."""
    texts = found.stream.texts
    after = texts[figure.last : figure.last + 5]
    if not any(a in THAT and b in GROUP for a, b in itertools.pairwise(after)):
        return None
    name = texts[figure.first - 3 : figure.first]
    if name[-1:] not in (["of"], ["was"], ["is"]) or not name[0].isalpha() or name[0] in FUNCTION:
        return None
    same = [f for f in before if texts[f.first - 3 : f.first][:2] == name[:2]]
    return same[0] if len(same) == 1 else None


SUMMING = words_of("neutral") | words_of("concludes")
SUMMING |= {"taken", "together", "short", "brief", "find", "show", "analysis", "study"}
PLACES = words_of("places")
LINKS = frozenset(("of", "is", "was", ":", "="))


def _name(found: Evidence, figure: Figure) -> tuple[str, ...]:
    """The two words and more that name a figure: "median follow-up of", "Assembly size:"; else ()."""
    texts, at = found.stream.texts, figure.first
    first = found.parts[figure.part].first
    if at <= first or texts[at - 1] not in LINKS:
        return ()
    end = start = at - 1
    while (
        start > first and texts[start - 1].isalnum() and texts[start - 1] not in FUNCTION and end - start < 3
    ):
        start -= 1
    return tuple(texts[start:end]) if end - start >= 2 else ()


def _same_name(found: Evidence, figure: Figure, before: list[Figure]) -> Figure | None:
    """The earlier figure of the same name and unit, where neither is said of what the other is not."""
    name, texts = _name(found, figure), found.stream.texts
    if not name or figure.kind not in ("count", "percent"):
        return None
    same = [f for f in before if _name(found, f) == name and f.unit == figure.unit and f.part != figure.part]
    if len(same) != 1:
        return None
    first = same[0]
    if any(":" in texts[max(0, found.parts[f.part].first - 1) : f.first - 1] for f in (figure, same[0])):
        return None  # "Males: body mass was 21 g. Females: body mass was 24 g"
    if any(_timed(found, f) for f in (figure, first)):
        return None  # "3.1 h at 20 °C. At 28 °C the doubling time was 1.7 h"
    after = texts[figure.last : figure.last + 2]
    placed = not PLACES.isdisjoint(after) or after[:1] in ([","], ["("])
    new = {w for w in figure.right if w != figure.unit and placed} - found.words(first.part)
    left = {w for w in figure.left if w not in name} - found.words(first.part) - SUMMING
    lost = {w for w in first.right if w != first.unit} - found.words(figure.part)
    lost |= {w for w in first.left if w not in name} - found.words(figure.part)
    return None if new or left or lost - SUMMING else first


def _timed(found: Evidence, figure: Figure) -> bool:
    """Whether another number is said of a figure, before it or right after it: "at 28 °C"."""
    part, stream = found.parts[figure.part], found.stream
    near = (*range(part.first, figure.first), *range(figure.last, min(figure.last + REACH, part.last)))
    apart = [i for i in near if stream.texts[i] == "," and i < figure.first]
    return any(stream[i].number is not None and i > max(apart, default=0) for i in near)


CONCLUDING = (["in", "conclusion"], ["in", "short"], ["in", "summary"], ["taken", "together"], ["to", "sum"])


def _concluded(found: Evidence, figure: Figure, before: list[Figure]) -> Figure | None:
    """ "In conclusion, the survey found 74 wolves": the one count of such things before."""
    texts, part = found.stream.texts, found.parts[figure.part]
    if texts[part.first : part.first + 2] not in CONCLUDING or not figure.unit or figure.kind != "count":
        return None
    same = [f for f in before if f.unit == figure.unit]
    if len({f.value for f in same}) != 1:
        return None
    new = {w for w in figure.words if w != figure.unit and w.isalpha()} - found.words(same[0].part) - SUMMING
    return None if new else same[0]


def _this(found: Evidence, figure: Figure, before: list[Figure]) -> Figure | None:
    """ "Rarefied to 10,000 reads. At this depth of 10,000 reads per sample": the one count of such before."""
    texts = found.stream.texts
    named = texts[figure.first - 1] == "of" and texts[figure.first - 3] in THAT
    named = named and texts[figure.first - 2] in SETTINGS
    same = [f for f in before if f.unit == figure.unit and f.unit]
    return same[0] if named and len({f.value for f in same}) == 1 else None


def _short(found: Evidence, figure: Figure, before: list[Figure]) -> Figure | None:
    """ "Short answer: about 20 days", and the text has one other figure of days: 11."""
    texts, first = found.stream.texts, found.parts[0].first
    answer = [f for f in before if f.part <= 1 and f.first <= first + 8 and f.unit]
    if texts[first : first + 2] != ["short", "answer"] or len(answer) != 1 or figure.unit != answer[0].unit:
        return None
    others = {f.value for f in found.figures if f.unit == figure.unit and f is not answer[0]}
    asked = not content_of(found.prompt).isdisjoint(found.words(figure.part))
    return answer[0] if asked and others == {figure.value} else None
