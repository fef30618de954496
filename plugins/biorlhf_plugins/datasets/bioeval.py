"""BioEval's tasks, read from a path of yours. Its data are CC BY-NC: nothing of it ships here.

Format: a JSON list or JSONL of task records as ``dataclasses.asdict`` gives them of the class ``EvalTask`` of
jang1563/BioEval

    id, component, task_type, prompt, ground_truth    required; ``ground_truth`` is an object
    metadata, system_prompt, source, validator        optional; a system prompt goes before the prompt

or of its adapters' input rows: ``id, task_type, question, label`` (``domain`` and ``category`` optional;
``prediction`` and scores are refused, they are results and not tasks).

Of ``ground_truth`` only what a verifier can judge is used: ``answer``, ``correct_answer`` or ``label`` of at
most twelve words, or true/false, becomes the answer; ``answerable`` and ``is_answerable`` are kept. A task
without them is asked for internal consistency only. All tasks are for testing.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from biorlhf import DataError, Dataset, DatasetPlugin, InputPath, PluginConfig, Question, hookimpl
from biorlhf.inputs.rows import read_rows
from biorlhf.types import Split

TASK = frozenset(
    (
        "id",
        "component",
        "task_type",
        "prompt",
        "ground_truth",
        "metadata",
        "system_prompt",
        "source",
        "validator",
    )
)
ADAPTER = frozenset(
    (
        "id",
        "task_type",
        "domain",
        "category",
        "question",
        "label",
    )
)
ANSWERS = ("answer", "correct_answer", "label")
# Longer golds are prose, which no verifier can hold a text against.
MAX_ANSWER_WORDS = 12


class BioEvalConfig(PluginConfig):
    """``path``: the tasks on your disk; ``component``: only these."""

    path: InputPath
    component: tuple[str, ...] = ()


def build(config: BioEvalConfig) -> Dataset:
    """Every task (of the named components), all in the split ``test``."""
    path = Path(config.path)
    rows = list(read_rows(path, array_key="tasks"))
    known = {_component(row) for _, row in rows}
    # A misspelt name would otherwise only give fewer tasks, or none.
    for name in config.component:
        if name not in known:
            raise DataError("component", f"{name!r} is not in {path.name}", choices=known, name=name)
    chosen = [item for item in rows if not config.component or _component(item[1]) in config.component]
    provenance = {
        "path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "licence": "CC BY-NC 4.0",
        "source": "jang1563/BioEval",
    }  # fmt: skip
    questions = tuple(_question(where, row) for where, row in chosen)
    return Dataset("bioeval", questions=questions, provenance={"files": [provenance]})


def _component(row: dict[str, Any]) -> str:
    return str(row.get("component") or row.get("domain") or "")


def _question(where: str, row: dict[str, Any]) -> Question:
    keys, text = (TASK, "prompt") if "prompt" in row else (ADAPTER, "question")
    unknown = sorted(set(row) - keys)
    if unknown:
        raise DataError(where, f"unknown key {unknown[0]!r}", choices=keys, name=unknown[0])
    for key in ("id", "task_type", text):
        if not isinstance(row.get(key), str) or not row[key].strip():
            raise DataError(f"{where}: {key}", f"{row.get(key)!r:.60}", "text")
    gold = row.get("ground_truth", {}) if text == "prompt" else {"label": row.get("label")}
    if not isinstance(gold, dict):
        raise DataError(f"{where}: ground_truth", f"a {type(gold).__name__}", "a JSON object")
    prompt = row[text].strip()
    if row.get("system_prompt"):
        prompt = f"{row['system_prompt'].strip()}\n\n{prompt}"
    answer = next((gold[key] for key in ANSWERS if isinstance(gold.get(key), str | bool)), None)
    if isinstance(answer, bool):
        answer = "yes" if answer else "no"
    return Question(
        id=f"bioeval:{row['id']}",
        prompt=prompt,
        ground_truth=_ground_truth(gold, answer),
        kind=row["task_type"],
        source=str(row.get("source") or "jang1563/BioEval"),
        split=Split.TEST.value,
        answer=answer,
        family=_component(row),
        split_group=f"bioeval:{row['id']}",
        fact_ids=(f"bioeval:{row['id']}",),
    )


def _ground_truth(gold: dict[str, Any], answer: str | None) -> dict[str, Any]:
    truth: dict[str, Any] = {}
    if answer is not None and len(answer.split()) <= MAX_ANSWER_WORDS:
        truth["answer"] = answer
    for key in ("answerable", "is_answerable"):
        if isinstance(gold.get(key), bool):
            truth["answerable"] = gold[key]
    return truth or {"check": "internal_consistency"}


@hookimpl
def biorlhf_datasets():
    yield DatasetPlugin(
        name="bioeval",
        summary="BioEval's tasks, from a path of yours (CC BY-NC, not shipped)",
        config=BioEvalConfig,
        build=build,
    )
