"""GRPO says while it runs when one answer takes over, and ends the run where the recipe wants that."""

from __future__ import annotations

import pytest

from biorlhf import Dataset, Question, RewardComposer, RunFailure, Score, VerifierPlugin, hookimpl
from biorlhf.testing import RecordingLearner, ScriptedRollouts, a_stage, fresh_catalogue


class Sure:
    """Reads the confidence of the block; longer answers are better, so that something is learnt."""

    def score(self, question, completion_text):
        confidence = float(completion_text.rpartition(": ")[2].rstrip("%")) / 100
        return Score.scored(min(1.0, len(completion_text) / 100), confidence=confidence, correct=0)


class Plugin:
    @hookimpl
    def biorlhf_verifiers(self):
        yield VerifierPlugin(name="sure", build=lambda config: Sure())


CATALOGUE = fresh_catalogue(Plugin())
COMPOSER = RewardComposer(["sure"], {"sure": 1.0}, catalogue=CATALOGUE)


def answers(*stated: str) -> list[str]:
    """Texts of different lengths that state these, "DOWN 40" for DOWN with 40 %."""
    return [
        f"{'so ' * length}\nAnswer: {one.split()[0]}\nConfidence: {one.split()[1]}%"
        for length, one in enumerate(stated, 1)
    ]


def run(by_question, truths=("UP", "DOWN", "NS"), steps=8, **settings):
    asked = tuple(
        Question(f"q{i}", f"ask {i}", {"pathway": f"SET_{i}", "direction": direction})
        for i, direction in enumerate(truths)
    )
    settings = {"prompts_per_step": len(truths), "generations": 2, "steps": steps} | settings
    trainer = CATALOGUE.build("trainer", "grpo", settings)
    stage = a_stage(RecordingLearner(), Dataset("d", asked), ScriptedRollouts(by_question), COMPOSER)
    return list(trainer.steps(stage))


CONSTANT = {"*": answers("NS 35", "NS 35")}
MANY = {"q0": answers("NS 20", "NS 20"), "q1": answers("UP 55", "UP 55"), "q2": answers("DOWN 55", "DOWN 55")}


def test_the_commonest_answer_stands_beside_its_share_in_the_truth():
    values = run(CONSTANT)[0].metrics.values
    assert values["commonest_answer_share"] == 1.0
    assert values["commonest_answer_truth_share"] == pytest.approx(1 / 3)
    assert values["confidence_spread"] == pytest.approx(0, abs=1e-9)


def test_confidence_that_differs_between_questions_has_a_spread():
    values = run(MANY)[0].metrics.values
    assert values["confidence_spread"] == pytest.approx(0.165, abs=1e-3)
    assert values["commonest_answer_share"] == pytest.approx(1 / 3)


def test_a_constant_answer_warns_after_five_steps_and_not_before():
    warned = [any("collapsing" in w for w in result.warnings) for result in run(CONSTANT)]
    assert warned == [False] * 4 + [True] * 4


def test_many_answers_do_not_warn():
    assert not any("collapsing" in w for result in run(MANY) for w in result.warnings)


def test_an_answer_that_is_mostly_right_is_no_collapse():
    results = run(CONSTANT, truths=("NS", "NS", "NS", "UP"))
    assert not any("collapsing" in w for result in results for w in result.warnings)


def test_the_run_ends_where_the_recipe_says_stop():
    with pytest.raises(RunFailure, match=r"step 5: .*collapsing: 100% of the answers"):
        run(CONSTANT, collapse="stop")


def test_off_says_nothing():
    assert not any("collapsing" in w for result in run(CONSTANT, collapse="off") for w in result.warnings)
