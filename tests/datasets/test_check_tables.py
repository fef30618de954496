"""``data check`` against a lab's own tables, on built folders, between examples, and on planted statements.

``planted.jsonl`` was written after the checks, in words of its own, over the shipped figures; nothing was
tuned to it. ``stated.jsonl`` holds what is said of several tissues, conditions and genes, with what is true
and looks like it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from biorlhf import DataError
from biorlhf.commands.data.app import app
from biorlhf_plugins.check import audit, audit_path, load_facts
from biorlhf_plugins.check.reading import Text


def rows_of(name: str) -> list[dict]:
    return [json.loads(line) for line in (Path(__file__).parent / name).read_text("utf-8").splitlines()]


PLANTED = rows_of("planted.jsonl")
KMP = load_facts("kmp")
LAB = """\
name: lung
tables:
  - file: t.csv
    tool: edger
    tissue: lung
    condition: adenocarcinoma
    contrast: {numerator: tumour, denominator: normal}
    thresholds: {padj: 0.05}
"""
ROWS = [("MYC", -0.943, 0.003), ("CDH1", 1.086, 0.003), ("TOP2A", 2.4, 0.001), ("VHL", 1.371, 0.4)]


@pytest.fixture
def lab(tmp_path) -> Path:
    rows = [*ROWS, *((f"GEN{n}", (-1) ** n * (1 + n / 10), 0.01 if n < 12 else 0.5) for n in range(20))]
    table = "gene,logFC,PValue,FDR\n" + "".join(
        f"{name},{effect},0.001,{fdr}\n" for name, effect, fdr in rows
    )
    (tmp_path / "t.csv").write_text(table)
    (tmp_path / "lab.yaml").write_text(LAB)
    return tmp_path / "lab.yaml"


def errors(text: Text, table) -> list[str]:
    return [found.kind for found in audit([text], table) if found.severity == "error"]


def test_planted_statements_are_found_and_true_ones_left_alone():
    wrong = [row for row in PLANTED if row["wrong"]]
    right = [row for row in PLANTED if not row["wrong"]]
    found = [bool(errors(Text(0, row["prompt"], row["answer"]), KMP)) for row in wrong]
    alarms = [row["answer"] for row in right if errors(Text(0, row["prompt"], row["answer"]), KMP)]
    assert sum(found) >= 0.85 * len(wrong)
    assert alarms == []


@pytest.mark.parametrize("row", rows_of("stated.jsonl"), ids=lambda row: row["answer"][:40])
def test_what_is_said_of_several_tissues_is_held_against_each(row):
    assert bool(errors(Text(0, row["prompt"], row["answer"]), KMP)) == row["wrong"]


def test_of_two_texts_that_differ_the_one_that_the_table_refutes_is_wrong():
    asked = "How many DEGs has liver under IR?"
    wrong, right = "Liver has 2,173 DEGs under IR.", "Liver has 1,273 DEGs under IR."
    for answers in ((wrong, right), (right, wrong)):
        given = [Text(n, asked, answer) for n, answer in enumerate(answers)]
        found = [f for f in audit(given, KMP) if f.severity == "error"]
        assert {f.kind for f in found} == {"contradicts_example", "wrong_number"}
        assert {given[f.index].answer for f in found} == {wrong}


LAB_WRONG = [
    (
        "Is MYC up or down in lung adenocarcinoma?",
        "MYC is higher in tumours than in normal lung.",
        "wrong_direction",
    ),
    ("Is CDH1 up or down?", "Answer: DOWN\nConfidence: 70%", "wrong_direction"),
    ("What is the effect on TOP2A?", "TOP2A has a log2FC of 4.2 in lung.", "wrong_number"),
    ("Does VHL change?", "VHL is significantly upregulated in the lung.", "wrong_direction"),
    ("How many genes go up in the lung?", "In the lung, 11 genes are upregulated.", "wrong_number"),
]
LAB_RIGHT = [
    ("Is MYC up or down in lung adenocarcinoma?", "MYC is lower in tumour (log2FC -0.94)."),
    ("Is CDH1 up or down?", "Answer: UP\nConfidence: 70%"),
    ("Is TOP2A changed?", "TOP2A is lower in normal lung."),
    ("Is VHL changed?", "VHL does not change significantly (log2FC 1.37, FDR 0.4)."),
    ("Is BRCA2 changed?", "BRCA2 is down in lung."),
    ("Tell me of MYC and CDH1.", "MYC is down and CDH1 is up."),
]


@pytest.mark.parametrize(("prompt", "answer", "kind"), LAB_WRONG)
def test_a_labs_own_tables_are_facts(lab, prompt, answer, kind):
    assert kind in errors(Text(0, prompt, answer), load_facts(str(lab)))


@pytest.mark.parametrize(("prompt", "answer"), LAB_RIGHT)
def test_what_a_labs_tables_bear_out_or_do_not_know_is_left_alone(lab, prompt, answer):
    assert errors(Text(0, prompt, answer), load_facts(str(lab))) == []


def test_what_a_lab_builds_from_its_tables_has_no_errors_and_a_wrong_row_is_named_by_its_file(lab, tmp_path):
    out = tmp_path / "built"
    result = CliRunner().invoke(app, ["build", str(lab), "--out", str(out), "--yes"])
    assert result.exit_code == 0, result.output
    assert [f for f in audit_path(out, load_facts(str(lab))) if f.severity == "error"] == []
    (tmp_path / "t.csv").write_text((tmp_path / "t.csv").read_text().replace("GEN1,-1.1", "GEN1,1.1"))
    found = CliRunner().invoke(app, ["check", str(out), "--facts", str(lab)])
    assert found.exit_code == 1
    assert "examples.parquet[" in found.output
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="a folder without built data"):
        audit_path(tmp_path / "empty")


def test_unknown_facts_are_an_error_that_names_what_is_allowed(tmp_path):
    path = tmp_path / "sft.jsonl"
    path.write_text(json.dumps({"prompt": "Which?", "completion": "That."}) + "\n")
    result = CliRunner().invoke(app, ["check", str(path), "--facts", "abc"])
    assert isinstance(result.exception, DataError)
    assert "no table and no file 'abc'" in str(result.exception)
    assert "a lab's YAML" in str(result.exception)


CONTRADICTIONS = [
    (
        "How long is the tail of the mutant?",
        "The mutant Abc1 has a tail of 61 mm.",
        "The tail of the mutant Abc1 is 74 mm.",
    ),
    (
        "Which way does E2F Targets go in thymus?",
        "E2F Targets is up in thymus.",
        "E2F Targets is down in thymus.",
    ),
    (
        "What is the log2FC of SOX9 in gut?",
        "SOX9 has a log2FC of 1.9 in gut.",
        "In gut, SOX9 has a log2FC of -0.4.",
    ),
]


@pytest.mark.parametrize(("prompt", "first", "second"), CONTRADICTIONS)
def test_examples_that_contradict_each_other_in_other_words_are_found(prompt, first, second):
    found = audit([Text(0, prompt, first), Text(1, f"Tell me: {prompt}", second)], None)
    same = audit([Text(0, prompt, first), Text(1, prompt, second)], None)
    assert "contradicts_example" in {f.kind for f in (*found, *same)}
    assert audit([Text(0, prompt, first), Text(1, f"Tell me: {prompt}", first)], None) == []


def test_one_sentence_about_two_things_is_no_contradiction():
    texts = [
        Text(0, "NES of OXPHOS in heart with KMP?", "After treatment, NES shifts to 2.81."),
        Text(1, "NES of OXPHOS in liver with KMP?", "After treatment, NES shifts to -1.60."),
    ]
    assert audit(texts) == []
