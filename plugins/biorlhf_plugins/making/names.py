"""A dataset's own names beside its tables: ``names.json``."""

from __future__ import annotations

import json
from pathlib import Path

from biorlhf.errors import DataError
from biorlhf.ground_truth import names_from_json
from biorlhf.types import Names

NAMES = "names.json"


def write_names(folder: Path, names: Names) -> None:
    """``names.json``, or none, an earlier one removed, where the dataset gives no names."""
    table = names.to_json()
    if table:
        text = json.dumps(table, indent=1, sort_keys=True, ensure_ascii=False)
        (folder / NAMES).write_text(text + "\n", "utf-8")
    else:
        (folder / NAMES).unlink(missing_ok=True)


def read_names(folder: Path) -> Names:
    """The names of a folder; none where it has no ``names.json``. ``DataError`` where that is damaged."""
    file = folder / NAMES
    if not file.is_file():
        return Names()
    try:
        table = json.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(str(file), f"is not JSON: {error}", "the names that a build wrote") from None
    return names_from_json(table, str(file))
