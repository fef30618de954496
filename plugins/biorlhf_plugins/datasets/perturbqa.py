"""PerturbQA's questions about CRISPRi knock-downs, read from a file of yours: nothing of it ships here.

Format (``perturbqa/datasets/CELL-de.csv`` and ``CELL-dir.csv`` of Genentech/PerturbQA; data CC BY 4.0):

    pert,gene,label,split           ``split`` is train or test, ``label`` 0 or 1

``-de``: whether knocking ``pert`` down changes the expression of ``gene`` (1: it does). ``-dir``: of pairs
that change, which way (1: up, 0: down). In ``k562_set-…`` the gene is a set of genes with one response. Cell
line and task are read off the file's name, or given as settings. The published train and test stay.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import PositiveInt

from biorlhf import DataError, Dataset, DatasetPlugin, InputPath, PluginConfig, Question, hookimpl
from biorlhf.ground_truth import block, gold_answer, instruction
from biorlhf.inputs.rows import read_rows
from biorlhf_plugins.making.items import example_of

COLUMNS = ("pert", "gene", "label", "split")
CELLS = {"k562": "K562", "k562_set": "K562", "rpe1": "RPE1", "hepg2": "HepG2", "jurkat": "Jurkat"}
SPLITS = ("train", "test")
Task = Literal["de", "dir"]


class PerturbQAConfig(PluginConfig):
    """``path``: one of the CSV files on your disk. ``cell`` and ``task`` where its name does not say them.
    ``limit``: at most so many questions of each split, as many of each label; drawn by ``seed``."""

    path: InputPath
    cell: str | None = None
    task: Task | None = None
    limit: PositiveInt | None = 2000
    seed: int = 42


def build(config: PerturbQAConfig) -> Dataset:
    """The file's questions; those of its ``train`` also as SFT texts."""
    path = Path(config.path)
    stem, _, end = path.stem.lower().partition("-")
    task = config.task or (end if end in ("de", "dir") else None)
    cell = config.cell or CELLS.get(stem)
    if task is None:
        raise DataError(str(path), "the name does not end in -de or -dir", "task: de or task: dir")
    if cell is None:
        raise DataError(str(path), "the name does not say which cell line", "cell: K562", choices=CELLS,
                        name=stem)  # fmt: skip
    questions = [
        _question(cell, task, stem.endswith("_set"), row) for row in _chosen(list(_rows(path)), config)
    ]
    provenance = {
        "path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "licence": "CC BY 4.0",
        "source": "Genentech/PerturbQA",
    }  # fmt: skip
    return Dataset(
        "perturbqa",
        questions=tuple(questions),
        examples=tuple(example_of(q) for q in questions if q.split == "train"),
        provenance={"files": [provenance], "counts": dict(Counter(q.split for q in questions))},
    )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    seen: dict[tuple[str, str], str] = {}
    for where, row in read_rows(path):
        for column in COLUMNS:
            if not str(row.get(column) or "").strip():
                raise DataError(where, f"no {column!r}", f"the columns {', '.join(COLUMNS)}")
        if str(row["label"]) not in ("0", "1"):
            raise DataError(f"{where}: label", f"{row['label']!r}", "0 or 1")
        if row["split"] not in SPLITS:
            raise DataError(f"{where}: split", repr(row["split"]), choices=SPLITS, name=row["split"])
        pair = (row["pert"], row["gene"])
        if pair in seen:
            raise DataError(where, f"{' and '.join(pair)} stand in {seen[pair]} as well", "each pair once")
        seen[pair] = where
        yield row


def _chosen(rows: list[dict[str, Any]], config: PerturbQAConfig) -> list[dict[str, Any]]:
    if config.limit is None:
        return rows
    groups: dict[tuple[str, str], list[tuple[bytes, int]]] = defaultdict(list)
    for place, row in enumerate(rows):
        digest = hashlib.sha256(f"{config.seed}|{row['pert']}|{row['gene']}".encode()).digest()
        groups[row["split"], row["label"]].append((digest, place))
    # As many of each label: in -de one pair in seven changes, and "no" would be right six times.
    kept = {place for members in groups.values() for _, place in sorted(members)[: max(1, config.limit // 2)]}
    return [row for place, row in enumerate(rows) if place in kept]


def _question(cell: str, task: str, is_set: bool, row: dict[str, Any]) -> Question:
    pert, gene, one = row["pert"], row["gene"], row["label"] == "1"
    # "12-oxidative phosphorylation": the number is the set's place in a list.
    subject = f"the genes of the set {gene.partition('-')[2] or gene}" if is_set else f"the gene {gene}"
    name = f"perturbqa:{cell}:{task}:{pert}:{gene}"
    if task == "de":
        prompt = f"In {cell} cells, does knocking {pert} down by CRISPRi change the expression of {subject}?"
        truth: dict[str, Any] = {"answer": "yes" if one else "no"}
    else:
        prompt = f"Knocking {pert} down by CRISPRi in {cell} cells changes {subject}: up or down?"
        kind = {"pathway": gene} if is_set else {"feature": gene, "kind": "gene"}
        truth = {**kind, "direction": "UP" if one else "DOWN", "choices": ["UP", "DOWN"],
                 "contrast": f"{pert}_knockdown_vs_control"}  # fmt: skip
    return Question(
        id=name,
        prompt=prompt,
        ground_truth=truth,
        kind="factual",
        source="Genentech/PerturbQA",
        split=row["split"],
        answer=block(gold_answer(truth), 90),
        family=f"perturbation_{task}",
        split_group=f"perturbqa:{pert}:{gene}",
        fact_ids=(name,),
        instruction=instruction(truth),
    )


@hookimpl
def biorlhf_datasets():
    yield DatasetPlugin(
        name="perturbqa",
        summary="PerturbQA's knock-downs: does a gene change, and which way; from a file of yours",
        config=PerturbQAConfig,
        build=build,
    )
