"""So many of so many against a share that stands anywhere beside them: "two thirds … (46 of the 69)"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.amounts.read import DETERMINERS, Amount, alike
from biorlhf_plugins.language.evidence.records import FUNCTION, Check, Evidence

Pair = tuple[Amount, Amount]
RESTATES = (
    ["in", "other", "word"], ["that", "is"], ["this", "is"], ["that", "correspond"], ["this", "correspond"],
    ["ie"], ["put", "differently"], ["that", "mean"], ["this", "mean"], ["expressed", "as"], ["hence"],
    ["thus"], ["in", "relative", "term"], ["as", "a", "percentage"], ["in", "percent"],
    ["that", "make"], ["this", "make"], ["that", "give"], ["this", "give"], ["that", "translate"],
    ["this", "translate"], ["that", "equal"], ["this", "equal"], ["that", "amount"], ["this", "amount"],
    ["this", "represent"], ["that", "represent"],
)  # fmt: skip
"""How a sentence opens that tells the one before it once more."""
STEM = 6


def shares(found: Evidence, amounts: dict[int, list[Amount]]) -> Iterator[Check]:
    """Fractions in words and restated percentages against counts; a part against what it is a part of."""
    for number, here in amounts.items():
        if not here or not found.asserted(found.parts[number].first):
            continue
        told = [a for a in here if a.kind == "share"]
        pairs = pairs_of(found, here)
        for share in told:
            yield from _fraction(found, share, here, pairs, len(told))
        if restates(found, number):
            before = pairs_of(found, amounts[number - 1])
            yield from _restated(found, [a for a in here if a.kind in ("percent", "share")], before)
        yield from _rated(found, here)
        yield from _parts(found, here, amounts)
        yield from _of_these(found, here, amounts)


def restates(found: Evidence, number: int) -> bool:
    first = found.parts[number].first
    texts = found.stream.texts
    while texts[first : first + 1] in (["\n"], ["("], ["so"], [","]):
        first += 1
    return number > 0 and any(texts[first : first + len(words)] == words for words in RESTATES)


def pairs_of(found: Evidence, here: Sequence[Amount]) -> list[Pair]:
    """ "46 of the 69", "34/170", "Of 14,000 phosphosites, 11,480 …": a part and its whole."""
    counts = [a for a in here if a.kind == "count" and not a.bound]
    texts, pairs = found.stream.texts, []
    for one, other in itertools.pairwise(counts):
        between = [w for w in texts[one.last : other.first] if w not in DETERMINERS]
        named = len(between) == 2 and between[-1] == "of" and between[0] == one.noun
        if (named or between in (["of"], ["out", "of"], ["/"])) and one.value <= other.value:
            pairs.append((one, other))
    for one in counts:
        lead = list(texts[max(found.parts[one.part].first, one.first - 3) : one.first])
        lead = [w for w in lead if w not in DETERMINERS]
        after = next((a for a in counts if a.first >= one.last), None)
        if lead and lead[-1] in ("of", "among") and len(lead) == 1 and after and after.value <= one.value:
            pairs.append((after, one))
    return [pair for pair in pairs if alike(*pair)]


def _fraction(
    found: Evidence, share: Amount, here: Sequence[Amount], pairs: Sequence[Pair], told: int
) -> Iterator[Check]:
    """ "Two thirds of the households: 46 of the 69", "half of the 54 scans (27 scans)"."""
    texts = found.stream.texts
    after = [w for w in texts[share.last : share.last + 3] if w not in DETERMINERS]
    counts = [a for a in here if a.kind == "count" and not a.bound]
    whole = next((a for a in counts if a.first >= share.last), None)
    if whole is not None and after[:1] == ["of"] and whole.first - share.last <= 3:
        bracketed = [a for a in counts if a.first >= whole.last and _bracket(found, a)]
        others = [a for a in counts if a is not whole and a.value < whole.value]
        own = [(a, whole) for a in others]
        clear = len(bracketed) == 1 and bracketed[0].noun in ("", whole.noun) and told == 1
        yield from _against(found, share, [*own, *pairs], clear)
    elif len(pairs) == 1 or told == 1:
        yield from _against(
            found, share, pairs, len(pairs) == 1 and told == 1 and _near(found, share, pairs[0])
        )
    elif pairs:
        nearest = min(pairs, key=lambda p: _distance(share, p))
        clear = _distance(share, nearest) <= 5 and _alone(found, share, nearest, here)
        yield from _against(found, share, pairs, clear)


def _bracket(found: Evidence, amount: Amount) -> bool:
    texts = found.stream.texts
    return texts[amount.first - 1] in ("(", ":", "namely", "ie")


def _distance(share: Amount, pair: Pair) -> int:
    first, last = sorted((pair[0].first, pair[1].first))
    return share.first - last if share.first > last else first - share.last


def _near(found: Evidence, share: Amount, pair: Pair) -> bool:
    """Whether nothing but one matter is told between a share and its counts."""
    first, last = sorted((share, min(pair, key=lambda a: a.first)), key=lambda a: a.first)
    between = found.stream.texts[first.last : last.first]
    return len(between) <= 16 and {"but", "while", "whereas", ";", "than"}.isdisjoint(between)


def _alone(found: Evidence, share: Amount, pair: Pair, here: Sequence[Amount]) -> bool:
    low = min(share.first, pair[0].first, pair[1].first)
    high = max(share.last, pair[0].last, pair[1].last)
    inside = [a for a in here if low <= a.first < high and a not in (share, *pair)]
    return not inside


def _against(found: Evidence, share: Amount, pairs: Sequence[Pair], clear: bool) -> Iterator[Check]:
    """A fraction in words against its counts: true of any, or wrong where they are clearly its own."""
    if not pairs:
        return
    slack = (0.16 if share.rough else 0.09) * share.value
    rights = [(100.0 * part.value / whole.value, part, whole) for part, whole in pairs if whole.value > 0]
    if not rights:
        return
    right, part, whole = min(rights, key=lambda r: abs(r[0] - share.value))
    passed = abs(right - share.value) <= slack
    if share.bound:
        passed = right >= 0.98 * share.value if share.unit == ">" else right <= 1.02 * share.value
    if passed or clear:
        yield _share_check(found, share, right, part, whole, passed)


def _share_check(
    found: Evidence, share: Amount, right: float, part: Amount, whole: Amount, passed: bool
) -> Check:
    stated = found.said.text[share.span[0] : share.span[1]]
    says = f"{part.value:g} of {whole.value:g} = {right:.3g} %, stated {stated}"
    spans = (part.span, whole.span, share.span)
    return Check("ratios and percentages", passed, says, spans, expected=f"{right:.3g}%")


def _restated(found: Evidence, told: Sequence[Amount], pairs: Sequence[Pair]) -> Iterator[Check]:
    """ "Of 14,000 sites 11,480 were sure. In other words, 82 % …": of them, or of those that are not."""
    told = [a for a in told if not a.bound]
    if len(told) != 1 or not pairs:
        return
    share = told[0]
    opened = found.stream.texts[found.parts[share.part].first : share.first]
    slack = (
        0.16 * share.value if share.kind == "share" else 1.5 if share.rough else 0.6 * 10.0**-share.decimals
    )
    rights = []
    for part, whole in pairs:
        value = 100.0 * part.value / whole.value
        rights += [(value, part, whole), (100.0 - value, part, whole)]
    right, part, whole = min(rights, key=lambda r: abs(r[0] - share.value))
    passed = abs(right - share.value) <= slack
    if passed or (len(pairs) == 1 and len(opened) <= 6):
        yield _share_check(found, share, right, part, whole, passed)


def _rated(found: Evidence, here: Sequence[Amount]) -> Iterator[Check]:
    """ "400 plants and 300 carried it, so the transmission rate was 75 %": the only two counts."""
    texts = found.stream.texts
    counts = [a for a in here if a.kind == "count"]
    told = [a for a in here if a.kind == "percent"]
    if (
        len(counts) != 2
        or len(told) != 1
        or len(here) != 3
        or told[0] is not here[2]
        or any(a.bound for a in here)
    ):
        return
    lead = texts[counts[1].last : told[0].first]
    ends = [w for w in lead[-5:] if w not in ("the", "a", "an")]
    if LEADS.isdisjoint(lead) or RATES.isdisjoint(ends) or counts[0].rough or pairs_of(found, counts):
        return
    low, high = sorted(counts, key=lambda a: a.value)
    share, right = told[0], 100.0 * low.value / high.value
    slack = 1.5 if share.rough else 0.6 * 10.0**-share.decimals
    right = min((right, 100.0 - right), key=lambda value: abs(value - share.value))
    yield _share_check(found, share, right, low, high, abs(right - share.value) <= slack)


LEADS = frozenset(
    ("so", "ie", "hence", "thus", "giving", "give", "gave", "yielding", "mean", "meaning", "therefore")
)
RATES = frozenset((
    "rate", "share", "fraction", "proportion", "frequency", "prevalence", "efficiency", "sensitivity",
    "specificity", "mortality", "incidence", "penetrance", "viability", "percentage", "survival", "recall",
))  # fmt: skip


def _of_these(found: Evidence, here: Sequence[Amount], amounts: dict[int, list[Amount]]) -> Iterator[Check]:
    """ "320 contigs. Of these, 45 are circular": no more than the most that was told before."""
    part = next((a for a in here if a.kind == "count" and not a.bound), None)
    if part is None:
        return
    first, texts = found.parts[part.part].first, found.stream.texts
    opened = [w for w in texts[first : part.first] if w not in (",", "only", "just", "\n")]
    before = [a for n in (part.part - 2, part.part - 1) for a in amounts.get(n, ()) if a.kind == "count"]
    if (
        opened in (["of", "these"], ["of", "them"], ["of", "those"], ["among", "them"], ["among", "these"])
        and before
    ) and not any(a.bound for a in before):
        whole = max(before, key=lambda a: a.value)
        says = f"{part.value:,g} of {whole.value:,g}"
        yield Check("parts and whole", part.value <= whole.value, says, (part.span, whole.span))


def _parts(found: Evidence, here: Sequence[Amount], amounts: dict[int, list[Amount]]) -> Iterator[Check]:
    """ "5,240 proteins were quantified, and 6,105 of the quantified proteins changed": no part is larger."""
    texts = found.stream.texts
    for part in here:
        after = texts[part.last : part.last + 2]
        if (
            part.kind != "count"
            or part.bound
            or after not in (["of", "the"], ["of", "these"], ["of", "those"])
        ):
            continue
        named: list[str] = []
        for at in range(part.last + 2, min(part.last + 6, found.parts[part.part].last)):
            if not texts[at].isalpha() or texts[at] in FUNCTION or found.stream[at].number is not None:
                break
            named.append(texts[at][:STEM])
        wholes = [
            (len(_about(found, a) & set(named)), a)
            for n in range(max(0, part.part - 2), part.part + 1)
            for a in amounts[n]
            if a.kind == "count" and a.first < part.first and not a.bound
            if not a.noun or a.noun[:STEM] in named
        ]
        best = max((n for n, _ in wholes), default=0)
        own = [a for n, a in wholes if n == best]
        if best and best >= min(2, len(named)) - 1 and len(named) > 1 and own:
            whole = max(own, key=lambda a: a.value)
            says = f"{part.value:,g} of {whole.value:,g}"
            yield Check("parts and whole", part.value <= whole.value, says, (part.span, whole.span))


def _about(found: Evidence, amount: Amount) -> set[str]:
    """The stems of the words around a figure, up to the next figure, bracket or clause."""
    texts, part = found.stream.texts, found.parts[amount.part]
    stems: set[str] = set()
    for step, at in ((1, amount.last), (-1, amount.first - 1)):
        while part.first <= at < part.last and texts[at] not in (",", ";", "(", "and", "but", "\n"):
            if found.stream[at].number is not None:
                break
            if texts[at].isalpha() and texts[at] not in FUNCTION:
                stems.add(texts[at][:STEM])
            at += step
    return stems
