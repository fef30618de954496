"""The best constant: what an evaluation pays to somebody who does not read its questions."""

from __future__ import annotations

import pytest

from biorlhf import Question, RewardComposer
from biorlhf.ground_truth.forms import block, instruction
from biorlhf.runs import baseline
from biorlhf.stage import Sampling
from biorlhf.testing import RecordingLearner, ScriptedRollouts, a_stage
from biorlhf.types import Dataset

COMPOSER = RewardComposer(
    ["factual", "pathway", "uncertainty"], {"factual": 0.4, "pathway": 0.4, "uncertainty": 0.2}
)


def directions(**counts: int) -> list[Question]:
    made = []
    for label, count in counts.items():
        for i in range(count):
            truth = {
                "pathway": f"HALLMARK_{label}_{i}", "direction": label, "mission": "M",
                "tissue": "liver", "contrast": "flight_vs_ground", "answerable": True,
            }  # fmt: skip
            made.append(
                Question(f"{label}{i}", f"which way, {label}{i}?", truth, instruction=instruction(truth))
            )
    return made


def figures(n: int) -> list[Question]:
    made = []
    for i in range(n):
        truth = {
            "facts": [{"entity": "liver", "condition": f"C{i}", "quantity": "DEG count", "value": 100 * 3**i}]
        }
        made.append(Question(f"fig{i}", f"how many under C{i}?", truth, instruction=instruction(truth)))
    return made


def scorers(questions):
    return a_stage(RecordingLearner(), Dataset("d", tuple(questions)), ScriptedRollouts({}), COMPOSER).scorers


def groups_of(questions, text):
    rollouts = ScriptedRollouts({q.id: [text(q)] for q in questions})
    return list(scorers(questions).score(rollouts.sample(questions, Sampling(1, 400))))


def test_the_commonest_direction_is_given_as_sure_as_it_is_common():
    questions = directions(NS=5, UP=3, DOWN=2)
    constant = baseline.best_constant(questions, scorers(questions))
    assert set(constant.answers.values()) == {block("NS", 50)}
    # right: (1 x 0.4 + 0.2 x 0.875) / 0.6 with V1 not applicable; wrong: 0.2 x 0.375 / 0.6
    assert constant.rewards["NS0"] == pytest.approx((0.4 + 0.2 * 0.875) / 0.6)
    assert constant.rewards["UP0"] == pytest.approx(0.2 * 0.375 / 0.6)


def test_figures_that_are_all_different_are_better_declined():
    questions = figures(8)
    constant = baseline.best_constant(questions, scorers(questions))
    assert set(constant.answers.values()) == {block("cannot be determined", 0)}


def test_each_form_has_a_constant_of_its_own():
    questions = [*directions(UP=4, DOWN=1), *figures(6)]
    constant = baseline.best_constant(questions, scorers(questions))
    assert len(constant.answers) == 2


def test_without_blocks_there_is_no_constant_to_write():
    question = Question("q", "which way?", {"pathway": "HALLMARK_HYPOXIA", "direction": "UP"})
    assert baseline.best_constant([question], scorers([question])) is None


def test_a_model_that_answers_the_constant_does_not_exceed_it():
    questions = directions(NS=6, UP=4)
    constant = baseline.best_constant(questions, scorers(questions))
    made = baseline.report(constant, groups_of(questions, lambda q: constant.answers[q.instruction]))
    assert made["model_minus_constant"]["value"] == pytest.approx(0, abs=1e-9)


def test_a_model_that_knows_exceeds_it_outside_its_interval():
    questions = directions(NS=6, UP=4)
    constant = baseline.best_constant(questions, scorers(questions))
    made = baseline.report(constant, groups_of(questions, lambda q: block(q.ground_truth["direction"], 95)))
    assert made["model_minus_constant"]["low"] > 0
    assert made["reward"]["n"] == 10
