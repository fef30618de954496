"""The evaluators on answers whose correctness is set by the test."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass

import pytest

from biorlhf import Completion, Group, Question, Reward, Score, plugins
from biorlhf.statistics.paired import rates_of
from biorlhf.types import AdapterRef
from biorlhf_plugins.evaluators import _judgement
from biorlhf_plugins.truth import correctness

EVERY = ("reward", "question_answering", "calibration", "likelihood")


@dataclass(frozen=True)
class Read:
    correct: int | None
    abstained: bool
    confidence: float | None


@pytest.fixture(autouse=True)
def _answers_say_what_they_are(monkeypatch):
    """An answer's text is ``correct abstained confidence``; ``-`` is None, ``boom`` raises."""

    def correctness(question, text, names):
        if text == "boom":
            raise RuntimeError("cannot be read")
        correct, abstained, confidence = text.split()
        return Read(
            None if correct == "-" else int(correct),
            abstained == "y",
            None if confidence == "-" else float(confidence),
        )

    monkeypatch.setattr(_judgement, "correctness", correctness)


def evaluate(name: str, rows) -> dict:
    report = plugins.load(entry_points=False).build("evaluator", name, {}).evaluate(rows)
    return json.loads(json.dumps(report, allow_nan=False))


def group(question: Question, texts, totals=None, scores=None):
    completions = tuple(Completion(t, (1, 2), (-0.1, -0.2), False, AdapterRef(0, "0")) for t in texts)
    totals = totals or [0.5] * len(texts)
    return Group(question, (1,), completions), [
        Reward(total, (scores or {}) if total is not None else {"factual": Score.failed("no")}, {})
        for total in totals
    ]


def direction(number: int, label: str, kind: str = "factual", **more) -> Question:
    truth = {"pathway": f"P{number}", "direction": label}
    return Question(f"q{number}", "?", truth, kind=kind, tissue="liver", **more)


def test_every_rate_is_an_object_with_its_interval_and_every_report_is_plain_json():
    rows = [group(direction(i, "UP" if i % 2 else "DOWN"), [f"{i % 2} n 0.7"]) for i in range(12)]
    for name in EVERY:
        rates = rates_of(evaluate(name, rows))
        assert rates
        for rate in rates.values():
            assert all(map(math.isfinite, (rate.value, rate.low, rate.high)))
            assert rate.low <= rate.value <= rate.high


@pytest.mark.parametrize("name", EVERY)
def test_no_answers_at_all_give_a_report_with_reasons(name):
    report = evaluate(name, [])
    assert rates_of(report) == {}
    assert report["left_out"] if name != "question_answering" else report["overall"]["left_out"]


def test_reward_counts_failures_and_never_takes_one_for_a_zero():
    rows = [
        group(direction(1, "UP"), ["1 n -"], [0.8], {"factual": Score.scored(0.8)}),
        group(direction(2, "UP"), ["1 n -"], [0.6], {"factual": Score.scored(0.6)}),
        group(direction(3, "UP"), ["1 n -"], [None]),
        group(direction(4, "UP"), ["1 n -"], [0.4], {"factual": Score.not_applicable("no figure")}),
    ]
    report = evaluate("reward", rows)
    factual = report["verifiers"]["factual"]
    assert report["reward"]["value"] == pytest.approx(0.6)
    assert (report["reward"]["n"], report["completions"], report["without_reward"]) == (3, 4, 1)
    assert (factual["scored"], factual["failed"], factual["not_applicable"]) == (2, 1, 1)
    assert factual["value"] == pytest.approx(0.7)
    assert factual["failure_rate"]["value"] == pytest.approx(1 / 3)


def test_a_verifier_that_never_scores_is_left_out_with_its_reason():
    rows = [group(direction(1, "UP"), ["1 n -"], [0.8], {"pathway": Score.not_applicable("none")})]
    report = evaluate("reward", rows)
    assert "value" not in report["verifiers"]["pathway"]
    assert report["left_out"]["verifiers.pathway"] == "no completion was scored"


def test_accuracy_per_category_has_wilsons_interval():
    rows = [group(direction(i, "UP"), [f"{int(i < 7)} n -"]) for i in range(10)]
    rows += [group(direction(20 + i, "UP", kind="reasoning"), ["0 n -"]) for i in range(4)]
    report = evaluate("question_answering", rows)
    factual = report["categories"]["factual"]["accuracy"]
    assert (factual["value"], factual["n"]) == (0.7, 10)
    assert (factual["low"], factual["high"]) == pytest.approx((0.3968, 0.8922), abs=1e-4)
    assert report["categories"]["reasoning"]["accuracy"]["value"] == 0.0
    assert report["overall"]["accuracy"]["value"] == pytest.approx(0.5)
    calibration = report["categories"]["calibration"]
    assert calibration["left_out"]["accuracy"] == "no question of this category"


def test_a_model_that_always_says_down_is_seen_through():
    """Nine DOWN and three UP, always answered DOWN: accuracy 0.75 is the constant's, balanced 0.5."""
    rows = [group(direction(i, "DOWN"), ["1 n -"]) for i in range(9)]
    rows += [group(direction(20 + i, "UP"), ["0 n -"]) for i in range(3)]
    overall = evaluate("question_answering", rows)["overall"]
    assert overall["accuracy"]["value"] == 0.75
    assert overall["best_constant"]["answers"] == {"direction": "DOWN"}
    assert overall["best_constant"]["accuracy"]["value"] == 0.75
    assert overall["balanced_accuracy"]["value"] == pytest.approx(0.5)


def test_the_best_constant_knows_the_form_of_a_question_and_no_number():
    yes = Question("y", "?", {"answer": "Yes"})
    number = Question("n", "?", {"facts": [{"entity": "soleus", "quantity": "DEG count", "value": 6425}]})
    letter = Question("l", "?", {"facts": [{"entity": "soleus", "quantity": "KMP type", "value": "A"}]})
    rows = [group(question, ["1 n -"]) for question in (yes, number, letter, direction(1, "NS"))]
    constant = evaluate("question_answering", rows)["overall"]["best_constant"]
    assert constant["answers"] == {"yes or no": "yes", "direction": "NS", "type": "A"}
    assert constant["one_of_few"] == 3
    assert (constant["accuracy"]["value"], constant["accuracy"]["n"]) == (0.75, 4)


def test_saying_so_is_the_right_answer_to_a_question_that_cannot_be_answered():
    question = Question("u", "How many?", {"answerable": False}, kind="calibration")
    declines, answers = (correctness(question, text) for text in ("I cannot tell.", "There are 12 of them."))
    assert (declines.correct, declines.abstained) == (1, True)
    assert (answers.correct, answers.abstained) == (0, False)
    report = evaluate("question_answering", [group(question, ["1 y -", "1 y -", "0 n 0.9"])])
    assert report["categories"]["calibration"]["accuracy"]["value"] == pytest.approx(2 / 3)


def test_an_answer_that_cannot_be_judged_is_counted_and_not_wrong():
    rows = [group(direction(1, "UP"), ["1 n -", "boom", "- n -"])]
    overall = evaluate("question_answering", rows)["overall"]
    assert (overall["judged"], overall["not_judged"]) == (1, 2)
    assert overall["accuracy"]["value"] == 1.0
    assert overall["problems"] == ["RuntimeError: cannot be read"]


def test_calibration_imputes_no_confidence_and_counts_who_states_one():
    rows = [group(direction(i, "UP"), ["1 n 0.9", "0 n -", "0 y 0.2", "boom"]) for i in range(8)]
    report = evaluate("calibration", rows)
    assert (report["answers_given"], report["with_confidence"], report["not_judged"]) == (16, 8, 8)
    assert report["coverage"]["value"] == 0.5
    assert report["abstained"]["value"] == pytest.approx(1 / 3)
    assert report["brier"]["value"] == pytest.approx(0.01)
    assert report["brier"]["n"] == 8
    assert report["distinct_confidences"] == 1
    assert report["left_out"]["auroc"] == "every answer is right"


def test_the_confidence_on_taught_facts_is_held_against_that_on_facts_never_taught():
    taught = [group(direction(i, "UP", taught=True), [f"1 n 0.{6 + i % 3}"]) for i in range(12)]
    never = [group(direction(20 + i, "UP", taught=False), [f"0 n 0.{1 + i % 3}"]) for i in range(12)]
    gap = evaluate("calibration", taught + never)["taught_minus_untaught"]
    assert gap["value"] == pytest.approx(0.5)
    assert 0.4 < gap["low"] < 0.5 < gap["high"] < 0.6
    # Of one kind alone, or of unknown kind, there is nothing to hold against each other.
    assert "taught_minus_untaught" not in evaluate("calibration", taught)
    assert "taught_minus_untaught" not in evaluate(
        "calibration", [group(direction(1, "UP"), ["1 n 0.9"])] * 4
    )


def sampled(question: Question, text: str, logprobs: tuple[float, ...]):
    answer = Completion(text, (1,) * len(logprobs), logprobs, False, AdapterRef(0, "0"))
    return Group(question, (1,), (answer,)), [Reward(0.5, {}, {})]


def test_what_it_found_likelier_is_held_against_right_and_wrong_whatever_it_states():
    # Each answer states 90 %; the right ones are likelier by the token, and longer.
    right = [sampled(direction(i, "UP", taught=True), "1 n 0.9", (-0.2,) * 9) for i in range(12)]
    wrong = [sampled(direction(20 + i, "UP", taught=False), "0 n 0.9", (-0.7,) * 2) for i in range(12)]
    report = evaluate("likelihood", right + wrong)
    assert (report["auroc"]["value"], report["surest_half_wrong"]["value"]) == (1.0, 0.0)
    assert report["likelihood"]["value"] == pytest.approx((math.exp(-0.2) + math.exp(-0.7)) / 2)
    assert report["taught_minus_untaught"]["value"] == pytest.approx(math.exp(-0.2) - math.exp(-0.7))
    assert evaluate("calibration", right + wrong)["auroc"]["value"] == 0.5
    assert not {"brier", "ece"} & set(report)  # a likelihood is no forecast of being right


def test_answers_without_log_probabilities_abstentions_and_unjudged_ones_have_no_likelihood():
    rows = [
        sampled(direction(i, "UP"), text, logprobs)
        for i, (text, logprobs) in enumerate(
            [
                ("1 n 0.9", ()),
                ("1 n 0.9", (-0.1, math.nan)),
                ("0 y 0.2", (-0.1,)),
                ("boom", (-0.1,)),
                ("- n -", (-0.1,)),
            ]
        )
    ]
    report = evaluate("likelihood", rows)
    assert (report["answers_given"], report["with_likelihood"]) == (2, 0)
    assert report["left_out"]["auroc"] == "no whole, judged answer came with log-probabilities"


def test_correctness_does_not_depend_on_the_reward():
    texts = ["1 n 0.9", "0 n 0.4"]
    low = [group(direction(i, "UP"), texts, [0.0, 0.0]) for i in range(5)]
    high = [group(direction(i, "UP"), texts, [1.0, 1.0]) for i in range(5)]
    for name in ("question_answering", "calibration"):
        assert evaluate(name, low) == evaluate(name, high)


def test_the_null_ece_stands_beside_the_ece():
    rows = [group(direction(i, "UP"), [f"{i % 2} n {0.55 if i < 11 else 0.5}"]) for i in range(25)]
    report = evaluate("calibration", rows)
    null = report["null_ece"]
    assert null["low"] <= report["ece"]["value"] <= null["high"]
    assert null["p_value"] > 0.05
    assert [row["accuracy"]["n"] for row in report["reliability_diagram"]] == [14, 11]


def test_five_hundred_questions_take_less_than_a_second_each():
    rows = [group(direction(i, "UP" if i % 3 else "NS"), [f"{i % 2} n {i % 100 / 100}"]) for i in range(500)]
    for name in EVERY:
        started = time.process_time()
        evaluate(name, rows)
        assert time.process_time() - started < 2.0  # measured: 0.1 s
