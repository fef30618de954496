"""The tables that ship in ``data/``, each checked against its sha256 before it is read."""

from __future__ import annotations

import csv
import functools
import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biorlhf.errors import DataError
from biorlhf.recipe.shipped import shipped

RESTORE = "restore it, or install biorlhf again"


@dataclass(frozen=True, slots=True)
class ShippedTable:
    """One table of ``data/MANIFEST.json``: its rows as text, and where they come from."""

    path: str
    sha256: str
    source: str
    licence: str
    title: str
    notes: tuple[str, ...]
    rows: tuple[dict[str, str], ...]

    def provenance(self) -> dict[str, object]:
        """What a run's manifest records of this file."""
        return {
            "path": f"data/{self.path}",
            "sha256": self.sha256,
            "source": self.source,
            "licence": self.licence,
            "title": self.title,
            "notes": list(self.notes),
            "rows": len(self.rows),
        }


@functools.cache
def read_shipped(path: str) -> ShippedTable:
    """Read ``data/<path>`` (CSV with a header); ``DataError`` where it is not the file of the manifest."""
    folder = shipped("data")
    entries = _manifest(folder)
    if path not in entries:
        raise DataError("data/MANIFEST.json", f"no file {path!r}", choices=entries, name=path)
    try:
        entry, content = entries[path], (folder / path).read_bytes()
    except OSError as error:
        raise DataError(f"data/{path}", f"cannot be read: {error.strerror}", hint=RESTORE) from None
    digest = hashlib.sha256(content).hexdigest()
    # A changed figure would be taught and graded as true without anybody noticing.
    if digest != entry["sha256"]:
        raise DataError(
            f"data/{path}",
            f"its sha256 is {digest}",
            f"{entry['sha256']}, as data/MANIFEST.json says",
            hint=f"the file was changed after it was shipped: {RESTORE}",
        )
    rows = tuple(csv.DictReader(io.StringIO(content.decode("utf-8"))))
    return ShippedTable(
        path, digest, entry["source"], entry["licence"], entry["title"], tuple(entry["notes"]), rows
    )


def _manifest(folder: Path) -> dict[str, Any]:
    """File -> its entry in ``data/MANIFEST.json``."""
    try:
        return {
            entry["path"]: entry for entry in json.loads((folder / "MANIFEST.json").read_bytes())["files"]
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError("data/MANIFEST.json", f"cannot be read: {error}", hint=RESTORE) from None
