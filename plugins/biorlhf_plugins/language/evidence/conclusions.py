"""What two figures come to: "29 months in A and 41 in B, so survival was longer in A"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.evidence.comparisons import GREATER, IS, clause_end
from biorlhf_plugins.language.evidence.records import FUNCTION, Check, Evidence, Figure, content, gap
from biorlhf_plugins.language.evidence.signs import TIMES, directions
from biorlhf_plugins.language.words.evidence import words_of

MEASURED = words_of("measured")
"""Words of comparison that are about the figure itself: not "better", nor "faster" of a time."""

TIES = frozenset((",", "is", "was", "which", "below", "above", "under", "over", "<", ">"))
"""All that may stand between a figure with its unit and its limit."""
DENIED = frozenset(("not", "no", "never", "neither"))
CUTS = frozenset((",", ";", ":"))
OPENS_CLAUSE = CUTS | {"so", "and"}
SO = frozenset(("so", "thus", "hence", "therefore"))
PLACES = words_of("places") | {"among"}
WHERE = PLACES | {"after", "during", "from", "of"}
LIGHT = words_of("concludes") | {"clearly", "indeed", "markedly", "mean", "significantly", "slightly"}
STOPS = words_of("links") | words_of("verbs") | PLACES | {"after", "from", "occurred", "to", "took"}
UNSAID = FUNCTION | LIGHT | STOPS
RATES = frozenset(("rate", "risk", "proportion", "percentage", "frequency", "incidence", "share"))
DURATIONS = frozenset(("time", "duration"))
"""What a percentage, or a time, may be called without having been."""


def concluded(found: Evidence) -> Iterator[Check]:
    """Every "was longer in A" after two figures, of which one is of A, of what they measure."""
    for number, part in enumerate(found.parts):
        for at in range(part.first + 1, part.last - 1):
            if found.stream.texts[at] not in MEASURED or not _states(found, at, part.first, part.last):
                continue
            here = [f for f in found.by_part.get(number, ()) if f.last <= at]
            figures = here or found.by_part.get(number - 1, [])
            if not figures or found.parts[figures[0].part].kind != "prose":
                continue
            start = _cut(found, here[-1].last, at) if here else part.first
            pairs = set(_pairs(found, figures, start, at, part.last))
            if len(pairs) == 1:
                one, other = pairs.pop()
                word = found.stream.texts[at]
                says = f"{word}, with {one:,g} against {other:,g}"
                passed = (one > other) == (word in GREATER)
                yield Check("a comparison against its figures", passed, says, (found.span(at, at + 1),))


def bounds(found: Evidence) -> Iterator[Check]:
    """ "1,221 DEGs, below 1,000", "padj 0.0747, below 0.05": a figure on the wrong side of its limit."""
    for figures in found.by_part.values():
        for one, limit in itertools.pairwise(figures):
            if one.sign or not limit.sign or one.value == limit.value or not found.asserted(one.first):
                continue
            between = gap(found, one, limit)
            chance = one.kind == "p" and 0 < limit.value <= 0.25 and not limit.unit
            if not TIES.issuperset(between[1:] if one.unit else between):
                continue  # "the four patients who stayed over 60 days"
            counted = "over" in between and limit.unit and not one.unit and "," not in between
            if counted and "was" not in between:
                continue  # "a kappa of 0.74 over 300 slides"
            if not chance and ((one.kind, limit.kind) != ("count", "count") or limit.value < 1 <= one.value):
                continue  # "18 below 0.05": of the p values of 18
            if not chance and one.unit and limit.unit and one.unit != limit.unit:
                continue
            passed = one.value > limit.value if limit.sign == ">" else one.value < limit.value
            says = f"{one.value:,g} against {limit.value:,g}"
            # A p value and a cut-off that fits it can be written down by anybody.
            spans = (one.span, limit.span)
            yield Check("a comparison against its figures", passed, says, spans, alone=passed and chance)


def _states(found: Evidence, at: int, first: int, last: int) -> bool:
    """ "is", "was" or "were" longer in …: nothing is denied, supposed or compared by "than"."""
    texts = found.stream.texts
    before = texts[max(first, at - 4) : at]
    verb = not IS.isdisjoint(before[-3:]) and DENIED.isdisjoint(before)
    return verb and texts[at + 1] in PLACES and "than" not in texts[at:last] and found.asserted(at)


def _cut(found: Evidence, first: int, at: int) -> int:
    """Where the clause after a figure begins: past the words that the figure is of."""
    return next((i for i in range(first, at) if found.stream.texts[i] in OPENS_CLAUSE), at)


def _pairs(
    found: Evidence, figures: Sequence[Figure], start: int, at: int, last: int
) -> Iterator[tuple[float, float]]:
    """The figures of the named side and of the other, where there are just two of a kind and a unit."""
    source, own = found.parts[figures[0].part], directions(found, figures[0].part)
    if any(way in ("UP", "DOWN") and i < figures[0].last + 2 for way, i in own):
        return  # "was reduced by 12 mmHg with … and by 4 with …"
    if "respectively" in found.stream.texts[source.first : source.last]:
        return
    told = content(found.stream, source.first, min(start, source.last))
    side = content(found.stream, at + 1, clause_end(found.stream, at + 1, last))
    subject = content(found.stream, start, at) - LIGHT
    for (kind, unit), group in itertools.groupby(sorted(figures, key=_sort), key=_sort):
        pair = [f for f in group if not f.sign]
        if kind not in ("count", "percent") or len(pair) != 2 or min(f.value for f in pair) < 0:
            continue
        also = RATES if kind == "percent" else DURATIONS if unit in TIMES else frozenset()
        heads = {_head(found, source.first, pair[0].first, own) for own in (frozenset(), also & RATES)}
        said = {_head(found, start, at, own) for own in (frozenset(), also)}
        named = (
            not heads.isdisjoint(said - {""})
            if subject - also
            else not SO.isdisjoint(found.stream.texts[start:at])
        )
        mine = [f for f in pair if f.words & side - pair[1 - pair.index(f)].words]
        if (
            named
            and subject - also <= told
            and side <= told
            and len(mine) == 1
            and pair[0].value != pair[1].value
        ):
            yield mine[0].value, pair[1 - pair.index(mine[0])].value


def _head(found: Evidence, first: int, last: int, without: frozenset[str]) -> str:
    """The noun of a clause's subject: the time of "median time to relapse was"."""
    head = ""
    for word, kind, *_ in found.stream[first:last]:
        if head and word in STOPS:
            break
        if word in CUTS:
            head = ""
        elif kind == "w" and word not in UNSAID and word not in without:
            head = word
    return head


def _sort(figure: Figure) -> tuple[str, str]:
    return figure.kind, figure.unit
