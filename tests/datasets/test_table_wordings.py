"""`wordings` of a lab's tables: the training texts in more wordings, and nothing else changed."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from pydantic import ValidationError

from biorlhf_plugins.datasets import tables
from biorlhf_plugins.datasets.tables.config import LabConfig, load_lab
from biorlhf_plugins.making.splits import leaks

FILE = "tests/data/lung/lab.yaml"


@pytest.fixture(scope="module")
def built():
    config = load_lab(Path(__file__).parents[2] / FILE).model_copy(update={"limit": 200})
    return {count: tables.build(config.model_copy(update={"wordings": count})) for count in (1, 3, 4)}


def by_fact(dataset):
    found = defaultdict(list)
    for text in dataset.examples:
        found[text.id.partition(":sft")[0]].append(text)
    return found


def test_questions_pairs_and_the_first_wording_stay_as_they_are(built):
    one, four = built[1], built[4]
    assert (four.questions, four.preferences) == (one.questions, one.preferences)
    assert [text for text in four.examples if text.id.endswith(":sft")] == list(one.examples)


@pytest.mark.parametrize(("count", "directions"), [(3, 3), (4, 4)])
def test_a_fact_is_taught_in_so_many_wordings_with_the_same_answer(built, count, directions):
    for texts in by_fact(built[count]).values():
        assert len({text.prompt for text in texts}) == len(texts)
        assert len({text.response for text in texts}) == 1
        if texts[0].split == "train" and texts[0].kind in ("direction", "not_significant"):
            assert len(texts) == directions
        if texts[0].split != "train" or texts[0].kind == "ranking":
            assert len(texts) == 1
    assert {text.split for text in built[count].examples if not text.id.endswith(":sft")} == {"train"}


def test_no_question_of_the_test_is_taught_in_its_words(built):
    asked = {question.prompt for question in built[4].questions if question.split == "test"}
    assert asked
    assert not asked & {text.prompt for text in built[4].examples}
    assert leaks(built[4]) == leaks(built[1])


def test_more_wordings_than_there_are_is_refused():
    with pytest.raises(ValidationError, match="wordings"):
        LabConfig(lab="lab.yaml", wordings=5)
