"""Start, end and length; ages; intervals and numbers of doses; samples before and after.

A length is held against two dates (or ages, or a window of days) only where a word ties it to them: "so the
growth period was 28 days", "lasted", "(24 months)". What each patient had, or what came after, is another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.series.lengths import DAYS, Date, Length, dates, lengths
from biorlhf_plugins.language.words.evidence import words_of

TIES = words_of("time_ties")
EACH = frozenset(("each", "every", "per", "another", "after", "later", "before", "follow", "followup", "median",
                  "mean", "average", "first", "further", "additional", "least", "within", "until"))  # fmt: skip
AGED = frozenset(("old", "age", "aged"))
MORE = frozenset(("another", "further", "additional", "followed", "then", "plus", "more"))
ROUGH = words_of("rough")


def times(found: Evidence) -> Iterator[Check]:
    """Every check of when and how long."""
    if found.stream.vocabulary.isdisjoint(DAYS):
        return
    for number, part in enumerate(found.parts):
        if part.kind == "row" or not found.asserted(part.first):
            continue
        lasting = lengths(found, number)
        yield from _between(found, number, lasting)
        yield from _added(found, number, lasting)
        yield from _ages(found, number, lasting)


def _check(found: Evidence, passed: bool, says: str, *places: Length | Date) -> Check:
    spans = tuple(found.span(p.first, p.last) for p in sorted(places, key=_first))
    return Check("a length of time against its ends", passed, says, spans)


def _first(place: Length | Date) -> int:
    return place.first


def _between(found: Evidence, number: int, lasting: Sequence[Length]) -> Iterator[Check]:
    """ "From 4 June to 2 July, so the period was 28 days"; the length may be told in the next sentence."""
    texts, part = found.stream.texts, found.parts[number]
    when = dates(found, number)
    here = bool(when)
    if not when and number and found.parts[number - 1].kind == part.kind:
        when = dates(found, number - 1)
    if len(when) != 2:
        return
    start, end = when
    if end.day < start.day and not (start.dated and end.dated):
        end = end._replace(day=end.day.replace(year=start.day.year + 1))
    days = (end.day - start.day).days
    for length in lasting:
        if here and length.first < end.last:
            continue
        if _tied(found, end.last if here else part.first, length, bracket=here):
            slack = (1.01 if start.exact and end.exact else 32) + 0.5 * DAYS[length.unit]
            slack += 0.1 * days if not ROUGH.isdisjoint(texts[length.first - 2 : length.first]) else 0
            passed = abs(days - length.days) <= slack
            says = f"{start.day} to {end.day}, stated {length.value:g} {length.unit}"
            yield _check(found, passed, says, start, end, length)
            return


def _tied(found: Evidence, since: int, length: Length, *, bracket: bool) -> bool:
    """Whether a length is said to be that of what stands before it: "lasted", "(24 months)", "so the … was"."""
    texts = found.stream.texts
    between = texts[since : length.first]
    if bracket and between == ["("] and texts[length.last : length.last + 1] == [")"]:
        return True
    if len(between) > 16 or not EACH.isdisjoint((*between, *texts[length.last : length.last + 2])):
        return False
    return not TIES.isdisjoint(between)


def _added(found: Evidence, number: int, lasting: Sequence[Length]) -> Iterator[Check]:
    """ "For 6 months and for another 12 months, i.e. 18 months": lengths that follow each other, and their sum."""
    texts = found.stream.texts
    for at in range(2, len(lasting)):
        parts, whole = lasting[:at], lasting[at]
        between = texts[parts[-1].last : whole.first]
        sums = between[:2] == [",", "ie"] or between[:1] == ["ie"] or {"total", "altogether"} & set(between)
        sums = sums or (between[:1] == [","] and between[1:2] in (["thus"], ["hence"], ["so"], ["making"]))
        joined = [texts[a.last : b.first] for a, b in zip(parts, parts[1:], strict=False)]
        follow = all(not MORE.isdisjoint(gap) and len(gap) <= 14 for gap in joined)
        follow = follow and not {"of", "which", "including"} & set(texts[parts[0].last : parts[0].last + 2])
        if not sums or not follow or len(between) > 8 or not {"each", "every"}.isdisjoint(between):
            continue
        right = sum(p.days for p in parts)
        slack = 0.51 * DAYS[whole.unit] if whole.unit != parts[0].unit else 0.01 * whole.days
        passed = abs(right - whole.days) <= slack
        stated = " + ".join(f"{p.value:g} {p.unit}" for p in parts)
        yield _check(found, passed, f"{stated}, stated {whole.value:g} {whole.unit}", *parts, whole)
        return


def _ages(found: Evidence, number: int, lasting: Sequence[Length]) -> Iterator[Check]:
    """ "Injected at 8 weeks of age, tested 5 weeks after the injection, when they were 13 weeks old"."""
    texts = found.stream.texts
    before = lengths(found, number - 1) if number else []
    lasting = [*[a for a in before if _is_age(texts, a)], *lasting]
    ages = [a for a in lasting if _is_age(texts, a)]
    gaps = [a for a in lasting if not _is_age(texts, a) and texts[a.last : a.last + 1] in (["after"], ["later"])]
    if len(ages) != 2 or len(gaps) != 1 or len({a.unit for a in ages}) != 1:
        return
    one, other = ages
    gap = gaps[0]
    if not one.last < gap.first or gap.first < found.parts[number].first:
        return
    slack = (1.01 if gap.unit == "year" else 0.51) * DAYS[one.unit] if gap.unit != one.unit or gap.unit == "year" else 0.1
    passed = abs(one.days + gap.days - other.days) <= slack
    says = f"{one.value:g} and {gap.value:g} {gap.unit} later, stated {other.value:g} {other.unit}"
    yield _check(found, passed, says, one, gap, other)


def _is_age(texts: Sequence[str], length: Length) -> bool:
    after = texts[length.last : length.last + 2]
    return after[:1] == ["old"] or after == ["of", "age"] or texts[length.first - 1] == "aged" or (
        texts[length.first - 3 : length.first] == ["at", "age", "of"]
    )
