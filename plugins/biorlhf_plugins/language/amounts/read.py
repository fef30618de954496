"""The amounts of a text: what is counted, measured or a share, also "half" and "one in five", with its noun.

Figures belong to the words beside them; an amount is read with the passage that it stands in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from biorlhf_plugins.language.evidence.records import FUNCTION, LABELS, Evidence
from biorlhf_plugins.language.records import Span
from biorlhf_plugins.language.words.evidence import meanings, words_of
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.language.words.spelt import WORD_NUMBERS
from biorlhf_plugins.language.words.units import unit_at

ROUGH = words_of("rough") | {"just", "well"}
VERBS = words_of("amount_verbs")
PARTITIVES = meanings("fractions")
"""The size of what "third" and "quarter" name."""
ARMS = frozenset(("arm", "group", "cohort"))
DETERMINERS = frozenset(("the", "these", "those", "all", "our", "total"))
DATES = frozenset((
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
))  # fmt: skip


class Amount(NamedTuple):
    """``kind``: "count", "measure" (of ``unit``), "percent", "point", "fold", "rate" ("1.5 per 100",
    ``base`` 100), "share": a fraction in words, as its percentage; its ``unit`` is the sign of "over half".

    ``noun`` is the word that it counts; ``bound`` marks "at least 3" and ranges, ``rough`` "about 3".
    [first, last) are tokens.
    """

    value: float
    kind: str
    part: int
    first: int
    last: int
    noun: str
    unit: str
    decimals: int
    bound: bool
    rough: bool
    span: Span
    base: float = 1.0


def alike(one: Amount, other: Amount) -> bool:
    """Whether two figures are written on one scale: "5.2 to 1.3 million" may not be."""
    scaled = [a.last - a.first > 1 and a.value >= 1000 for a in (one, other)]
    return scaled[0] == scaled[1]


def amounts_of(found: Evidence) -> dict[int, list[Amount]]:
    """The amounts of each sentence, in order."""
    return {number: list(_read(found, number)) for number in range(len(found.parts))}


def _read(found: Evidence, number: int) -> Iterator[Amount]:
    part, texts = found.parts[number], found.stream.texts
    mentions = {m.first: m for m in part.inside.get("num", [])}
    at = part.first
    while at < part.last:
        share = _fraction(texts, at, part.last)
        if share is not None:
            value, last = share
            yield _amount(found, number, "share", value, at, last, 0)
            at = last
            continue
        mention = mentions.get(at)
        token: Number | None = mention.value if mention else found.stream[at].number
        if token is None or token.unit == "name":
            at += 1
            continue
        last = mention.last if mention else at + 1
        yield from _figure(found, number, token, at, last)
        at = last


def _figure(found: Evidence, number: int, read: Number, first: int, last: int) -> Iterator[Amount]:
    texts, before = found.stream.texts, found.stream.texts[first - 1] if first else ""
    if before in LABELS and before not in ARMS:
        return  # "day 7"
    if DATES & set(texts[max(0, first - 1) : first] + texts[last : last + 1]) or _is_year(read, before):
        return
    span = found.said.clean.span(found.stream[first].start, found.stream[last - 1].end)
    if before in ("per", "/") and not (before == "/" and found.stream[first - 2].number is not None):
        return  # the 100 of "1.5 per 100"
    if any(texts[at : at + 1] == [":"] and _numbered(found, at) for at in (first - 1, last)):
        return  # "3:1"
    bound = read.low is not None or read.high is not None
    bound = bound or _is_range(texts, first, last)
    kind, unit, base = "count", "", 1.0
    written = found.said.text
    if read.unit == "percent":
        kind = "point" if "point" in written[span[0] : span[1] + 8] else "percent"
    elif read.unit == "ratio" or texts[last : last + 1] in (["time"], ["fold"]):
        kind = "fold"
    elif texts[last : last + 1] in (["point"], ["pp"]) or texts[last : last + 2] == ["percentage", "point"]:
        kind = "point"
    elif texts[last : last + 1] == ["per"] and any(
        t.number is not None for t in found.stream[last + 1 : last + 2]
    ):
        kind, base = "rate", found.stream[last + 1].number.value  # type: ignore[union-attr]
    else:
        named = unit_at(written, *span)
        if texts[last : last + 1] in (["log10"], ["log"], ["log2"]):
            kind, unit = "measure", "log"
        elif named is not None and named[1].dimension != "count":
            kind, unit = "measure", named[0]
        elif read.decimals or read.value < 0 or texts[last + 1 : last + 2] == ["/"]:
            kind = "measure"
    yield Amount(
        read.value, kind, number, first, last, _noun(texts, last, found.parts[number].last), unit,
        read.decimals, bound, not ROUGH.isdisjoint(texts[max(0, first - 2) : first]), span, base,
    )  # fmt: skip


def _numbered(found: Evidence, at: int) -> bool:
    """Whether a number stands on either side."""
    sides = found.stream[max(0, at - 1)], found.stream[min(at + 1, len(found.stream) - 1)]
    return all(token.number is not None for token in sides)


def _is_year(read: Number, before: str) -> bool:
    return before in ("in", "since", "until", "from") and read.word.isdigit() and 1900 <= read.value < 2100


def _is_range(texts: Sequence[str], first: int, last: int) -> bool:
    """The ends of "by 18 to 74 %" and of "between 5 and 9"."""
    opened = texts[first - 2 : first - 1] == ["between"] or texts[first - 1 : first] == ["between"]
    return opened or texts[first - 1 : first] in (["±"], ["ci"], ["<"], [">"], ["<="], [">="], ["p"])


def _amount(
    found: Evidence, number: int, kind: str, value: float, first: int, last: int, decimals: int
) -> Amount:
    texts = found.stream.texts
    noun = _noun(texts, last, found.parts[number].last)
    lead = texts[max(0, first - 2) : first]
    rough = not ROUGH.isdisjoint(lead)
    less = (
        not {"under", "most", "below"}.isdisjoint(lead)
        or lead == ["less", "than"]
        or lead == ["fewer", "than"]
    )
    more = not less and not {"than", "over", "least", "above"}.isdisjoint(lead)
    span = found.span(first, last)
    sign = "<" if less else ">" if more else ""
    return Amount(value, kind, number, first, last, noun, sign, decimals, bool(sign), rough, span)


def _fraction(texts: Sequence[str], at: int, limit: int) -> tuple[float, int] | None:
    """ "half", "two thirds", "a quarter", "one in five", "3 out of 4", with where it ends."""
    word, after = texts[at], texts[at + 1] if at + 1 < limit else ""
    if word == "half":
        return None if after in ("life", "live") or texts[at - 1] in ("and", "a") else (50.0, at + 1)
    top = 1.0 if word in ("a", "one") else float(WORD_NUMBERS.get(word, 0)) or _digit(word)
    if not top:
        return None
    if after in PARTITIVES and (top > 1 or word == "one" or texts[at + 2 : at + 3] in (["of"], ["as"])):
        return 100.0 * top / float(PARTITIVES[after]), at + 2
    shift = 2 if after == "in" else 3 if [after, *texts[at + 2 : at + 3]] == ["out", "of"] else 0
    if shift and at + shift < limit and top < 6 and (shift == 2 or word.isalpha()):
        whole = float(WORD_NUMBERS.get(texts[at + shift], 0)) or _digit(texts[at + shift])
        if top < whole <= (20 if shift == 2 else 5) and whole == int(whole):
            return 100.0 * top / whole, at + shift + 1
    return None


def _digit(word: str) -> float:
    return float(word) if word.isdigit() and len(word) <= 2 else 0.0


def _noun(texts: Sequence[str], last: int, limit: int) -> str:
    """The word that a figure counts: the "swab" of "87 swabs were"; "" where none follows it."""
    for at in range(last, min(last + 4, limit)):
        word = texts[at]
        if not word.isalpha() or word in FUNCTION or word in VERBS or word.endswith("ed"):
            return texts[at - 1] if at > last else ""
    return texts[min(last + 3, limit) - 1] if limit > last else ""
