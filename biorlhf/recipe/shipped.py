"""Where the files that ship with biorlhf lie: beside the source, or inside an installed wheel."""

from __future__ import annotations

from pathlib import Path

from biorlhf.errors import BiorlhfError


def shipped(folder: str) -> Path:
    """The folder ``configs``, ``data`` or ``recipes`` as shipped.

    In a wheel it lies under ``biorlhf/_shipped``; in a checkout, at the repository's root.
    """
    package = Path(__file__).resolve().parents[1]
    for place in (package / "_shipped" / folder, package.parent / folder):
        if place.is_dir():
            return place
    raise BiorlhfError(f"this installation of biorlhf has no {folder} folder: install it again")
