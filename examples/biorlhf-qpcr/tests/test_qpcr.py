"""The table as questions: gold answers, the split, thresholds, and tables that are wrong."""

from __future__ import annotations

import biorlhf_qpcr as plugin
import pytest

from biorlhf import DataError, Dataset, RewardComposer
from biorlhf.testing import fresh_catalogue

HEADER = "gene\tcells\ttreatment\treference\thours\tn\tlog2fc\tpadj\n"
ROW = "IL6\tTHP-1\tLPS\tvehicle\t4\t4\t5.2\t0.0004\n"


def built(**settings) -> Dataset:
    return fresh_catalogue(plugin).build("dataset", "qpcr", settings)


def truths(dataset: Dataset, kind: str) -> list:
    return [dict(question.ground_truth) for question in dataset.questions if question.kind == kind]


def test_every_gold_answer_earns_full_marks_of_the_built_in_verifiers():
    weights = {"factual": 1.0, "uncertainty": 1.0}
    composer = RewardComposer(list(weights), weights, catalogue=fresh_catalogue())
    for question in built().questions:
        scores = composer.score(question, question.answer or "").scores
        assert scores.keys() == weights.keys()
        for name, score in scores.items():
            assert (score.value or 0.0) >= 0.95, (question.id, name, score.details)


def test_another_figure_and_the_opposite_answer_earn_nothing():
    composer = RewardComposer(["factual"], {"factual": 1.0}, catalogue=fresh_catalogue())
    for question in built().questions:
        wrong = {"yes": "no", "no": "yes"}.get(question.ground_truth.get("answer"), "-7.7")
        assert float(composer.score(question, f"Answer: {wrong}\nConfidence: 95%")) == 0.0, question


def test_held_out_cells_are_in_no_text_for_training():
    dataset = built(held_out=["A549"])
    asked = {fact for q in dataset.questions if q.split == "test" for fact in q.fact_ids}
    assert asked
    assert all("A549" in fact for fact in asked)
    assert not asked & {fact for example in dataset.examples for fact in example.fact_ids}


def test_the_threshold_decides_what_is_significant(tmp_path):
    path = tmp_path / "mine.tsv"
    path.write_text(HEADER + ROW.replace("0.0004", "0.03"))
    assert truths(built(file=path, held_out=[]), "significance") == [{"answer": "yes"}]
    assert truths(built(file=path, held_out=[], padj=0.01), "significance") == [{"answer": "no"}]
    assert truths(built(file=path, held_out=[], padj=0.03), "significance") == [{"answer": "no"}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEADER.replace("log2fc", "log2FC") + ROW, ["mine.tsv:1", "'log2fc'", "did you mean: log2FC"]),
        (HEADER + ROW + ROW.replace("5.2", "5.1"), ["mine.tsv:3", "stands twice"]),
        (HEADER + ROW.replace("0.0004", "1.4"), ["mine.tsv:2: padj", "1.4", "from 0 to 1"]),
        (HEADER + ROW.replace("0.0004", "NA"), ["mine.tsv:2: padj", "'NA'", "a number"]),
        (HEADER + ROW.replace("5.2", ""), ["mine.tsv:2: log2fc", "''", "a number"]),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(tmp_path, text, words):
    path = tmp_path / "mine.tsv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        built(file=path, held_out=[])
    for word in words:
        assert word in str(caught.value)


def test_cells_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(DataError, match="did you mean: HeLa"):
        built(held_out=["Hela"])
    path = tmp_path / "mine.tsv"
    path.write_text(HEADER + ROW)
    with pytest.raises(DataError, match="no cells named 'HeLa'"):
        built(file=path)
