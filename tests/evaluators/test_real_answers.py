"""The evaluators with the real reading of answers: what a person would call right is right."""

from __future__ import annotations

import pytest

from biorlhf import Completion, Group, Question, Reward, plugins
from biorlhf.types import AdapterRef

DOWN = Question(
    "d",
    "In mouse liver, is oxidative phosphorylation higher or lower in spaceflight than in ground controls?",
    {
        "pathway": "HALLMARK_OXIDATIVE_PHOSPHORYLATION",
        "direction": "DOWN",
        "tissue": "liver",
        "contrast": "flight_vs_ground",
    },
    kind="reasoning",
    tissue="liver",
)
FIGURE = Question(
    "f",
    "How many DEGs has soleus under HU?",
    {"facts": [{"entity": "soleus", "condition": "HU", "quantity": "DEG count", "value": 6425}]},
    kind="factual",
    tissue="soleus",
)
UNKNOWN = Question(
    "u", "How many DEGs would the lung show under HU?", {"answerable": False}, kind="calibration"
)


def report(name: str, question: Question, *texts: str) -> dict:
    completions = tuple(Completion(text, (1,), (-0.1,), False, AdapterRef(0, "0")) for text in texts)
    rewards = [Reward(0.9, {}, {})] * len(texts)
    evaluator = plugins.load(entry_points=False).build("evaluator", name, {})
    return evaluator.evaluate([(Group(question, (1,), completions), rewards)])


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        (DOWN, "It is lower in flight. Confidence: 80%", "It is higher in flight. Confidence: 80%"),
        (FIGURE, "Soleus has 6,425 DEGs under HU. Confidence: 90%", "Soleus has 165 DEGs under HU."),
        (UNKNOWN, "These data cannot answer that: lung was not sampled.", "The lung would show 900 DEGs."),
    ],
)
def test_right_and_wrong_are_told_apart_whatever_the_reward(question, right, wrong):
    overall = report("question_answering", question, right, right, wrong)["overall"]
    assert overall["accuracy"]["value"] == pytest.approx(2 / 3)


def test_a_stated_confidence_is_read_and_a_bare_one_is_no_right_answer():
    found = report("calibration", FIGURE, "Soleus has 6,425 DEGs under HU. Confidence: 90%", "Confidence: 0%")
    assert found["distinct_confidences"] >= 1
    assert found["not_judged"] == 0
    assert found["answers"]["correct"] == [1, 0]
    assert found["answers"]["confidence"][0] == pytest.approx(0.9)
