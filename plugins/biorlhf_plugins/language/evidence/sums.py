"""What figures make together: written sums, ratios and differences."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.evidence.parts import of_these, tables, wholes
from biorlhf_plugins.language.evidence.ratios import logarithms, multiples, ratios
from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, gap
from biorlhf_plugins.language.evidence.shares import (
    FAR,
    ROUGH,
    Taken,
    explained,
    percents,
    shares,
)
from biorlhf_plugins.language.words.evidence import meanings, words_of

OPERATORS = meanings("operators")
EQUALS = words_of("equals")
PADDING = ROUGH | {"to", "of", "(", ")", "by", "a", "the", "that", ","}
CHANGES = words_of("changes")
EACH = frozenset(("per", "/", "each", "every", "a"))


def sums(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    texts = found.stream.texts
    written = not found.stream.vocabulary.isdisjoint(OPERATORS)
    for part, figures in found.by_part.items():
        if not found.asserted(found.parts[part].first):
            continue
        used: set[int] = set()
        between = texts[figures[0].last : figures[-1].first]
        signed = written and len(figures) > 2 and not OPERATORS.keys().isdisjoint(between)
        for check, taken in _equations(found, figures) if signed else ():
            used |= taken
            yield check
        if len(figures) < 2:
            yield from ratios(found, part, figures, used)
            yield from logarithms(found, part, figures)
            continue
        parted = (shares(found, figures, used), wholes(found, part, figures), of_these(found, part, figures))
        for check, taken in itertools.chain.from_iterable(parted):
            used = used | taken
            yield check
        yield from ratios(found, part, figures, used)
        yield from logarithms(found, part, figures)
        if "to" in between:
            yield from _moved(found, figures)
        if "sum" in found.stream.vocabulary:
            yield from multiples(found, part, figures)
        yield from percents(found, part, figures)
        if len(figures) == 3:
            yield from explained(found, figures, used)
    yield from tables(found)


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
    if signs and "," in between and ({"minus", "and"} & {*between} or signs[0] in "/×"):
        return ""  # "2.9 × 1.5 = 4.4, minus the 3.0 of before", "72 Gb, and over a 3.1 Gb genome"
    equal = [w for w in between if w in ("=", "≈")]
    if equal and not signs and "and" not in between:  # "so it is 3 and Ki = 10/2"
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
        and all(w in EQUALS or w in PADDING or w in ("up", "down") for w in between)
    ):
        return "is"
    if between and set(between) <= PADDING and set(between) & ROUGH:
        return "≈"  # "6,425/165, about 39"
    return ""


def _equation(found: Evidence, run: list[Figure], links: list[str]) -> Iterator[Taken]:
    marks = [i for i, link in enumerate(links) if link in ("=", "≈", "is")]
    if len(marks) != 1 or len(links) < 2:
        return
    at = marks[0]
    left, right = run[: at + 1], run[at + 1 :]
    one, other = _value(left, links[:at]), _value(right, links[at + 1 :])
    if one is None or other is None:
        return
    stated, value = (other, one) if len(left) > 1 else (one, other)
    result = right[-1] if len(left) > 1 else left[0]
    scales = (1.0, 100.0) if result.kind == "percent" else (1.0,)
    divides = "/" in links or links[-1] == "×"
    rough = divides or links[at] == "≈" or set(gap(found, left[-1], right[0])) & ROUGH
    slack = max(0.02 * abs(stated) if rough else 0.0, 0.51 * 10.0**-result.decimals if divides else 1e-6)
    slack += 0.51 * len(run) * 10.0 ** -max(f.decimals for f in run) if any(f.decimals for f in run) else 0.0
    places = max(f.decimals for f in run)
    slack += 0.51 * 10.0**-result.decimals if result.decimals < places else 0.0
    best = min((value * scale for scale in scales), key=lambda v: abs(v - stated))
    spans = (found.span(run[0].first, run[-1].last),)
    elsewhere = {f.value for f in found.figures if f not in run}
    alone = not any(f.value in elsewhere or _asked(found, f) for f in run)
    words = found.said.text[spans[0][0] : spans[0][1]]
    units = {f.unit for f in run if found.unit(f)}
    if words.count("(") != words.count(")") or (found.unit(result) and len(units) > 1):
        return  # "2 × (0.72 - 0.42) = 0.60", "480 reads × 150 bp = 72 kb"
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


PARTED = frozenset((",", ";", ":", "(", ")", "and", "but", "while", "whereas", "from"))
"""What does not stand between the two ends of a change."""


def _moved(found: Evidence, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "from 98 % to 41 %, a loss of 57 percentage points", "from 160 to 120, a reduction of 25 %"."""
    texts = found.stream.texts
    for at, (one, other) in enumerate(itertools.pairwise(figures)):
        start, between = texts[max(0, one.first - 4) : one.first], gap(found, one, other)
        changed = next((f for f in figures[at + 2 : at + 4] if _is_change(found, other, f)), None)
        if (
            changed is None
            or "from" not in start
            or "to" not in between[-2:]
            or not PARTED.isdisjoint(between)
        ):
            continue
        points = "point" in found.said.text[changed.span[0] : changed.span[1] + 14]
        relative = changed.kind == "percent" and not points and one.value
        alike = other.kind == ("percent" if points else changed.kind)
        if one.kind not in (other.kind, "count") or one.last - one.first != other.last - other.first:
            continue  # "from 80 to 20 %" is of one kind
        if not alike and not (relative and other.kind == "count"):
            continue
        units = ("", "percentage", "point", "pp", "unit", one.unit, other.unit)
        if changed.unit not in units and not relative:
            continue
        difference = abs(one.value - other.value)
        rights = [difference] if alike else []
        rights += [100 * difference / abs(one.value)] if relative else []
        rough = ROUGH & set(texts[one.first - 1 : changed.first])
        places = [f.decimals for f in ((one, other, changed) if alike else (changed,))]
        # What is rounded may stand for what differs by half a place; whole numbers that count are exact.
        slack = sum(0.51 * 10.0**-d for d in places) if points or relative or any(places) else 1e-6
        slack += 0.1 * difference if rough else 0.0
        passed = any(abs(right - changed.value) <= slack for right in rights)
        says = f"{one.value:g} and {other.value:g} differ by {difference:g}, stated {changed.value:g}"
        spans = tuple(f.span for f in (one, other, changed))
        yield Check("a difference of its figures", passed, says, spans, expected=f"{rights[-1]:g}")


def _is_change(found: Evidence, other: Figure, figure: Figure) -> bool:
    """Whether a figure is said to be the change: ", a loss of 57", ", a 57-point drop", "(25 % loss)"."""
    texts, at = found.stream.texts, figure.first
    while at > 1 and texts[at - 1] in ROUGH:
        at -= 1
    after = texts[figure.last : figure.last + 3]
    if after and after[0].startswith("log"):
        return False  # "from 10^7 to 10^4, a 3 log10 reduction"
    if texts[at - 2 : at] == [",", "by"]:
        return True
    if texts[at - 1] in ("of", "by") and texts[at - 2] in CHANGES:
        at -= 2
    elif CHANGES.isdisjoint(after):
        return False
    at -= texts[at - 1] in ("relative", "net", "total", "mean")
    leads = texts[at - 1] in ("a", "an") and texts[at - 2] in (",", "(", "ie", "—", "is")
    return (leads or texts[at - 1] == "(") and at - other.last <= FAR and EACH.isdisjoint(after[:1])
