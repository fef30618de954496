"""Tables as columns of figures: a row's middle against the range beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from biorlhf_plugins.language.evidence.records import Check, Evidence, content
from biorlhf_plugins.language.series.amounts import Amount, amounts, extents, span_of
from biorlhf_plugins.language.series.ranges import (
    HIGHEST,
    INTERVALS,
    LOWEST,
    MIDDLES,
    NAMELESS,
    OTHERS,
    QUARTILES,
)

RANGED = QUARTILES | INTERVALS | {"range"}


class Table(NamedTuple):
    """The cells of a header and of the rows below it: the figures of each, and its tokens [first, last)."""

    header: Sequence[tuple[int, int]]
    rows: Sequence[Sequence[tuple[int, int]]]
    figures: Sequence[Sequence[Sequence[Amount]]]


def tables(found: Evidence) -> Iterator[Table]:
    """Every table of a text, without the rule below its header."""
    run: list[tuple[list[tuple[int, int]], list[Amount]]] = []
    for number, part in enumerate((*found.parts, None)):
        if part is not None and part.kind == "row":
            cells = [(c.first, c.last) for c in part.chunks]
            if any(found.stream[i].kind != "p" for i in range(part.first, part.last)):
                run.append((cells, amounts(found, number)))
            continue
        if len(run) > 1 and part is not None and part.first == part.last:
            continue
        if len(run) > 1:
            rows = [cells for cells, _ in run[1:] if len(cells) == len(run[0][0])]
            figures = [
                [[f for f in inside if a <= f.first < b] for a, b in cells]
                for cells, inside in run[1:]
                if len(cells) == len(run[0][0])
            ]
            yield Table(run[0][0], rows, figures)
        run = []


def columns(found: Evidence) -> Iterator[Check]:
    """ "| Group | Mean | Min | Max |", "| Median (IQR) |": each row by what its columns are called."""
    if "|" not in found.stream.vocabulary:
        return
    for table in tables(found):
        heads = [frozenset(found.stream.texts[a:b]) for a, b in table.header]
        names = [content(found.stream, a, b) - NAMELESS for a, b in table.header]
        if any(head & OTHERS for head in heads):
            continue
        middles = [i for i, h in enumerate(heads) if h & MIDDLES and not h & (LOWEST | HIGHEST)]
        for row in table.figures:
            for at in middles:
                yield from _inside(found, heads[at], row[at])
                yield from _next_to(found, heads, names, row, at)


def _inside(found: Evidence, head: frozenset[str], cell: Sequence[Amount]) -> Iterator[Check]:
    """The "14 (9-22)" of a column "Median (IQR)"."""
    wide = list(extents(found, list(cell[1:]))) if head & RANGED else []
    if len(wide) == 1:
        yield _held(found, cell[0], wide[0].low, wide[0].high)


def _next_to(
    found: Evidence, heads: Sequence[frozenset[str]], names: Sequence[frozenset[str]],
    row: Sequence[Sequence[Amount]], at: int,
) -> Iterator[Check]:  # fmt: skip
    """A mean with the columns after it, up to the next mean, that bring no name of their own."""
    if len(row[at]) != 1:
        return
    after = []
    for i in range(at + 1, len(heads)):
        if heads[i] & MIDDLES and not heads[i] & RANGED:
            break
        after.append(i)
    own = [i for i in after if not names[i] - names[at] and row[i]]
    for i in own:
        wide = list(extents(found, list(row[i])))
        if heads[i] & RANGED and len(wide) == 1:
            yield _held(found, row[at][0], wide[0].low, wide[0].high)
    low = [row[i][0].value for i in own if heads[i] & LOWEST and len(row[i]) == 1]
    high = [row[i][0].value for i in own if heads[i] & HIGHEST and len(row[i]) == 1]
    if len(low) == 1 and len(high) == 1:
        yield _held(found, row[at][0], low[0], high[0])


def _held(found: Evidence, middle: Amount, low: float, high: float) -> Check:
    says = f"{middle.value:g} with a range from {low:g} to {high:g}"
    passed = low <= middle.value <= high
    return Check("a range holds its middle", passed, says, (span_of(found, middle),))
