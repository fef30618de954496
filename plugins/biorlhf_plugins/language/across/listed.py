"""How many things a sentence announces, and how many stand below it: "Four cytokines:" above three items;
and the total of a JSON object.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import takewhile

from biorlhf_plugins.language.across.counts import counted
from biorlhf_plugins.language.evidence.parts import OPEN_ENDED
from biorlhf_plugins.language.evidence.records import VERBS, Check, Evidence

NAME = "what is announced and listed"
MANY = 30
NOT_ALL = OPEN_ENDED | frozenset((
    "such", "e.g.", "like", "example", "least", "about", "each", "per", "both", "every", "more", "etc",
    "first", "last", "top", "another", "next", "include", "only", "main",
))  # fmt: skip
"""Words by which a list may be of a part, or of each."""
TOTALS = ("total", "sum")
LEADING = frozenset(("the", "we", "found", "identified", "detected", "there", "are", "were", "these"))
LONG, MILLIARD = 1_000, 10**9
"""Characters of a JSON object that is read, and what it counts at most."""
LISTED = 12
"""Names of one sentence that are counted."""
LONGEST = 4
"""Words of a listed name."""


def listed(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    for number, part in enumerate(found.parts):
        if part.kind in ("prose", "heading") and ":" in found.stream.texts[part.first : part.last]:
            yield from _below(found, number)
        if part.kind == "prose" and found.asserted(part.first) and number in found.by_part:
            yield from _inline(found, number)
    if '"' in found.stream.vocabulary:
        yield from _object(found)


def _announced(found: Evidence, number: int, colon: int) -> float:
    """What opens a sentence that leads to a colon counts: "Four cytokines:"; 0 where that is not plain."""
    part, texts = found.parts[number], found.stream.texts
    counts = [f for f in counted(found, number) if f.last < colon]
    figures = [f for f in found.by_part.get(number, ()) if f.first < colon]
    plain = len(counts) == len(figures) == 1 and counts[0].value <= MANY and found.asserted(part.first)
    lead = texts[part.first : counts[0].first] if plain else []
    opens = plain and LEADING.issuperset(lead)
    return counts[0].value if opens and NOT_ALL.isdisjoint(texts[part.first : colon]) else 0.0


def _below(found: Evidence, number: int) -> Iterator[Check]:
    """A line that ends with a colon, and the items below it."""
    part, texts = found.parts[number], found.stream.texts
    colon = next((i for i in range(part.last - 1, part.first, -1) if texts[i] == ":"), part.last)
    after = found.parts[number + 1 :]
    items = list(takewhile(lambda p: p.kind == "item", after))
    said = _announced(found, number, colon) if len(items) > 1 else 0.0
    if not said or any(token.kind == "w" for token in found.stream[colon + 1 : part.last]):
        return
    # Items that go on in sentences of their own, or in items below them, are not plainly one thing each.
    if any(p.last - p.first > 3 * LONGEST for p in items) or not NOT_ALL.isdisjoint(
        texts[items[0].first : items[-1].last]
    ):
        return
    yield _check(said, len(items), found, part.first, items[-1].last)


def _inline(found: Evidence, number: int) -> Iterator[Check]:
    """ "Five genes, namely Alb, Apoa1 and Cyp2e1"; "Alb, Apoa1 and Cyp2e1 are the five genes"."""
    part, texts = found.parts[number], found.stream.texts
    counts = [f for f in counted(found, number) if f.value <= LISTED and f.unit]
    if (
        len(counts) != 1
        or len(found.by_part[number]) != 1
        or not NOT_ALL.isdisjoint(texts[part.first : part.last])
    ):
        return
    one = counts[0]
    noun = one.last + 1
    lead, tail = texts[part.first : one.first], texts[noun : part.last]
    ahead = LEADING.issuperset(lead) and not {*lead} <= {"the"}
    if tail[:2] == [",", "namely"] or (
        tail[:1] in ([":"], ["are"], ["("]) and (LEADING | {"it", "is"}).issuperset(lead)
    ):
        first, last = noun + 1 + (tail[0] == ","), part.last - (tail[0] == "(")
        if tail[0] == "(" and texts[part.last - 1] != ")":
            return
        if tail[0] == "are" and not {*lead} <= {"the"}:
            return
    elif not tail and not ahead and lead[-2:] in (["are", "the"], ["is", "the"], [",", "ie"]):
        first, last = part.first, one.first - 2
    else:
        return
    items = _items(found, first, last)
    if items and (len(items) < one.value or all(len(item) == 1 for item in items)):
        yield _check(one.value, len(items), found, part.first, part.last)


def _items(found: Evidence, first: int, last: int) -> list[list[str]]:
    """The names of "Alb, Apoa1 and Cyp2e1"; none where it is not plainly a list of names."""
    items: list[list[str]] = [[]]
    for text, kind, *_ in found.stream[first:last]:
        if text in (",", "and"):
            items.append([])
        elif kind == "p" or text in VERBS or text in ("or", "of", "in", "to", "that", "which"):
            return []
        else:
            items[-1].append(text)
    items = [item for item in items if item]  # "a, b, and c"
    joined = "and" in found.stream.texts[first:last]
    return items if joined and len(items) > 1 and all(len(item) < LONGEST for item in items) else []


def _check(said: float, items: int, found: Evidence, first: int, last: int) -> Check:
    return Check(
        NAME, said == items, f"{said:g} announced, {items} listed", (found.span(first, last),),
        expected=str(items),
    )  # fmt: skip


def _object(found: Evidence) -> Iterator[Check]:
    """{"drug": 84, "placebo": 82, "total": 166}: the total of what stands beside it."""
    text = found.said.text.strip()
    start, end = 0, len(text)
    try:
        data = json.loads(text) if text.startswith("{") and end <= LONG else None
    except (ValueError, RecursionError):
        return
    numbers = {k: v for k, v in data.items() if type(v) in (int, float)} if isinstance(data, dict) else {}
    totals = [key for key in numbers if key.lower() in TOTALS]
    if (
        len(totals) != 1
        or len(numbers) < 3
        or any(type(v) is float or v > MILLIARD for v in numbers.values())
    ):
        return
    total = numbers.pop(totals[0])
    alike = (
        numbers.keys() == {"up", "down"} or len({key.rstrip("0123456789") for key in numbers}) == 1
    )  # "donor_1", "donor_2"
    if not alike and "total" not in found.prompt.lower():
        return  # of a larger group, perhaps
    right = sum(numbers.values())
    if min(numbers.values()) >= 0:
        says = f"{' + '.join(map(str, numbers.values()))} = {right}, stated {total}"
        yield Check("parts and whole", total == right, says, ((start, end),), expected=str(right))
