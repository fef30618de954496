"""GRPO says while it runs when it collapses or falls silent, and ends the run where the recipe wants that."""

from __future__ import annotations

import pytest

from biorlhf import Dataset, Question, RewardComposer, RunFailure, Score, VerifierPlugin, hookimpl
from biorlhf.testing import RecordingLearner, ScriptedRollouts, a_stage, fresh_catalogue
from biorlhf_plugins.trainers._watchdogs import Watch


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


def run(by_question, truths=("UP", "DOWN", "NS"), steps=8, before=(), **settings):
    asked = tuple(
        Question(f"q{i}", f"ask {i}", {"pathway": f"SET_{i}", "direction": direction})
        for i, direction in enumerate(truths)
    )
    settings = {"prompts_per_step": len(truths), "generations": 2, "steps": steps} | settings
    trainer = CATALOGUE.build("trainer", "grpo", settings)
    stage = a_stage(
        RecordingLearner(),
        Dataset("d", asked),
        ScriptedRollouts(by_question),
        COMPOSER,
        done_steps=len(before),
        before=tuple(result.metrics for result in before),
    )
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
    sure = {f"q{i}": answers(f"NS {35 + 10 * i}", f"NS {35 + 10 * i}") for i in range(4)}
    results = run(sure, truths=("NS", "NS", "NS", "UP"))
    assert not any("collapsing" in w for result in results for w in result.warnings)


def test_a_resumed_run_counts_on():
    whole = run(CONSTANT)
    resumed = run(CONSTANT, before=whole[:3])
    assert [r.warnings for r in resumed] == [r.warnings for r in whole[3:]]


HEALTHY = {
    "commonest_answer_share": 0.5,
    "commonest_answer_truth_share": 0.4,
    "confidence_spread": 0.08,
    "block_read_share": 0.97,
    "zero_variance_share": 0.3,
    "entropy": 0.04,
}
SIGNS = [
    ("commonest_answer_share", 0.95, "collapsing: 95% of the answers are one and the same", True),
    (
        "confidence_spread",
        0.004,
        "collapsing: the stated confidence differs by 0.004 between questions",
        True,
    ),
    ("block_read_share", 0.6, "collapsing: 60% of the answers have a block that is read", True),
    ("zero_variance_share", 0.8, "80% of the groups had no advantage", False),
    ("entropy", 0.006, "the entropy is 0.006 nats per token", False),
]


@pytest.mark.parametrize(("name", "value", "words", "collapse"), SIGNS)
def test_each_sign_warns_from_the_fifth_step_in_a_row(name, value, words, collapse):
    watch, ill = Watch({}), {**HEALTHY, name: value}
    # One healthy step between, and the count begins anew.
    said = [list(watch.warnings(values)) for values in [*[ill] * 4, HEALTHY, *[ill] * 4]]
    assert said == [[]] * 9
    assert not watch.collapsed
    [warning] = watch.warnings(ill)
    assert warning.startswith(words)
    assert "5 steps in a row" in warning
    assert watch.collapsed == collapse


def test_a_step_without_the_number_warns_of_nothing_and_ends_no_row():
    watch, ill = Watch({}), {"confidence_spread": 0.0}
    said = [len(list(watch.warnings(values))) for values in [{}, ill, ill, {}, ill, ill, {}, ill]]
    assert said == [0, 0, 0, 0, 0, 0, 0, 1]


def test_one_confidence_with_right_answers_warns_as_well():
    by_question = {f"q{i}": answers(f"{d} 95", f"{d} 95") for i, d in enumerate(("UP", "DOWN", "NS"))}
    warned = [any("stated confidence differs" in w for w in result.warnings) for result in run(by_question)]
    assert warned == [False] * 4 + [True] * 4


def test_a_silent_run_is_not_stopped():
    same = {q: [text] for q, [text, _] in MANY.items()}
    results = run(same, steps=6, collapse="stop")
    assert any("100% of the groups had no advantage, 5 steps in a row" in w for w in results[4].warnings)
    assert len(results) == 6


def test_the_run_ends_where_the_recipe_says_stop():
    with pytest.raises(RunFailure, match=r"step 5: .*collapsing: 100% of the answers"):
        run(CONSTANT, collapse="stop")


def test_off_says_nothing():
    assert not any("in a row" in w for result in run(CONSTANT, collapse="off") for w in result.warnings)
