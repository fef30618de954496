"""A hazard ratio, odds ratio, relative risk or fold change against the percentage that explains it: "0.62,
i.e. the risk was reduced by 38 %". Where anything else stands between the two, nothing is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, gap
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.words.evidence import meanings, words_of

WAYS = {word: way.upper() for word, way in meanings("ways").items()}
EXPLAINS = words_of("explains")
FOREIGN = words_of("breaks") - {","} | words_of("not_the_risk")
ROUGH = words_of("rough")
RATIOS = frozenset(("hazard", "fold"))
NEAR = 12
"""Tokens that may lead from a ratio to its percentage."""


def risks(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    for number, figures in found.by_part.items():
        for at, one in enumerate(figures):
            if one.kind not in RATIOS or one.sign or one.value <= 0 or not found.asserted(one.first):
                continue
            share = _explained(found, one, figures[at + 1 :])
            if share is not None:
                yield _risk(found, one, share, _word(found, number, one, share))


def of_interval(found: Evidence, figure: Figure) -> bool:
    """The 95 % of "95 % CI"."""
    return not {"ci", "confidence"}.isdisjoint(found.stream.texts[figure.last : figure.last + 1])


def _explained(found: Evidence, one: Figure, after: Sequence[Figure]) -> Figure | None:
    """The percentage that follows in the same words, past an interval in brackets."""
    texts = found.stream.texts
    shares = [f for f in after if f.kind == "percent" and not of_interval(found, f)]
    for figure in after if len(shares) == 1 else ():
        between = gap(found, one, figure)
        inside = between.count("(") > between.count(")")
        if figure is shares[0]:
            close = len(between) - 1 - between[::-1].index(")") if ")" in between else -1
            lead = set(between[close + 1 :])
            said = set(texts[figure.last : figure.last + 3])
            linked = lead & EXPLAINS or (inside and between[-1] == "(" and said & WAYS.keys())
            foreign = (
                (lead | said) & FOREIGN
                or texts[figure.first - 1] in ("to", "from")
                or texts[figure.last : figure.last + 1] == ["of"]
            )
            return figure if linked and not foreign and not figure.sign and len(lead) <= NEAR else None
        if not inside and figure.kind not in ("p", "low", "high") and not of_interval(found, figure):
            return None
    return None


def _word(found: Evidence, number: int, one: Figure, share: Figure) -> str:
    """The word of direction that is nearest to a percentage: "38 % lower", "reduced by 38 %"."""
    said = {at: label for label, at in directions(found, number)}
    ahead = range(share.last, min(share.last + 3, found.parts[number].last))
    for at in (*ahead, *range(share.first - 1, one.last, -1)):
        way = said.get(at) or WAYS.get(found.stream.texts[at], "")
        if way in ("UP", "DOWN"):
            return way
    return ""


def _risk(found: Evidence, one: Figure, share: Figure, way: str) -> Check:
    rough = 1.5 if ROUGH & set(found.stream.texts[share.first - 2 : share.first]) else 0.0
    rights = []
    for ratio in (one.value, 1 / one.value):  # of the one group against the other, or the other way round
        slack = 0.6 + rough + 50 * 10.0**-one.decimals * ratio / one.value
        goes = "UP" if ratio > 1 else "DOWN"
        rights.append(way in ("", goes) and abs(100 * abs(ratio - 1) - share.value) <= slack)
    right = f"{abs(one.value - 1):.0%} {'more' if one.value > 1 else 'less'}"
    says = f"{one.kind} {one.value:g} is {right}, stated {way or 'as'} {share.value:g} %"
    return Check("a ratio against its percentage", any(rights), says, (one.span, share.span), expected=right)
