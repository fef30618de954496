"""A row of figures, each of something, and which of them is called the most, the least or the second."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.evidence.comparisons import GREATER, SMALLER, inverse, prompt_tokens
from biorlhf_plugins.language.evidence.orders import LEAST, MOST, NEUTRAL
from biorlhf_plugins.language.evidence.records import FUNCTION, Check, Evidence, Figure, gap
from biorlhf_plugins.language.words.evidence import words_of

NEAR = 2
"""Sentences after a row in which it is spoken of."""
EARLY, LATE = frozenset(("earliest",)), frozenset(("latest",))
UP = (MOST | LATE | {"commonest"}) - {"top"}
DOWN = LEAST | EARLY | {"rarest"}
PLACED = {"second": 1, "third": 2}
PLACING = frozenset(["in", "after", "before", "at", "among", "per", "by", "under", "on", "during", "with"])
IS = frozenset(("is", "was", "are", "were"))
TOTALS = frozenset(("total", "sum", "all"))
GENERIC = NEUTRAL | words_of("ranked_by_nothing")
"""What after "the largest" says nothing of a measure."""
BREAKS = frozenset((",", ";", "but", "while", "whereas", "although", "(", "because", "so"))


def rosters(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    if found.stream.vocabulary.isdisjoint(UP | DOWN):
        return
    for number in found.by_part:
        row = _row(found, number) if found.parts[number].kind == "prose" else []
        if len(row) < 3 or not found.asserted(found.parts[number].first):
            continue
        names = _names(found, row)
        for after in range(number, min(number + NEAR + 1, len(found.parts))):
            part = found.parts[after]
            between = range(number + 1, after + 1)
            if part.kind != "prose" or any(len(found.by_part.get(n, ())) > 1 for n in between):
                break
            if found.asserted(part.first):
                start = row[-1].last + 1 if after == number else part.first
                yield from _ranked(found, row, names, start, part.last)


def listed(found: Evidence) -> Iterator[Check]:
    """A list or a table of one column, and a sentence before or after it."""
    run: list[int] = []
    for number in range(len(found.parts) + 1):
        kind = found.parts[number].kind if number < len(found.parts) else ""
        if kind in ("item", "row") and (not run or kind == found.parts[run[-1]].kind):
            run.append(number)
            continue
        rows = [found.by_part.get(n, []) for n in run if n in found.by_part]
        row = [figures[0] for figures in rows if len(figures) == 1 and not figures[0].sign]
        if row and not TOTALS.isdisjoint(row[-1].left):
            row, rows = row[:-1], rows[:-1]
        if len(row) == len(rows) >= 2 and len({f.kind for f in row}) == 1:
            own = [f.left for f in row]
            names = [w - frozenset().union(*own[:at], *own[at + 1 :]) for at, w in enumerate(own)]
            for near in (
                *range(max(0, run[0] - 2), run[0]),
                *range(run[-1] + 1, min(run[-1] + 3, len(found.parts))),
            ):
                part = found.parts[near]
                if (
                    part.kind == "prose"
                    and found.asserted(part.first)
                    and len(found.by_part.get(near, ())) == 0
                ):
                    yield from _ranked(found, row, names, part.first, part.last)
        run = [number] if kind in ("item", "row") else []


def _row(found: Evidence, number: int) -> list[Figure]:
    """The figures of a list: one kind, told in one way, nothing but a name and a separator between."""
    figures = [f for f in found.by_part[number] if f.kind in ("count", "percent") and not f.sign]
    rows: list[list[Figure]] = []
    for figure in figures:
        between = gap(found, rows[-1][-1], figure) if rows else []
        goes_on = between and {",", "and", ";"} & set(between) and len(between) <= 9
        goes_on = goes_on and rows[-1][-1].kind == figure.kind and not {"(", "to"} & set(between)
        if goes_on:
            rows[-1].append(figure)
        else:
            rows.append([figure])
    longest = max(rows, key=len, default=[])
    if longest and longest[0].value == sum(f.value for f in longest[1:]):
        return []  # a whole and its parts
    return longest if sum(len(r) > 2 for r in rows) == 1 else []


def _names(found: Evidence, row: Sequence[Figure]) -> list[frozenset[str]]:
    """The words of each figure's own gap that no other has: what it is of."""
    texts, part = found.stream.texts, found.parts[row[0].part]
    starts = [part.first, *(f.last for f in row)]
    ends = [*(f.first for f in row), part.last]
    gaps = [texts[a:b] for a, b in zip(starts, ends, strict=True)]
    # Names stand before their figures where the last figure has no more words after it.
    measured = {f.unit for f in row} if len({f.unit for f in row}) == 1 else set()
    ahead = not any(w[0].isalnum() and w not in measured for w in gaps[-1]) or _kept(texts, row)
    own = [_nearest(words, ahead) for words in (gaps[:-1] if ahead else gaps[1:])]
    return [
        frozenset(words) - frozenset(itertools.chain(*own[:at], *own[at + 1 :]))
        for at, words in enumerate(own)
    ]


def _placed(
    found: Evidence, row: Sequence[Figure], names: Sequence[frozenset[str]], first: int, last: int
) -> Iterator[Check]:
    """ "Berkut came second", where something else is called the most in the same sentence."""
    texts = found.stream.texts
    for at in range(first + 1, last - 1):
        if texts[at] not in ("came", "rank", "ranked") or texts[at + 1] not in (*PLACED, "last"):
            continue
        top = [i for i in range(first, at) if texts[i] in UP | DOWN]
        start = max((i + 1 for i in range(first, at) if texts[i] in BREAKS | {"and"}), default=first)
        named = [i for i, name in enumerate(names) if name and name <= set(texts[start:at])]
        values = sorted((f.value for f in row), reverse=not top or texts[top[0]] in UP)
        if len(top) == len(named) == 1 and len(set(values)) == len(values):
            place = PLACED.get(texts[at + 1], len(values) - 1)
            value = row[named[0]].value
            says = f"{value:,g} in place {place + 1}, of {', '.join(f'{v:,g}' for v in values)}"
            spans = (row[named[0]].span, found.span(at, at + 2))
            yield Check("a ranking against its figures", value == values[place], says, spans)


def _nearest(words: Sequence[str], ahead: bool) -> list[str]:
    """The words of a gap on a figure's own side of the separator."""
    cuts = [i for i, word in enumerate(words) if word in (",", "and", ";", ":")]
    if cuts:
        words = words[cuts[-1] + 1 :] if ahead else words[: cuts[0]]
    return [w for w in words if w not in FUNCTION and w[0].isalnum()]


def _of_these(found: Evidence, row: Sequence[Figure], at: int, end: int) -> bool:
    """Whether what something is the most of is what the figures are of: not "the longest interval"."""
    texts = found.stream.texts
    stop = next(
        (i for i in range(at + 1, end) if texts[i] in IS | {"in", "of", "at", "among", "with", "to"}), end
    )
    words = {w for w in texts[at + 1 : stop] if w not in FUNCTION and w.isalpha()} - GENERIC
    first = max(0, row[0].part - 1)
    told = set(texts[found.parts[first].first : found.parts[row[-1].part].last])
    return words <= told | set(prompt_tokens(found.prompt).texts)


def _kept(texts: Sequence[str], row: Sequence[Figure]) -> bool:
    """ "Acidobacteria made up 34 %, Proteobacteria 27 %": a separator behind each figure."""
    return all(texts[f.last] in (",", "and", ";") for f in row[:-1] if f is not row[0])


def _ranked(
    found: Evidence, row: Sequence[Figure], names: Sequence[frozenset[str]], first: int, last: int
) -> Iterator[Check]:
    texts = found.stream.texts
    yield from _placed(found, row, names, first, last)
    if (
        first >= last
        or texts[first] in PLACING
        or texts[first : first + 2] == ["of", "the"]
        or "per" in texts[first:last]
    ):
        return  # "After antibiotics, Proteobacteria were the most abundant"
    two = GREATER | SMALLER if len(row) == 2 else frozenset()
    at = next((i for i in range(first, last) if texts[i] in UP | DOWN | two), -1)
    if (
        at < 0
        or (texts[at] in two and texts[at - 1] != "the")
        or texts[at - 1] in ("almost", "not", "no")
        or not {"than", "not"}.isdisjoint(texts[first:last])
    ):
        return
    opens = at == first or texts[at - 1] == "\n"
    quantified = opens or {*texts[at + 1 : at + 2]} & (IS | {"of"})
    if texts[at] == "most" and texts[at - 1] != "the" and quantified:
        return  # "most of the genes rose", "so most are upregulated"
    place = PLACED.get(texts[at - 1], 0)
    if (texts[at] in GREATER | SMALLER) != (len(row) == 2):
        return
    if texts[at + 1 : at + 2] == ["and"] or texts[at - 1 : at] == ["and"]:
        return
    verb = next((i for i in range(first, last) if texts[i] in IS | {"has", "had"}), -1)
    verb = at if texts[at - 1].endswith("ed") else verb  # "Koz-3 rooted deepest"
    if verb < 0:
        return
    start = max((i + 1 for i in range(first, at) if texts[i] in BREAKS), default=first)
    end = next((i for i in range(at, last) if texts[i] in BREAKS), last)
    said = set(texts[start:end])
    if not _of_these(found, row, at, end):
        return
    named = [i for i, name in enumerate(names) if name and name & said]
    whole = [i for i in named if names[i] <= said] or named
    values = sorted((f.value for f in row), reverse=texts[at] in UP | GREATER)
    if len(whole) != 1 or len(set(values)) < len(values) or inverse(found, texts[start:end]):
        return
    value = row[whole[0]].value
    says = f"{value:,g} is called {texts[at]}" + (f", place {place + 1}" if place else "")
    says += f", of {', '.join(f'{v:,g}' for v in values)}"
    spans = (row[whole[0]].span, found.span(at, at + 1))
    yield Check("a superlative against its figures", value == values[place], says, spans)
