"""SpaceOmicsBench's question bank, read from a path of yours. Its data are CC BY-NC: nothing ships here.

Format (``evaluation/llm/question_bank.json`` of jang1563/SpaceOmicsBench): a JSON object whose key
``questions`` holds a list (or the list alone, or JSONL) of objects with

    id, question                          required
    modality, category, difficulty        text; ``category`` becomes the family
    ground_truth_key_facts                list of sentences that a good answer states
    expected_reasoning, rubric, data_context_files    accepted, not used

Its gold is prose for a judge, not figures for a verifier: the questions ask for checks of internal
consistency only, and the key facts stand as the answer that people read. All questions are for testing.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from biorlhf import DataError, Dataset, DatasetPlugin, InputPath, PluginConfig, Question, hookimpl
from biorlhf.inputs.rows import read_rows
from biorlhf.types import Split

KEYS = frozenset(
    (
        "id",
        "question",
        "modality",
        "category",
        "difficulty",
        "ground_truth_key_facts",
        "expected_reasoning",
        "rubric",
        "data_context_files",
    )
)


class SpaceOmicsConfig(PluginConfig):
    """``path``: the question bank on your disk; ``modality``: only these."""

    path: InputPath
    modality: tuple[str, ...] = ()


def build(config: SpaceOmicsConfig) -> Dataset:
    """Every question of the bank (of the named modalities), all in the split ``test``."""
    path = Path(config.path)
    rows = list(read_rows(path, array_key="questions"))
    known = {str(row.get("modality", "")) for _, row in rows}
    # A misspelt name would otherwise only give fewer questions, or none.
    for name in config.modality:
        if name not in known:
            raise DataError("modality", f"{name!r} is not in {path.name}", choices=known, name=name)
    questions = [_question(where, row) for where, row in rows]
    chosen = [q for q in questions if not config.modality or q.kind in config.modality]
    provenance = {
        "path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "licence": "CC BY-NC 4.0",
        "source": "jang1563/SpaceOmicsBench",
    }  # fmt: skip
    return Dataset("spaceomics", questions=tuple(chosen), provenance={"files": [provenance]})


def _question(where: str, row: dict[str, Any]) -> Question:
    unknown = sorted(set(row) - KEYS)
    if unknown:
        raise DataError(where, f"unknown key {unknown[0]!r}", choices=KEYS, name=unknown[0])
    for key in ("id", "question"):
        if not isinstance(row.get(key), str) or not row[key].strip():
            raise DataError(f"{where}: {key}", f"{row.get(key)!r:.60}", "text")
    facts = row.get("ground_truth_key_facts", [])
    if not isinstance(facts, list) or not all(isinstance(fact, str) for fact in facts):
        raise DataError(f"{where}: ground_truth_key_facts", f"{facts!r:.60}", "a list of sentences")
    return Question(
        id=f"spaceomics:{row['id']}",
        prompt=row["question"].strip(),
        ground_truth={"check": "internal_consistency"},
        kind=str(row.get("modality", "")),
        source="jang1563/SpaceOmicsBench",
        difficulty=str(row.get("difficulty", "")),
        split=Split.TEST.value,
        answer="\n".join(facts) or None,
        family=str(row.get("category", "")),
        split_group=f"spaceomics:{row['id']}",
        fact_ids=(f"spaceomics:{row['id']}",),
    )


@hookimpl
def biorlhf_datasets():
    yield DatasetPlugin(
        name="spaceomics",
        summary="SpaceOmicsBench's question bank, from a path of yours (CC BY-NC, not shipped)",
        config=SpaceOmicsConfig,
        build=build,
    )
