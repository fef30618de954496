"""A dataset as a folder: questions, examples, preferences and splits as Parquet, and ``provenance.json``;
``names.json`` beside them where the dataset gives names of its own.

The same dataset gives the same bytes with the same version of pyarrow: rows keep their order, and nothing
that depends on the machine or the time is written.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from biorlhf.errors import DataError
from biorlhf.types import Dataset, Example, Preference, Question
from biorlhf_plugins.making.names import NAMES, read_names, write_names

_TEXTS = pa.list_(pa.string())
QUESTIONS = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "family", "template_id", "question", "instruction")),
        ("answer_text", pa.string()),
        ("ground_truth", pa.string()),
        ("answer_space", pa.string()),
        ("kind", pa.string()),
        ("verifiers", _TEXTS),
        ("answerable", pa.bool_()),
        ("taught", pa.bool_()),
        *((name, pa.string()) for name in ("expected_value", "direction", "unit", "tissue", "condition")),
        *((name, pa.string()) for name in ("mission", "pathway", "db")),
        *((name, pa.string()) for name in ("contrast_numerator", "contrast_denominator")),
        ("padj_threshold", pa.float64()),
        *((name, pa.int32()) for name in ("n_up", "n_down", "n_ns")),
        ("fact_ids", _TEXTS),
        *((name, pa.string()) for name in ("difficulty", "source", "source_sha256", "licence")),
        *((name, pa.string()) for name in ("split", "split_group", "prompt_hash")),
    ]
)
_SHARED = ("kind", "source", "split", "split_group", "instruction")
EXAMPLES = pa.schema(
    [(n, pa.string()) for n in ("id", "prompt", "response", *_SHARED)] + [("fact_ids", _TEXTS)]
)
PREFERENCES = pa.schema(
    [(n, pa.string()) for n in ("id", "prompt", "chosen", "rejected", *_SHARED)] + [("fact_ids", _TEXTS)]
)
SPLITS = pa.schema([(n, pa.string()) for n in ("split_group", "fact_id", "split")])
SCHEMAS = {"questions": QUESTIONS, "examples": EXAMPLES, "preferences": PREFERENCES, "splits": SPLITS}
FILES = (*(f"{name}.parquet" for name in SCHEMAS), "provenance.json")
# What a build that is at work, or was killed, calls them; the next one writes over it.
PARTS = tuple(f".{name}.part" for name in FILES)
BATCH = 10_000  # items in one row group
_DIRECTIONS = {"UP": "n_up", "DOWN": "n_down", "NS": "n_ns"}


@dataclass(frozen=True, slots=True)
class Made:
    """One item as it is written: a question, and where it may be learnt from the text and the pair of it.

    ``details`` are columns of the question's row that its ground truth does not tell.
    """

    question: Question | None = None
    example: Example | None = None
    preference: Preference | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def to_parquet(dataset: Dataset, folder: Path | str) -> tuple[Path, ...]:
    """Write the dataset's tables and its provenance into ``folder`` (made where it is missing).

    Returns the paths. An empty table is written too, so that a folder always holds all of them.
    """
    folder = Path(folder)
    parts = [
        *(Made(question=q, details=_details(q, dataset.provenance)) for q in dataset.questions),
        *(Made(example=example) for example in dataset.examples),
        *(Made(preference=pair) for pair in dataset.preferences),
    ]
    write_tables(folder, parts)
    write_names(folder, dataset.names)
    write_provenance(folder, {"name": dataset.name, **dataset.provenance})
    return tuple(folder / name for name in FILES)


def write_tables(folder: Path, items: Iterable[Made]) -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
    """Write questions, examples, preferences and splits as Parquet, as the items come: memory does not grow
    with them. The files appear, whole, when all is written; the same items give the same bytes.

    Returns the counts (``questions.train``: 12) and of each file its sha256 and size.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    writers = {
        name: pq.ParquetWriter(folder / f".{name}.parquet.part", schema, compression="zstd")
        for name, schema in SCHEMAS.items()
    }
    complete = False
    try:
        for batch in _batches(items):
            for name, table in _tables(batch).items():
                if table.num_rows:
                    writers[name].write_table(table, row_group_size=table.num_rows)
                    counts.update(f"{name}.{split}" for split in table["split"].to_pylist())
        complete = True
    finally:
        for name, writer in writers.items():
            writer.close()
            if not complete:
                (folder / f".{name}.parquet.part").unlink(missing_ok=True)
    # From here on the folder is not complete: an earlier build's record must not vouch for these tables.
    (folder / "provenance.json").unlink(missing_ok=True)
    files = {}
    for name in SCHEMAS:
        path = folder / f"{name}.parquet"
        # Only now the real name: a build that is cut off leaves no half table under it.
        os.replace(folder / f".{name}.parquet.part", path)
        files[path.name] = {"sha256": _sha256(path), "bytes": path.stat().st_size}
    return dict(sorted(counts.items())), files


def write_provenance(folder: Path, record: Mapping[str, Any]) -> None:
    """``provenance.json``, last: a folder without it is not complete."""
    text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False)
    part = folder / ".provenance.json.part"
    part.write_text(text + "\n", "utf-8")
    os.replace(part, folder / "provenance.json")


def refuse_other_files(folder: Path) -> None:
    """``DataError`` where a folder holds what no build has written, be it one that was killed."""
    known = {*FILES, NAMES, *PARTS}
    if folder.is_dir() and (others := sorted({path.name for path in folder.iterdir()} - known)):
        raise DataError(
            str(folder), f"holds other files: {others[0]}", "an empty folder, or one of an earlier build"
        )


def _batches(items: Iterable[Made]) -> Iterator[list[Made]]:
    stream = iter(items)
    while batch := list(islice(stream, BATCH)):
        yield batch


def _tables(batch: list[Made]) -> dict[str, pa.Table]:
    asked = [(item.question, item.details) for item in batch if item.question is not None]
    places = [(q.split_group, fact, q.split) for q, _ in asked for fact in q.fact_ids]
    return {
        "questions": pa.Table.from_pylist([_question_row(q, details) for q, details in asked], QUESTIONS),
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


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def from_parquet(folder: Path | str) -> Dataset:
    """Read what :func:`to_parquet` wrote; ``DataError`` where a table is missing or has other columns."""
    folder = Path(folder)
    tables = {
        name: _read(folder / f"{name}.parquet", schema)
        for name, schema in (("questions", QUESTIONS), ("examples", EXAMPLES), ("preferences", PREFERENCES))
    }
    file = folder / "provenance.json"
    if not file.is_file():
        raise DataError(str(file), "no such file", "the provenance beside the tables")
    provenance = json.loads(file.read_text("utf-8"))
    return Dataset(
        str(provenance.pop("name", folder.name)),
        tuple(_question(row) for row in tables["questions"]),
        tuple(Example(**_tuples(row)) for row in tables["examples"]),
        tuple(Preference(**_tuples(row)) for row in tables["preferences"]),
        provenance,
        read_names(folder),
    )


def answer_space(truth: Mapping[str, Any]) -> str:
    """What an answer looks like: abstention | direction | directions | ranking | number | label | phrase."""
    if truth.get("answerable") is False:
        return "abstention"
    if "direction" in truth and "missions" not in truth:
        return "direction"
    if any(key in truth for key in ("pathways", "tissue_directions", "missions")):
        return "directions"
    if truth.get("facts"):
        return "number" if isinstance(truth["facts"][0]["value"], int | float) else "label"
    return "ranking" if "ranking" in truth and "answer" not in truth else "phrase"


def _question_row(question: Question, details: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **dict(zip(_SAME, _same_of(question), strict=True)),
        "question": question.prompt,
        "answer_text": question.answer,
        "ground_truth": _as_json(question.ground_truth),
        "answer_space": answer_space(question.ground_truth),
        "verifiers": question.verifiers,
        "answerable": bool(question.ground_truth.get("answerable", True)),
        "fact_ids": question.fact_ids,
        "prompt_hash": hashlib.sha256(question.prompt.encode()).hexdigest(),
        **details,
    }


_SAME = (
    *("id", "family", "kind", "tissue", "difficulty", "source", "split", "split_group", "instruction"),
    "taught",
)
_same_of = attrgetter(*_SAME)
# Sorted keys: equal ground truths are equal bytes.
_as_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


def _details(question: Question, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that say again, each for itself, what the ground truth and the provenance say."""
    truth = question.ground_truth
    facts = truth.get("facts") or []
    only = facts[0] if len(facts) == 1 else {}
    numerator, _, denominator = str(truth.get("contrast", "")).partition("_vs_")
    # A source that is a whole folder has no hash and no licence of its own.
    file: Mapping[str, Any] = next(
        (f for f in provenance.get("files", ()) if f.get("path") == question.source), {}
    )
    slots = truth.get("missions") or truth.get("tissue_directions") or {}
    counts = {column: list(slots.values()).count(name) for name, column in _DIRECTIONS.items()}
    return {
        "template_id": question.id.rpartition(":")[2],
        "expected_value": str(only["value"]) if "value" in only else truth.get("answer"),
        "direction": truth.get("direction"),
        "unit": _unit(only.get("quantity", "")),
        "condition": only.get("condition"),
        "mission": truth.get("mission"),
        "pathway": truth.get("pathway"),
        "db": truth.get("db"),
        "contrast_numerator": numerator or None,
        "contrast_denominator": denominator or None,
        "padj_threshold": provenance.get("padj_threshold"),
        # Null, not 0, where there is nothing to count.
        **(counts if slots else dict.fromkeys(counts)),
        "source_sha256": file.get("sha256"),
        "licence": file.get("licence"),
    }


def _unit(quantity: str) -> str | None:
    if "DEG count" in quantity:
        return "genes"
    if quantity.endswith("percentage"):
        return "percent"
    if "log2" in quantity:
        return "log2"
    return "NES" if quantity.endswith("NES") else None


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


def _question(row: Mapping[str, Any]) -> Question:
    return Question(
        prompt=row["question"],
        answer=row["answer_text"],
        ground_truth=json.loads(row["ground_truth"]),
        verifiers=tuple(row["verifiers"]),
        fact_ids=tuple(row["fact_ids"]),
        **{name: row[name] for name in _SAME},
    )


def _read(path: Path, schema: pa.Schema) -> list[dict[str, Any]]:
    if not path.is_file():
        raise DataError(str(path), "no such file", "a table that `biorlhf data build` wrote")
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(str(path), f"not readable as Parquet: {error}") from error
    # A folder of before answer blocks: its texts have none, and nothing asks for one. Nor did one of before
    # that account say what is taught.
    for name, value in (("instruction", ""), ("taught", None)):
        if name in schema.names and name not in table.column_names:
            column = pa.array([value] * table.num_rows, schema.field(name).type)
            table = table.append_column(name, column)
    missing = [name for name in schema.names if name not in table.column_names]
    if missing:
        raise DataError(str(path), f"no column {missing[0]!r}", f"the columns {', '.join(schema.names)}")
    return table.select(schema.names).to_pylist()
