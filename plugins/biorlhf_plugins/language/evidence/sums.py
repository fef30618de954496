"""What figures make together: written sums, parts of a whole, shares, ratios, differences, intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from biorlhf_plugins.language.evidence.figures import Evidence, Figure
from biorlhf_plugins.language.evidence.vocabulary import meanings, words_of
from biorlhf_plugins.language.records import Span

OPERATORS = {
    "/": "/", "÷": "/", "over": "/", "divided": "/", "×": "×", "x": "×", "+": "+", "plus": "+", "—": "-", "–": "-",
    "minus": "-",
}  # fmt: skip
SIGNS = frozenset(OPERATORS) | {"time"}
EQUALS = words_of("equals")
ROUGH = words_of("rough")
PADDING = ROUGH | {"to", "of", "(", ")", "by", "a", "the", "that", ","}
TIMES = frozenset(("time", "fold"))
FOLDS = meanings("folds")
MORE = words_of("more")
TOTALS = words_of("totals")
REST = words_of("rest")
WAYS = meanings("ways")
SLACK = 0.06
"""Relative error that a stated ratio of two stated figures may have."""

NEVER = frozenset(("p", "alpha", "n", "level", "low", "high", "range", "effect", "hazard", "fold"))
"""Kinds that are no count, share or measure of their own."""


class Check(NamedTuple):
    """One thing that could be checked. ``says`` tells what was compared, ``expected`` what would be right.

    ``severity`` is its weight. ``alone`` marks what stands by itself, such as "2 + 2 = 4": it needs nothing
    else in the text, so that anybody can write it down.
    """

    name: str
    passed: bool
    says: str
    spans: tuple[Span, ...]
    severity: float = 1.0
    alone: bool = False
    expected: str = ""


def sums(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    written = not found.vocabulary.isdisjoint(SIGNS)
    spanned = not found.vocabulary.isdisjoint(("ci", "interval"))
    for part, figures in found.by_part.items():
        if not found.asserted(found.parts[part].first):
            continue
        used: set[int] = set()
        for check, taken in _equations(found, figures) if written and len(figures) > 2 else ():
            used |= taken
            yield check
        if len(figures) < 2:
            yield from _ratios(found, part, figures, used)
            continue
        for check, taken in (*_shares(found, figures, used), *_wholes(found, part, figures)):
            used = used | taken
            yield check
        yield from _ratios(found, part, figures, used)
        yield from _differences(found, figures, used)
        yield from _percents(found, part, figures)
        if spanned:
            yield from _intervals(found, part, figures)


def gap(found: Evidence, one: Figure, other: Figure) -> list[str]:
    """The tokens between two figures."""
    return [t.text for t in found.stream[one.last : other.first]]


Taken = tuple[Check, set[int]]


def _equations(found: Evidence, figures: Sequence[Figure]) -> Iterator[Taken]:
    """ "a + b = c", "c DEGs = a up + b down", "a over b is roughly c", "a is about c times b"."""
    run: list[Figure] = []
    links: list[str] = []
    for figure in figures:
        link = _link(gap(found, run[-1], figure)) if run else ""
        if run and not link:
            yield from _equation(found, run, links)
            run, links = [], []
        elif run:
            links.append(link)
        run.append(figure)
    yield from _equation(found, run, links)


def _link(between: list[str]) -> str:
    """The operator or equals sign between two figures, "" where there is none or more than one."""
    if len(between) > 6:
        return ""
    signs = [OPERATORS[w] for w in between if w in OPERATORS]
    equal = [w for w in between if w in ("=", "≈")]
    if equal and not signs:
        return "≈" if "≈" in between or set(between) & ROUGH else "="
    others = [w for w in between if w not in OPERATORS and w not in PADDING]
    if (
        len(signs) == 1
        and not equal
        and (len(others) <= 2 or signs[0] == "+")
        and not set(others) & {"=", "of"}
    ):
        return signs[0] if not (set(others) & EQUALS) else ""
    if (
        not signs
        and between
        and (set(between) & EQUALS)
        and all(w in EQUALS or w in PADDING for w in between)
    ):
        return "is"
    if between[:1] == ["time"] and len(between) == 1:
        return "×"
    return ""


def _equation(found: Evidence, run: list[Figure], links: list[str]) -> Iterator[Taken]:
    marks = [i for i, link in enumerate(links) if link in ("=", "≈", "is")]
    if len(marks) != 1 or len(links) < 2:
        return
    at = marks[0]
    left, right = run[: at + 1], run[at + 1 :]
    if links[at] == "is" and (len(left) == 1) and not (len(right) == 2 and links[-1] == "×"):
        return  # "6,425 is 4,110 + …" is no sum that anybody writes
    one, other = _value(left, links[:at]), _value(right, links[at + 1 :])
    if one is None or other is None:
        return
    stated, value = (other, one) if len(left) > 1 else (one, other)
    result = right[-1] if len(left) > 1 else left[0]
    scales = (1.0, 100.0) if result.kind == "percent" else (1.0,)
    divides = "/" in links or links[-1] == "×"
    rough = divides or links[at] != "=" or set(gap(found, left[-1], right[0])) & ROUGH
    slack = max(0.02 * abs(stated) if rough else 0.0, 0.51 * 10.0**-result.decimals if divides else 1e-6)
    slack += 0.51 * len(run) * 10.0 ** -max(f.decimals for f in run) if any(f.decimals for f in run) else 0.0
    if "×" in links and rough:
        slack += sum(
            abs(value / f.value) * 0.5 * 10.0**-f.decimals for f in right if f.value and f.value < 100
        )
    best = min((value * scale for scale in scales), key=lambda v: abs(v - stated))
    spans = (found.span(run[0].first, run[-1].last),)
    elsewhere = {f.value for f in found.figures if f not in run}
    alone = not any(f.value in elsewhere or _asked(found, f) for f in run)
    words = found.said.text[spans[0][0] : spans[0][1]]
    passed = abs(best - stated) <= slack
    says = f"{words}" + ("" if passed else f", but it is {best:,.4g}")
    yield (
        Check("arithmetic", passed, says, spans, alone=alone, expected=f"{best:,.4g}"),
        {f.first for f in run},
    )


def _asked(found: Evidence, figure: Figure) -> bool:
    """Whether the prompt names the figure, or the words that it is of."""
    text = found.said.text[figure.span[0] : figure.span[1]]
    lowered = found.prompt.lower()
    return (len(text) > 1 and text.lower() in lowered) or any(
        len(w) > 2 and w in lowered for w in figure.words
    )


def _value(terms: Sequence[Figure], links: Sequence[str]) -> float | None:
    total = terms[0].value
    if len(set(links)) > 1 and not set(links) <= {"+", "-"}:
        return None
    for term, link in zip(terms[1:], links, strict=True):
        if link == "/":
            if term.value == 0:
                return None
            total /= term.value
        elif link == "×":
            total *= term.value
        else:
            total += term.value if link == "+" else -term.value
    return total if abs(total) < 1e300 else None


def _plain(figures: Sequence[Figure]) -> list[Figure]:
    return [f for f in figures if f.kind == "count" and not f.sign]


def _of(found: Evidence, one: Figure, other: Figure) -> bool:
    """ "62 of the 151", "62 out of 151", "62/151"."""
    between = gap(found, one, other)
    if between == ["/"]:
        return other.value > 0
    words = [
        w for w in between if w not in ("the", "these", "those", "all", "it", "a", "total", "out", "our")
    ]
    return bool(words) and words[-1] == "of" and len(words) <= 3 and not {"that", "is", ","} & set(between)


def _shares(found: Evidence, figures: Sequence[Figure], used: set[int]) -> Iterator[Taken]:
    """ "62 of 151 patients (41 %)", "of the 240 tumours, 48 (20 %)": the part, the whole and the share."""
    for at, figure in enumerate(figures):
        following = figures[at + 1] if at + 1 < len(figures) else None
        if following is None or figure.kind != "count" or following.kind != "count" or figure.first in used:
            continue
        before = {t.text for t in found.stream[max(0, figure.first - 3) : figure.first]}
        between = gap(found, figure, following)
        if figure.last - figure.first != following.last - following.first:
            continue  # "36 of 40 million"
        if _of(found, figure, following):
            part, whole = figure, following
        elif before & {"of", "among"} and "," in between and "and" not in between and len(between) <= 8:
            part, whole = following, figure
        else:
            continue
        spans = (part.span, whole.span)
        says = f"{part.value:g} of {whole.value:g}"
        if not (part.unit == whole.unit and part.unit in ("h", "day", "week")):
            yield Check("parts and whole", part.value <= whole.value, says, spans), {part.first, whole.first}
        share = next((f for f in figures[at + 2 : at + 4] if f.kind in ("percent", "ratio")), None)
        share = share or (figures[at - 1] if at and figures[at - 1].kind == "percent" else None)
        if (
            share is None
            or whole.value <= 0
            or share.kind != "percent"
            or len(gap(found, following, share)) > 9
        ):
            continue
        right = 100 * part.value / whole.value
        rough = bool({t.text for t in found.stream[max(0, share.first - 2) : share.first]} & ROUGH)
        passed = abs(right - share.value) <= (1.5 if rough else 0.6 if share.decimals == 0 else 0.11)
        yield (
            Check(
                "ratios and percentages", passed, f"{says} = {right:.3g} %, stated {share.value:g} %",
                (*spans, share.span), expected=f"{right:.3g}%",
            ),
            {part.first, whole.first, share.first},
        )  # fmt: skip


def _wholes(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Taken]:
    """ "301 randomised, 151 to the drug and 150 to placebo", "412 proteins: 150 up, 262 down"."""
    plain = _plain(figures)
    part = found.parts[number]
    if len(plain) < 3:
        return
    words = {t.text for t in found.stream[part.first : part.last]}
    for whole, one, other in zip(plain, plain[1:], plain[2:], strict=False):
        ways = [_way(found, f, part.last) for f in (one, other)]
        after = [_next(found, f) for f in (one, other)]
        parallel = after[0] == after[1] and after[0] in (
            "to",
            "received",
            "got",
            "in",
            "on",
            "were",
            "assigned",
        )
        opposite = {"up", "down"} == set(ways) and not _way(found, whole, one.first)
        totals = (
            bool(words & TOTALS)
            and whole is plain[0]
            and parallel
            and len(plain) == 3 + (whole is not plain[0])
        )
        if not opposite and not totals:
            continue
        if opposite and len(gap(found, whole, one)) > 14:
            continue
        if _of(found, whole, one) or _of(found, one, other):
            continue
        yield _whole(whole, [one, other])
    if len(plain) >= 3:  # "2,189 rise and 1,921 fall, 4,110 in all"
        one, other, whole = plain[:3]
        tail = [t.text for t in found.stream[whole.last : whole.last + 4]]
        ends = tail[:2] in (["in", "total"], ["in", "all"]) or tail[:1] in (["altogether"], ["total"])
        if ends and {"up", "down"} == {_way(found, one, part.last), _way(found, other, part.last)}:
            yield _whole(whole, [one, other])
    if len(plain) == 4 and words & TOTALS:  # "Of 412 screened 300 were randomised: 148 to … and 152 to …"
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


def _way(found: Evidence, figure: Figure, limit: int) -> str:
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


def folds(found: Evidence, number: int, figures: Sequence[Figure]) -> list[tuple[float, int, int, int]]:
    """Stated ratios of a sentence: (value, its first token, its last, decimals)."""
    part = found.parts[number]
    stated = []
    for f in figures:
        before = [t.text for t in found.stream[max(part.first, f.first - 4) : f.first]]
        named = "ratio" in before and f.kind == "count" and not {"hazard", "odds", "risk"} & set(before)
        following = [t.text for t in found.stream[f.last : f.last + 2]]
        if f.sign:
            continue
        if (
            f.kind == "ratio"
            or named
            or (f.kind == "count" and following[:1] == ["time"] and following[1:] != ["point"])
        ):
            stated.append((f.value, f.first, f.last, f.decimals))
    for index in range(part.first, part.last) if not found.vocabulary.isdisjoint(FOLDS) else ():
        if found.stream[index].text in FOLDS and found.stream[max(0, index - 1)].text != "not":
            stated.append((FOLDS[found.stream[index].text], index, index + 1, 0))
    return stated


def _ratios(found: Evidence, number: int, figures: Sequence[Figure], used: set[int]) -> Iterator[Check]:
    stated = folds(found, number, figures)
    if len(stated) != 1:
        return
    value, first, last, decimals = stated[0]
    if first in used or value < 1 or found.stream[last - 1].text == "point":
        return
    own = [
        f for f in figures if f.kind not in NEVER and f.first != first and not f.sign and f.kind != "ratio"
    ]
    if (
        not own
        and first - found.parts[number].first <= 6
        and all(p.kind == "prose" for p in found.parts[: number + 1])
    ):
        before = [f for n in (number - 2, number - 1) for f in found.by_part.get(n, ())]
        own = [f for f in before if f.kind == "count"] if len(before) == 2 else []
    pair = own if len(own) == 2 else _nearest_pair(found, own, first)
    if len(pair) != 2 or pair[0].kind != pair[1].kind:
        return
    low, high = sorted(abs(f.value) for f in pair)
    if low <= 0:
        return
    right = high / low
    passed = abs(right - value) <= SLACK * right + 0.5 * 10.0**-decimals
    spans = (*(f.span for f in pair), found.span(first, last))
    says = f"{high:,g} / {low:,g} = {right:.3g}, stated {value:g}×"
    yield Check("ratios and percentages", passed, says, spans, expected=f"{right:.3g}×")


def _nearest_pair(found: Evidence, own: Sequence[Figure], first: int) -> Sequence[Figure]:
    """Of more than two figures the two that "from … to" or "versus" joins, where one pair is so joined."""
    pairs = [
        (a, b) for a, b in zip(own, own[1:], strict=False)
        if {"to", "vs", "vs.", "versus", "against", "→", "than"} & set(gap(found, a, b)) and len(gap(found, a, b)) < 9
    ]  # fmt: skip
    return pairs[0] if len(pairs) == 1 else ()


def _differences(found: Evidence, figures: Sequence[Figure], used: set[int]) -> Iterator[Check]:
    """ "6,425 and 4,110, a difference of 2,315", "that is 1,405 more"."""
    plain = _plain(figures)
    if len(plain) != 3:
        return
    for f in plain:
        before = [t.text for t in found.stream[max(0, f.first - 4) : f.first]]
        after = [t.text for t in found.stream[f.last : f.last + 2]]
        gaps = "difference" in before or (bool(after) and after[0] in MORE and "time" not in after)
        others = [g for g in plain if g is not f and g.first not in used]
        if (
            not gaps
            or f.first in used
            or len(others) != 2
            or others[0].unit not in ("", others[1].unit, f.unit)
        ):
            continue
        right = abs(others[0].value - others[1].value)
        slack = SLACK * right if set(before) & ROUGH else 0.51 * 10.0**-f.decimals if f.decimals else 1e-6
        says = f"{others[0].value:,g} and {others[1].value:,g} differ by {right:,g}, stated {f.value:,g}"
        yield Check(
            "a difference of its figures", abs(right - f.value) <= slack, says,
            tuple(g.span for g in (*others, f)), expected=f"{right:,g}",
        )  # fmt: skip


def _percents(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "60 % rise, the remaining 60 % fall", "62 % up and 58 % down": shares of one whole."""
    shares = [f for f in figures if f.kind == "percent" and not f.sign]
    if len(shares) < 2:
        return
    part = found.parts[number]
    words = {t.text for t in found.stream[part.first : part.last]}
    ways = {_way(found, f, part.last) for f in shares}
    total = sum(f.value for f in shares)
    says = f"{' + '.join(f'{f.value:g}' for f in shares)} = {total:g} %"
    spans = tuple(f.span for f in shares)
    if words & REST and len(shares) == len(figures):
        yield Check("shares of a whole", abs(total - 100) <= 1, says, spans)
    elif len(shares) == 2 and ways == {"up", "down"}:
        yield Check("shares of a whole", total <= 101, says, spans)


def _intervals(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "HR 0.68 (95 % CI 0.54-0.86)": an interval holds its estimate."""
    part = found.parts[number]
    for at in range(part.first, part.last):
        if found.stream[at].text not in ("ci", "interval"):
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
