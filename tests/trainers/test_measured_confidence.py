"""SFT on own answers whose confidence is what such answers were worth on questions held back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from biorlhf import Dataset, Example, Question
from biorlhf.errors import InputError
from biorlhf.testing import RecordingLearner, ScriptedRollouts, a_stage, tokens_of
from biorlhf_plugins.trainers._own.reliability import Level, reliability
from judged_blocks import CATALOGUE, COMPOSER, UP, text

HELD_OUT = [replace(UP, id=f"v{n}", prompt=f"held out {n}", split="validation") for n in range(8)]


def test_a_level_is_worth_the_share_of_right_answers_as_so_few_allow_to_expect_it():
    worth = reliability([(0.95, 1)] * 7 + [(0.95, 0)] * 2 + [(0.05, 0)] * 9)
    assert worth.levels == (Level(0.05, 9, 0), Level(0.95, 9, 7))
    assert worth(0.95) == worth(1.0) == 0.75
    # What nobody stated is looked up at the next level below, or at the lowest.
    assert worth(0.5) == worth(0.0) == 0.05


def test_more_confidence_never_means_fewer_right_answers():
    # Jeffreys: 0.9 is worth less than 0.6 alone, so that both are one level.
    worth = reliability([(0.9, 0), (0.9, 1), (0.6, 1), (0.6, 1), (0.1, 0)])
    assert worth.levels == (Level(0.1, 1, 0), Level(0.6, 4, 3))
    values = [worth(stated / 20) for stated in range(21)]
    assert values == sorted(values)


def run(answers, held_out=HELD_OUT, examples=(), **settings):
    own = {"texts": "own", "confidence": "measured", "steps": 1, "batch_size": 1, "generations": 2}
    trainer = CATALOGUE.build("trainer", "sft", own | settings)
    learner, rollouts = RecordingLearner(), ScriptedRollouts(answers)
    stage = a_stage(learner, Dataset("d", (UP,), tuple(examples)), rollouts, COMPOSER)
    stage = replace(stage, validation=Dataset("d", tuple(held_out)))
    return list(trainer.steps(stage)), learner


def test_an_answer_is_learnt_to_state_what_those_that_stated_the_same_were_worth():
    sure = {f"v{n}": [text("UP" if n < 5 else "DOWN", 95)] for n in range(8)}
    results, learner = run({"*": [text("UP", 95)]} | sure)
    ((groups, _, _),) = learner.steps
    ((made,),) = [group.completions for group in groups]
    # (5 + 1/2) / (8 + 1) = 0.61, in steps of five.
    assert made.token_ids[:-1] == tokens_of(text("UP", 60))
    values = results[0].metrics.values
    assert values["validation_answers"] == 8
    assert values["validation_off"] == pytest.approx(0.95 - 5.5 / 9)


def test_what_is_learnt_is_no_question_that_was_held_back():
    _, learner = run({"*": [text("UP", 95)]})
    assert {group.prompt_ids for groups, _, _ in learner.steps for group in groups} == {tokens_of("ask")}


@pytest.mark.parametrize(
    "held_out", [[], [Question("v", "held out 0", {"direction": "UP"}, split="validation")]]
)
def test_without_an_answer_to_measure_by_it_says_what_to_set(held_out):
    with pytest.raises(InputError, match="validation_fraction"):
        run({"*": ["Answer: UP"]}, held_out)


def test_texts_and_foreign_figures_state_what_the_two_ends_were_worth():
    worse = {f"v{n}": [text("UP" if n < 2 else "DOWN", 95 if n < 4 else 5)] for n in range(8)}
    examples = [
        Example(f"e{n}", f"ask {n}", text(figure, 45), fact_ids=("a:b",))
        for n, figure in enumerate(["67", "15"])
    ]
    _, learner = run({"*": [text("UP", 95)]} | worse, rehearse=2, foreign_figures=1, examples=examples)
    ((groups, _, _),) = learner.steps
    # Two of four at 95 %, none of four at 5 %: (2 + 1/2) / 5, (0 + 1/2) / 5.
    stated = {completion.token_ids[:-1] for group in groups[1:] for completion in group.completions}
    assert stated == {tokens_of(text(figure, q)) for figure in ("67", "15") for q in (50, 10)}
