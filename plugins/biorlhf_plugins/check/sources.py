"""Where a fact table comes from: the shipped study, a lab's own tables, a CSV of facts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from biorlhf.errors import DataError
from biorlhf.inputs.rows import csv_rows
from biorlhf_plugins.check.table import FactTable, Row, table_of

COLUMNS = ("entity", "condition", "quantity", "value")
YAML = (".yaml", ".yml")


def load_facts(name: str) -> FactTable:
    """``kmp``, a lab's YAML, or a CSV: entity, condition, quantity, value (aliases with ``;``, note).

    Raises:
        DataError: no such table or file, a missing column, an empty cell, or two values for one fact.
    """
    if name.lower() == "kmp":
        from biorlhf_plugins.datasets.kmp.facts import kmp_facts

        facts = kmp_facts()
        where = "data/kmp/figures.csv"
        return table_of(
            (f"{where}: {f.id}", f.entity, f.condition, f.quantity, str(f.value), f.aliases) for f in facts
        )
    path = Path(name)
    if not path.is_file():
        beside = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
        near = [p.name for p in beside if not p.name.startswith(".") and p.suffix in (".csv", *YAML)]
        expected = "kmp, a lab's YAML, or a CSV of facts"
        raise DataError(
            "--facts", f"no table and no file {name!r}", expected, choices=["kmp", *near], name=name
        )
    if path.suffix in YAML:
        from biorlhf_plugins.check.lab import lab_facts

        return lab_facts(path)
    return table_of(_csv_rows(path))


def _csv_rows(path: Path) -> Iterator[Row]:
    def check(header: list[str]) -> None:
        missing = [name for name in COLUMNS if name not in header]
        if missing:
            raise DataError(f"{path}:1", f"no column {missing[0]!r}", f"the columns {', '.join(COLUMNS)}")

    empty = True
    for where, row in csv_rows(path, check):
        empty = False
        values = [row.get(name, "").strip() for name in COLUMNS]
        for column, value in zip(COLUMNS, values, strict=True):
            if column != "condition" and not value:
                raise DataError(f"{where}: {column}", "an empty cell", "text or a number")
        aliases = tuple(a.strip() for a in row.get("aliases", "").split(";") if a.strip())
        yield where, values[0], values[1], values[2], values[3], aliases
    if empty:
        raise DataError(str(path), "no rows in it", "at least one fact")
