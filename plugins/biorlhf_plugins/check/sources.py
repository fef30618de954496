"""Where a fact table comes from: the shipped study, a lab's own tables, a CSV of facts."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from biorlhf.errors import DataError
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
        rows = [
            (
                f"data/kmp/figures.csv: {f.id}",
                f.entity,
                f.condition,
                f.quantity,
                str(f.value),
                f.aliases,
                f.note,
            )
            for f in facts
        ]
        return table_of(rows)
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
    # Excel writes a byte order mark, which would become a part of the first column's name.
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise DataError(f"{path}:1", f"no column {missing[0]!r}", f"the columns {', '.join(COLUMNS)}")
        for row in reader:
            where = f"{path}:{reader.line_num}"
            for column in ("entity", "quantity", "value"):
                if not (row[column] or "").strip():
                    raise DataError(f"{where}: {column}", "an empty cell", "text or a number")
            aliases = tuple(a.strip() for a in (row.get("aliases") or "").split(";") if a.strip())
            values = [(row[c] or "").strip() for c in COLUMNS]
            yield where, values[0], values[1], values[2], values[3], aliases, row.get("note") or ""
