"""Malformed inputs by kind: each function writes files into a folder, drawn by a seed, and gives the command.

Every one has to end with exit code 2 and one message. ``KINDS`` names them all.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

Kind = Callable[[random.Random, Path], list[str]]
KINDS: dict[str, Kind] = {}


def kind(function: Kind) -> Kind:
    """Counts a function among the kinds."""
    KINDS[function.__name__] = function
    return function


def several(name: str, values: list, make: Callable[[Path, object], list[str]]) -> None:
    """A kind that draws one of some values."""

    def drawn(draw: random.Random, folder: Path) -> list[str]:
        return make(folder, draw.choice(values))

    drawn.__module__ = make.__module__
    KINDS[name] = drawn


def word(draw: random.Random) -> str:
    return "".join(draw.choice("abcdefghijkmnpqrstuvwxyz") for _ in range(draw.randrange(3, 9)))


def parquet_bytes(rows: list[dict]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    sink = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue().to_pybytes()
