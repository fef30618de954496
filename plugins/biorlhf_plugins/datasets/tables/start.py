"""What ``biorlhf init`` asks of tables: which tool wrote one, and a ``lab.yaml`` out of the answers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biorlhf.errors import DataError, InputError
from biorlhf_plugins.datasets.tables.config import PLACE_KINDS, LabConfig
from biorlhf_plugins.datasets.tables.readers.source import TABLES, open_source
from biorlhf_plugins.datasets.tables.readers.tools import TOOLS, Tool, wanted

NAMES = tuple(TOOLS)
SAME_COLUMNS = ("pydeseq2", "differentialabundance", "custom")
"""Tools whose columns are another's, or anybody's: to be named."""


@dataclass(frozen=True, slots=True)
class TableAnswers:
    """What a person says of one file. ``place`` is (a key of PLACE_KINDS, the name); ``genes`` the list that
    a table of over-representation tested."""

    path: Path
    tool: str
    place: tuple[str, str]
    condition: str
    numerator: str
    denominator: str
    padj: float
    effect: float
    genes: str = ""


def tables_in(folder: Path) -> list[Path]:
    """The files of a folder that may be tables."""
    return sorted(path for path in folder.iterdir() if path.is_file() and path.name.lower().endswith(TABLES))


def tool_of(path: Path) -> str:
    """The tool whose column names the file has.

    Raises:
        DataError: no such file, or the columns are those of no tool or of several.
    """
    found = [(name, open_source(path, wanted=wanted(tool, ("", ""), {}))) for name, tool in TOOLS.items()
             if name not in SAME_COLUMNS]  # fmt: skip
    fitting = [name for name, source in found if _fits(TOOLS[name], set(source.columns))]
    # A table with a score for each set has the columns of one without besides.
    fitting = [name for name in fitting if TOOLS[name].effect] or fitting
    if len(fitting) == 1:
        return fitting[0]
    columns = ", ".join(found[0][1].columns[:8])
    of = " and ".join(fitting) if fitting else "no tool that is known"
    if not fitting:
        lacks = {name: _missing(TOOLS[name], set(source.columns)) for name, source in found}
        near = [
            f"{name} (without {' or '.join(groups[0])})" for name, groups in lacks.items() if len(groups) == 1
        ]
        of += f"; nearest: {', '.join(near)}" if near else ""
    raise DataError(
        str(path), f"its columns ({columns}, …) are those of {of}", "--tool, one for each table",
        choices=fitting or NAMES, hint="" if fitting else "docs/tables.md has the columns of each tool",
    )  # fmt: skip


def _fits(tool: Tool, columns: set[str]) -> bool:
    return not _missing(tool, columns)


def _missing(tool: Tool, columns: set[str]) -> list[tuple[str, ...]]:
    """For each column that the tool writes and the file lacks, its names."""
    # Some tools' columns carry the contrast's own names: what stands before them must do.
    starts = {name.split("(")[0] for name in columns if "(" in name}
    return [
        names
        for names in (tool.effect, tool.adjusted, tool.raw, tool.id)
        if names
        and not any(name in columns or ("{" in name and name.split("(")[0] in starts) for name in names)
    ]


def check_tool(name: str, where: str) -> str:
    """The tool's name as it is spelt; ``InputError`` with the nearest, or where that is not enough."""
    if name.lower() == "custom":
        raise InputError(where, "custom needs its columns named", "a lab.yaml by hand: see docs/tables.md")
    if name.lower() not in NAMES:
        raise InputError(where, repr(name), choices=NAMES, name=name)
    return name.lower()


def lab_data(
    name: str, tables: Sequence[TableAnswers], settings: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """The content of a lab file that lies in ``folder``."""
    return {"name": name, **settings, "tables": [_table(one, folder) for one in tables]}


def _table(one: TableAnswers, folder: Path) -> dict[str, Any]:
    limits = {"padj": one.padj, **({"effect": one.effect} if one.effect else {})}
    return {
        "file": os.path.relpath(one.path, folder), "tool": one.tool, one.place[0]: one.place[1],
        "condition": one.condition,
        "contrast": {"numerator": one.numerator, "denominator": one.denominator},
        **({"genes": one.genes} if one.genes else {}),
        "thresholds": limits,
    }  # fmt: skip


def lines(path: Path) -> Iterator[str]:
    """What UP means in each table of a lab file, and what to be warned of; reads them."""
    from biorlhf_plugins.datasets import tables

    ready = tables.stream(LabConfig(lab=str(path)))
    yield from ready.lines
    yield from (f"warning: {warning}" for warning in ready.warnings)


__all__ = ["PLACE_KINDS", "TOOLS", "TableAnswers", "check_tool", "lab_data", "lines", "tables_in", "tool_of"]
