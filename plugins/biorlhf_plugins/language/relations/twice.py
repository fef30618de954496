"""One figure told twice: "The heart has 910 DEGs under HU+IR. In summary: heart, HU+IR, 190 DEGs"; a list
that is said to have five and has three; one name in two lists that exclude each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.across.counts import counted
from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, content
from biorlhf_plugins.language.records import Span
from biorlhf_plugins.language.words.evidence import words_of

NEUTRAL, TIMES = words_of("neutral") | {"said", "mentioned", "above", "under", "short"}, words_of("times")
AGAIN, OTHERWISE = words_of("again"), words_of("otherwise")
GENES = frozenset(("deg", "gene", "transcript"))
LISTS = (
    ("increased", "decreased"), ("up", "down"), ("upregulated", "downregulated"), ("higher", "lower"),
    ("gained", "lost"),
)  # fmt: skip
SENTENCES = 30


SUMMARY = frozenset(("summary", "short", "conclusion", "overall"))


def twice(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    yield from _restated(found)
    yield from _answered(found)
    yield from _tabled(found)
    if ":" in found.stream.vocabulary:
        yield from _listed(found)
        yield from _both_lists(found)


def _slot(found: Evidence, figure: Figure) -> frozenset[str]:
    """The words that say what a figure is of: those of its sentence, or after the colon before it."""
    part, texts = found.parts[figure.part], found.stream.texts
    first = next((i + 1 for i in range(figure.first - 1, part.first, -1) if texts[i] == ":"), part.first)
    if first - part.first <= 5:
        first = part.first  # "Group A: 5.6 mmol/l": the label
    last = next((i for i in range(figure.last, part.last) if texts[i] == ","), part.last)
    if texts[first] == "with" and figure.first - first <= 2:
        last = part.last  # "With 2,104 DEGs, the thymus is among the most sensitive"
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
        plain = [f for f in own if f.kind == "count" and not f.sign and f.unit not in TIMES]
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
    slots = [_slot(found, f) for f in figures]
    for n, one in enumerate(figures):
        for m in range(n + 1, len(figures)):
            other = figures[m]
            if one.value == other.value or (one.unit != other.unit and not {one.unit, other.unit} <= GENES):
                continue
            part = found.parts[other.part]
            here = texts[found.parts[one.part].last : part.last]
            mine, theirs = slots[n], slots[m]
            shared = mine & theirs
            if not OTHERWISE.isdisjoint(here) or len(shared - {"gene", one.unit}) < 1 or len(shared) < 2:
                continue
            same = mine == theirs and other.part - one.part <= 1
            again = theirs < mine and not AGAIN.isdisjoint(here)
            ends = not SUMMARY.isdisjoint(texts[part.first : part.first + 3])
            again = again or (ends and len(shared) > 2 and len(theirs - mine) <= 1)
            numbered = {w for w in mine ^ theirs if w.isdigit()}
            swapped = _transposed(found, one, other) and one.part != other.part and not numbered
            if same or again or swapped:
                says = f"{one.value:,g} and {other.value:,g}: {' '.join(sorted(shared))}"
                yield Check("two values for one thing", False, says, (one.span, other.span))
                return


def _answered(found: Evidence) -> Iterator[Check]:
    """ "IR64 yielded 2.4 t/ha. The final answer is 4.2 t/ha"."""
    texts = found.stream.texts
    for number, figures in found.by_part.items():
        part = found.parts[number]
        if texts[part.first : part.first + 4] != ["the", "final", "answer", "is"] or len(figures) != 1:
            continue
        told = figures[0]
        earlier = [f for f in found.figures if f.part < number]
        # With more than one figure before it, the answer may be worked out from them.
        if told.unit and len(earlier) == 1 and earlier[0].unit == told.unit and not earlier[0].sign:
            says = f"{earlier[0].value:g}, and the answer {told.value:g}"
            passed = told.value == earlier[0].value
            yield Check("two values for one thing", passed, says, (told.span, earlier[0].span))


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
    """1,204 and 2,104: the same digits in another order."""
    digits = [sorted(f"{f.value:.10g}".replace(".", "")) for f in (one, other)]
    whole = not (one.decimals or other.decimals) and len(digits[0]) >= 3
    return whole and digits[0] == digits[1] and not found.unit(one)


def _listed(found: Evidence) -> Iterator[Check]:
    """ "Five tissues were studied: heart, liver and soleus"."""
    texts = found.stream.texts
    for number in found.by_part:
        part = found.parts[number]
        if part.kind != "prose" or not found.asserted(part.first):
            continue
        colon = next((i for i in range(part.first, part.last) if texts[i] == ":"), 0)
        things = [f for f in counted(found, number) if f.last < colon] if colon else []
        items = _items(texts[colon + 1 : part.last]) if len(things) == 1 else []
        if (
            not items
            or things[0].value > 9
            or not things[0].unit
            or any(colon < f.first for f in found.by_part[number])
        ):
            continue
        if not {"include", "including", "among", "eg", "example", "or", "most", "not"}.isdisjoint(
            texts[part.first : colon]
        ):
            continue
        passed = len(items) == things[0].value
        if not {"both", "across", "between"}.isdisjoint(texts[things[0].last : colon]):
            continue  # "three genes changed in both tissues: heart and liver"
        if len(items) > things[0].value and any(len(item) > 1 for item in items):
            continue  # "two trees: Norway spruce, Picea abies, and beech"
        says = f"{things[0].value:g} {things[0].unit}, and {len(items)} of them listed"
        yield Check("a list against its number", passed, says, (things[0].span,), expected=str(len(items)))


def _items(texts: Sequence[str]) -> list[list[str]]:
    """The items of "heart, liver and soleus": short names, closed by an "and"; [] where that is not plain."""
    texts = [t for t in texts if t not in (".", "the")]
    if (
        texts.count("and") != 1
        or {":", ";", "(", ")", "no", "not", "a", "an", "usually"} & set(texts)
        or len(texts) > 40
    ):
        return []
    items: list[list[str]] = [[]]
    for text in texts:
        if text in (",", "and"):
            if items[-1]:
                items.append([])
        else:
            items[-1].append(text)
    return (
        items
        if all(1 <= len(item) <= 3 for item in items) and len(items) >= 2 and texts[-2:-1] != [","]
        else []
    )


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
    for one, other in LISTS:
        if one in lists and other in lists and lists[one][0] & lists[other][0]:
            says = f"{one} and {other}: {' '.join(sorted(lists[one][0] & lists[other][0]))}"
            yield Check("what is denied and stated", False, says, (lists[one][1], lists[other][1]))
