"""A stated difference, fold or per cent of change against the two figures it is of, before or after it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.amounts.read import Amount, alike
from biorlhf_plugins.language.amounts.shares import restates
from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.words.evidence import meanings, words_of

CHANGES = words_of("changes") | {"fall", "shift", "gap", "lowering", "shortening", "lengthening"}
MOVES = words_of("moves")
"""Verbs of change: "rose", "lost"."""
COMPARES = words_of("greater") | words_of("smaller") | words_of("more") | {"high", "apart"}
ADJUSTED = frozenset(("adjusted", "individual", "expected", "model", "paired", "net", "age", "standardised"))
FOLDED = frozenset(meanings("folds")) - {"double"}
"""Changes in one word, which ``ratios`` reads."""
OPENS = frozenset(("this", "that", "so", "it", "which", "thus", "hence", "an", "a"))


def changes(found: Evidence, amounts: dict[int, list[Amount]]) -> Iterator[Check]:
    """Every stated change whose two figures stand clearly beside it."""
    for number, here in amounts.items():
        part = found.parts[number]
        if part.kind == "row" or not here or not found.asserted(part.first):
            continue
        stated = [(a, sort) for a in here if (sort := _sort(found, a))]
        worded = not FOLDED.isdisjoint(found.stream.texts[part.first : part.last])
        if len(stated) != 1 or worded or not ADJUSTED.isdisjoint(found.stream.texts[part.first : part.last]):
            continue
        change, sort = stated[0]
        pairs, clear = _pairs(found, change, sort, amounts)
        if pairs:
            yield from _against(found, change, sort, pairs, clear)


def _sort(found: Evidence, amount: Amount) -> str:
    """What a figure is said to be a change by: "difference", "percent", "fold", ""."""
    if amount.bound or (amount.kind in ("count", "rate") and not amount.unit):
        return "" if amount.kind != "count" else _difference(found, amount)
    if amount.kind == "fold":
        return "fold"
    if amount.kind == "share":
        return "part" if _of_another(found, amount) else ""
    if amount.kind == "percent":
        return "percent" if _told(found, amount) else ""
    return _difference(found, amount)


def _difference(found: Evidence, amount: Amount) -> str:
    return "difference" if _told(found, amount) else ""


def _of_another(found: Evidence, amount: Amount) -> bool:
    """ "about a third of a male's": of another figure's owner."""
    texts = found.stream.texts
    before = set(texts[max(found.parts[amount.part].first, amount.first - 8) : amount.first])
    return texts[amount.last : amount.last + 1] == ["of"] and bool(before & {"so", "ie", "hence", "thus"})


def _told(found: Evidence, amount: Amount) -> bool:
    """ "a loss of 4.4", "rose by 0.6", "lost 30 % of", "30 % lower", "the difference was 3.5"."""
    texts, first = found.stream.texts, found.parts[amount.part].first
    before = texts[max(first, amount.first - 8) : amount.first]
    while before and before[-1] in (
        "about",
        "roughly",
        "around",
        "some",
        "nearly",
        "almost",
        "≈",
        "~",
        "a",
        "only",
    ):
        before = before[:-1]
    last = amount.last + (len(amount.unit.split("/")) * 2 - 1 if amount.unit else 0)
    after = texts[last : last + 2]
    if before[-1:] == ["by"] and not MOVES.isdisjoint(before) and texts[last : last + 1] != ["to"]:
        return True
    if before[-1:] == ["of"] and before[-2:-1] and before[-2] in CHANGES:
        return True
    if before[-1:] in (["is"], ["was"]) and "difference" in before:
        return True
    if amount.kind == "percent" and before[-1:] and before[-1] in ("lost", "gained"):
        return True
    return bool(after) and (after[0] in COMPARES or (after[0] in CHANGES and before[-1:] in (["a"], ["an"])))


def _pairs(
    found: Evidence, change: Amount, sort: str, amounts: dict[int, list[Amount]]
) -> tuple[list[tuple[Amount, Amount]], bool]:
    """The pairs that a change may be of, and whether there is no doubt which."""
    here = amounts[change.part]
    own = _alike(change, sort, here)
    moved = _moved(found, own)
    if len(own) >= 2:
        pairs = list(itertools.combinations(own, 2))
        if len(moved) == 1:
            return pairs, _beside(found, change, moved[0])
        return pairs, len(own) == 2 and _joined(found, change, own, sort)
    number = change.part
    opening = found.stream.texts[found.parts[number].first]
    before = [a for n in (number - 2, number - 1) for a in amounts.get(n, ())]
    before = _alike(change, sort, before)
    semicolon = found.stream.texts[found.parts[number].first - 1] in (";", ":")
    if not own and (restates(found, number) or opening in OPENS or semicolon) and len(before) >= 2:
        return list(itertools.combinations(before, 2)), len(before) == 2 and len(here) == 1
    after = _alike(change, sort, amounts.get(number + 1, ()))
    if not own and len(here) == 1 and len(after) >= 2 and sort != "part":
        return list(itertools.combinations(after, 2)), len(after) == 2
    return [], False


def _beside(found: Evidence, change: Amount, pair: tuple[Amount, Amount]) -> bool:
    """Whether no other clause stands between a change and the "from … to" that it is of."""
    one, other = pair
    low, high = (change.last, one.first) if change.first < one.first else (other.last, change.first)
    between = found.stream.texts[low:high]
    return len(between) <= 14 and {"and", "but", "while", "whereas", "than", ";"}.isdisjoint(between)


def _joined(found: Evidence, change: Amount, own: Sequence[Amount], sort: str) -> bool:
    """Whether a change and its two figures are told as one matter: "with … but … with …, so … by 3.7"."""
    texts = found.stream.texts
    points = sorted((change, *own), key=lambda a: a.first)
    if change is points[1]:
        return False
    between = texts[points[0].last : points[2].first]
    led = {"so", "ie", "is", ":", "namely", "(", "difference", "hence", "thus", "from", "—"} & set(
        texts[change.last : own[0].first] if change is points[0] else texts[own[1].last : change.first]
    )
    return bool(led) and len(between) <= 40 and not {"although", "whereas"} & set(between)


def _alike(change: Amount, sort: str, here: Sequence[Amount]) -> list[Amount]:
    """The figures that may be the ends of a change: of its unit, or of one kind where it is a fold."""
    others = [
        a for a in here if a is not change and not a.bound and a.kind in ("count", "measure", "percent")
    ]
    if sort == "difference":
        kind = "percent" if change.kind == "point" else change.kind
        return [
            a
            for a in others
            if a.kind == kind and a.unit == change.unit and (kind != "count" or a.noun == change.noun)
        ]
    measures = [a for a in others if a.kind == "measure" and a.unit not in TIMES]
    units = {a.unit for a in measures}
    if len(units - {""}) <= 1 and len(measures) >= 2:
        return measures
    counts = [a for a in others if a.kind == "count"]
    nouns = [a.noun for a in counts if a.noun]
    common = [a for a in counts if nouns.count(a.noun) > 1]
    return (
        common
        if len(common) >= 2 and len(nouns) == len(counts)
        else counts
        if len(counts) == 2 and not measures
        else []
    )


TIMES = frozenset(("h", "day", "days", "week", "weeks", "month", "months", "year", "years", "min", "s", "d"))


def _moved(found: Evidence, own: Sequence[Amount]) -> list[tuple[Amount, Amount]]:
    """ "from 1.7 % to 2.3 %", "8 → 2"."""
    texts, moved = found.stream.texts, []
    for one, other in itertools.pairwise(own):
        between = texts[one.last : other.first]
        led = "from" in texts[max(0, one.first - 2) : one.first] and between[-1:] == ["to"]
        if (led or between[-1:] == ["→"]) and len(between) <= 6:
            moved.append((one, other))
    return moved


def _against(
    found: Evidence, change: Amount, sort: str, pairs: Sequence[tuple[Amount, Amount]], clear: bool
) -> Iterator[Check]:
    rights: list[tuple[float, float, Amount, Amount]] = []
    moved = _moved(found, sorted({a for pair in pairs for a in pair}, key=lambda a: a.first))
    for one, other in moved if len(moved) == 1 and clear else pairs:
        if not alike(one, other):
            return
        for value, slack in _values(change, sort, one, other):
            rights.append((value, slack, one, other))
    if not rights:
        return
    passed = next((r for r in rights if abs(r[0] - abs(change.value)) <= r[1]), None)
    if passed is None and not clear:
        return
    value, _, one, other = passed or rights[0]
    stated = found.said.text[change.span[0] : change.span[1]]
    says = f"{one.value:g} and {other.value:g} give {value:.3g}, stated {stated}"
    spans = (one.span, other.span, change.span)
    yield Check("a difference of its figures", passed is not None, says, spans, expected=f"{value:.3g}")


def _values(change: Amount, sort: str, one: Amount, other: Amount) -> Iterator[tuple[float, float]]:
    """What a change of two figures would be, with what rounding allows."""
    a, b = abs(one.value), abs(other.value)
    low, high = sorted((a, b))
    half = 0.51 * (10.0**-one.decimals + 10.0**-other.decimals)
    own = 0.51 * 10.0**-change.decimals
    if sort == "difference":
        exact = change.kind == "count"
        slack = (
            1e-6 if exact and not change.rough else half + own + (0.1 * (high - low) if change.rough else 0)
        )
        yield abs(one.value - other.value), slack
        yield a + b, 1e-6
        return
    if low <= 0 or one.value * other.value < 0:
        return
    rounding = half / low
    rough = 0.1 if change.rough else 0.05
    if sort == "fold":
        for ratio in (high / low, high / low - 1):
            yield ratio, ratio * (rough + rounding) + own
        yield low / high, 0.05 * low / high + own
        return
    rights = [low / high, high / low] if sort == "part" else [1 - low / high, high / low - 1]
    for right in rights:
        value = 100.0 * right
        spare = 0.15 * value if sort == "part" else 1.5 if change.rough else 0.6
        yield value, spare + 100.0 * rounding * right + own
    if sort == "percent" and one.kind == "percent":
        yield high - low, half + own
