"""Plain sums that a sentence draws up: "a, b and c make d", "42 voles, 18 females and 14 males", "220 came,
12 withdrew and the remaining 208", "38 % did, the other 62 % did not", "18 in 120, i.e. 15 per 100".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from biorlhf_plugins.language.evidence.parts import SEXES, TIMES
from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, gap
from biorlhf_plugins.language.evidence.shares import ROUGH
from biorlhf_plugins.language.words.numbers import Number

MAKES = frozenset(("make", "making", "totalling", "totaling"))
REST = frozenset(("remaining", "other", "rest"))
SAYS = frozenset(("ie", "i.e.", "="))
SAME = frozenset(("same", "equal", "identical"))
LESS = frozenset(("withdrew", "died", "excluded", "lost", "removed", "dropped", "discarded", "failed"))
ONE = frozenset(("one", "donor", "first", "cohort", "arm", "group"))
OTHERS = frozenset(("most", "other", "some", "several", "many", "few"))
TESTED = frozenset(("significant", "significantly", "p", "not", "no", "about", "roughly", "almost", "nearly"))


def amounts(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    texts, words = found.stream.texts, found.stream.vocabulary
    for number, figures in found.by_part.items():
        part = found.parts[number]
        plain = [f for f in figures if f.kind in ("count", "percent") and not f.sign]
        if part.kind == "row" or not found.asserted(part.first) or len(plain) != len(figures):
            continue
        if len(plain) > 2 and texts[plain[-1].first - 1] in MAKES and _listed(found, plain[:-1]):
            yield _sum(found, plain[-1], plain[:-1])
        elif len(plain) == 3:
            yield from _three(found, plain)
        if len(plain) == 2 and not words.isdisjoint(SAME):
            yield from _same(found, number, *plain)
        if not words.isdisjoint(REST):
            yield from _complement(found, number, plain)


def _listed(found: Evidence, figures: Sequence[Figure]) -> bool:
    gaps = [gap(found, a, b) for a, b in pairwise(figures)]
    one_unit = len({(f.kind, f.unit) for f in figures}) == 1
    return one_unit and all({",", "and"} & set(g) and len(g) <= 5 for g in gaps)


def _sum(found: Evidence, whole: Figure, parts: Sequence[Figure]) -> Check:
    right = sum(f.value for f in parts)
    slack = 1e-6 + (0.51 * len(parts) * 10.0**-whole.decimals if any(f.decimals for f in parts) else 0.0)
    slack += 0.1 * right if ROUGH & {found.stream.texts[whole.first - 1]} else 0.0
    says = f"{' + '.join(f'{f.value:,g}' for f in parts)} = {right:,g}, stated {whole.value:,g}"
    spans = (whole.span, *(f.span for f in parts))
    return Check("parts and whole", abs(right - whole.value) <= slack, says, spans, expected=f"{right:,g}")


def _three(found: Evidence, figures: Sequence[Figure]) -> Iterator[Check]:
    """A whole with its two sexes; a whole, what it lost and what remained; events, persons and their rate."""
    texts, (one, two, three) = found.stream.texts, figures
    between = gap(found, two, three)
    whole = one.value > max(two.value, three.value)
    whole = (
        whole
        and REST.isdisjoint(found.stream.vocabulary)
        and texts[three.last + 1 : three.last + 2] in ([], ["."])
    )
    if whole and {two.unit, three.unit} in SEXES and "," in gap(found, one, two) and between[-1:] == ["and"]:
        yield _sum(found, one, [two, three])
    lost = not LESS.isdisjoint(between) and one.kind == three.kind == "count" and "more" not in between
    lost = lost and three.unit in ("", one.unit)
    if lost and "remaining" in texts[three.first - 2 : three.first] and one.unit not in TIMES:
        right = one.value - two.value
        says = f"{one.value:g} − {two.value:g} = {right:g}, stated {three.value:g}"
        spans = (one.span, two.span, three.span)
        yield Check("parts and whole", right == three.value, says, spans, expected=f"{right:g}")
    of_what = [texts[at : at + 2] for at in (two.last, three.last + 2)]
    said = not SAYS.isdisjoint(between) or between[-2:] == ["that", "is"]
    said = said and of_what[0] == of_what[1]
    after = found.stream[three.last : three.last + 2]
    per = after[1].number if len(after) == 2 and after[0].text == "per" else None
    if said and isinstance(per, Number) and gap(found, one, two)[-1:] == ["in"] and two.value and per.value:
        right = one.value / two.value * per.value
        slack = 0.51 * 10.0**-three.decimals + (0.1 * right if ROUGH & set(between) else 0.0)
        says = f"{one.value:g} in {two.value:g} is {right:.3g} per {per.value:g}, stated {three.value:g}"
        spans = (one.span, two.span, three.span)
        yield Check(
            "ratios and percentages", abs(right - three.value) <= slack, says, spans, expected=f"{right:.3g}"
        )


def _same(found: Evidence, number: int, one: Figure, other: Figure) -> Iterator[Check]:
    """ "They had the same median age: 61 years on drug and 61 on placebo"."""
    part, texts = found.parts[number], found.stream.texts
    colon = next((i for i in range(part.first, one.first) if texts[i] == ":"), 0)
    head = set(texts[part.first : colon])
    if (
        colon
        and head & SAME
        and not head & TESTED
        and one.kind == other.kind
        and one.unit == other.unit != ""
        and "and" in gap(found, one, other)
    ):
        passed = abs(one.value - other.value) <= 0.1 * max(one.value, other.value)
        says = f"the same, with {one.value:g} and {other.value:g}"
        yield Check("a comparison against its figures", passed, says, (one.span, other.span))


def _complement(found: Evidence, number: int, plain: Sequence[Figure]) -> Iterator[Check]:
    """ "38 % responded; the remaining 62 % did not", in one sentence or two."""
    texts = found.stream.texts
    first = found.parts[number].first
    near = len(plain) == 1 and texts[first - 1 : first] == [";"]
    before = [f for f in found.by_part.get(number - 1, ()) if near and f.unit not in TIMES]
    pair = [*before, *plain]
    if len(pair) != 2 or {f.kind for f in pair} != {"percent"} or any(f.sign for f in pair):
        return
    one, other = pair
    lead = texts[other.first - 3 : other.first]
    placed = lead[:1] and lead[0] in ("in", "at", "for", "on", "of") and not ONE.isdisjoint(texts)
    plainly = lead[-2:-1] == ["the"] and lead[-1] in REST and not placed
    if plainly and OTHERS.isdisjoint(gap(found, one, other)[:-2]):
        total = one.value + other.value
        says = f"{one.value:g} % and the other {other.value:g} %"
        slack = 1.01 if not (one.decimals or other.decimals) else 0.11
        passed = abs(total - 100) <= slack
        yield Check(
            "shares of a whole", passed, says, (one.span, other.span), expected=f"{100 - one.value:g}%"
        )
