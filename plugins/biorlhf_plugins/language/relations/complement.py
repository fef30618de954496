"""Shares that make a whole: "61 % germinated; the remaining 49 % did not", "18 %, 47 % and 55 %, together
100 %", "41 % were alive and 69 % dead".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, gap
from biorlhf_plugins.language.words.evidence import words_of

OPPOSED = (
    {"alive", "dead"}, {"women", "men"}, {"woman", "man"}, {"male", "female"}, {"boy", "girl"},
    {"resistant", "sensitive"}, {"resistant", "susceptible"}, {"positive", "negative"},
)  # fmt: skip
"""What excludes each other."""
CHANGED, VAGUE, PLACED = words_of("bounding"), words_of("vague"), words_of("prepositions")
TOGETHER = frozenset(("together", "add", "sum", "altogether", "total"))
MADE_OF = frozenset(("consist", "comprise", "composed"))
RESTS = (["the", "other"], ["the", "remaining"], ["which", "leave"], [",", "leaving"], ["that", "leave"])
FEW = 4
"""Sentences back to the first of the shares."""


def complement(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    texts = found.stream.texts
    for number, figures in found.by_part.items():
        own = [f for f in figures if f.kind == "percent" and not f.sign]
        part, given = found.parts[number], found.by_part.get(number - 1, [])
        if not own and len(figures) == 3 and part.kind != "row" and found.asserted(part.first):
            yield from _split(found, *figures)
        if not own or part.kind == "row" or not found.asserted(part.first):
            continue
        rest = next((f for f in own if _is_rest(texts, f)), None)
        alone, lead = len(own) == len(figures), texts[part.first : own[0].first]
        if rest is not None:
            yield from _rest(found, rest)
        elif len(own) == 2 and _exclude(found, *own):
            yield _check(own, 1, at_most=True)
        elif alone and own[0].value == 100 and not TOGETHER.isdisjoint(lead) and len(given) > 1:
            shares = {(f.kind, f.sign) for f in given} == {("percent", "")}
            if shares and found.parts[number - 1].kind == "prose":
                yield _check(given, 0.51 * len(given))
        elif alone and len(own) > 2 and own[-1].value < 100:
            last = gap(found, *own[-2:])
            others = last[:1] == ["and"] and "all" in last and "other" in last  # "and all other phyla 10 %"
            if others or not MADE_OF.isdisjoint(lead[-3:]):
                yield _check(own, len(own), at_most=True)


def _split(found: Evidence, whole: Figure, one: Figure, other: Figure) -> Iterator[Check]:
    """ "Of 240 seedlings 181 were resistant and 89 sensitive": together no more than there are."""
    texts, plain = found.stream.texts, all(f.kind == "count" and not f.sign for f in (whole, one, other))
    if plain and texts[whole.first - 1] == "of" and one.value < whole.value and _opposed(found, one, other):
        total = one.value + other.value
        says = f"{one.value:g} + {other.value:g} = {total:g}, of {whole.value:g}"
        yield Check("parts and whole", total <= whole.value, says, (whole.span, one.span, other.span))


def _check(shares: Sequence[Figure], slack: float, at_most: bool = False) -> Check:
    total = sum(f.value for f in shares)
    says = f"{' + '.join(f'{f.value:g}' for f in shares)} = {total:g} %, of 100 %"
    passed = total <= 100 + slack and (at_most or total >= 100 - slack)
    return Check("shares of a whole", passed, says, tuple(f.span for f in shares))


def _is_rest(texts: Sequence[str], figure: Figure) -> bool:
    """ "The other 58 %", "which leaves 26 %", and not "the remaining 30 % of the women"."""
    lead, after = texts[max(0, figure.first - 3) : figure.first], texts[figure.last : figure.last + 1]
    return lead[-2:] in RESTS and lead[:1] != ["in"] and (after != ["of"] or lead[-2] != "the")


def _rest(found: Evidence, rest: Figure) -> Iterator[Check]:
    """What is left by the shares before it, or by the last of them: "80 % are T cells, 60 % of them CD4"."""
    texts = found.stream.texts
    parts = range(max(0, rest.part - FEW), rest.part + 1)
    before = [
        f for n in parts for f in found.by_part.get(n, ()) if f.kind == "percent" and f.first < rest.first
    ]
    near = [f for f in before if f.part >= rest.part - 1]
    if not near or any(f.sign or texts[f.first - 1] in CHANGED for f in before):
        return
    if not VAGUE.isdisjoint(texts[near[-1].last : rest.first - 2]):
        return  # "72 % fit once, most others several times, and the remaining 6 % not at all"
    values = [f.value for f in before]
    rights = [100 - sum(values[n:]) for n in range(len(values))]
    rights[:0] = [100 - value for value in values]  # "alone 9 and 4 %, together 12 %; the remaining 88 %"
    rights.append(100 * math.prod(1 - value / 100 for value in values))  # "20 %, and then 10 % of these"
    passed = any(abs(right - rest.value) <= 1 + 0.5 * (len(near) > 1) for right in rights)
    yield _check([*near, rest], 0)._replace(passed=passed, expected=f"{rights[-2]:g}%")


def _exclude(found: Evidence, one: Figure, other: Figure) -> bool:
    """Whether two shares are of what excludes each other: "41 % of the larvae were alive and 69 % dead"."""
    between, after = gap(found, one, other), found.stream.texts[other.last : found.parts[one.part].last]
    opposed = _opposed(found, one, other)
    return opposed and between[:1] == ["of"] and (PLACED | {"of"}).isdisjoint((*between[1:], *after))


def _opposed(found: Evidence, one: Figure, other: Figure) -> bool:
    """Whether of two figures that "and" joins the one is of the alive and the other of the dead."""
    between, texts = gap(found, one, other), found.stream.texts
    first, last = {*between}, {*texts[other.last : min(other.last + 3, found.parts[one.part].last)]}
    opposed = any(len(pair & first) == 1 == len(pair & last) and pair <= first | last for pair in OPPOSED)
    return opposed and between[-1:] == ["and"] and PLACED.isdisjoint(between[1:]) and len(between) <= 8
