"""One figure told twice: "The heart has 910 DEGs under HU+IR. In summary: heart, HU+IR, 190 DEGs"; a list
that is said to have five and has three; one name in two lists that exclude each other.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.across.counts import counted
from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, content, is_year
from biorlhf_plugins.language.records import Span
from biorlhf_plugins.language.words.evidence import words_of

NEUTRAL, TIMES = words_of("neutral") | words_of("neutral_again"), words_of("times")
AGAIN, OTHERWISE = words_of("again"), words_of("otherwise")
POINTING = frozenset(("this", "these", "those"))
PLACED = ("entity", "condition", "mission")
GENES = frozenset(("deg", "gene", "transcript"))
LISTS = ("increased decreased", "up down", "upregulated downregulated", "higher lower", "gained lost")
OPENS = frozenset((":", "namely"))
PARTLY = words_of("partly")
"""Before a list: of some alone, or of where they were seen ("three genes changed in both tissues: …")."""
SENTENCES = 30
SUMMARY = frozenset(("summary", "short", "conclusion", "overall", "sum"))
TOTALS = SUMMARY | {"total", "sum", "all", "altogether"}
ANSWERS = frozenset(("answer", "thus", "therefore", "hence", "short"))
POINTED = (["these"], ["those"], ["of", "these"], ["of", "those"])
LIMITED = words_of("places") | {"that", "which", "who", "whose", "of"}
"""Behind a figure: it is of some of them alone."""
NEAR = 0.03
"""Two numbers that differ by less are one, rounded."""


def twice(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    yield from _restated(found)
    yield from _tabled(found)
    for figures in found.by_part.values() if "exact" in found.stream.vocabulary else ():
        yield from _exact(found, figures)
    if not OPENS.isdisjoint(found.stream.vocabulary):
        yield from _listed(found)
        yield from _both_lists(found)


def _slot(found: Evidence, figure: Figure) -> frozenset[str]:
    """The words that say what a figure is of: those of its sentence, or after the colon before it."""
    part, texts = found.parts[figure.part], found.stream.texts
    first = next((i + 1 for i in range(figure.first - 1, part.first, -1) if texts[i] == ":"), part.first)
    last = next((i for i in range(figure.last, part.last) if texts[i] == ","), part.last)
    words = content(found.stream, first, last) - NEUTRAL
    unit = {figure.unit} - {""}
    return frozenset("gene" if word in GENES else word for word in words | unit) | {
        t for t in texts[first:last] if t.isdigit() and t != texts[figure.first]
    }


def _alone(found: Evidence) -> list[Figure]:
    """Counts that stand alone in their sentences, at most one a sentence."""
    figures = []
    for number, own in found.by_part.items():
        part = found.parts[number]
        plain = [f for f in own if f.kind in ("count", "percent") and not f.sign and f.unit not in TIMES]
        plain = [f for f in plain if found.stream.texts[f.first - 1] not in ("at", "after", "on")]
        if part.kind != "prose" or not found.asserted(part.first) or number > SENTENCES:
            continue
        after_colon = [f for f in plain if found.stream.texts[f.first - 1] == ":"]
        if len(plain) == 1 or len(after_colon) == 1:
            figures.append((after_colon or plain)[0])
    return figures


def _restated(found: Evidence) -> Iterator[Check]:
    texts = found.stream.texts
    figures = _alone(found)
    slots = [_slot(found, f) for f in figures] if len(figures) > 1 else []
    for n, one in enumerate(figures):
        for m in range(n + 1, len(figures)):
            other = figures[m]
            if one.value == other.value:
                continue
            if m == 1 and _of_all(found, one, other):
                says = f"{one.value:,g} and {other.value:,g} {one.unit}"
                yield Check("one value per slot", False, says, (one.span, other.span))
                return
            part = found.parts[other.part]
            closing = 3 * (texts[part.first : part.first + 3] == ["to", "sum", "up"])
            here = texts[found.parts[one.part].last : part.first] + texts[part.first + closing : part.last]
            mine, theirs = slots[n], slots[m]
            shared = mine & theirs
            again = _told_again(found, one, other)
            alike = one.kind == other.kind and (one.unit == other.unit or {one.unit, other.unit} <= GENES)
            plain = alike and OTHERWISE.isdisjoint(here) and bool(shared - {"gene", one.unit})
            if not again and not (plain and len(shared) > 1):
                continue
            same = mine == theirs and other.part - one.part <= 1 and one.kind == "count"
            again = again or (theirs < mine and not AGAIN.isdisjoint(here) and one.kind == "count")
            ends = not SUMMARY.isdisjoint(texts[part.first : part.first + 3])
            further = {word[:5] for word in theirs} - {word[:5] for word in mine}
            if same or again or (ends and len(shared) > 2 and len(further) <= 1):
                says = f"{one.value:,g} and {other.value:,g}: {' '.join(sorted(shared))}"
                yield Check("two values for one thing", False, says, (one.span, other.span))
                return


def _told_again(found: Evidence, one: Figure, other: Figure) -> bool:
    """ "Salt changes 2,316 genes in roots. With 3,216, roots …": with its digits changed, and of no other
    name; "With 1,120 DEGs under salt, roots …", which names all that the first is of."""
    texts, part = found.stream.texts, found.parts[other.part]
    mine, theirs = (found.words(f.part) - NEUTRAL - GENES for f in (one, other))
    stops = (i for i in range(other.first - 1, part.first, -1) if texts[i - 1] in (",", ":", ";", "so"))
    start = next(stops, part.first)
    lead = content(found.stream, start, other.first) - NEUTRAL
    here, there = (texts[found.parts[f.part].first : found.parts[f.part].last] for f in (one, other))
    numbered = {*here} ^ {*there} ^ {texts[one.first], texts[other.first]}  # "1 h of cold: 1,043 genes"
    elsewhere = bool(lead - mine) or any(word.isdigit() for word in numbered)
    cut = next((i for i in range(other.last, part.last) if texts[i] == ","), part.last)
    subject = content(found.stream, cut + 1, min(cut + 3, part.last))
    if texts[part.first] == "with" and not any(m.first <= cut + 2 for m in part.inside.get("entity", ())):
        elsewhere = elsewhere or not subject <= mine
    for kind in PLACED:
        first = {m.value for m in found.parts[one.part].inside.get(kind, ())}
        second = {m.value for m in part.inside.get(kind, ()) if m.first >= start}
        elsewhere = elsewhere or bool(first - second and second - first)
    if elsewhere or one.part == other.part or not mine & theirs - {one.unit, other.unit}:
        return False
    if _transposed(found, one, other):
        changed = OTHERWISE - POINTING - {"second", "then", "other", "another", "later"}
        return changed.isdisjoint(texts[found.parts[one.part].last : other.first])
    of = content(found.stream, other.last + 1, cut) - NEUTRAL
    named = texts[part.first] == "with" and bool(of) and of <= mine and bool(subject & mine - of)
    return named and {one.unit, other.unit} <= GENES


def _of_all(found: Evidence, one: Figure, other: Figure) -> bool:
    """ "There are 4,218 DEGs. Most of the 2,418 DEGs go up", "In all, there are 2,418": of the same."""
    texts, part = found.stream.texts, found.parts[other.part]
    alike = one.unit == other.unit or not other.unit or {one.unit, other.unit} <= GENES
    alone = sum(len(found.by_part.get(n, ())) for n in range(other.part)) == 1
    near = abs(one.value - other.value) <= NEAR * max(one.value, other.value)
    if not (alike and alone and one.unit) or near or one.part == other.part:
        return False
    lead = texts[part.first : other.first]
    behind = texts[other.last + bool(other.unit) :][:1]
    pointed = lead in POINTED or (lead[-2:] == ["of", "the"] and len(lead) > 2)
    closes = not TOTALS.isdisjoint(lead) and found.words(one.part) - NEUTRAL <= {one.unit, "answer"}
    answers = not ANSWERS.isdisjoint(lead[-3:])
    return (pointed or closes or answers) and LIMITED.isdisjoint(behind)


def _exact(found: Evidence, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "About 6.4k genes, 6,425 to be exact", "more than 8,000 proteins, 8,912 to be exact"."""
    texts = found.stream.texts
    if len(figures) != 2 or texts[figures[1].last : figures[1].last + 3] != ["to", "be", "exact"]:
        return
    one, other = figures
    near = abs(one.value - other.value) <= 0.1 * abs(other.value)
    passed = {">": other.value >= one.value, "<": other.value <= one.value}.get(one.sign, near)
    says = f"{one.sign}{one.value:,g}, and exactly {other.value:,g}"
    yield Check("one value per slot", passed, says, (one.span, other.span))


def _tabled(found: Evidence) -> Iterator[Check]:
    """A sentence with one figure against the row that it names: "Cluster 1 has 3,045 cells"."""
    texts = found.stream.texts
    rows = [f for f in found.figures if found.parts[f.part].kind == "row" and f.left]
    for number, figures in found.by_part.items() if rows else ():
        part = found.parts[number]
        told = [f for f in figures if f.unit or f.kind == "effect"]
        if part.kind == "row" or len(told) != 1 or told[0].sign or not found.asserted(part.first):
            continue
        words = {*texts[part.first : part.last]}
        named = [f for f in rows if f.left <= words]
        mine = [f for f in named if f.right & (told[0].words | {told[0].unit})]
        if len({f.left for f in named}) == 1 and len(mine) == 1 and OTHERWISE.isdisjoint(words):
            passed = mine[0].value == told[0].value
            says = f"{told[0].value:,g}, in the table {mine[0].value:,g}"
            yield Check("two values for one thing", passed, says, (told[0].span, mine[0].span))


def _transposed(found: Evidence, one: Figure, other: Figure) -> bool:
    """1,204 and 2,104: the same three or more digits in another order."""
    digits = [sorted(f"{f.value:.10g}") for f in (one, other)]
    plain = one.kind == other.kind == "count" and not (one.decimals or other.decimals or found.unit(one))
    alike = not (is_year(found, one) or is_year(found, other))
    return plain and alike and digits[0] == digits[1] and len(f"{one.value:.10g}".rstrip("0")) >= 3


def _listed(found: Evidence) -> Iterator[Check]:
    """ "Five tissues were studied: heart, liver and soleus", or with each in a line of its own."""
    texts = found.stream.texts
    for number in found.by_part:
        part = found.parts[number]
        if part.kind != "prose" or not found.asserted(part.first):
            continue
        colon = next((i for i in range(part.first, min(part.last + 1, len(texts))) if texts[i] in OPENS), 0)
        things = [f for f in counted(found, number) if f.last < colon] if colon else []
        below = list(itertools.takewhile(lambda p: p.kind == "item", found.parts[number + 1 :]))
        short = colon >= part.last - 2 and all(p.last - p.first <= 4 for p in below)
        lines = [texts[p.first : p.last] for p in below] if short else []
        items = (lines or _items(texts[colon + 1 : part.last])) if len(things) == 1 else []
        if not items or things[0].value > 9 or any(colon < f.first for f in found.by_part[number]):
            continue
        if not PARTLY.isdisjoint(texts[part.first : colon]) or "," in texts[things[0].last : colon - 1]:
            continue
        passed = len(items) == things[0].value
        if len(items) > things[0].value and any(len(item) > 1 for item in items) and not lines:
            continue  # "two trees: Norway spruce, Picea abies, and beech"
        says = f"{things[0].value:g} {things[0].unit}, and {len(items)} of them listed"
        yield Check("a list against its number", passed, says, (things[0].span,), expected=str(len(items)))


def _items(texts: Sequence[str]) -> list[list[str]]:
    """The items of "heart, liver and soleus": short names, closed by an "and"; [] where that is not plain."""
    texts = [t for t in texts if t not in (".", "the")]
    if texts.count("and") != 1 or {":", ";", "(", ")", "no", "not", "a", "an", "usually"} & set(texts):
        return []
    items: list[list[str]] = [[]]
    for text in texts:
        if text in (",", "and"):
            if items[-1]:
                items.append([])
        else:
            items[-1].append(text)
    return items if all(1 <= len(item) <= 3 for item in items) else []


def _both_lists(found: Evidence) -> Iterator[Check]:
    """ "Increased: IL6, TNF. Decreased: CD4, IL6": one name in two lists that exclude each other."""
    texts = found.stream.texts
    lists: dict[str, tuple[frozenset[str], Span]] = {}
    for part in found.parts[:SENTENCES]:
        first = part.first + (texts[part.first] in ("\n", "•"))
        if texts[first + 1 : first + 2] == [":"] and part.last - first > 3:
            words = content(found.stream, first + 2, part.last)
            names = frozenset(word for word in words if any(c.isdigit() for c in word))
            lists[texts[first]] = names, found.span(first, part.last)
    for one, other in map(str.split, LISTS):
        if one in lists and other in lists and lists[one][0] & lists[other][0]:
            says = f"{one} and {other}: {' '.join(sorted(lists[one][0] & lists[other][0]))}"
            yield Check("what is denied and stated", False, says, (lists[one][1], lists[other][1]))
