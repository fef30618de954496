"""Parts of a whole: "62 of 151 (41 %)", "301, 151 to the drug and 150 to placebo"; an interval."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.evidence.records import FUNCTION, Check, Evidence, Figure, gap
from biorlhf_plugins.language.evidence.vocabulary import meanings, words_of

ROUGH = words_of("rough")
TOTALS = words_of("totals")
REST = words_of("rest")
WAYS = meanings("ways")
GREATER, SMALLER = words_of("greater"), words_of("smaller")


MAKES = frozenset(("so", "=", "total", "ie", "make", "is", "hence"))
THEM = words_of("neutral") | {
    "them",
    "whole",
    "total",
    "dataset",
    "data",
    "cohort",
    "sample",
    "study",
    "population",
}
FEW = 8
"""Tokens from a whole to the first of its listed parts."""
FAR = 14
"""Tokens between a part and its share: "150 responded and 90 did not, a response rate of 62.5 %"."""

EXPLAINS = (
    "that is", "ie", "that means", "which is", "or", "a reduction of", "a decrease of", "an increase of",
    "a rise of", "a drop of", "a fall of", "a loss of", "a gain of", "a decline of", ", a", "(",
)  # fmt: skip
"""What leads from two figures to their share."""

NEARLY = 0.12
"""Relative error up to which two parts and a whole are meant as such, and are a slip."""

PARALLEL = frozenset(("to", "received", "got", "in", "on", "were", "assigned", "from", "with"))
SPLITS = frozenset(("which", "these", "them", "kept", "remaining", "left", "removed", "excluded", "rest"))
Taken = tuple[Check, set[int]]


def plain_of(figures: Sequence[Figure]) -> list[Figure]:
    return [f for f in figures if f.kind == "count" and not f.sign]


def _of(found: Evidence, one: Figure, other: Figure) -> bool:
    """ "62 of the 151", "62 out of 151", "62/151"."""
    between = gap(found, one, other)
    if between == ["/"]:
        return other.value >= one.value > 0  # "6,425/165" is a ratio
    if "of" not in between:
        return False
    words = [
        w for w in between if w not in ("the", "these", "those", "all", "it", "a", "total", "out", "our")
    ]
    return bool(words) and words[-1] == "of" and len(words) <= 3 and not {"that", "is", ","} & set(between)


def _among(found: Evidence, figure: Figure, between: Sequence[str]) -> bool:
    """ "Of the 240 tumours, 48 …": the whole of what follows."""
    before = found.stream.texts[max(0, figure.first - 3) : figure.first]
    opens = found.parts[figure.part].first == figure.first - 1  # "Of 309 genes at baseline just 3 remain"
    if ("," not in between and not opens) or "and" in between or len(between) > 8:
        return False
    return "of" in before or "among" in before


def shares(found: Evidence, figures: Sequence[Figure], used: set[int]) -> Iterator[Taken]:
    """ "62 of 151 patients (41 %)", "of the 240 tumours, 48 (20 %)": the part, the whole and the share."""
    opened: Sequence[Figure] = ()
    part: Figure | None = None
    for at, (figure, following) in enumerate(itertools.pairwise(figures)):
        if figure.kind != "count" or figure.first in used:
            continue
        between = gap(found, figure, following)
        if opened and figure is not part and _in_brackets(found, figure, following):
            # "… and 12 (25 %)": of the whole, or of a part before it.
            yield from _share(found, [figure], [f for f in opened if f.first < figure.first], following)
        if following.kind != "count" or figure.last - figure.first != following.last - following.first:
            continue  # "36 of 40 million"
        if _of(found, figure, following):
            part, whole = figure, following
        elif _among(found, figure, between):
            part, whole = following, figure
            opened = plain_of(figures[at:])
        else:
            continue
        says = f"{part.value:g} of {whole.value:g}"
        if not (part.unit == whole.unit and part.unit in ("h", "day", "week")):
            spans = (part.span, whole.span)
            yield Check("parts and whole", part.value <= whole.value, says, spans), {part.first, whole.first}
        share = next((f for f in figures[at + 2 : at + 4] if f.kind in ("percent", "ratio")), None)
        ahead = figures[at - 1] if at and figures[at - 1].kind == "percent" else None
        # "12 (25 %) showed fibrosis, and 4 of these 12 …": what stands in brackets is of what it follows.
        share = share or (None if ahead and found.stream.texts[ahead.first - 1] == "(" else ahead)
        if share is not None and share.kind == "percent" and len(gap(found, following, share)) <= FAR:
            others = [f for f in plain_of(figures) if following.first < f.first < share.first]
            if others and found.stream.texts[share.first - 1] in ("is", "was"):
                continue  # "20 got the drug and 30 saline, and mortality was 10 %"
            yield from _share(found, [part, *others], [whole], share)


def _in_brackets(found: Evidence, part: Figure, share: Figure) -> bool:
    """ "and 12 showed fibrosis (25 %)"."""
    texts, between = found.stream.texts, gap(found, part, share)
    closed = share.kind == "percent" and between[-1:] == ["("] and texts[share.last : share.last + 1] == [")"]
    return closed and "," not in between and texts[part.first - 1] in ("and", ",")


def _share(found: Evidence, parts: list[Figure], wholes: Sequence[Figure], share: Figure) -> Iterator[Taken]:
    """A share against the one of the parts that goes its way; where none does, any of them may be meant."""
    texts, last = found.stream.texts, found.parts[share.part].last
    after = texts[share.last : share.last + 4]
    named = next((w for w in after if w not in FUNCTION), "") if after[:1] == ["of"] else "them"
    wholes = [f for f in wholes if f.value > 0 and f.value >= parts[0].value]
    if not wholes or named not in THEM | wholes[0].words:
        return  # "50 % of the females"
    way = way_of(found, share, last)
    parts = [f for f in parts if way and way_of(found, f, last) == way] or parts
    rough = bool(set(texts[max(0, share.first - 2) : share.first]) & ROUGH)
    slack = 1.5 if rough else 0.6 if share.decimals == 0 else 0.11
    rights = [(100 * part.value / whole.value, part, whole) for part in parts for whole in wholes]
    right, part, whole = min(rights, key=lambda r: abs(r[0] - share.value))
    says = f"{part.value:g} of {whole.value:g} = {right:.3g} %, stated {share.value:g} %"
    yield (
        Check(
            "ratios and percentages", abs(right - share.value) <= slack, says,
            (part.span, whole.span, share.span), expected=f"{right:.3g}%",
        ),
        {part.first, whole.first, share.first},
    )  # fmt: skip


def wholes(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Taken]:
    """ "301 randomised, 151 to the drug and 150 to placebo", "412 proteins: 150 up, 262 down"."""
    plain = plain_of(figures)
    part = found.parts[number]
    if len(plain) < 3:
        return
    totalled = not TOTALS.isdisjoint(found.stream.texts[part.first : part.last])
    sides = [way_of(found, f, part.last) for f in plain]
    texts = found.stream.texts
    split = not SPLITS.isdisjoint(texts[part.first : part.last]) or (
        ":" in gap(found, plain[0], plain[1]) and "and" in gap(found, plain[1], plain[2])
    )
    whole, rest = plain[0], plain[1:]
    listed = not {":", "("}.isdisjoint(lead := gap(found, whole, rest[0])) and len(lead) <= FEW
    gaps = [gap(found, a, b) for a, b in itertools.pairwise(rest)]
    listed = listed and all("of" not in g and not {",", "and"}.isdisjoint(g) for g in gaps)
    if listed and totalled and len(rest) > 2 and len(plain) == len(figures):
        yield _whole(whole, rest)  # "29 in all: 14 in the valley, 9 on the slope and 6 above"
        return
    if split and len(plain) == 3 and not any(_of(found, a, b) for a, b in itertools.pairwise(plain)):
        whole, one, other = sorted(plain, key=lambda f: -f.value)
        # Which is the whole is left open; parts that come near it without making it are a slip.
        if abs(one.value + other.value - whole.value) <= NEARLY * whole.value:
            yield _whole(whole, [one, other])
            return
    if not totalled and not {"up", "down"} <= set(sides):
        return
    for at, (whole, one, other) in enumerate(zip(plain, plain[1:], plain[2:], strict=False)):
        ways = sides[at + 1 : at + 3]
        after = [_next(found, f) for f in (one, other)]
        parallel = after[0] == after[1] and after[0] in PARALLEL
        opposite = {"up", "down"} == set(ways) and not way_of(found, whole, one.first)
        totals = totalled and whole is plain[0] and parallel and len(plain) == 3 + (whole is not plain[0])
        lead = found.stream.texts[max(0, whole.first - 2) : whole.first]
        if totals and lead[-1:] == ["of"] and lead != ["total", "of"]:
            totals = False  # "of 412 screened patients …": those that were chosen from
        if not opposite and not totals:
            continue
        if opposite and len(gap(found, whole, one)) > 14:
            continue
        if _of(found, whole, one) or _of(found, one, other):
            continue
        yield _whole(whole, [one, other])
    if len(plain) >= 3:  # "2,189 rise and 1,921 fall, 4,110 in all"
        one, other, whole = plain[:3]
        tail = found.stream.texts[whole.last : whole.last + 4]
        ends = any(tail[at : at + 2] in (["in", "total"], ["in", "all"]) for at in range(3))
        ends = ends or "altogether" in tail[:2] or tail[:1] == ["total"]
        if ends and (
            {"up", "down"} == set(sides[:2]) or (len(plain) == 3 and "and" in gap(found, one, other))
        ):
            yield _whole(whole, [one, other])
    if len(plain) == 4 and totalled:  # "Of 412 screened 300 were randomised: 148 to … and 152 to …"
        screened, whole, one, other = plain
        if screened.value >= whole.value and _next(found, one) == _next(found, other) == "to":
            yield _whole(whole, [one, other])


def _whole(whole: Figure, parts: Sequence[Figure]) -> Taken:
    total = sum(f.value for f in parts)
    says = f"{' + '.join(f'{f.value:,g}' for f in parts)} = {total:,g}, stated {whole.value:,g}"
    spans = tuple(f.span for f in (whole, *parts))
    check = Check(
        "parts and whole",
        abs(total - whole.value) <= 0.001 * whole.value,
        says,
        spans,
        expected=f"{total:,g}",
    )
    return check, {f.first for f in (whole, *parts)}


def way_of(found: Evidence, figure: Figure, limit: int) -> str:
    """The up or down of "150 up", "2,189 go up", "362 are downregulated"."""
    for token in found.stream[figure.last : min(limit, figure.last + 4)]:
        if token.text in WAYS:
            return WAYS[token.text]
        if token.text in (",", ";", "(", ")", "and", ":") or token.number is not None:
            break
    return ""


def _next(found: Evidence, figure: Figure) -> str:
    token = found.stream[figure.last] if figure.last < len(found.stream) else None
    return token.text if token else ""


def percents(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "60 % rise, the remaining 60 % fall", "62 % up and 58 % down": shares of one whole."""
    shares = [f for f in figures if f.kind == "percent" and not f.sign]
    if len(shares) < 2:
        return
    part = found.parts[number]
    words = set(found.stream.texts[part.first : part.last])
    ways = {way_of(found, f, part.last) for f in shares}
    total = sum(f.value for f in shares)
    says = f"{' + '.join(f'{f.value:g}' for f in shares)} = {total:g} %"
    spans = tuple(f.span for f in shares)
    whole = words & REST or (len(shares) > 2 and words & {"all", "together", "total"})
    if whole and len(shares) == len(figures):
        yield Check("shares of a whole", abs(total - 100) <= 1, says, spans)
    elif len(shares) == 2 and ways == {"up", "down"}:
        yield Check("shares of a whole", total <= 101, says, spans)


def explained(found: Evidence, figures: Sequence[Figure], used: set[int]) -> Iterator[Check]:
    """ "1,920 wells and 96 hits, that is 5 %", "from 160 to 120, a reduction of 25 %"."""
    shares = [f for f in figures if f.kind == "percent" and not f.sign and f.first not in used]
    plain = [f for f in plain_of(figures) if f.value > 0]
    if len(shares) != 1 or len(plain) != 2 or plain[1].first > shares[0].first:
        return
    if plain[0].last - plain[0].first != plain[1].last - plain[1].first:
        return  # "36 of 40 million"
    one, other, share = *plain, shares[0]
    lead = " ".join(gap(found, other, share))
    after = found.stream.texts[share.last : share.last + 1]
    compares = not (GREATER | SMALLER).isdisjoint(after)  # "they are 50 % taller"
    if _of(found, one, other) or not (compares or any(f" {words} " in f" {lead} " for words in EXPLAINS)):
        return
    low, high = sorted((one.value, other.value))
    moved = found.stream.texts[one.first - 1] == "from" and gap(found, one, other)[-1:] == ["to"]
    change = abs(other.value - one.value) / one.value
    differs = [1 - low / high] if after and after[0] in SMALLER else [high / low - 1]
    shares_of = [low / high, high / low, 1 - low / high, high / low - 1]
    right = [change] if moved else differs if compares else shares_of
    slack = 1.5 if set(lead.split()) & ROUGH else 0.6 if share.decimals == 0 else 0.11
    passed = any(abs(100 * r - share.value) <= slack for r in right)
    says = f"{one.value:g} and {other.value:g}, stated {share.value:g} %"
    spans = (one.span, other.span, share.span)
    yield Check("ratios and percentages", passed, says, spans, expected=f"{100 * right[0]:.3g}%")


def each(found: Evidence, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "19,050 genes at 4 guides each, so 76,200 guides": so many times so many."""
    plain = plain_of(figures)
    if len(plain) != 3:
        return
    one, other, whole = plain
    between = set(gap(found, other, whole))
    if {"each", "apiece"}.isdisjoint(between) or MAKES.isdisjoint(between):
        return
    right = one.value * other.value
    says = f"{one.value:,g} × {other.value:,g} = {right:,g}, stated {whole.value:,g}"
    spans = tuple(f.span for f in plain)
    yield Check("arithmetic", abs(right - whole.value) <= 0.001 * right, says, spans, expected=f"{right:,g}")


def intervals(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "HR 0.68 (95 % CI 0.54-0.86)": an interval holds its estimate."""
    part = found.parts[number]
    for at in range(part.first, part.last):
        if found.stream.texts[at] not in ("ci", "interval"):
            continue
        ends = [f for f in figures if f.first > at and f.first - at <= 9 and f.kind != "level"]
        bounds = [f.value for f in ends[:2]]
        before = [
            f for f in figures if f.last <= at and not (f.kind in ("level", "percent") and at - f.last <= 2)
        ]
        before = [
            f
            for f in before
            if f.kind not in ("low", "high", "p", "n", "alpha", "range") and at - f.last <= 12
        ]
        if len(bounds) < 2 or not before:
            continue
        if ends[0].first != ends[1].first and len(gap(found, ends[0], ends[1])) > 2:
            continue
        low, high = sorted(bounds)
        value = before[-1].value
        says = f"{value:g} with an interval from {low:g} to {high:g}"
        yield Check(
            "an interval holds its estimate", low <= value <= high, says, (before[-1].span, ends[0].span)
        )
