"""A lab's items as Parquet, written as they are made: memory does not grow with the tables."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from biorlhf import DataError, Example, Preference
from biorlhf_plugins.datasets._lab_items import LabItem
from biorlhf_plugins.datasets._parquet import EXAMPLES, PREFERENCES, QUESTIONS, answer_space

BATCH = 10_000
_TEXT = pa.string()
SPLITS = pa.schema([("split_group", _TEXT), ("fact_id", _TEXT), ("split", _TEXT)])


def write_folder(folder: Path, made: Iterable[LabItem], provenance: dict[str, Any]) -> dict[str, Any]:
    """Write questions, examples, preferences and splits as Parquet, and provenance.json last.

    The same items give the same bytes. Returns the provenance, with counts and each file's sha256.

    Raises:
        DataError: the folder holds other files than a build's.
    """
    schemas = {
        "questions": QUESTIONS, "examples": EXAMPLES, "preferences": PREFERENCES, "splits": SPLITS,
    }  # fmt: skip
    names = {f"{name}.parquet" for name in schemas} | {"provenance.json"}
    if folder.is_dir() and (others := sorted({p.name for p in folder.iterdir()} - names)):
        raise DataError(
            str(folder), f"holds other files: {others[0]}", "an empty folder, or one of an earlier build"
        )
    folder.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    writers = {
        name: pq.ParquetWriter(folder / f".{name}.parquet.part", schema, compression="zstd")
        for name, schema in schemas.items()
    }
    try:
        for batch in _batches(made):
            for name, rows in _rows(batch).items():
                if rows:
                    table = pa.Table.from_pylist(rows, schemas[name])
                    writers[name].write_table(table, row_group_size=len(rows))
                counts.update(f"{name}.{row['split']}" for row in rows)
    finally:
        for writer in writers.values():
            writer.close()
    files = {}
    for name in schemas:
        path = folder / f"{name}.parquet"
        os.replace(folder / f".{name}.parquet.part", path)
        files[path.name] = {"sha256": _sha256(path), "bytes": path.stat().st_size}
    provenance = {**provenance, "counts": dict(sorted(counts.items())), "files": files}
    (folder / "provenance.json").write_text(
        json.dumps(provenance, indent=1, ensure_ascii=False) + "\n", "utf-8"
    )
    return provenance


def _batches(made: Iterable[LabItem]) -> Iterator[list[LabItem]]:
    stream = iter(made)
    while batch := list(islice(stream, BATCH)):
        yield batch


def _rows(batch: list[LabItem]) -> dict[str, list[dict[str, Any]]]:
    return {
        "questions": [_question(item) for item in batch],
        "examples": [_text(item.example) for item in batch if item.example],
        "preferences": [_text(item.preference) for item in batch if item.preference],
        "splits": [
            {"split_group": q.split_group, "fact_id": fact, "split": q.split}
            for q in (item.question for item in batch)
            for fact in q.fact_ids
        ],
    }


def _question(item: LabItem) -> dict[str, Any]:
    question = item.question
    row: dict[str, Any] = {name: getattr(question, name) for name in _SAME}
    return row | item.details | {
        "question": question.prompt,
        "answer_text": question.answer,
        "ground_truth": json.dumps(question.ground_truth, ensure_ascii=False, sort_keys=True),
        "answer_space": answer_space(question.ground_truth),
        "verifiers": list(question.verifiers),
        "answerable": question.ground_truth["answerable"],
        "fact_ids": list(question.fact_ids),
        "prompt_hash": hashlib.sha256(question.prompt.encode()).hexdigest(),
    }  # fmt: skip


_SAME = ("id", "family", "kind", "tissue", "difficulty", "source", "split", "split_group")


def _text(item: Example | Preference) -> dict[str, Any]:
    names = EXAMPLES.names if isinstance(item, Example) else PREFERENCES.names
    return {name: getattr(item, name) for name in names} | {"fact_ids": list(item.fact_ids)}


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
