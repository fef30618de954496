"""Shares that make a whole: "30 % were alive; the other 50 % were dead", "52 %, 38 % and 30 %, together
100 %", "30 % were alive and 90 % dead".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import takewhile

from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure
from biorlhf_plugins.language.words.evidence import words_of

OPPOSED = ({"alive", "dead"}, {"women", "men"}, {"woman", "man"}, {"male", "female"}, {"boy", "girl"})
"""What excludes each other."""
CHANGED = frozenset(("by", "than", "from", "to", "least", "most"))
TOGETHER = frozenset(("together", "add", "sum", "altogether", "total"))
PLACED = words_of("places") | {"after", "before", "while", "whereas"}
RESTS = (["the", "other"], ["the", "remaining"], ["which", "leave"], [",", "leaving"], ["that", "leave"])
VAGUE = frozenset(("others", "other", "most", "half", "third", "quarter", "some", "few", "many", "rest"))
MADE_OF = frozenset(("consist", "comprise", "comprises", "composed"))
FEW = 4
"""Sentences back to the first of the shares."""


def complement(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    for number, figures in found.by_part.items():
        own = [f for f in figures if f.kind == "percent" and not f.sign]
        part = found.parts[number]
        if not own or part.kind == "row" or not found.asserted(part.first):
            continue
        rest = next((f for f in own if _is_rest(found.stream.texts, f)), None)
        if rest is not None:
            yield from _rest(found, rest)
        elif len(own) == len(figures) == 1 and own[0].value == 100:
            yield from _whole(found, own[0])
        elif len(own) == 2 and _exclude(found, *own):
            yield _check(own, 100 - own[0].value, own[1].value <= 101 - own[0].value)
        elif len(own) == len(figures) > 2 and _all_named(found, own):
            yield _check(own, 100, sum(f.value for f in own) <= 100 + len(own))


def _check(shares: Sequence[Figure], right: float, passed: bool) -> Check:
    says = f"{' + '.join(f'{f.value:g}' for f in shares)} %, of 100 %"
    return Check("shares of a whole", passed, says, tuple(f.span for f in shares), expected=f"{right:g}%")


def _is_rest(texts: Sequence[str], figure: Figure) -> bool:
    """ "The other 50 %", "which leaves 30 %", and not "the remaining 30 % of the women"."""
    lead, after = texts[max(0, figure.first - 3) : figure.first], texts[figure.last : figure.last + 1]
    return lead[-2:] in RESTS and lead[:1] != ["in"] and (after != ["of"] or lead[-2] != "the")


def _rest(found: Evidence, rest: Figure) -> Iterator[Check]:
    """What is left by the shares before it, or by the last of them: "80 % are T cells, 60 % of them CD4"."""
    texts = found.stream.texts
    before = [
        f for n in range(max(0, rest.part - FEW), rest.part + 1) for f in found.by_part.get(n, ())
        if f.kind == "percent" and f.first < rest.first
    ]  # fmt: skip
    near = [f for f in before if f.part >= rest.part - 1]
    if not near or any(f.sign or texts[f.first - 1] in CHANGED for f in before):
        return
    if not VAGUE.isdisjoint(texts[near[-1].last : rest.first - 2]):
        return  # "72 % fit once, most others several times, and the remaining 6 % not at all"
    values = [f.value for f in before]
    rights = [100 - sum(values[n:]) for n in range(len(values))]
    rights.append(100 * math.prod(1 - value / 100 for value in values))  # "20 %, and then 10 % of these"
    right = min(rights, key=lambda value: abs(value - rest.value))
    shares = [*near, rest]
    yield _check(shares, right, abs(right - rest.value) <= 1 + 0.5 * (len(shares) > 2))


def _whole(found: Evidence, whole: Figure) -> Iterator[Check]:
    """ "T cells 45 %, B cells 50 %, myeloid cells 35 %; together 100 % of the cells"."""
    part, figures = found.parts[whole.part], found.by_part.get(whole.part - 1, [])
    shares = [f for f in figures if f.kind == "percent" and not f.sign]
    summed = not TOGETHER.isdisjoint(found.stream.texts[part.first : whole.first])
    plain = found.parts[whole.part - 1].kind == "prose"
    if summed and plain and len(shares) == len(figures) > 1:
        total = sum(f.value for f in shares)
        yield _check(shares, total, abs(total - 100) <= 0.51 * len(shares))


def _all_named(found: Evidence, shares: Sequence[Figure]) -> bool:
    """ "The community consists of 52 % A, 38 % B and 10 % others", "… and all other phyla 10 %"."""
    texts, part = found.stream.texts, found.parts[shares[0].part]
    lead, between = texts[part.first : shares[0].first], texts[shares[-2].last : shares[-1].first]
    last = {*between} if "all" in between[-6:] else set()
    if shares[-1].value >= 100:
        return False  # "50 %, 30 % and 20 %, 100 % in total"
    return not MADE_OF.isdisjoint(lead[-3:]) or (between[:1] == ["and"] and "other" in last)


def _exclude(found: Evidence, one: Figure, other: Figure) -> bool:
    """Whether two shares are of what excludes each other: "30 % of the cells were alive and 90 % dead"."""
    texts, end = found.stream.texts, found.parts[one.part].last
    between, after = texts[one.last : other.first], texts[other.last : end]
    first, last = {*between}, {*takewhile(lambda word: word != ",", after[:3])}
    opposed = any(len(pair & first) == 1 == len(pair & last) and pair <= first | last for pair in OPPOSED)
    joined = between[:1] == ["of"] and between[-1:] == ["and"] and len(between) <= 8
    return opposed and joined and "of" not in after and PLACED.isdisjoint((*between, *after))
