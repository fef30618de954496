"""Lines of a name and a figure each, "Stage I: 24", against their total and the top that the text names.

And an object of JSON that states a direction beside an NES or a log2 fold change.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from biorlhf_plugins.language.evidence.comparisons import INVERSE
from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.relations.placed import CYCLES
from biorlhf_plugins.language.words.text import vocabulary

LINE = re.compile(
    r"^[ \t]*(?:[-*•][ \t]+|\d{1,2}[.)][ \t]+)?(?P<name>(?![ \t])[^\n:|{}\"]{1,40}?)[ \t]*[:=][ \t]*"
    r"(?P<value>-?\d[\d,]*(?:\.\d+)?)(?P<unit>[ \t]*[^\s\d,;(][^\n,;(]{0,12})?[ \t]*$",
    re.M,
)
TOTAL = re.compile(r"(?:in )?(?:grand |the )?(?:total|sum|all|altogether)", re.I)
NO_PART = re.compile(
    r"\b(?:total|sum|all|overlap|shared|both|common|n|mean|median|sd|rate|tested|which|degs?|genes)\b", re.I
)
"""Lines of these are no parts of a total."""
TOPS = re.compile(
    r"\b(?P<word>peaks?|highest|largest|greatest|maximum|maximal|lowest|smallest|minimum)\b"
    r" (?:at|in|on) (?:the )?(?P<name>[^\n:.,;]{1,40})",
    re.I,
)
LOWEST = frozenset(("lowest", "smallest", "minimum"))
EFFECTS = vocabulary("nes log2fc log2foldchange logfc lfc log2_fold_change log2fold_change")
WAYS = {"up": 1, "down": -1, "upregulated": 1, "downregulated": -1, "increased": 1, "decreased": -1}
OBJECT = re.compile(r"\{[^{}]{2,600}\}")
LONG = 6_000
"""Characters of a text that is searched for lines."""


class Line(NamedTuple):
    """A name, its value, and where the line stands."""

    name: str
    value: float
    unit: str
    start: int
    end: int


def lines(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    text = found.said.text[:LONG]
    if "\n" in text:
        for run in _runs(text):
            yield from _total(run)
            yield from _top(text, run)
    if "{" in text:
        yield from _objects(text)


def _runs(text: str) -> Iterator[list[Line]]:
    """Lines of a name and a figure that follow one another, three at least."""
    run: list[Line] = []
    for m in LINE.finditer(text):
        line = Line(
            m["name"].strip(" *_").lower(), float(m["value"].replace(",", "")), (m["unit"] or "").strip(),
            m.start(), m.end(),
        )  # fmt: skip
        if run and text[run[-1].end : line.start].strip():
            if len(run) >= 3:
                yield run
            run = []
        run.append(line)
    if len(run) >= 3:
        yield run


def _total(run: Sequence[Line]) -> Iterator[Check]:
    """ "Stage I: 24 / Stage II: 31 / Total: 55"."""
    *parts, last = run
    if not TOTAL.fullmatch(last.name) or any(NO_PART.search(line.name) for line in parts):
        return
    values = [line.value for line in parts]
    # A total that is one of the lines, or less than one, is of something else: "n: 24, female: 12, male: 12".
    plain = all(line.value.is_integer() and line.value >= 0 and line.unit == last.unit for line in run)
    if plain and max(values) < last.value and last.value not in values and max(values) * 2 != sum(values):
        right = sum(values)
        says = f"{' + '.join(f'{line.value:g}' for line in parts)} = {right:g}, stated {last.value:g}"
        spans = ((parts[0].start, last.end),)
        yield Check("parts and whole", right == last.value, says, spans, expected=f"{right:g}")


def _top(text: str, run: Sequence[Line]) -> Iterator[Check]:
    """ "PER1 peaks at 8 h:" over "1 h: 14 / 2 h: 39 / 8 h: 11"."""
    named = {line.name: line for line in run}
    upside_down = not (INVERSE | CYCLES).isdisjoint(re.findall(r"[a-z0-9]+", text.lower()))
    if len({line.unit for line in run}) > 1 or len(named) < len(run) or upside_down:
        return
    for m in TOPS.finditer(text):
        mine = named.get(m["name"].strip(" *_").lower())
        near = m.end() <= run[0].start + 1 or m.start() >= run[-1].end
        if mine is None or not near:
            continue
        values = [line.value for line in run]
        right = min(values) if m["word"].lower() in LOWEST else max(values)
        says = f"{m['word']}: {mine.name} with {mine.value:g}, of {', '.join(f'{v:g}' for v in values)}"
        yield Check(
            "a superlative against its figures", mine.value == right, says, (m.span(), (mine.start, mine.end))
        )


def _objects(text: str) -> Iterator[Check]:
    """{"NES": -1.9, "direction": "UP"}: the sign of a figure is its direction."""
    for m in OBJECT.finditer(text):
        try:
            data = json.loads(m[0])
        except (ValueError, RecursionError):
            continue
        flat = (
            {str(k).lower().replace(" ", "_"): v for k, v in data.items()} if isinstance(data, dict) else {}
        )
        way = WAYS.get(str(flat.get("direction", flat.get("regulation", ""))).lower())
        effects = [v for k, v in flat.items() if k in EFFECTS and type(v) in (int, float)]
        signs = {v > 0 for v in effects if v and math.isfinite(v)}
        framed = any(key in ("comparison", "contrast") for key in flat)  # whose sign may be the other side's
        if way is not None and len(signs) == 1 and not framed:
            sign = "a positive" if True in signs else "a negative"
            says = f"{'UP' if way > 0 else 'DOWN'} beside {sign} effect"
            yield Check("a direction against its figure", (way > 0) in signs, says, (m.span(),))
