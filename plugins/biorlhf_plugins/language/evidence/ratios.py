"""Stated ratios against the figures beside them: "40 and 80, twofold", "log2FC 3, i.e. 8-fold"; a hazard
ratio, odds ratio or fold change against the percentage that explains it: "0.62, i.e. reduced by 38 %".
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.evidence.records import (
    TIMES,
    Check,
    Evidence,
    Figure,
    content,
    gap,
    is_level,
    is_year,
)
from biorlhf_plugins.language.evidence.shares import ROUGH, SLACK, plain_of
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.words.evidence import meanings, words_of
from biorlhf_plugins.language.words.spelt import WORD_NUMBERS

FOLDS = meanings("folds")
FACTORS = WORD_NUMBERS.keys() - {"one"}
RISKS = frozenset(("hazard", "odd", "risk"))  # "odds ratio", as its tokens are
OFTEN = frozenset(("daily", "weekly", "monthly", "yearly", "a", "per", "each", "every"))
TWICE = frozenset(("twice", "thrice"))
FACTOR_BEFORE = frozenset(("is", "are", "was", "were", "than", ",", "(", "almost", "nearly", "about", "by"))
FACTOR_AFTER = frozenset(("as", "the", "that", "those", "what", "its", "their", "of"))
"""What makes a "twice" a factor, and no number of times."""
JOINS = frozenset(("to", "vs", "vs.", "versus", "against", "→", "than"))
SAYING = words_of("saying")
APART = frozenset(
    ("before", "after", "while", "whereas", "but", "and", ";", "although", "than", "compared", "against")
)
"""What makes a fold change and a logarithm speak of two things."""
SAYS = words_of("again_said") | ROUGH
"""Between a figure and one that tells it in another way nothing else stands."""
NEVER = frozenset(("p", "alpha", "n", "level", "low", "high", "range", "effect", "hazard", "fold"))
"""Kinds that are no count, share or measure of their own."""

WAYS = {word: way.upper() for word, way in meanings("ways").items()}
EXPLAINS = words_of("explains")
FOREIGN = words_of("breaks") - {","} | words_of("not_the_risk")
RATIOS = frozenset(("hazard", "fold"))
NEAR = 12
"""Tokens that may lead from a ratio to its percentage."""


def ratios(found: Evidence, number: int, figures: Sequence[Figure], used: set[int]) -> Iterator[Check]:
    stated = folds(found, number, figures)
    if len({value for value, *_ in stated}) != 1:
        return
    value, first, last, decimals = stated[0]
    aside = found.stream.texts[last - 1] == "point" or found.stream.texts[first - 1] == "further"
    if first in used or value <= 0 or aside:
        return
    diluted = {a.first for a, b in itertools.pairwise(figures) if gap(found, a, b) == [":"]}  # "1:20"
    own = [f for f in figures if f.kind not in (*NEVER, "ratio") and not f.sign and f.first != first]
    own = [f for f in own if f.first not in diluted and not is_year(found, f)]
    own = [f for f in own if not found.said.text[f.span[1] :][:2].lstrip().startswith("°")]
    if (
        not own
        and first - found.parts[number].first <= 6
        and all(p.kind == "prose" for p in found.parts[: number + 1])
    ):
        before = [f for n in (number - 2, number - 1) for f in found.by_part.get(n, ())]
        own = [f for f in before if f.kind == "count"] if len(before) == 2 else []
    pair = own if len(own) == 2 else _nearest_pair(found, own)
    pairs = [[f for f in own if f.kind == kind] for kind in ("count", "percent")]
    if len(pair) != 2 and len(own) == 4 and all(len(p) == 2 for p in pairs):
        # "At 5 µM 80 % die, at 1 µM 20 %: four-fold": of the doses, or of what they do.
        pair = min(pairs, key=lambda p: abs(_quotient(p) - value))
    if len(pair) != 2 or pair[0].kind != pair[1].kind or not (right := _quotient(pair)):
        return
    if _of_another(found, number, first, last, pair):
        return
    low, high = sorted(abs(f.value) for f in pair)
    right = 1.0 / right if value < 1 else right
    passed = abs(right - value) <= SLACK * right + 0.5 * 10.0**-decimals
    spans = (*(f.span for f in pair), found.span(first, last))
    says = f"{high:,g} / {low:,g} = {right:.3g}, stated {value:g}×"
    yield Check("ratios and percentages", passed, says, spans, expected=f"{right:.3g}×")


def _of_another(found: Evidence, number: int, first: int, last: int, pair: Sequence[Figure]) -> bool:
    """Whether a ratio, the tokens [first, last), tells something else than how a pair of figures compares."""
    texts, part = found.stream.texts, found.parts[number]
    units = {found.unit(f) and f.unit for f in pair} - {None}
    timed = len({f.unit in TIMES for f in pair}) > 1  # "after 24 h … 30-fold, in three replicates"
    if len(units) > 1 or timed or min(f.value for f in pair) < 0:
        return True  # "at 1,000 µmol ninefold in five days", "a ΔΔCt of −3, so 2³ = 8-fold"
    effects = [f for f in found.by_part.get(number, ()) if f.kind == "effect" and f.last <= first]
    if effects and first - effects[-1].last <= 4:
        return True  # "log2FC −3.2 (about a 9-fold loss)"
    led = pair[1].last < first and first - pair[1].last <= 3 and texts[pair[1].last : first]
    if led and led[-1].isalnum() and texts[first].endswith("ed") and "to" not in gap(found, *pair):
        return True  # "30 mg/kg halved the volume"
    later = texts[last : pair[0].first]
    if "," in later and content(found.stream, last + later.index(","), pair[0].first) - SAYING - {"namely"}:
        return True  # "rises 2.3-fold, cells go from 1,200 to 1,800"
    named = "ratio" in texts[max(part.first, first - 4) : first] and texts[last : last + 1] != ["time"]
    # "The ratio was 1.4 in lean and 1.5 in obese people".
    return named and pair[1].first > first and later != ["("]


def _quotient(pair: Sequence[Figure]) -> float:
    low, high = sorted(abs(f.value) for f in pair)
    return high / low if low > 0 else 0.0


def _nearest_pair(found: Evidence, own: Sequence[Figure]) -> Sequence[Figure]:
    """Of more than two figures the two that "from … to" or "versus" joins, where one pair is so joined."""
    pairs = [
        (a, b) for a, b in itertools.pairwise(own)
        if JOINS & set(gap(found, a, b)) and len(gap(found, a, b)) < 9
    ]  # fmt: skip
    return pairs[0] if len(pairs) == 1 else ()


def multiples(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "300, three times the sum of 40 and 80": of three figures, with the multiple beside them."""
    part, texts = found.parts[number], found.stream.texts
    at = next((i for i in range(part.first, part.last - 1) if texts[i : i + 2] == ["sum", "of"]), -1)
    plain = plain_of(figures)
    stated = [(value, first) for value, first, *_ in folds(found, number, figures) if 0 < at - first <= 3]
    parts = [f for f in plain if f.first > at]
    whole = [f for f in plain if f.last <= at and all(f.first != first for _, first in stated)]
    if at < 0 or len(stated) != 1 or len(parts) != 2 or len(whole) != 1:
        return
    right = stated[0][0] * sum(f.value for f in parts)
    summed = " + ".join(f"{f.value:,g}" for f in parts)
    says = f"{stated[0][0]:g} × ({summed}) = {right:,g}, stated {whole[0].value:,g}"
    spans = tuple(f.span for f in (*whole, *parts))
    passed = abs(right - whole[0].value) <= SLACK * right
    yield Check("arithmetic", passed, says, spans, expected=f"{right:,g}")


def folds(found: Evidence, number: int, figures: Sequence[Figure]) -> list[tuple[float, int, int, int]]:
    """Stated ratios of a sentence: (value, its first token, its last, decimals)."""
    part, texts = found.parts[number], found.stream.texts
    here = texts[part.first : part.last]
    stated = [(f.value, f.first, f.last, f.decimals) for f in figures if not f.sign and _is_fold(found, f)]
    if not FOLDS.keys().isdisjoint(here):
        taken = {first for _, first, _, _ in stated}
        for at in range(part.first, part.last):
            if texts[at + 1 : at + 2] and texts[at + 1] in OFTEN:
                continue  # "10 mg twice daily"
            if texts[at] in TWICE and not _multiple(texts, at):
                continue
            if texts[at] in FOLDS and found.said.text[found.span(at, at + 1)[1] :][:1] == "-":
                continue  # "double-negative cells"
            named = texts[at - 1] == "the" or (
                texts[at] == "doubling" and texts[at + 1 : at + 2] in (["time"], ["dilution"], ["step"])
            )
            if at not in taken and texts[at] in FOLDS and texts[max(0, at - 1)] != "not" and not named:
                stated.append((FOLDS[texts[at]], at, at + 1, 0))
    for at in range(part.first, part.last - 1) if "time" in here else ():
        if texts[at] in FACTORS and texts[at + 1] == "time" and not any(f.first == at for f in figures):
            stated.append((float(WORD_NUMBERS[texts[at]]), at, at + 1, 0))  # "ten times that of"
    return stated


def _multiple(texts: Sequence[str], at: int) -> bool:
    """Whether a "twice" is a factor: "twice as many", "80, i.e. twice 40"; "was listed twice" has none."""
    before, after = texts[max(0, at - 1)], "".join(texts[at + 1 : at + 2])
    return before in FACTOR_BEFORE | SAYS or after in FACTOR_AFTER or after[:1].isdigit()


def _is_fold(found: Evidence, figure: Figure) -> bool:
    """ "1.6-fold", "1.6 times", "a ratio of 1.6"."""
    if figure.kind != "count":
        return figure.kind == "ratio"
    texts, last = found.stream.texts, figure.last
    if texts[last : last + 1] == ["time"]:
        return texts[last + 1 : last + 2] != ["point"] or _named_ratio(found, figure)
    return _named_ratio(found, figure)


def _named_ratio(found: Evidence, figure: Figure) -> bool:
    if "ratio" not in found.stream.vocabulary:
        return False
    start = max(found.parts[figure.part].first, figure.first - 4)
    before = found.stream.texts[start : figure.first]
    if before[-1:] in (["is"], ["was"], ["="], ["of"]):  # "the ratio of root to shoot is 3"
        before = found.stream.texts[max(found.parts[figure.part].first, figure.first - 8) : figure.first]
    return "ratio" in before and before[-1] not in ("from", "to") and RISKS.isdisjoint(before)


def logarithms(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "A fold change of 8, i.e. a log2 fold change of 3": one and the same, told twice."""
    if "effect" not in [f.kind for f in figures]:
        return
    texts = found.stream.texts
    stated = folds(found, number, figures)
    stated += [(f.value, f.first, f.last, f.decimals) for f in figures if f.kind == "fold" and not f.sign]
    stated = sorted((s for s in stated if texts[s[1] - 1] not in ("±", "at", "after")), key=lambda s: s[1])
    for logged in figures if stated else ():
        named = any(w.startswith("log2") for w in texts[max(0, logged.first - 8) : logged.first])
        if logged.kind != "effect" or logged.sign or not named:
            continue
        run = _run(found, logged, figures)
        listed = len(run) > 1 and len(run) == len(stated) and stated[-1][2] <= run[0].first
        # Of several fold changes the nearest, or "2-fold and 8-fold (log2FC 1 and 3)" in their order.
        by_distance = sorted(stated, key=lambda s: max(s[1] - logged.last, logged.first - s[2]))
        own = by_distance[: 1 if len(run) == 1 else 0]
        for value, first, last, decimals in [stated[run.index(logged)]] if listed else own:
            low, high = (logged.last, first) if logged.first < first else (last, logged.first)
            between = texts[low:high]
            says_so = not SAYING.isdisjoint(between) or (between and SAYS.issuperset(between))
            alone = (
                len(stated) == 1 and sum(f.kind == "effect" for f in figures) == 1 and not APART & {*between}
            )
            near = len(stated) > 1 and len(between) <= 3 and not APART & {*between}
            apart = not (says_so or alone or near) or any(low <= f.first < high for f in figures)
            if value <= 0 or (apart and not listed):
                continue
            # "3-fold" may be 2.5 or 3.5; below 1 a fold is a part, which has its own places.
            half = 0.5 * 10.0**-decimals if value > 1 else 0.0
            slack = 0.3 if ROUGH & set(between) else 0.1
            ends = [math.log2(v) for v in (value - half, value + half)]
            stands = min(abs(abs(logged.value) - abs(end)) for end in (*ends, math.log2(value)))
            passed = ends[0] <= abs(logged.value) <= ends[1] or stands <= slack
            says = f"fold {value:g} is log2 {math.log2(value):.2f}, stated {logged.value:g}"
            spans = (found.span(first, last), logged.span)
            right = f"{2 ** abs(logged.value):.3g}×" if abs(logged.value) < 60 else ""
            yield Check("a fold change and its logarithm", passed, says, spans, expected=right)


def _run(found: Evidence, logged: Figure, figures: Sequence[Figure]) -> list[Figure]:
    """The list that a logarithm is one of: "log2FC 1.2, 3.0 and 0.4"."""
    run: list[Figure] = []
    for f in figures:
        joined = run and gap(found, run[-1], f) in ([","], ["and"], [",", "and"], ["or"], ["/"])
        if logged in run and not joined:
            break
        run = [*run, f] if joined else [f]
    return run


def risks(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    for number, figures in found.by_part.items():
        for at, one in enumerate(figures):
            if one.kind not in RATIOS or one.sign or one.value <= 0 or not found.asserted(one.first):
                continue
            share = _explained(found, one, figures[at + 1 :])
            if share is not None:
                yield _risk(found, one, share, _word(found, number, one, share))


def _explained(found: Evidence, one: Figure, after: Sequence[Figure]) -> Figure | None:
    """The percentage that follows in the same words, past an interval in brackets."""
    texts = found.stream.texts
    shares = [f for f in after if f.kind == "percent" and not is_level(found, f)]
    if len(shares) != 1 or shares[0].sign:
        return None
    share = shares[0]
    between = gap(found, one, share)
    inside = between.count("(") > between.count(")")
    close = len(between) - 1 - between[::-1].index(")") if ")" in between else -1
    lead = set(between[close + 1 :])
    said = set(texts[share.last : min(share.last + 3, found.parts[share.part].last)])
    linked = lead & EXPLAINS or (inside and between[-1] == "(" and said & WAYS.keys())
    foreign = (lead | said) & FOREIGN or texts[share.first - 1] in ("to", "from")
    foreign = foreign or texts[share.last : share.last + 1] == ["of"]
    return share if linked and not foreign and len(lead) <= NEAR else None


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
