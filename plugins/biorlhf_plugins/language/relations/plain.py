"""The plainest slips: parts that are more than their whole, one number or direction told twice.

"Of 151 patients 140 completed and 31 dropped out"; "4,218 DEGs. Most of the 2,418 DEGs go up"; "Pgk1 is lower
in the knock-out. In summary, it is increased".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, content, once
from biorlhf_plugins.language.evidence.shares import ROUGH, is_of
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.language.words.text import vocabulary

TIMES = words_of("times")
KEPT, LOST = words_of("kept_of") | {"alive"}, words_of("lost_from") | {"dropped", "dead"}
REST = words_of("rest") | {"other"}
OVERLAPS = words_of("overlaps") | frozenset((
    "also", "least", "including", "include", "such", "had", "have", "has", "them", "each", "per", "against",
    "versus", "vs", "than",
))  # fmt: skip
MADE = frozenset(("comprise", "comprised", "comprising", "consist", "namely", "fall", "divided", "split"))
WITH = frozenset(("with", "as", "without", "carry", "carried", "express"))
IS = frozenset(("is", "are", "was", "were", "be"))
SUMS_UP = ("in total", "overall", "to sum up ,", "in all", "altogether", "in sum")
SUMMED = tuple(words.split() for words in SUMS_UP)
OPENINGS = (["there", "are"], ["there", "were"], ["we", "found"], ["we", "identified"], ["we", "detected"])
ANSWERS = (["answer", "is"], ["in", "short", ","], ["is", "thus"], ["is", "therefore"], ["is", "hence"])
PLACES = frozenset(("in", "at", "under", "with", "for", "from", "per", "among", "on", "during", "after"))
TELLS = IS | frozenset(("had", "have", "go", "went", "lie", "could", "did", "do", "rise", "fall", "respond"))
ENDS = frozenset((",", ";", ".", "(", ")", ":", "and", "or", "but", "while", "whereas", "against", "vs"))
SO = vocabulary("so thus hence therefore which that conclusion overall summary expected")
CARRIERS = frozenset(("cell", "tissue", "mice", "mouse", "plant", "sample", "group", "animal"))
GENES = frozenset(("gene", "deg", "transcript"))
NAMELESS = SO | {"expression", "level", "it", "mean", "taken", "together", "short", "total", "clearly"}
MOST_PARTS = 6
NEAR = 0.03
"""Two numbers that differ by less are one, rounded."""


def plain(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    for number, part in enumerate(found.parts):
        if part.kind != "prose" or not found.asserted(part.first):
            continue
        counts = _counts(found, number)
        if counts:
            yield from _parts(found, number, counts)
            yield from _again(found, number, counts)
        if number:
            yield from _summed_up(found, number)


@once
def _counts(found: Evidence, number: int) -> list[Figure]:
    """The figures of a sentence that count things: no measures, shares or names."""
    return [
        f
        for f in found.by_part.get(number, ())
        if f.kind == "count" and not (f.sign or f.decimals or found.unit(f))
    ]


def _parts(found: Evidence, number: int, counts: Sequence[Figure]) -> Iterator[Check]:
    """Parts that exclude each other are no more than their whole."""
    part, texts = found.parts[number], found.stream.texts
    whole, parts = _whole(found, number, counts) if len(counts) == len(found.by_part[number]) else (None, ())
    if whole is None or len(parts) < 2:
        return
    since = texts[min(whole.first, parts[0].first) : part.last]
    reckoned = not {"+", "=", "ratio"}.isdisjoint(since)
    if (
        reckoned
        or not OVERLAPS.isdisjoint(since)
        or whole.unit in TIMES
        or len(parts) > MOST_PARTS
        or whole.value in [f.value for f in parts]
    ):
        return
    tails = [
        texts[one.last : other.first]
        for one, other in pairwise((*parts, parts[-1]._replace(first=part.last)))
    ]
    rest = len(parts) == 2 and not REST.isdisjoint(texts[parts[1].first - 2 : parts[1].first])
    lost = [not LOST.isdisjoint(tail) for tail in tails]
    opposed = len(parts) == 2 and any(lost) and not all(lost) and any(not KEPT.isdisjoint(t) for t in tails)
    # "178 carry an APC mutation, 131 a TP53 one" may be the same; "60 are A, 35 B and 25 C" are not.
    kinds = (not IS.isdisjoint(tails[0][:1]) and not any(_verbal(tail) for tail in tails[1:])) or (
        texts[parts[0].first - 1] == ":" and len(parts) == 3
    )
    timed = not {"day", "week", "month", "year", "h", "hour", "before", "after"}.isdisjoint(since)
    sorts = len(parts) >= 3 and kinds and all(0 < len(tail) <= 5 for tail in tails)
    sorts = sorts and WITH.isdisjoint(word for tail in tails for word in tail)
    made = not MADE.isdisjoint(since) and WITH.isdisjoint(since)
    if not (rest or opposed or sorts or made) or timed or "mean" in found.stream.vocabulary:
        return
    total = sum(f.value for f in parts)
    says = f"{' + '.join(f'{f.value:,g}' for f in parts)} = {total:,g}, of {whole.value:,g}"
    if total > whole.value or total == whole.value:
        spans = (whole.span, *(f.span for f in parts))
        yield Check("parts and whole", total == whole.value, says, spans, expected=f"{whole.value:,g}")


def _verbal(tail: Sequence[str]) -> bool:
    """Whether a part says with a verb of its own what became of it: "55 germinated"."""
    return not IS.isdisjoint(tail) or any(word.endswith("ed") for word in tail[:2])


def _whole(found: Evidence, number: int, counts: Sequence[Figure]) -> tuple[Figure | None, Sequence[Figure]]:
    """The whole of a sentence's counts, and its parts: "Of 120 …, 60 …", "120 …: 60 …", "120 …. 60 …"."""
    texts, first = found.stream.texts, counts[0]
    if len(counts) >= 2 and is_of(found, first, counts[1]):  # "140 of the 151 completed, the other 11 …"
        return counts[1], [first, *counts[2:]]
    if len(counts) >= 3:
        lead = texts[max(0, first.first - 2) : first.first]
        colon = texts[counts[1].first - 1] == ":" and counts[1].first - first.last > 1  # not "2:1"
        if (
            colon
            or not {"of", "among"}.isdisjoint(lead)
            or not MADE.isdisjoint(texts[first.last : counts[1].first])
        ):
            return first, counts[1:]
    before = _counts(found, number - 1) if number else []
    if (
        len(before) == 1
        and len(found.by_part.get(number - 1, ())) == 1
        and first.first == found.parts[number].first
    ):
        return before[0], counts
    return None, ()


def _again(found: Evidence, number: int, counts: Sequence[Figure]) -> Iterator[Check]:
    """ "There are 4,218 DEGs. Most of the 2,418 DEGs go up": of the same things another number."""
    part, texts = found.parts[number], found.stream.texts
    figure = counts[0]
    earlier = [f for n in range(number) for f in found.by_part.get(n, ())]
    bare_noun = figure.unit == "" and len(earlier) == len(counts) == 1  # "half of the 2,418 go up"
    alike = GENES if figure.unit in GENES else {figure.unit}
    before = [f for f in earlier if bare_noun or f.unit in alike]
    lead = texts[part.first : figure.first]
    lead = lead[2:] if lead[:1] in (["yes"], ["no"]) else lead
    lead = lead[1:] if lead[:1] == ["with"] and len(lead) == 2 else lead  # "With these 1,555 DEGs, …"
    scoped = not PLACES.isdisjoint(lead[2:] if lead[:1] == ["in"] else lead)
    if len(before) != 1 or before[0].kind != "count" or not before[0].unit or scoped or before[0].sign:
        return
    one, following = before[0], texts[figure.last + 1 : figure.last + 2]
    bare = PLACES.isdisjoint(w for w in texts[found.parts[one.part].first : one.first])
    partly = lead[-2:] == ["of", "the"] and len(lead) > 2  # "most of the 2,418"
    pointed = partly or lead in (["these"], ["those"], ["of", "these"], ["of", "those"])
    if bare_noun:
        following = texts[figure.last : figure.last + 1]
    told = not following or following[0] in TELLS or following[0] in ENDS
    opening = texts[found.parts[one.part].first : one.first]
    bare = bare and (opening[:2] in OPENINGS or not opening or figure.value < one.value)
    summed = any(lead[: len(words)] == words for words in SUMMED) and bare
    if any(lead[-len(words) :] == words for words in ANSWERS):
        pointed = told = len(earlier) == 1
    own = [w for w in texts[one.last + 1 : found.parts[one.part].last] if w not in ("all", "total")]
    summed = summed and (PLACES - {"in"} if len(own) < 2 else PLACES).isdisjoint(own)
    rough = not ROUGH.isdisjoint((*lead[-2:], *texts[max(0, one.first - 2) : one.first]))
    if rough or not ((pointed and told) or summed) or min(one.value, figure.value) <= 0:
        return
    apart = abs(one.value - figure.value) / max(one.value, figure.value)
    says = f"{one.value:,g} and {figure.value:,g} {figure.unit}"
    if apart == 0 or apart > NEAR:
        yield Check("one value per slot", apart == 0, says, (one.span, figure.span))


def _summed_up(found: Evidence, number: int) -> Iterator[Check]:
    """ "Pgk1 is lower in the knock-out. In summary, it is increased in the knock-out"."""
    part, texts = found.parts[number], found.stream.texts
    if SO.isdisjoint(texts[part.first : part.first + 2]) or "not" in texts[part.first : part.last]:
        return
    ways = [(label, at) for label, at in directions(found, number) if label in ("UP", "DOWN")]
    if len(ways) != 1:
        return
    label, at = ways[0]
    said = content(found.stream, part.first, at) - NAMELESS
    after = _where(found, at, part.last)
    for before in range(number - 1, max(-1, number - 4), -1):
        own = [(one, i) for one, i in directions(found, before) if one in ("UP", "DOWN")]
        first = found.parts[before].first
        if len(own) != 1 or found.parts[before].kind != "prose" or not found.asserted(own[0][1]):
            continue
        subject = content(found.stream, first, own[0][1]) - NAMELESS
        alike = said == subject or (not said and not {"it", "its"}.isdisjoint(texts[part.first : at]))
        if not subject or not alike or not after <= _where(found, own[0][1], found.parts[before].last):
            continue
        says = f"{own[0][0]}, and in the end {label}"
        spans = (found.span(own[0][1], own[0][1] + 1), found.span(at, at + 1))
        yield Check("the conclusion against its reasons", label == own[0][0], says, spans)
        return


def _where(found: Evidence, at: int, last: int) -> frozenset[str]:
    """The words of where a direction is seen, up to what it is compared with."""
    ends = ("than", "relative", "compared", "versus", "vs", ",")
    end = next((i for i in range(at + 1, last) if found.stream.texts[i] in ends), last)
    return content(found.stream, at + 1, end) - CARRIERS
