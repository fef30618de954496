"""A lab's items as Parquet, written as they are made: memory does not grow with the tables."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from biorlhf import DataError, Example, Preference
from biorlhf_plugins.datasets.tables.items import LabItem
from biorlhf_plugins.making.parquet import EXAMPLES, PREFERENCES, QUESTIONS, answer_space

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
    complete = False
    try:
        for batch in _batches(made):
            for name, table in _tables(batch).items():
                if table.num_rows:
                    writers[name].write_table(table, row_group_size=table.num_rows)
                    counts.update(f"{name}.{split}" for split in table["split"].to_pylist())
        complete = True
    finally:
        for name, writer in writers.items():
            writer.close()
            if not complete:
                (folder / f".{name}.parquet.part").unlink()
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


def _tables(batch: list[LabItem]) -> dict[str, pa.Table]:
    questions = [item.question for item in batch]
    places = [(q.split_group, fact, q.split) for q in questions for fact in q.fact_ids]
    return {
        "questions": pa.Table.from_pylist([_question(item) for item in batch], QUESTIONS),
        "examples": _columns([item.example for item in batch if item.example], EXAMPLES),
        "preferences": _columns([item.preference for item in batch if item.preference], PREFERENCES),
        "splits": pa.table(
            {name: [place[n] for place in places] for n, name in enumerate(SPLITS.names)}, schema=SPLITS
        ),
    }


def _columns(rows: Sequence[Example | Preference], schema: pa.Schema) -> pa.Table:
    names = schema.names
    values = zip(*map(attrgetter(*names), rows), strict=True) if rows else ([] for _ in names)
    return pa.table(dict(zip(names, map(list, values), strict=True)), schema=schema)


def _question(item: LabItem) -> dict[str, Any]:
    question = item.question
    same = dict(zip(_SAME, _same_of(question), strict=True))
    return {
        **same,
        **item.details,
        "question": question.prompt,
        "answer_text": question.answer,
        "ground_truth": _as_json(question.ground_truth),
        "answer_space": answer_space(question.ground_truth),
        "verifiers": question.verifiers,
        "answerable": question.ground_truth["answerable"],
        "fact_ids": question.fact_ids,
        "prompt_hash": hashlib.sha256(question.prompt.encode()).hexdigest(),
    }  # fmt: skip


_SAME = ("id", "family", "kind", "tissue", "difficulty", "source", "split", "split_group")
_same_of = attrgetter(*_SAME)
_as_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
