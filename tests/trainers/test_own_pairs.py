"""DPO on the policy's own answers: the same answer twice, the better as sure as its group is right."""

from __future__ import annotations

import pytest

from biorlhf import Dataset, Question, RewardComposer, Score, VerifierPlugin, hookimpl
from biorlhf.testing import RecordingLearner, ScriptedRollouts, a_stage, fresh_catalogue, tokens_of


class Block:
    """Reads confidence and correctness of "Answer: UP" the way V4's details give them."""

    def score(self, question, completion_text):
        answer, _, confidence = completion_text.removeprefix("Answer: ").partition("\nConfidence: ")
        stated = float(confidence.rstrip("%")) / 100 if confidence else None
        right = answer == question.ground_truth["direction"]
        return Score.scored(0.5, confidence=stated, correct=int(right))


class Plugin:
    @hookimpl
    def biorlhf_verifiers(self):
        yield VerifierPlugin(name="block", build=lambda config: Block())


CATALOGUE = fresh_catalogue(Plugin())
COMPOSER = RewardComposer(["block"], {"block": 1.0}, catalogue=CATALOGUE)
UP = Question("q", "ask", {"pathway": "SET", "direction": "UP"})


def text(answer: str, confidence: int) -> str:
    return f"Answer: {answer}\nConfidence: {confidence}%"


def run(texts, steps=6, **settings):
    trainer = CATALOGUE.build(
        "trainer", "dpo", {"pairs": "own", "steps": steps, "batch_size": 1, "guard": "off"} | settings
    )
    learner, rollouts = RecordingLearner(), ScriptedRollouts({"*": texts})
    stage = a_stage(learner, Dataset("d", (UP,)), rollouts, COMPOSER)
    return list(trainer.steps(stage)), learner, rollouts


def pairs(learner) -> set[tuple[tuple[int, ...], ...]]:
    return {tuple(c.token_ids[:-1] for c in g.completions) for groups, _, _ in learner.steps for g in groups}


def test_a_question_that_is_always_answered_wrongly_teaches_doubt():
    low, high = text("DOWN", 10), text("DOWN", 90)
    _, learner, _ = run([low, high])
    assert pairs(learner) == {(tokens_of(low), tokens_of(high))}


def test_a_question_that_is_known_teaches_certainty():
    low, high = text("UP", 10), text("UP", 90)
    _, learner, _ = run([low, high])
    assert pairs(learner) == {(tokens_of(high), tokens_of(low))}


def test_chosen_and_rejected_never_differ_in_what_they_answer():
    options = [text(answer, q) for answer in ("UP", "DOWN", "NS") for q in (5, 50, 95)]
    _, learner, _ = run(options, steps=20)
    answer_of = {tokens_of(option): option.splitlines()[0] for option in options}
    assert len(pairs(learner)) > 3
    assert all(answer_of[chosen] == answer_of[rejected] for chosen, rejected in pairs(learner))


@pytest.mark.parametrize(
    "texts",
    [[text("UP", 80)], [text("UP", 80), text("UP", 85)], ["Answer: UP", "Answer: DOWN"]],
    ids=["all alike", "too close", "no confidence"],
)
def test_a_group_without_a_difference_gives_no_pair(texts):
    results, learner, _ = run(texts)
    assert pairs(learner) == set()
    assert [result.metrics.values["pairs"] for result in results] == [0.0] * 6


def test_each_update_is_served_before_the_next_question_is_asked():
    results, learner, rollouts = run([text("UP", 10), text("UP", 90)])
    assert len(rollouts.loaded) == len(learner.steps) == 6
    assert results[-1].adapter == rollouts.loaded[-1].ref
    assert all(loss["adapter"] for _, loss, _ in learner.steps)


def test_pairs_of_the_dataset_need_no_sampler():
    assert not CATALOGUE.build("trainer", "dpo", {}).needs_rollouts
    assert CATALOGUE.build("trainer", "dpo", {"pairs": "own"}).needs_rollouts
