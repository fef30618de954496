"""Figures that only qualify another: intervals, errors, whole and part, years."""

from __future__ import annotations

from biorlhf_plugins.language.claims.reader import Reader
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.language.words.text import Stream, vocabulary

QUALIFIER = "qualifier"
"""What qualifies another figure: an interval, an error, a sample's size, a year. It answers nothing."""

INTERVALS = frozenset(("ci", "interval", "iqr", "range", "cri", "hpd", "quartile"))
OPENS_INTERVAL = INTERVALS | {"["}
SPREADS = frozenset(("±", "sd", "se", "sem", "stdev", "error", "deviation"))
QUALIFYING = SPREADS | {"=", ":", "of", "vs", "versus", "-", "/", "per"}
HELPING = vocabulary("was were are is be been could can have has had also then finally")
STATISTICAL = frozenset(("ci", "fdr", "cri", "hpd", "interval", "level", "limit", "band", "region", "bound"))
YEAR_BEFORE = vocabulary("in of since until al. year january march may june july")
COUNTING = frozenset(("many", "number", "count"))
PART = frozenset(("them", "these", "those", "which", "whom"))


def qualifies(reader: Reader, focus: Mention) -> bool:
    """Does a figure only qualify another: "95 % CI 0.54–0.86", "± 4.1", "n = 9", "12 of them", "(2021)"?"""
    stream = reader.stream
    number: Number = focus.value
    first, last, texts = focus.first, focus.last, reader.stream.texts
    before = texts[max(0, first - 6) : first][::-1]
    after = texts[last : last + 3]
    if before and before[0] in QUALIFYING and _qualified(stream, first, before):
        return True
    if number.unit == "percent" and not STATISTICAL.isdisjoint(after[:2]) and after[0] not in ("(", "in"):
        return "my" not in before and "i" not in before
    if after[:1] == ["/"] and COUNTING.isdisjoint(reader.question) and _shared(stream, first, last):
        return True
    if number.low is not None and number.high is not None and before[:1] == ["("]:
        return first > 1 and stream[first - 2].number is not None
    if after[:1] == ["of"] and len(after) > 1 and after[1] in PART:
        # "4,873 of them were quantified" answers where it is asked how many were, and so does a figure
        # with which an answer, or what concludes it, begins.
        leads = first == 0 or texts[first - 1] in (".", "!", "?", ":", "\n")
        return not (leads or asked_of(reader, last + 2))
    if reader.intervals and _interval(reader, focus, before):
        return True
    return 1900 <= number.value < 2100 and _year(reader, focus, before, after)


def asked_of(reader: Reader, at: int) -> bool:
    """Whether what the parts of a whole do is what the question asks: "of which 64 could be validated"."""
    texts = reader.stream.texts
    while texts[at : at + 1] and texts[at] in HELPING:
        at += 1
    return at < len(texts) and texts[at] in reader.question and reader.stream[at].kind == "w"


def _shared(stream: Stream, first: int, last: int) -> bool:
    """The 12 of "25 % (12/48)" and of "12/48 (25 %)", where the share is told as well."""
    bracketed = stream.texts[first - 1] == "(" and first > 1
    follows = stream.texts[last + 2 : last + 3] == ["("] and last + 3 < len(stream)
    share = stream[first - 2].number if bracketed else stream[last + 3].number if follows else None
    return share is not None and share.unit == "percent"


def _qualified(stream: Stream, first: int, before: list[str]) -> bool:
    """ "SD = 4.1", "n = 10 vs 10", "+/- 3", "12 / 40", "1.2 per 100 m": figures that qualify another."""
    previous, second = before[0], before[1] if len(before) > 1 else ""
    if previous == "per":
        return len(before) > 1 and any(stream[i].number is not None for i in range(max(0, first - 4), first))
    if previous in SPREADS or (second in SPREADS and previous in ("=", ":", "of")):
        return True
    if previous in ("vs", "versus"):
        return before[2:4] == ["=", "n"]
    if previous == "-":
        return before[1:3] == ["/", "+"]
    return previous == "/" and first > 1 and stream[first - 2].number is not None


def _interval(reader: Reader, focus: Mention, before: list[str]) -> bool:
    """True for both ends behind "CI", "IQR" or the like, and for a pair in brackets behind a figure."""
    seen = 0
    for at in range(focus.first - 1, max(-1, focus.first - 8), -1):
        token = reader.stream[at]
        if token.text in INTERVALS:
            return True
        seen += token.number is not None
        if seen > 1 or token.text in (".", ";", "!", "?", "\n", ")", "]"):
            break
    closing = reader.stream.texts[focus.last : focus.last + 3]
    if before[:1] == ["["] and len(before) > 1 and focus.first > 1 and reader.stream[focus.first - 2].number:
        return True
    return bool(
        closing[:1] == ["]"] and len(before) > 2 and before[0] in (",", "–", "to", ";") and before[2] == "["
    )


def _year(reader: Reader, focus: Mention, before: list[str], after: list[str]) -> bool:
    token = reader.stream[focus.first]
    if focus.value.unit or token.end - token.start != 4 or not token.text.isdigit():
        return False
    follows = after[0] if after else "."
    dated = bool(before) and before[0] in YEAR_BEFORE and not follows.isalpha()
    return dated or ("(" in before and follows in (")", ";"))
