"""Parts and the total that is told of them: before or after, in a sentence, in brackets, in a list.

A total is checked where words say that these parts make it ("that makes 483", "altogether"), or where a list
that leaves nothing out follows it. Where any reading of the figures holds, it holds.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.amounts.read import Amount
from biorlhf_plugins.language.evidence.records import FUNCTION, Check, Evidence
from biorlhf_plugins.language.words.evidence import words_of

SUMMED = words_of("summed") | {"come", "came", "combined"}
OVERLAPS = words_of("overlaps") - {"which", "exclude", "excluded", "exclusion", "removed", "withdrawn"}
OPEN_ENDED = frozenset((
    "including", "eg", "among", "example", "like", "notably", "mainly", "mostly", "top", "most", "especially",
    "least", "each", "every", "per", "multiple", "twice", "neither", "without", "missing", "respectively",
))  # fmt: skip
"""Words by which a list names some only, or so many of each."""
PARTING = words_of("parting")
"""What gives everyone one part: "five received vehicle"."""
TRAITS = frozenset(("with", "had", "having", "has", "have", "aged", "on", "taking"))
MOST = 12
FACTOR = 2.5
"""How far a sum may be from its whole and still be meant as such."""


def totals(found: Evidence, amounts: dict[int, list[Amount]]) -> Iterator[Check]:
    """Every told total against its parts."""
    if not OVERLAPS.isdisjoint(found.stream.vocabulary):
        return
    for number, here in amounts.items():
        if not found.asserted(found.parts[number].first) or found.parts[number].kind == "row":
            continue
        counts = _counts(here)
        ended = next((a for a in counts if _is_total(found, a)), None)
        made = list(_made(found, ended, amounts)) if ended is not None else []
        yield from made
        if counts and not made:
            yield from _listed(found, number, counts)
            yield from _items(found, number, counts, amounts)
            yield from _given(found, counts, amounts)


def _counts(here: Sequence[Amount]) -> list[Amount]:
    return [a for a in here if a.kind == "count" and not a.bound]


def _is_total(found: Evidence, amount: Amount) -> bool:
    """ "that makes 483", "Altogether, 412 units", "in all 29", "a total of 26", "26 in all"."""
    texts, first = found.stream.texts, found.parts[amount.part].first
    before = [w for w in texts[max(first, amount.first - 5) : amount.first] if w not in (",", ":", "=", "of")]
    after = texts[amount.last : amount.last + 4]
    if texts[amount.first - 2 : amount.first] in (["of", "which"], ["of", "whom"]):
        return False
    tail = any(after[at : at + 2] in (["in", "all"], ["in", "total"]) for at in range(3))
    tail = tail or any(word in ("altogether", "combined") for word in after[:3])
    lead = before[-1:] in (["altogether"], ["total"], ["totaling"], ["totalling"], ["together"])
    lead = lead or before[-2:] in (["in", "all"], ["in", "total"])
    makes = before[-2:-1] in (["that"], ["which"], ["this"], ["they"], ["together"]) and (
        before[-1] in ("make", "making")
    )
    adds = before[-1:] == ["to"] and not {"add", "adding", "sum", "summing", "come"}.isdisjoint(before)
    return tail or lead or makes or adds


def _strong(found: Evidence, amount: Amount) -> bool:
    """Whether what makes a total says that it is of the figures before it: "that makes", "add up to"."""
    texts = found.stream.texts[max(0, amount.first - 5) : amount.first]
    return not {"make", "making", "add", "adding", "sum", "come", "totaling", "totalling"}.isdisjoint(texts)


def _made(found: Evidence, whole: Amount, amounts: dict[int, list[Amount]]) -> Iterator[Check]:
    """ "193 people, 194 and 96; that makes 483": the figures before a total, or in the sentence before it."""
    own = [a for a in _counts(amounts[whole.part]) if a.first < whole.first]
    first, used = found.parts[whole.part].first, whole.part
    if not own and whole.part:
        used = whole.part - 1
        if found.parts[used].paragraph == found.parts[whole.part].paragraph:
            own, first = _counts(amounts[used]), found.parts[used].first
    if not own and whole.part and found.parts[whole.part - 1].kind in ("item", "prose"):
        own, first = _above(found, whole.part, amounts)
    words = set(found.stream.texts[first : whole.first])
    earlier = [a for n in range(max(0, used - 3), used) for a in _counts(amounts[n])][-4:]
    readings = [*earlier, *own]
    while len(own) > 2 and not _coordinated(found, own[:2]):
        own = own[1:]  # "three hospitals: 62 in Leeds, 45 in York"
    if len(own) < 2 or len(own) > MOST or not OPEN_ENDED.isdisjoint(words):
        return
    if _makes(readings, whole.value):
        yield _check(found, whole, own, True)
        return
    names = {a.noun for a in own}
    clear = "" in names or whole.noun in names
    total = sum(a.value for a in own)
    fits = total / FACTOR <= whole.value <= total * FACTOR and whole.value > max(a.value for a in own)
    listed = found.parts[own[0].part].kind == "item" or _coordinated(found, own)
    strong = _strong(found, whole)
    told = strong or (clear and (len(own) > 2 or whole.value % total))
    if told and fits and listed and not any(a.rough for a in (*own, whole)):
        yield _check(found, whole, own, False)


def _above(found: Evidence, number: int, amounts: dict[int, list[Amount]]) -> tuple[list[Amount], int]:
    """The counts of the list that stands right above a sentence, one an item; with where it begins."""
    at = number - 1
    while at > 0 and not amounts[at] and found.parts[at].kind == "prose":
        at -= 1
    items = list(itertools.takewhile(lambda n: found.parts[n].kind == "item", range(at, -1, -1)))[::-1]
    own = [_counts(amounts[n]) for n in items]
    if len(items) < 2 or any(len(group) != 1 for group in own):
        return [], found.parts[number].first
    return [group[0] for group in own], found.parts[items[0]].first


def _coordinated(found: Evidence, own: Sequence[Amount]) -> bool:
    """Whether figures stand in a row, with commas, "and" or "while" between them and no "of"."""
    texts = found.stream.texts
    gaps = [texts[a.last : b.first] for a, b in itertools.pairwise(own)]
    joins = {",", "and", ";", "plus", "while", "but"}
    return all(joins & set(g) and "of" not in g and len(g) <= 12 for g in gaps)


def _makes(own: Sequence[Amount], whole: float) -> bool:
    """Whether some of these figures make the whole."""
    values = [a.value for a in own][-MOST:]
    for size in range(2, len(values) + 1):
        if any(sum(group) == whole for group in itertools.combinations(values, size)):
            return True
    return any(a * b == whole for a, b in itertools.combinations(values, 2))


def _listed(found: Evidence, number: int, counts: Sequence[Amount]) -> Iterator[Check]:
    """ "562 plants (318 purple, 104 white and smooth, …)", "73 lesions: 38 …, 22 … and 13 …"."""
    texts, part = found.stream.texts, found.parts[number]
    for at in range(part.first + 1, part.last):
        if texts[at] not in ("(", ":") and not _consists(texts, at):
            continue
        close = next((i for i in range(at, part.last) if texts[i] == ")"), part.last)
        end = close if texts[at] == "(" else part.last
        wholes = [a for a in counts if a.last <= at and a.value > 1]
        own = [a for a in counts if at < a.first < end]
        if not wholes or at - wholes[-1].last > 8 or (len(own) < 3 and not _opposed(found, own, end)):
            continue
        words = set(texts[at:end])
        if not (OPEN_ENDED | TRAITS).isdisjoint(words) or not _parallel(found, at, end, own):
            continue
        yield from _list(found, wholes, own)


def _consists(texts: Sequence[str], at: int) -> bool:
    """ "comprising", "made up of", "consisting of", "divided into", "of whom", "of which"."""
    if texts[at] in ("comprising", "namely"):
        return True
    before = texts[max(0, at - 2) : at]
    if texts[at] in ("whom", "which"):
        return before[-1:] == ["of"]
    made = {"made", "up", "composed", "consisting", "consist", "divided", "split", "consisted"} & set(before)
    return texts[at] in ("of", "into") and bool(made)


OPPOSED = (
    {"male", "female"}, {"man", "woman"}, {"boy", "girl"}, {"positive", "negative"}, {"alive", "dead"},
    {"resistant", "susceptible"}, {"resistant", "sensitive"}, {"survived", "died"}, {"benign", "malignant"},
    {"up", "down"}, {"wild", "captive"}, {"correct", "incorrect"},
)  # fmt: skip


def _opposed(found: Evidence, own: Sequence[Amount], end: int) -> bool:
    """Whether two parts are of what cannot be both: "35 seropositive and 49 seronegative"."""
    if len(own) != 2:
        return False
    texts = found.stream.texts
    one, other = set(texts[own[0].last : own[1].first]), set(texts[own[1].last : min(end, own[1].last + 5)])
    stems = ({w[-8:] if w.endswith(("positive", "negative")) else w for w in words} for words in (one, other))
    left, right = stems
    if any(pair & left and pair & right and pair & left != pair & right for pair in OPPOSED):
        return True
    return any(
        f"{prefix}{w}" in right or w in {f"{prefix}{v}" for v in right}
        for w in left
        for prefix in ("un", "non")
    )


def _parallel(found: Evidence, first: int, last: int, own: Sequence[Amount]) -> bool:
    """Whether every item of a list has its one figure in the same place, and no other figure."""
    texts, places, start = found.stream.texts, set(), first + 1
    cuts = [i for i in range(first + 1, last) if texts[i] in (",", ";")] + [last]
    if texts[first] == "(" or len(cuts) > 1:
        ends = {a.first for a in own}
        begun = {i + 1 for i in range(first, last) if texts[i] in (",", ";", "and", ":", "(")}
        leads = [a for a in own if a.first in begun]
        closes = [a for a in own if texts[a.last : a.last + 1] in ([","], ["and"], [")"], [";"])]
        places = {len(leads) == len(own), len(closes) == len(own)}
        numbers = [i for i in range(start, last) if found.stream[i].number is not None]
        return (
            True in places and set(numbers) <= {i for a in own for i in range(a.first, a.last)} and bool(ends)
        )
    return False


def _list(found: Evidence, wholes: Sequence[Amount], own: Sequence[Amount]) -> Iterator[Check]:
    total = sum(a.value for a in own)
    whole = next((a for a in wholes if a.value == total), None)
    if whole is not None:
        yield _check(found, whole, own, True)
        return
    near = wholes[-1]
    fits = total / FACTOR <= near.value <= total * FACTOR and near.value > max(a.value for a in own)
    alike = {a.noun for a in own} <= {"", near.noun} or len({a.noun for a in own}) == len(own)
    alike = alike or len(own) > 2
    if len(wholes) == 1 and fits and alike and not any(a.rough for a in (*own, near)):
        yield _check(found, near, own, False)


def _items(
    found: Evidence, number: int, counts: Sequence[Amount], amounts: dict[int, list[Amount]]
) -> Iterator[Check]:
    """ "22,000 nuclei remained:" and a list of items, each with its one count."""
    texts, part = found.stream.texts, found.parts[number]
    line = texts[part.first : part.last]
    if part.kind != "prose" or ":" not in line[-3:] or not OPEN_ENDED.isdisjoint(line):
        return
    items = list(
        itertools.takewhile(lambda n: found.parts[n].kind == "item", range(number + 1, len(found.parts)))
    )
    own = [_counts(amounts[n])[:1] for n in items]
    more = [a for n in items for a in amounts[n] if a.kind != "count" and a.kind != "percent"]
    flat = [a for group in own for a in group]
    if len(items) < 3 or len(flat) != len(items) or more:
        return
    if any(len(_counts(amounts[n])) > 1 for n in items) or any(
        "total" in texts[a.first - 4 : a.first] for a in flat
    ):
        return
    named = all(a.noun in ("", counts[-1].noun) for a in flat) or len({a.noun for a in flat}) == len(flat)
    if named:
        yield from _list(found, [a for a in counts if a.value > 1], flat)


def _given(found: Evidence, counts: Sequence[Amount], amounts: dict[int, list[Amount]]) -> Iterator[Check]:
    """ "The study used nineteen beagles. Five received vehicle, six the low dose and eight the high dose"."""
    number = counts[0].part + 1
    if len(counts) != 1 or number not in amounts:
        return
    whole, own, texts, part = counts[0], _counts(amounts[number]), found.stream.texts, found.parts[number]
    words = texts[part.first : part.last]
    shared = _shared(found, own, part.last)
    if not 2 <= len(own) <= 6 or part.kind != "prose" or (PARTING.isdisjoint(words) and not shared):
        return
    if (
        not OPEN_ENDED.isdisjoint(words)
        or "other" in words
        or {"and"}.isdisjoint(words[own[0].last - part.first :])
    ):
        return
    gaps = [texts[a.last : b.first] for a, b in itertools.pairwise(own)]
    rows = all({",", "and", ";"} & set(g) and len(g) <= 14 for g in gaps)
    nouns = shared or all(a.noun in ("", whole.noun) for a in own)
    opens = own[0].first - part.first <= 2
    if rows and opens and nouns and (len(own) > 2 or sum(a.value for a in own) == whole.value):
        yield from _list(found, [whole], own)


def _shared(found: Evidence, own: Sequence[Amount], last: int) -> bool:
    """Whether one word ends every part: "no growth", "partial growth" and "confluent growth"."""
    if len(own) < 3:
        return False
    ends = [*(a.first for a in own[1:]), last]
    items = [
        [w for w in found.stream.texts[a.last : end] if w.isalpha() and w not in FUNCTION]
        for a, end in zip(own, ends, strict=True)
    ]
    return all(items) and len({item[-1] for item in items}) == 1


def _check(found: Evidence, whole: Amount, parts: Sequence[Amount], passed: bool) -> Check:
    total = sum(a.value for a in parts)
    says = f"{' + '.join(f'{a.value:,g}' for a in parts)} = {total:,g}, stated {whole.value:,g}"
    spans = (whole.span, *(a.span for a in parts))
    return Check("parts and whole", passed, says, spans, expected=f"{total:,g}")
