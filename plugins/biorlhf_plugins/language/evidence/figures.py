"""The figures of a text with their kind and the words that they belong to. Names need not be in a lexicon:
a figure belongs to the words beside it, up to the next cut or figure, and to its row and its list item.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from biorlhf_plugins.language.evidence.records import (
    FUNCTION,
    TIMES,
    Evidence,
    Figure,
    content,
    ends_name,
    new_figure,
)
from biorlhf_plugins.language.records import Extraction
from biorlhf_plugins.language.sentences.clauses import Sentence
from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.language.words.text import Stream

MOST = 160
"""Figures that are read of one text: more than this is a printed table, and the rest is left unread."""
COMPARED = 80
REACH = 9
"""Tokens on either side of a figure that may name what it is of."""
CUTS = words_of("cuts")
PLACES = words_of("places")
"""What, after a figure, says of what it is: "8.1 cm in the mutant"."""
LINKS = words_of("links")
EFFECTS = words_of("effects")
CHANCES = words_of("chances")
HAZARDS = words_of("hazards")
SINCE = frozenset(("at", "after", "by", "for", "within"))
"""Before a time: when something was measured."""
THRESHOLDS = words_of("thresholds")
TAILS = words_of("tails")
RATES = frozenset(("rate", "prevalence", "incidence"))  # before "ratio", where that is one of risks
TELLING = EFFECTS | CHANCES | HAZARDS | THRESHOLDS | {"ci", "interval", "value", "n"}
"""Words before a figure that give it a kind."""
GIVES_KIND = TELLING | {"ratio", "change", "fc"}
EQUALS = words_of("labelled")
IS = frozenset(("is", "was", "=", "of"))
COEFFICIENTS = frozenset(("beta", "b", "d"))
SIDES = frozenset(("vs", "versus", "over"))
SCALELESS = frozenset(("—", "-", "a", "an", "the"))
UNITS = {"percent": "percent", "ratio": "ratio"}


def evidence(said: Extraction, prompt: str = "") -> Evidence:
    """Read the figures of an extraction's text."""
    stream, parts = said.stream, said.parts
    # A stated confidence is of the writer and not of the matter.
    sure = [span for _, span, _ in said.confidence.found[:50]]
    found: list[Figure] = []
    figures: Iterable[Figure]
    headers: list[list[tuple[int, int]]] = []
    for number, part in enumerate(parts):
        numbers = part.inside.get("num", [])
        if not numbers and part.kind != "row":
            headers = []
            continue
        if part.kind == "row":
            cells = [(c.first, c.last) for c in part.chunks]
            if not numbers:
                headers = [cells] if any(a < b for a, b in cells) and not _rule(stream, cells) else headers
                continue
            figures = _row(stream, number, cells, headers[0] if headers else [], numbers)
        else:
            headers = []
            figures = _prose(said, stream, number, part, numbers)
        for start, end in sure:
            figures = [f for f in figures if not (start <= f.span[0] and f.span[1] <= end)]
        found += figures
        if len(found) > MOST:
            break
    by_part: dict[int, list[Figure]] = {}
    for figure in found:
        by_part.setdefault(figure.part, []).append(figure)
    turned = {c.span: str(c.label) for c in said.directions}
    pool = tuple(f for f in found if f.kind in ("count", "percent", "effect") and not f.sign)[:COMPARED]
    if len(pool) > 1:
        units = {f.unit for f in pool}
        measured = tuple(f for f in pool if not _given(said, f, prompt, units))
        pool = measured if len(measured) > 1 else pool
    return Evidence(said, prompt, stream, parts, tuple(found), by_part, turned, pool, _common(pool))


def _common(figures: Sequence[Figure]) -> frozenset[str]:
    """The words that more than half of the figures, and two at least, have beside them."""
    if len(figures) < 2:
        return frozenset()
    counts = Counter(itertools.chain.from_iterable([f.words for f in figures]))
    return frozenset([word for word, n in counts.items() if n > 1 and 2 * n > len(figures)])


def _given(said: Extraction, figure: Figure, prompt: str, units: set[str]) -> bool:
    """Whether a time is when the others were measured, or the one that is asked about: "at 12 weeks"."""
    texts = said.stream.texts
    since = figure.unit in TIMES and texts[figure.first - 1] in SINCE
    after = texts[figure.last + 1 : figure.last + 2]
    since = since or (
        figure.unit in TIMES and bool(after) and after[0].isalpha() and after[0] not in FUNCTION
    )
    return since and (units > {figure.unit} or said.text[figure.span[0] : figure.span[1]] in prompt)


def _rule(stream: Stream, cells: Sequence[tuple[int, int]]) -> bool:
    return all(t.kind == "p" for first, last in cells for t in stream[first:last])


def _row(
    stream: Stream, part: int, cells: list[tuple[int, int]],
    header: list[tuple[int, int]], numbers: list[Mention],
) -> Iterator[Figure]:  # fmt: skip
    """A row's figures: the words of the first cell on their left, those of their column on their right."""
    label = content(stream, *cells[0]) if cells else frozenset()
    label = label or frozenset(t.text for t in stream[slice(*cells[0])] if t.number is not None)
    for at, (first, last) in enumerate(cells):
        if at == 0:
            continue
        inside = [m for m in numbers if first <= m.first < last]
        head = tuple(stream.texts[slice(*header[at])]) if at < len(header) else ()
        for m in inside[:1]:
            # "log2FC (starved vs. replete)": what a bracket adds gives no kind.
            bare = head[: head.index("(")] if "(" in head else head
            kind = _kind_of(head, m.value) or _kind_of(bare, m.value) or UNITS.get(m.value.unit, "count")
            beside = frozenset(head) - FUNCTION
            yield _figure(stream, part, m, kind, label, beside, head[0] if head else "")


def _prose(
    said: Extraction, stream: Stream, part: int, whole: Sentence, numbers: list[Mention]
) -> Iterator[Figure]:
    numbers = [m for n, m in enumerate(numbers) if not ends_name(said, stream, numbers, n)]
    head, texts = _head(stream, whole, numbers), stream.texts
    risky = not HAZARDS.isdisjoint(stream.vocabulary)
    listed: Mention | None = None
    for n, m in enumerate(numbers):
        number: Number = m.value
        led = texts[m.first - 1] if m.first else ""
        over = led == "/" and m.first > 1 and stream[m.first - 2].number is None
        if number.unit == "name" or over or led == "per":
            continue  # "1.2 per 1,000", "mL/min/1.73 m²": a unit
        before = numbers[n - 1].last if n else whole.first
        after = numbers[n + 1].first if n + 1 < len(numbers) else whole.last
        reach = 5 if texts[m.last + 1 : m.last + 2] == ["/"] else 3  # "5 mg/kg for aldicarb"
        placed = not PLACES.isdisjoint(texts[m.last : m.last + reach])
        limit = max(before, whole.first, m.first - REACH)
        cut = placed and texts[m.first - 1] in (":", ",")
        left_from = m.first if cut else _back(stream, m.first, limit)
        # "in 18 of 120 (15 %) with the drug": of the drug, past the bracket.
        closed = m.last + (stream.texts[m.last : m.last + 1] == [")"] and placed)
        right_to = _ahead(stream, closed, min(after, whole.last, m.last + REACH))
        left, right = content(stream, left_from, m.first), content(stream, m.last, right_to)
        if not left and not placed and m.first - 1 > before and texts[m.first - 1] == ",":
            # "Soleus has the fewest, 67"
            start = _back(stream, m.first - 1, max(before, m.first - REACH))
            # "2.1 after antibiotics, 3.9 before": those are the words of the figure before.
            left = content(stream, start, m.first) if not n or start > before else left
        label, lead = texts[max(whole.first, m.first - 5) : m.first], max(whole.first, m.first - REACH)
        kind = _kind_of(label, number) or _kind_of(_subject(stream, whole.first, m.first), number)
        kind = kind or (_risk_of(texts[lead : m.first], number) if risky else "")
        kind = kind or UNITS.get(number.unit, "count")
        if kind == "effect" and number.unit == "percent":
            kind = "percent"
        if kind == "count" and _odds(stream, m.first):
            kind = "hazard"
        elif (
            kind == "count" and 0 < number.value < 1 and not THRESHOLDS.isdisjoint(texts[m.last : m.last + 2])
        ):
            kind = "alpha"  # "at the 0.05 threshold"
        kind = "effect" if listed is not None and _goes_on(texts, listed, m, kind, number) else kind
        listed = m if kind == "effect" else None
        unit = _unit(stream, m.last, whole.last)
        if number.low is not None and number.high is not None:
            level = [f for f in label if f in ("ci", "interval", "confidence")]
            for value, end in ((number.low, "low"), (number.high, "high")):
                yield _figure(stream, part, m, end if level else "range", left, right, unit)._replace(
                    value=value
                )
            continue
        yield _figure(stream, part, m, kind, left | head, right, unit)


def _odds(stream: Stream, at: int) -> bool:
    """ "(OR 1.37": the ratio, and not the word."""
    return stream.texts[at - 2 : at] == ["(", "or"] and stream.written(at - 1, at) == "OR"


def _goes_on(texts: Sequence[str], before: Mention, m: Mention, kind: str, number: Number) -> bool:
    """Whether a figure goes on with a list: the 3.00 of "NES -3.41 in RR-1, 3.00 in RR-3"."""
    between = texts[before.last : m.first]
    joined = (
        len(between) <= 5 and between[-1:] in ([","], ["and"]) and between[:1] in (["in"], ["for"], ["at"])
    )
    return joined and kind == "count" and 0 < number.decimals == before.value.decimals


def _subject(stream: Stream, first: int, last: int) -> Sequence[str]:
    """The "log2FC" of "the log2FC of LDHA under hypoxia is": what a sentence is about, before its verb."""
    texts, at = stream.texts, last
    while at > first and texts[at - 1] in EQUALS:
        at -= 1
    if at == last or {"is", "was"}.isdisjoint(texts[at:last]):
        return ()
    for end in range(at - 1, max(first, at - REACH), -1):
        if stream[end].number is not None or (texts[end] in CUTS and texts[end] not in SIDES | {"against"}):
            break
        if texts[end] in ("of", "for", "against", "vs", "versus"):
            return texts[max(first, end - 3) : end]
    return ()


def _figure(
    stream: Stream, part: int, m: Mention, kind: str, left: frozenset[str], right: frozenset[str], unit: str
) -> Figure:
    number: Number = m.value
    sign = "<" if number.high is not None and number.low is None else ">" if number.low is not None else ""
    return new_figure((
        number.value, kind, part, m.first, m.last, left, right, unit, sign, number.decimals,
        stream.span(m.first, m.last), left | right,
    ))  # fmt: skip


def _head(stream: Stream, whole: Sentence, numbers: list[Mention]) -> frozenset[str]:
    """The words that open a list item or stand before a colon, where one figure follows: they are of it."""
    if whole.kind != "item" or len(numbers) == 0:
        return frozenset()
    return content(stream, whole.first, min(numbers[0].first, whole.first + 6)) | frozenset(
        t.text for t in stream[whole.first : min(numbers[0].first, whole.first + 4)] if t.number is not None
    )


def _back(stream: Stream, first: int, limit: int) -> int:
    """Where the words begin that a figure ends: "Soleus has (only) 6,425", "heart (165"."""
    at = first
    while at > limit and stream.texts[at - 1] in LINKS:
        at -= 1
    while at > limit and (stream.texts[at - 1] not in CUTS or _apposed(stream, at, first)):
        at -= 1
    return at


def _apposed(stream: Stream, at: int, first: int) -> bool:
    """Does a name stand before this cut: "Compound 7 (IC50 3 nM)", "Strain A, with an MIC of 2"?"""
    cut = stream.texts[at - 1]
    return (cut == "(" and at < first <= at + 3) or (cut == "," and stream.texts[at] == "with")


def _ahead(stream: Stream, last: int, limit: int) -> int:
    at = last
    # The bar of a unit is no cut: "0.4 mut/Mb in the normal samples".
    while at < limit and (stream.texts[at] not in CUTS or (stream.texts[at] == "/" and at == last + 1)):
        at += 1
    return at


def _unit(stream: Stream, last: int, limit: int) -> str:
    words = stream.texts[last : min(limit, last + 3)]
    if not words or words[0] in FUNCTION or not words[0].isalpha():
        return ""
    return "/".join((words[0], words[2])) if len(words) == 3 and words[1] == "/" else words[0]


def _risk_of(before: Sequence[str], number: Number) -> str:
    """ "The hazard ratio for relapse or death was", "the relative risk of infection =": with its event."""
    at = next((i for i in range(len(before) - 1, 0, -1) if before[i] in ("ratio", "risk", "hr")), 0)
    named = at and (before[at] == "hr" or before[at - 1] in HAZARDS | {"relative"})
    after = before[at + 1 :]
    event = not after or (after[0] in IS | {"for", "of"} and after[-1] in IS and len(after) <= 7)
    return "hazard" if named and event and {",", "and"}.isdisjoint(after) and number.unit != "percent" else ""


def _kind_of(before: Sequence[str], number: Number) -> str:
    """The kind that the words before a figure (or over its column) give it."""
    if GIVES_KIND.isdisjoint(before):
        return ""
    words = list(before)
    while words and (words[-1] in EQUALS or words[-1] in SCALELESS):
        words.pop()
    if len(words) < len(before) and words[-2:-1] and words[-2] in SIDES and words[:-3]:
        words = words[:-3]  # "log2FC tumour vs adjacent = 2.7"
    if words[-3:-1] == ["p", "for"]:
        words.pop()
        words.pop()  # "p for trend < 0.001"
    if words[-1:] == ["ratio"] and words[-2:-1] and words[-2] in RATES and number.unit != "percent":
        return "hazard"
    tail = words[-4:]
    while tail and tail[-1] in TAILS and len(tail) > 1:
        tail.pop()
    last = tail[-1] if tail else ""
    if last not in TELLING and words[-1:] not in (["change"], ["fc"]):
        return ""
    if last in COEFFICIENTS and not number.decimals:
        return ""  # "IFN-β: 5,130 cells"
    whole = set(words[-4:])
    if last in ("ci", "interval"):
        return "low"
    if last in CHANCES and number.unit != "percent":
        return "p"
    if last in THRESHOLDS or (last == "value" and "p" in whole):
        return "alpha"
    if ("fold" in whole and words[-1:] == ["change"]) or words[-1:] == ["fc"]:
        return "effect" if whole & {"log", "log2", "log2fold"} else "fold"
    if last in HAZARDS and ("ratio" in whole or last in ("hr", "rr", "irr")) and number.value > 0:
        return "hazard"
    if last in EFFECTS and (
        last not in ("effect", "change", "difference", "d", "es", "estimate") or number.signed
    ):
        return "effect" if last not in ("log2",) or whole & {"fold", "ratio"} else ""
    return "n" if last == "n" else ""
