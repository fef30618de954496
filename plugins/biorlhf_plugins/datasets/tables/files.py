"""A lab's items as Parquet, written as they are made: memory does not grow with the tables."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from biorlhf.types import Names
from biorlhf_plugins.making.names import write_names
from biorlhf_plugins.making.parquet import Made, refuse_other_files, write_provenance, write_tables


def write_folder(
    folder: Path, made: Iterable[Made], provenance: dict[str, Any], names: Names | None = None
) -> dict[str, Any]:
    """Write questions, examples, preferences and splits as Parquet, the names, and provenance.json last.

    The same items give the same bytes. Returns the provenance, with counts and each file's sha256.

    Raises:
        DataError: the folder holds other files than a build's.
    """
    refuse_other_files(folder)
    counts, files = write_tables(folder, made)
    write_names(folder, names or Names())
    record = {**provenance, "counts": counts, "files": files}
    write_provenance(folder, record)
    return record
