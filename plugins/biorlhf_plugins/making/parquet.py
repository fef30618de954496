"""A dataset as a folder of Parquet: ``questions``, ``examples``, ``preferences``, and ``provenance.json``.

The same dataset gives the same bytes with the same version of pyarrow: rows keep their order, and nothing
that depends on the machine or the time is written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from biorlhf.errors import DataError
from biorlhf.types import Dataset, Example, Preference, Question

_TEXTS = pa.list_(pa.string())
QUESTIONS = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "family", "template_id", "question", "answer_text")),
        ("ground_truth", pa.string()),
        ("answer_space", pa.string()),
        ("kind", pa.string()),
        ("verifiers", _TEXTS),
        ("answerable", pa.bool_()),
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
_SHARED = ("kind", "source", "split", "split_group")
EXAMPLES = pa.schema(
    [(n, pa.string()) for n in ("id", "prompt", "response", *_SHARED)] + [("fact_ids", _TEXTS)]
)
PREFERENCES = pa.schema(
    [(n, pa.string()) for n in ("id", "prompt", "chosen", "rejected", *_SHARED)] + [("fact_ids", _TEXTS)]
)
_DIRECTIONS = {"UP": "n_up", "DOWN": "n_down", "NS": "n_ns"}


def to_parquet(dataset: Dataset, folder: Path | str) -> tuple[Path, ...]:
    """Write the dataset's tables and its provenance into ``folder`` (made where it is missing).

    Returns the four paths. An empty table is written too, so that a folder always holds all three.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rows = [_question_row(question, dataset.provenance) for question in dataset.questions]
    tables = {
        "questions": pa.Table.from_pylist(rows, schema=QUESTIONS),
        "examples": pa.Table.from_pylist([_row(e, EXAMPLES) for e in dataset.examples], schema=EXAMPLES),
        "preferences": pa.Table.from_pylist(
            [_row(p, PREFERENCES) for p in dataset.preferences], schema=PREFERENCES
        ),
    }
    paths = []
    for name, table in tables.items():
        paths.append(folder / f"{name}.parquet")
        pq.write_table(table, paths[-1], compression="NONE", version="2.6", write_statistics=False)
    record = {"name": dataset.name, **dataset.provenance}
    paths.append(folder / "provenance.json")
    paths[-1].write_text(json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
    return tuple(paths)


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


def _question_row(question: Question, provenance: Mapping[str, Any]) -> dict[str, Any]:
    truth = question.ground_truth
    facts = truth.get("facts") or []
    only = facts[0] if len(facts) == 1 else {}
    numerator, _, denominator = str(truth.get("contrast", "")).partition("_vs_")
    file: Mapping[str, Any] = next(
        (f for f in provenance.get("files", ()) if f.get("path") == question.source), {}
    )
    slots = truth.get("missions") or truth.get("tissue_directions") or {}
    counts = {column: list(slots.values()).count(name) for name, column in _DIRECTIONS.items()}
    return {
        **{name: getattr(question, name) for name in ("id", "family", "kind", "tissue", "difficulty")},
        **{name: getattr(question, name) for name in ("source", "split", "split_group")},
        "template_id": question.id.rpartition(":")[2],
        "question": question.prompt,
        "answer_text": question.answer,
        "ground_truth": json.dumps(truth, sort_keys=True, ensure_ascii=False),
        "answer_space": answer_space(truth),
        "verifiers": list(question.verifiers),
        "answerable": bool(truth.get("answerable", True)),
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
        **(counts if slots else dict.fromkeys(counts)),
        "fact_ids": list(question.fact_ids),
        "source_sha256": file.get("sha256"),
        "licence": file.get("licence"),
        "prompt_hash": hashlib.sha256(question.prompt.encode()).hexdigest(),
    }


def _unit(quantity: str) -> str | None:
    if "DEG count" in quantity:
        return "genes"
    if quantity.endswith("percentage"):
        return "percent"
    if "log2" in quantity:
        return "log2"
    return "NES" if quantity.endswith("NES") else None


def _row(record: Example | Preference, schema: pa.Schema) -> dict[str, Any]:
    return {name: getattr(record, name) for name in schema.names}


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


def _question(row: Mapping[str, Any]) -> Question:
    same = ("id", "family", "kind", "tissue", "difficulty", "source", "split", "split_group")
    return Question(
        prompt=row["question"],
        answer=row["answer_text"],
        ground_truth=json.loads(row["ground_truth"]),
        verifiers=tuple(row["verifiers"]),
        fact_ids=tuple(row["fact_ids"]),
        **{name: row[name] for name in same},
    )


def _read(path: Path, schema: pa.Schema) -> list[dict[str, Any]]:
    if not path.is_file():
        raise DataError(str(path), "no such file", "a table that `biorlhf data build` wrote")
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(str(path), f"not readable as Parquet: {error}") from error
    missing = [name for name in schema.names if name not in table.column_names]
    if missing:
        raise DataError(str(path), f"no column {missing[0]!r}", f"the columns {', '.join(schema.names)}")
    return table.select(schema.names).to_pylist()
