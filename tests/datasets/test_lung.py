"""A lab of another field (tests/data/lung, figures invented): gold answers are right, in a block and free.

Gene symbols are names like any other there: those that are a gene set's alias too (MYC, TP53, IFNG), and
those that are words of English (SET, CAT, REST, MAX), are read as the gene that the question asks for.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biorlhf import Question, RewardComposer, Status
from biorlhf.ground_truth.forms import unblocked
from biorlhf.scoring.spec import ScorerSpec
from biorlhf_plugins.datasets import tables
from biorlhf_plugins.datasets.tables.config import load_lab
from biorlhf_plugins.datasets.tables.items import items
from biorlhf_plugins.datasets.tables.slots import arrange, load_tables

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "tests" / "data" / "lung" / "lab.yaml"
ALIASES = ROOT / "plugins" / "biorlhf_plugins" / "language" / "words" / "aliases.json"
WORDS = ("SET", "CAT", "MAX", "IMPACT", "REST", "ROS1", "NES", "CLOCK", "BAD", "SHE", "COPE", "KIT", "MET")
LATER = """\
name: shared
tables:
  - file: genes.csv
    tool: deseq2
    tissue: lung
    condition: adenocarcinoma
    contrast: {numerator: tumour, denominator: normal}
    thresholds: {padj: 0.05}
"""


def questions(lab: Path) -> list[Question]:
    """A question on every row of a lab's tables; balancing leaves none out."""
    config = load_lab(lab)
    slots = arrange(config, load_tables(config))
    every = replace(slots, kept=np.ones_like(slots.kept))
    return [made.question for made in items(config, every) if made.question]


def composer(lab: Path) -> RewardComposer:
    names = tables.build(load_lab(lab)).names
    spec = ScorerSpec(active=["V1", "V2", "V3", "V4"]).with_names(names)
    return RewardComposer(["V1", "V2", "V3", "V4"], configs=spec.configs)


def short_scores(lab: Path, form: str) -> list[tuple[str, str, float | None]]:
    """(question, verifier, score) of every gold answer that earns less than 0.95 where it is judged."""
    judge, short = composer(lab), []
    for question in questions(lab):
        asked, answer = question, question.answer
        if form == "free":
            asked, answer = replace(question, instruction=""), unblocked(question.answer)
        scores = judge.score(asked, answer).scores
        assert scores["uncertainty"].status is Status.SCORED, question.id
        if question.ground_truth.get("direction"):
            assert scores["pathway"].status is Status.SCORED, question.id
        short += [
            (question.id, name, score.value)
            for name, score in scores.items()
            if score.status is not Status.NOT_APPLICABLE and not (score.value or 0.0) >= 0.95
        ]
    return short


def shared_symbols() -> list[str]:
    """The aliases of gene sets that look like a gene's symbol."""
    aliases = json.loads(ALIASES.read_text("utf-8"))
    return sorted(alias.upper() for alias in aliases if re.fullmatch(r"[a-z][a-z0-9]{1,8}", alias))


@pytest.mark.parametrize("form", ["block", "free"])
def test_every_gold_answer_of_the_lab_is_right(form):
    asked = questions(LAB)
    symbols = {question.ground_truth.get("feature") for question in asked}
    assert set(WORDS) | {"TP53", "MYC", "MTOR", "IFNG"} <= symbols
    assert len(asked) > 85
    short = short_scores(LAB, form)
    # Free reading finds no figure of a gene whose symbol is the word for a collection; a block has its place.
    assert [row for row in short if form == "block" or "|SET:figure" not in row[0]] == []


@pytest.mark.parametrize("form", ["block", "free"])
def test_symbols_that_are_gene_sets_aliases_too_are_read_as_genes(tmp_path, form):
    symbols = shared_symbols()
    assert len(symbols) >= 25
    rows = ["gene,baseMean,log2FoldChange,lfcSE,stat,pvalue,padj"]
    for number, symbol in enumerate(symbols):
        effect, p = ((1.8, 1e-6), (-2.1, 1e-7), (0.1, 0.6))[number % 3]
        rows.append(f"{symbol},500,{effect},0.2,{effect / 0.2:.2f},{p},{p}")
    (tmp_path / "genes.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "lab.yaml").write_text(LATER)
    assert short_scores(tmp_path / "lab.yaml", form) == []


@pytest.mark.parametrize("symbol", ["TP53", "CAT", "EGFR"])
def test_the_opposite_of_a_gene_s_direction_earns_nothing(symbol):
    question = next(q for q in questions(LAB) if q.ground_truth.get("feature") == symbol)
    wrong = "DOWN" if question.ground_truth["direction"] == "UP" else "UP"
    answer = f"Answer: {wrong}\nConfidence: 90%"
    assert composer(LAB).score(question, answer).scores["pathway"].value == 0.0
