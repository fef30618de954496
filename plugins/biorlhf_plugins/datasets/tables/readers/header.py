"""Which row of a table is its header, and what its columns are called."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from biorlhf.errors import DataError

Rows = Sequence[tuple[int, Sequence[str]]]
"""Rows with their numbers, counted from 1 as an editor or a spreadsheet shows them."""
Wanted = Sequence[Sequence[str]]
"""For each column that a table must have, the names that it may have."""
HeaderSetting = int | Literal["none"] | None

#: Title lines above a header are few; a "header" further down is a table of its own.
SEARCHED = 40
MISSING = ("", "NA", "NaN", "nan", "N/A", "#N/A", "NULL", "null", "None", "---", "-", "−", "–", "—")
MINUSES = ("−", "–")
"""Signs that a word processor puts in the place of a hyphen."""
_NUMBER = re.compile(r"[-−–+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-−–+]?\d+)?\Z")


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a table. ``row`` is the header's number, 0 where there is none; rows follow it.

    A column without a name is "" where it is the first, else ``(column 7)``. ``notes`` say what was
    decided that a person might not expect.
    """

    columns: tuple[str, ...]
    row: int
    notes: tuple[str, ...] = ()


def is_number(cell: str) -> bool:
    return bool(_NUMBER.match(cell.strip()))


def named(cells: Sequence[str]) -> list[str]:
    """Cells as column names: no spaces around them, no quotes, and not the # of a commented-out header."""
    names = [cell.strip().lstrip("\ufeff").strip('"') for cell in cells]
    if names and names[0].startswith("#"):
        names[0] = names[0].lstrip("#").strip()
    return names


def find(rows: Rows, wanted: Wanted) -> int | None:
    """The place among ``rows`` of the first one that has a name for each wanted column."""
    asked = [{name.lower() for name in names} for names in wanted]
    for place, (_, cells) in enumerate(rows[:SEARCHED]):
        lower = {name.lower() for name in named(cells)}
        if asked and all(names & lower for names in asked):
            return place
    return None


def locate(at: Callable[[int], str], rows: Rows, wanted: Wanted, setting: HeaderSetting) -> Header:
    """Decide which of the first rows is the header.

    The setting wins; else the row that has the wanted columns; else the first row of the usual width that
    is no comment. ``at`` gives the place of a row by its number, for messages.

    Raises:
        DataError: no such row, or a first row that holds figures and no names: a table without a header.
    """
    notes: tuple[str, ...] = ()
    if setting == "none":
        width = _width(rows, len(rows[0][1]))
        return Header(tuple(str(n + 1) for n in range(width)), 0)
    if setting is not None:
        place = next((n for n, (number, _) in enumerate(rows) if number == setting), None)
        if place is None:
            raise DataError(
                at(setting), f"no row, and 'header: {setting}' asks for it", "the row of the names"
            )
    else:
        place = find(rows, wanted)
    if place is None:
        usual = _width(rows, len(rows[0][1])) - 1
        fit = (n for n, (_, c) in enumerate(rows) if len(c) >= usual and not c[0].startswith("#"))
        place = next(fit, 0)
        _refuse_headerless(at, rows[place])
    elif place and setting is None:
        over = sum(1 for _, cells in rows[:place] if not cells[0].startswith("#"))
        if over:
            notes = (f"header in row {rows[place][0]}, {over} above it left out",)
    number, cells = rows[place]
    return Header(_full(at(number), named(cells), rows[place + 1 :]), number, notes)


def _refuse_headerless(at: Callable[[int], str], row: tuple[int, Sequence[str]]) -> None:
    number, cells = row
    figures = sum(is_number(cell) or cell.strip() in MISSING[1:] for cell in cells)
    # A sample may be called "1"; a header of which half are figures is a row of data.
    if figures >= 2 and figures * 2 >= len(cells):
        raise DataError(
            at(number), f"no header: the first row holds figures, {', '.join(cells[:6])[:80]}",
            "a row of column names above the rows",
            hint="add one; or say 'header: none' and give the columns by their numbers: "
            "columns: {id: 1, effect: 3, p: 6, adjusted: 7}",
        )  # fmt: skip


def _width(below: Rows, header: int) -> int:
    """How many fields a row has: what most have, the header's count on a tie."""
    widths = Counter(len(cells) for _, cells in below[:200])
    return max(widths, key=lambda width: (widths[width], width == header)) if widths else header


def _full(where: str, names: list[str], below: Rows) -> tuple[str, ...]:
    """One name per field of a row."""
    width = _width(below, len(names))
    if width == len(names) - 1 and not names[-1]:
        # The header alone ends with a delimiter.
        names = names[:-1]
    elif width == len(names) + 1:
        rows = [cells for _, cells in below if len(cells) == width][:200]
        names = ["", *names] if _index_in_front(names, rows) else [*names, ""]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise DataError(where, f"the column {twice[0]!r} stands twice", "every column once")
    return tuple(name or (f"(column {n + 1})" if n else "") for n, name in enumerate(names))


def _index_in_front(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """R leaves the name of its row names out; others end each row with a delimiter, or a nameless column."""
    first, last = ([row[place].strip() for row in rows] for place in (0, -1))
    if not any(last):
        return False
    # Row names that only count would shift a table of figures whose last column holds the names.
    figures = all(is_number(cell) or cell in MISSING for cell in first)
    text = sum(not is_number(cell) and cell not in MISSING for cell in last) * 2 > len(last)
    return not (figures and text and _reads(names, rows, 0) >= _reads(names, rows, 1))


def _reads(names: Sequence[str], rows: Sequence[Sequence[str]], shift: int) -> int:
    """Of the columns that a name marks as text, how many hold text where the names begin at ``shift``."""
    marked = [n for n, name in enumerate(names) if re.search(r"gene|symbol|name|id$|^id|desc", name, re.I)]
    return sum(not is_number(row[n + shift]) for n in marked for row in rows)


def cells_of(line: str, delimiter: str, quotes: bool = True) -> list[str]:
    """The fields of one line."""
    if not quotes:
        return line.split(delimiter)
    return next(csv.reader([line], delimiter=delimiter), [])
