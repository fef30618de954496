"""Benchmarks of the field, from files in their published form: the rows here are of our own."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from biorlhf import DataError, RewardComposer, Status
from biorlhf_plugins.datasets import genomebench, perturbqa

PAIRS = "pert,gene,label,split\n" + "".join(
    f"{pert},{gene},{n % 4 == 0:d},{'test' if n % 3 == 0 else 'train'}\n"
    for n, (pert, gene) in enumerate(
        (p, g) for p in ("GATA1", "TP53", "RPL5") for g in ("KLF1", "MDM2", "MYC", "HBG1")
    )
)
STEM = "Question context: a pool of clones was screened. Question: What is tried first? "
OPTIONS = "a. A longer arm b. A second guide c. Fewer cells d. Another enzyme e. Nothing"


def golds(questions, wrong=None):
    judge = RewardComposer(["V1", "V2", "V4"])
    for question in questions:
        scores = judge.score(question, question.answer).scores
        judged = [score.value for score in scores.values() if score.status is Status.SCORED]
        assert len(judged) >= 2
        assert min(judged) >= 0.95, question
        if wrong:
            bad = judge.score(question, f"Answer: {wrong(question)}\nConfidence: 90%").scores
            assert max(bad[name].value or 0 for name in ("factual", "pathway")) == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("k562-de.csv", {"answer": "yes"}),
        ("rpe1-dir.csv", {"feature": "KLF1", "kind": "gene", "direction": "UP", "choices": ["UP", "DOWN"],
                          "contrast": "GATA1_knockdown_vs_control"}),
    ],
)  # fmt: skip
def test_perturbqa_s_pairs_become_questions_in_their_own_splits(tmp_path, name, expected):
    (tmp_path / name).write_text(PAIRS)
    dataset = perturbqa.build(perturbqa.PerturbQAConfig(path=str(tmp_path / name), limit=None))
    assert len(dataset.questions) == 12
    assert dataset.questions[0].ground_truth == expected
    assert Counter(q.split for q in dataset.questions) == {"train": 8, "test": 4}
    assert all(e.split == "train" for e in dataset.examples)
    turned = {"yes": "no", "no": "yes", "UP": "DOWN", "DOWN": "UP"}
    golds(dataset.questions, lambda q: turned[q.ground_truth.get("answer") or q.ground_truth["direction"]])
    assert ("K562" if name.startswith("k562") else "RPE1") in dataset.questions[0].prompt


def test_perturbqa_s_gene_sets_are_asked_as_sets(tmp_path):
    rows = "pert,gene,label,split\nAAMP,12-oxidative phosphorylation,1,train\n"
    (tmp_path / "k562_set-dir.csv").write_text(rows)
    [question] = perturbqa.build(perturbqa.PerturbQAConfig(path=str(tmp_path / "k562_set-dir.csv"))).questions
    assert "the set oxidative phosphorylation" in question.prompt
    assert question.ground_truth["pathway"] == "12-oxidative phosphorylation"
    golds([question])


def test_perturbqa_s_limit_keeps_as_many_of_each_label(tmp_path):
    (tmp_path / "jurkat-de.csv").write_text(PAIRS)
    dataset = perturbqa.build(perturbqa.PerturbQAConfig(path=str(tmp_path / "jurkat-de.csv"), limit=2))
    counts = Counter((q.split, q.ground_truth["answer"]) for q in dataset.questions)
    assert set(counts.values()) == {1}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("k562-de.csv", "pert,gene,label,split\nA,B,2,train\n", r"csv:2: label: '2'"),
        ("k562-de.csv", "pert,gene,label,split\nA,B,1,trian\n", "did you mean: train"),
        ("k562-de.csv", "pert,gene,label,split\nA,B,1,train\nA,B,0,test\n", "stand in .*:2 as well"),
        ("k562-de.csv", "pert,target,label,split\nA,B,1,train\n", "no 'gene'"),
        ("mine.csv", PAIRS, "task: de or task: dir"),
        ("k652-de.csv", PAIRS, "did you mean: k562"),
    ],
)
def test_a_file_that_is_not_perturbqa_s_is_refused(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        perturbqa.build(perturbqa.PerturbQAConfig(path=str(tmp_path / name)))


@pytest.mark.parametrize("answer", ["b", "B", "b. A second guide", " b "])
def test_genome_bench_s_questions_are_graded_by_their_letter(tmp_path, answer):
    row = {
        "question": STEM + OPTIONS,
        "answer": f"<explanation>Two cut better.</explanation> <answer>{answer}</answer>",
    }
    (tmp_path / "rows.json").write_text(json.dumps([row]))
    dataset = genomebench.build(
        genomebench.GenomeBenchConfig(path=str(tmp_path / "rows.json"), split="train")
    )
    [question] = dataset.questions
    assert question.ground_truth == {"answer": "b", "choices": list("abcde")}
    assert question.answer.startswith("Two cut better.\nAnswer: b\n")
    assert dataset.examples[0].response == question.answer
    golds([question], lambda q: "c")


def test_letters_in_the_context_are_no_options(tmp_path):
    text = "Question context: panel a. shows one lane. Question: Which? a. The first b. The second c. None"
    (tmp_path / "rows.jsonl").write_text(
        json.dumps({"question": text, "answer": "<answer>c</answer>"}) + "\n"
    )
    [question] = genomebench.build(genomebench.GenomeBenchConfig(path=str(tmp_path / "rows.jsonl"))).questions
    assert question.ground_truth["choices"] == ["a", "b", "c"]
    assert question.split == "test"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"question": STEM, "answer": "<answer>a</answer>"}, "options that begin with"),
        ({"question": STEM + OPTIONS, "answer": "b"}, "<answer>b</answer> in it"),
        ({"question": STEM + OPTIONS, "answer": "<answer>N/A</answer>"}, "one of a, b, c, d, e"),
        ({"question": STEM + OPTIONS}, "answer: None"),
    ],
)
def test_a_row_that_is_not_genome_bench_s_is_refused_with_its_line(tmp_path, row, message):
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(DataError, match=message) as error:
        genomebench.build(genomebench.GenomeBenchConfig(path=str(tmp_path / "rows.jsonl")))
    assert "rows.jsonl:1" in str(error.value)
