"""docs/ground_truth.md says what the code does: its keys, its error, its instruction and its twenty marks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from biorlhf import DataError, Question, RewardComposer
from biorlhf.ground_truth import DIRECTIONS, FEATURE_KINDS, FORMS, check, instruction
from biorlhf.ground_truth.schema import Fact, FeatureDirection, Figures, GroundTruth

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "ground_truth.md").read_text("utf-8")
FENCES = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
FIRST, TRUTHS = (json.loads(text) for language, text in FENCES if language == "json")
ERROR, ASKED = (text.rstrip("\n") for language, text in FENCES if language == "text")
ROW = re.compile(r"^\| (\w+) \| `(.+)` \| (\S+) \| (\S+) \| (\S+) \| .+ \|$", re.MULTILINE)
ROWS = ROW.findall(PAGE)
VERIFIERS = ("factual", "pathway", "uncertainty")


@pytest.fixture(scope="module")
def composer() -> RewardComposer:
    return RewardComposer(VERIFIERS)


def marks(composer: RewardComposer, truth: dict, text: str) -> list[float | None]:
    question = Question("q", "?", check(truth, "docs"), instruction=instruction(truth))
    scores = composer.score(question, text).scores
    return [scores[name].value for name in VERIFIERS]


def test_there_are_twenty_answers_to_every_kind_of_question():
    assert len(ROWS) == 20
    assert {name for name, *_ in ROWS} == set(TRUTHS)


@pytest.mark.parametrize(("name", "answer", "factual", "pathway", "uncertainty"), ROWS)
def test_the_marks_of_the_table_are_those_of_the_code(composer, name, answer, factual, pathway, uncertainty):
    found = marks(composer, TRUTHS[name], answer.replace(" ⏎ ", "\n"))
    told = [None if mark == "–" else float(mark) for mark in (factual, pathway, uncertainty)]
    assert [None if mark is None else round(mark, 3) for mark in found] == told


def test_every_key_and_value_of_the_schema_is_described():
    models = (GroundTruth, Fact, FeatureDirection, Figures)
    for word in {*(key for model in models for key in model.model_fields), *FEATURE_KINDS, *FORMS}:
        assert re.search(rf"\b{word}\b", PAGE.partition("## The answer block")[0]), word
    for word in DIRECTIONS:
        assert f"`{word}`" in PAGE, word


def test_the_error_of_the_page_is_the_one_that_is_raised():
    with pytest.raises(DataError) as raised:
        check({"direction": "upregulated"}, "mine.jsonl:3")
    assert str(raised.value) == ERROR


def test_the_instruction_of_the_page_is_the_one_that_its_ground_truth_asks_with():
    assert instruction(check(FIRST, "docs")) == ASKED


@pytest.mark.parametrize(
    ("quantity", "value", "unit", "answer", "mark"),
    [
        ("share", 25, "%", "0.25", 1.0),
        ("IC50", 85, "nM", "85 mg", 0.0),
        ("log2 fold change", 1, None, "2-fold", 1.0),
        ("DEG count", 6425, None, "6.4k", 0.9),
        ("DEG count", 6425, None, "about 6,200", 0.6),
        ("DEG count", 6425, None, "6,200", 0.0),
        ("DEG count", 0, None, "none", 1.0),
        ("DEG count", 6425, None, "more than 6,000", 0.0),
        ("p", 1.3e-6, None, "1.3e-6", 1.0),
    ],
)
def test_figures_are_marked_as_the_page_says(composer, quantity, value, unit, answer, mark):
    fact = {"entity": "soleus", "quantity": quantity, "value": value} | ({"unit": unit} if unit else {})
    found = marks(composer, {"facts": [fact]}, f"Answer: {answer}\nConfidence: 90%")
    assert found[0] == pytest.approx(mark)


@pytest.mark.parametrize(
    ("answer", "mark"),
    [("down-regulated", 1.0), ("lower", 1.0), ("↓", 1.0), ("not UP", 0.0), ("NS", 0.0), ("unknown", 1 / 3)],
)
def test_directions_are_marked_as_the_page_says(composer, answer, mark):
    found = marks(composer, TRUTHS["gene"], f"Answer: {answer}\nConfidence: high")
    assert found[1] == pytest.approx(mark)


def test_a_contrast_that_is_none_is_told_how_one_is_written():
    with pytest.raises(DataError, match="numerator_vs_denominator, as in tumour_vs_normal"):
        check({"contrast": "tumour"}, "mine.jsonl:3")
