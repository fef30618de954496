"""``taught``: what SFT texts state, what GRPO asks beyond it, and a test that mixes both kinds."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from biorlhf import plugins
from biorlhf.errors import BiorlhfError
from biorlhf_plugins.datasets import tables
from biorlhf_plugins.datasets.tables.config import load_lab
from biorlhf_plugins.making.parquet import from_parquet, to_parquet
from biorlhf_plugins.making.splits import leaks

LUNG = Path(__file__).resolve().parents[1] / "data" / "lung" / "lab.yaml"
SETTINGS = {
    "genelab": {"taught": 0.5, "hold_out_tissues": ["eye", "thymus"]},
    "kmp": {"taught": 0.5, "test_fraction": 0.3},
}


@pytest.fixture(scope="module", params=[*sorted(SETTINGS), "tables"])
def data(request):
    if request.param == "tables":
        return tables.build(load_lab(LUNG).model_copy(update={"taught": 0.5, "limit": None}))
    return plugins.load(entry_points=False).build("dataset", request.param, SETTINGS[request.param])


def test_texts_state_no_fact_that_is_not_taught(data):
    untaught = {f for q in data.questions if q.taught is False for f in q.fact_ids}
    only_untaught = untaught - {f for q in data.questions if q.taught for f in q.fact_ids}
    assert only_untaught
    for text in (*data.examples, *data.preferences):
        assert not only_untaught & set(text.fact_ids), text.id


def test_grpo_asks_about_both_kinds_and_the_test_holds_as_many_of_each(data):
    counts = Counter((q.split, q.taught) for q in data.questions)
    assert min(counts["train", True], counts["train", False]) > 30
    taught, never = counts["test", True], counts["test", False]
    assert min(taught, never) > 30
    # A lab's tables are written as they are read: there the halves are alike by draw.
    assert taught == never or (data.name == "lung" and abs(taught - never) < 0.25 * never)


def test_the_untaught_half_of_the_test_is_no_part_of_training_at_all(data):
    trained = {f for q in data.questions if q.split == "train" for f in q.fact_ids}
    for question in data.questions:
        if question.split == "test" and not question.taught:
            assert not trained & set(question.fact_ids), question.id


def test_both_halves_of_the_test_are_asked_in_words_that_training_does_not_have(data):
    asked = {q.prompt for q in data.questions if q.split == "test"}
    assert not asked & {text.prompt for text in (*data.examples, *data.questions) if text.split == "train"}
    assert leaks(data, facts_may_cross=True) == []


def test_whether_a_question_is_taught_survives_a_built_folder(data, tmp_path):
    to_parquet(data, tmp_path)
    again = from_parquet(tmp_path)
    assert {q.id: q.taught for q in again.questions} == {q.id: q.taught for q in data.questions}


def test_a_limit_keeps_the_halves_equal():
    settings = SETTINGS["genelab"] | {"max_test_questions": 41}
    data = plugins.load(entry_points=False).build("dataset", "genelab", settings)
    assert Counter(q.taught for q in data.questions if q.split == "test") == {True: 20, False: 20}


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("genelab", {"taught": 0.5, "mode": "open_book"}),
        ("kmp", {"taught": 0.5, "split": "paraphrase"}),
        ("kmp", {"taught": 1.0}),
    ],
)
def test_settings_that_contradict_it_are_refused(name, settings):
    with pytest.raises(BiorlhfError, match="taught"):
        plugins.load(entry_points=False).build("dataset", name, settings)


def test_a_figure_can_be_taught_and_asked_in_more_wordings_and_no_test_question_is_one_of_them():
    settings = {"taught": 0.5, "test_fraction": 0.3, "families": ["factual"]}
    load = plugins.load(entry_points=False).build
    # Texts state a figure in all of them; GRPO asks in four.
    few, many = (load("dataset", "kmp", {**settings, "wordings": n}) for n in (2, 12))
    assert len(many.examples) == 6 * len(few.examples)
    asked = [{q.prompt for q in d.questions if q.split == "train"} for d in (few, many)]
    assert asked[0] < asked[1]
    assert len(asked[1]) == 2 * len(asked[0])
    assert asked[1].isdisjoint(q.prompt for q in many.questions if q.split == "test")
    assert {q.prompt for q in many.questions if q.split == "test"} == {
        q.prompt for q in few.questions if q.split == "test"
    }
