"""What two figures come to: "29 months in A and 41 in B, so survival was longer in A"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.evidence.comparisons import GREATER, IS, clause_end
from biorlhf_plugins.language.evidence.records import FUNCTION, Check, Evidence, Figure, content, gap
from biorlhf_plugins.language.evidence.signs import TIMES, directions
from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.language.words.text import vocabulary

MEASURED = words_of("measured")
"""Words of comparison that are about the figure itself: not "better", nor "faster" of a time."""

TIES = frozenset((",", "is", "was", "which", "below", "above", "under", "over", "<", ">"))
"""All that may stand between a figure with its unit and its limit."""
ADJECTIVES = {
    **dict.fromkeys(("low", "lower", "reduced", "decreased", "diminished", "lowered", "weak"), "DOWN"),
    **dict.fromkeys(("high", "higher", "elevated", "increased", "raised", "enhanced"), "UP"),
}
MEASURES = frozenset((
    "expression", "level", "abundance", "mrna", "transcript", "protein", "activity", "concentration", "titer",
))  # fmt: skip
THE = frozenset(("the", "this", "these", "that", "such", "its", "their"))
FITS = vocabulary(
    "fit fits agree match explain reflect confirm consistent line support expected due result point"
)
LEVELS_ONLY = vocabulary(
    "predict predicted associated correlate correlated baseline basal absolute normal control healthy "
    "vehicle untreated noise noisy caution read detection limit not no never if would could may "
    "might before initially"
)
CASES = vocabulary(
    "tumor patient case mutant knockout ko treated infected exposed stressed here sample cell animal"
)
"""Who shows what was said to go up or down: told or not, it is the same."""

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


def opened(found: Evidence) -> Iterator[Check]:
    """ "Larger at baseline: 4,110 genes at baseline and 140 under HU+IR": what is concluded first."""
    texts = found.stream.texts
    for number, part in enumerate(found.parts):
        colon = next((i for i in range(part.first + 2, part.last) if texts[i] == ":"), 0)
        leads = colon and texts[part.first] in MEASURED and texts[part.first + 1] in PLACES
        if not leads or not found.asserted(part.first):
            continue
        side = content(found.stream, part.first + 1, colon)
        pair = [f for f in found.by_part.get(number, ()) if f.first > colon and not f.sign]
        if len(pair) != 2 or pair[0].kind != pair[1].kind or pair[0].kind not in ("count", "percent"):
            continue
        mine = [f for f in pair if f.words & side - pair[1 - pair.index(f)].words]
        if len(mine) == 1 and pair[0].value != pair[1].value:
            one, other, word = mine[0].value, pair[1 - pair.index(mine[0])].value, texts[part.first]
            says = f"{word}, with {one:,g} against {other:,g}"
            passed = (one > other) == (word in GREATER)
            yield Check("a comparison against its figures", passed, says, (found.span(part.first, colon),))


def described(found: Evidence) -> Iterator[Check]:
    """ "VHL is up in tumours. The low VHL expression fits the loss of 3p": against the direction."""
    texts = found.stream.texts
    for number, part in enumerate(found.parts):
        for at in range(part.first, part.last - 2) if number and part.kind == "prose" else ():
            way = ADJECTIVES.get(texts[at])
            name, end = _named(found, at, part.last) if way else ((), 0)
            words = {*texts[part.first : part.last]}
            led = at == part.first or texts[at - 1] in THE
            # "The low expression makes it noisy" is of a level, and "the reduced expression" of a change.
            change = texts[at] not in ("low", "high") or not FITS.isdisjoint(words)
            if (
                not name
                or not led
                or not change
                or not LEVELS_ONLY.isdisjoint(words)
                or not found.asserted(at)
            ):
                continue
            before = [(n, _told(found, n, name)) for n in range(number)]
            ways = {label for _, label in before if label}
            if len(ways) != 1 or not any(
                _same_place(found, n, end, part.last) for n, label in before if label
            ):
                continue
            says = f"{' '.join(name)}: {min(ways)}, and {texts[at]}"
            passed = ways == {way}
            yield Check(
                "a direction against its description", passed, says, (found.span(at, end),), alone=passed
            )


def _named(found: Evidence, at: int, last: int) -> tuple[tuple[str, ...], int]:
    """The feature of "low VHL expression", "low levels of VHL", and where the words end."""
    texts = found.stream.texts
    if texts[at + 1] in MEASURES and texts[at + 2] == "of":
        start = at + 3 + (texts[at + 3 : at + 4] == ["the"])
        return tuple(w for w in texts[start : min(start + 1, last)] if w not in FUNCTION), start + 1
    end = next((i for i in range(at + 1, min(at + 5, last)) if texts[i] in MEASURES), 0)
    name = tuple(texts[at + 1 : end]) if end else ()
    while end and texts[end + 1 : end + 2] and texts[end + 1] in MEASURES:
        end += 1
    plain = 1 <= len(name) <= 3 and all(
        found.stream[i].kind == "w" for i in range(at + 1, at + 1 + len(name))
    )
    return (
        tuple(w for w in name if w not in MEASURES) if plain and FUNCTION.isdisjoint(name) else ()
    ), end + 1


def _told(found: Evidence, number: int, name: Sequence[str]) -> str:
    """The one direction that a sentence gives to a feature, right behind its name: "VHL is up-regulated"."""
    part, texts = found.parts[number], found.stream.texts
    ways = directions(found, number)
    written = [m for m in part.inside.get("dir", ()) if any(m.first == at for _, at in ways)]
    if part.kind == "row" or len(ways) != 1 or len(written) != 1 or str(written[0].value) != ways[0][0]:
        return ""  # told of several, or of the control
    at = ways[0][1]
    start = next((i for i in range(at - 1, part.first - 1, -1) if texts[i : i + len(name)] == list(name)), -1)
    between = texts[start + len(name) : at]
    near = start >= part.first and len(between) <= 5 and UNSAID.union(MEASURES, IS).issuperset(between)
    return (
        ways[0][0] if near and found.asserted(at) and DENIED.isdisjoint(texts[part.first : part.last]) else ""
    )


def _same_place(found: Evidence, number: int, first: int, last: int) -> bool:
    """Whether what a description says of where and when is of the sentence with the direction too."""
    if first >= last or found.stream.texts[first] not in WHERE:
        return True
    dated = [t.text for t in found.stream[first : min(last, first + 4)] if t.number is not None]
    if not {*dated} <= {*found.stream.texts[found.parts[number].first : found.parts[number].last]}:
        return False  # "on day 9"
    place = next((w for w in found.stream.texts[first + 1 : last] if w not in FUNCTION), "")
    return place in CASES | found.words(number)


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
