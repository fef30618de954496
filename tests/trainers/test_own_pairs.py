"""DPO and SFT on the policy's own answers: as sure as their group is right."""

from __future__ import annotations

import pytest

from biorlhf import Dataset, Example, Question, RewardComposer, Score, VerifierPlugin, hookimpl
from biorlhf.errors import BiorlhfError, InputError
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


def run(texts, steps=6, trainer="dpo", **settings):
    own = {"pairs": "own", "guard": "off"} if trainer == "dpo" else {"texts": "own"}
    trainer = CATALOGUE.build("trainer", trainer, {**own, "steps": steps, "batch_size": 1} | settings)
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


def learnt(texts, **settings) -> set[tuple[tuple[int, ...], tuple[float, ...]]]:
    """(tokens of an answer but for the last, how much each counts) of every SFT text."""
    _, learner, rollouts = run(texts, trainer="sft", **settings)
    assert len(rollouts.loaded) == len(learner.steps)
    return {
        (completion.token_ids[:-1], tuple(completion.weights[:-1]))
        for groups, _, _ in learner.steps
        for group in groups
        for completion in group.completions
    }


def weighed(answer: str, said: str, share: float, right: bool) -> tuple[tuple[int, ...], tuple[float, ...]]:
    before, stated = tokens_of(answer), tokens_of(said)
    told = (1 / len(before) if right else 0.0,) * len(before)
    # One token more, which ends the text, belongs to the confidence.
    return (*before, *stated), (*told, *(share / (len(stated) + 1),) * len(stated))


def test_of_a_wrong_answer_nothing_is_learnt_but_how_little_it_is_worth():
    assert learnt([text("DOWN", 90)]) == {weighed("Answer: DOWN\nConfidence:", "5%", 1.0, right=False)}


def test_a_right_answer_is_learnt_too_and_the_share_of_right_ones_stands_in_place_of_what_it_stated():
    assert learnt([text("UP", 10)]) == {weighed("Answer: UP\nConfidence:", "95%", 1.0, right=True)}
    mixed = learnt([text("UP", 10), text("DOWN", 90)], steps=20, generations=4)
    # Of four k are right; a wrong one among right ones is as doubtful as its question. Equal ones are one.
    assert mixed <= {
        weighed(f"Answer: {answer}\nConfidence:", f"{10 + 20 * k}%", n / 4, right)
        for k in range(5)
        for answer, n, right in (("UP", k, True), ("DOWN", 4 - k, False))
    }
    assert len(mixed) > 4


def test_each_answer_may_be_as_sure_as_it_is_right_itself():
    mixed = learnt([text("UP", 10), text("DOWN", 90)], steps=20, generations=4, confidence="answer")
    assert {ids[-1] for ids, _ in mixed} == {*tokens_of("95%"), *tokens_of("5%")}
    assert all((ids[-1] in tokens_of("95%")) == (ids[1] in tokens_of("UP")) for ids, _ in mixed)


def test_answers_of_a_group_share_their_prompt():
    _, learner, _ = run([text("UP", 10), text("DOWN", 90)], trainer="sft", steps=20, generations=4)
    assert max(len(group.completions) for groups, _, _ in learner.steps for group in groups) == 2


def test_an_answer_without_a_line_for_the_confidence_gives_no_text():
    results, learner, _ = run(["Answer: UP"], trainer="sft")
    assert all(groups == [] for groups, _, _ in learner.steps)
    assert [result.metrics.values["examples"] for result in results] == [0.0] * 6


def test_rehearsal_that_could_not_happen_is_refused():
    with pytest.raises(BiorlhfError, match="rehearse belongs to"):
        CATALOGUE.build("trainer", "sft", {"rehearse": 4})
    with pytest.raises(InputError, match="no training text of the data states a confidence"):
        run([text("UP", 10)], trainer="sft", rehearse=2)


def test_sft_on_the_texts_of_the_dataset_needs_no_sampler():
    assert not CATALOGUE.build("trainer", "sft", {}).needs_rollouts
    assert CATALOGUE.build("trainer", "sft", {"texts": "own"}).needs_rollouts


def test_what_is_rehearsed_is_learnt_up_to_its_confidence():
    trainer = CATALOGUE.build(
        "trainer", "sft", {"texts": "own", "steps": 2, "batch_size": 1, "rehearse": 2, "minibatches": 2}
    )
    told = [f"SET is UP {n}.\n{text('UP', 15)}" for n in range(4)]
    examples = tuple(Example(f"e{n}", "tell", response, "k", "s") for n, response in enumerate(told))
    learner, rollouts = RecordingLearner(), ScriptedRollouts({"*": [text("DOWN", 90)]})
    list(trainer.steps(a_stage(learner, Dataset("d", (UP,), examples), rollouts, COMPOSER)))
    for groups, loss, _ in learner.steps:
        assert loss["minibatches"] == 2
        doubt, *again = groups
        assert {(c.token_ids[:-1], tuple(c.weights[:-1])) for c in doubt.completions} == {
            weighed("Answer: DOWN\nConfidence:", "5%", 1.0, right=False)
        }
        assert len(again) == 2
        ends = {tokens_of(f"SET is UP {n}.\nAnswer: UP\nConfidence:") for n in range(4)}
        assert {group.completions[0].token_ids for group in again} <= ends
        # Each text counts 1, as the answers to a question do together.
        assert all(sum(group.completions[0].weights) == pytest.approx(1.0) for group in again)
