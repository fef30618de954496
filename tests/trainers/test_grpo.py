"""GRPO: questions, seeds, groups that reach the learner, what is logged, and exact repetition."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from biorlhf import Dataset, Question, RewardComposer, RunFailure, Score, VerifierPlugin, hookimpl
from biorlhf.testing import RecordingLearner, ScriptedRollouts, a_stage, fresh_catalogue


class Number:
    """Scores the number that the text ends with; fails on ``broken``; states confidence and correctness."""

    def score(self, question, completion_text):
        if completion_text.endswith("broken"):
            return Score.failed("broken")
        value = float(completion_text.split()[-1])
        return Score.scored(value, confidence=0.8, correct=int(value > 0.5))


class Length:
    def score(self, question, completion_text):
        return Score.scored(min(1.0, len(completion_text.split()) / 10))


class Plugin:
    @hookimpl
    def biorlhf_verifiers(self):
        yield VerifierPlugin(name="number", build=lambda config: Number())
        yield VerifierPlugin(name="length", build=lambda config: Length())


CATALOGUE = fresh_catalogue(Plugin())
COMPOSER = RewardComposer(["number", "length"], {"number": 0.8, "length": 0.2}, catalogue=CATALOGUE)
TIMES = ("rollout_s", "score_s", "update_s", "sync_s")


def grpo(**settings):
    settings = {"prompts_per_step": 2, "generations": 4, "resample_tries": 1} | settings
    return CATALOGUE.build("trainer", "grpo", settings)


def questions(*names: str) -> Dataset:
    return Dataset("d", questions=tuple(Question(name, f"ask {name}", {}) for name in names))


def run(trainer, dataset, answers, learner=None, rollouts=None, **settings):
    learner, rollouts = learner or RecordingLearner(), rollouts or ScriptedRollouts(answers)
    results = list(trainer.steps(a_stage(learner, dataset, rollouts, COMPOSER, **settings)))
    return results, learner, rollouts


VARIED = {"*": ["so 0.1", "well it is 0.4", "surely 0.9", "it must be about 1.0"]}
FOUR = questions("a", "b", "c", "d")


def test_a_step_samples_scores_updates_and_serves_the_new_adapter():
    results, learner, rollouts = run(grpo(), FOUR, VARIED)
    assert [r.metrics.step for r in results] == [1, 2]
    assert len(learner.steps) == len(rollouts.loaded) == 2
    assert rollouts.loaded[0].ref == results[0].adapter
    assert sorted(q for ids, _ in rollouts.asked for q in ids) == ["a", "b", "c", "d"]
    assert all(len(g.completions) == 4 for groups, _, _ in learner.steps for g in groups)


def test_better_answers_get_the_larger_advantage_and_keep_their_sampler_logprobs():
    results, learner, _ = run(grpo(), FOUR, VARIED)
    for group, train in zip(results[0].groups, learner.steps[0][0], strict=True):
        rewards = [r.total for r in group.rewards]
        advantages = [c.advantage for c in train.completions]
        order = sorted(range(4), key=lambda i: rewards[i])
        assert advantages[order[0]] < 0 < advantages[order[-1]]
        assert math.fsum(advantages) == pytest.approx(0, abs=1e-9)
        assert train.completions[0].sampler_logprobs == group.group.completions[0].logprobs
    assert results[0].advantages[0] == tuple(c.advantage for c in learner.steps[0][0][0].completions)


def without_times(results):
    return [{k: v for k, v in r.metrics.values.items() if k not in TIMES} for r in results]


@pytest.mark.parametrize("done", [1, 2, 3])
def test_a_resumed_stage_repeats_what_was_lost_to_the_last_digit(done):
    answers = {"*": ["no 0.0", "no 0.0", "yes 1.0", "so 0.3"]}
    whole, learner, _ = run(grpo(epochs=2), FOUR, answers)
    resumed, again, _ = run(grpo(epochs=2), FOUR, answers, done_steps=done)
    assert [(g, loss, seed) for g, loss, seed in again.steps] == learner.steps[done:]
    assert without_times(resumed) == without_times(whole[done:])


def test_the_order_in_which_workers_finish_changes_nothing():
    forwards, _, _ = run(grpo(), FOUR, VARIED)
    backwards, _, _ = run(grpo(), FOUR, VARIED, rollouts=ScriptedRollouts(VARIED, backwards=True))
    assert without_times(forwards) == without_times(backwards)
    assert [[g.group.question.id for g in r.groups] for r in forwards] == [
        [g.group.question.id for g in r.groups] for r in backwards
    ]


def test_two_steps_draw_with_two_seeds():
    _, _, rollouts = run(grpo(), FOUR, VARIED)
    assert rollouts.asked[0][1].seed != rollouts.asked[1][1].seed


def test_the_sampling_settings_are_the_stages():
    _, _, rollouts = run(grpo(), FOUR, VARIED, temperature=0.7, top_p=0.9, max_completion_tokens=16)
    sampling = rollouts.asked[0][1]
    assert (sampling.n, sampling.max_tokens, sampling.temperature, sampling.top_p) == (4, 16, 0.7, 0.9)


ONE_SILENT = {"a": ["same 0.5"], "b": ["no 0.0", "yes 1.0"], "*": ["low 0.2", "high 0.7"]}


@pytest.mark.parametrize(("way", "trained", "asked"), [("keep", 2, 1), ("drop", 1, 1), ("resample", 2, 2)])
def test_groups_without_advantage_are_kept_dropped_or_replaced(way, trained, asked):
    dataset = FOUR if way == "resample" else questions("a", "b")
    trainer = grpo(silent_groups=way, steps=1, generations=16)
    seed = next(s for s in range(99) if "a" in first_asked(trainer, dataset, s))  # asks the silent question
    results, learner, rollouts = run(trainer, dataset, ONE_SILENT, seed=seed)
    assert len(learner.steps[0][0]) == trained == results[0].metrics.values["trained_groups"]
    assert len(rollouts.asked) == asked
    assert len({g.group.question.id for g in results[0].groups}) == len(results[0].groups)
    assert results[0].metrics.values["zero_variance_share"] == pytest.approx(1 / len(results[0].groups))


def first_asked(trainer, dataset, seed):
    _, _, rollouts = run(trainer, dataset, VARIED, seed=seed)
    return rollouts.asked[0][0]


def test_replacing_silent_groups_ends_when_nothing_is_left_to_ask():
    results, learner, rollouts = run(grpo(resample_tries=5, steps=1), FOUR, {"*": ["same 0.5"]})
    assert len(rollouts.asked) == 2
    assert learner.steps[0][0] == []
    assert results[0].adapter is None
    assert rollouts.loaded == []
    assert "nothing was learnt" in results[0].warnings[0]
    assert results[0].metrics.values["zero_variance_share"] == 1.0


def test_a_failed_verifier_is_no_zero_and_an_answer_without_reward_trains_nothing():
    only = RewardComposer(["number"], catalogue=CATALOGUE)
    learner, rollouts = RecordingLearner(), ScriptedRollouts({"*": ["it is broken", "so 0.5", "so 1.0"]})
    stage = a_stage(learner, questions("a", "b"), rollouts, only)
    (result,) = grpo(generations=16).steps(stage)
    for group, row in zip(result.groups, result.advantages, strict=True):
        scored = [r.total for r in group.rewards if r.total is not None]
        assert 0 < len(scored) < 16
        for reward, advantage in zip(group.rewards, row, strict=True):
            expected = 0 if reward.total is None else reward.total - sum(scored) / len(scored)
            assert math.copysign(1, advantage) == math.copysign(1, expected) or advantage == expected == 0
    values = result.metrics.values
    assert values["reward"] >= 0.5
    assert values["failed.number"] == values["unscored_share"] > 0


def test_truncated_answers_are_masked_or_not():
    answers = {"*": ["one two three four five six seven 1.0", "no 0.0", "yes 0.7"]}
    for mask in (True, False):
        results, learner, _ = run(
            grpo(mask_truncated=mask, generations=8, steps=1), FOUR, answers, max_completion_tokens=6
        )
        sampled = [c for g in results[0].groups for c in g.group.completions]
        trained = sum(len(g.completions) for g in learner.steps[0][0])
        cut = sum(c.truncated for c in sampled)
        assert cut > 0
        assert trained == len(sampled) - cut * mask
        assert results[0].metrics.values["truncated_share"] == pytest.approx(cut / len(sampled))


def test_the_penalty_for_length_lowers_long_answers_and_stays_in_range():
    answers = {"*": ["a b c d e f g h 0.9", "0.8"]}
    plain, shaped = (
        run(grpo(overlong_tokens=n, steps=1, generations=8), FOUR, answers, max_completion_tokens=12)[0][0]
        for n in (0, 8)
    )
    assert 0 <= shaped.metrics.values["reward"] < plain.metrics.values["reward"] <= 1
    for group, row in zip(shaped.groups, shaped.advantages, strict=True):
        for completion, advantage in zip(group.group.completions, row, strict=True):
            assert (advantage > 0) == (len(completion.token_ids) == 2)


def test_what_is_logged():
    learner = RecordingLearner(metrics={"kl": 0.01, "clip_share": 0.0, "mismatch_kl": 0.001})
    results, _, _ = run(grpo(), FOUR, VARIED, learner)
    values = results[0].metrics.values
    for name in (
        *("reward", "reward_std", "unscored_share", "zero_variance_share", "trained_groups", "loss", "kl"),
        *("score.number", "failed.number", "not_applicable.number", "advantage_share.number"),
        *("completion_tokens_mean", "completion_tokens_max", "truncated_share", *TIMES),
        *("confidence", "confidence_std", "confidence_stated_share", "correct", "brier"),
    ):
        assert name in values, name
    shares = [value for name, value in values.items() if name.startswith("advantage_share.")]
    assert math.fsum(shares) == pytest.approx(1.0)
    assert values["confidence"] == pytest.approx(0.8)
    assert values["confidence_minus_correct"] == pytest.approx(0.8 - values["correct"])


def test_taught_facts_and_others_have_numbers_of_their_own():
    asked = tuple(
        replace(q, taught=t) for q, t in zip(FOUR.questions, (True, True, False, None), strict=True)
    )
    answers = {
        "a": ["so 1.0", "yes 0.9"],
        "b": ["so 0.8", "it 0.7"],
        "c": ["no 0.1", "not 0.3"],
        "d": ["so 0.5"],
    }
    results, _, _ = run(grpo(steps=1, prompts_per_step=4), Dataset("d", asked), answers)
    result = results[0]
    for part, ids in (("taught", "ab"), ("untaught", "c")):
        totals = [r.total for s in result.groups if s.group.question.id in ids for r in s.rewards]
        values = result.metrics.values
        assert values[f"reward.{part}"] == pytest.approx(sum(totals) / len(totals))
        assert (values[f"correct.{part}"], values[f"confidence.{part}"]) == (
            part == "taught",
            pytest.approx(0.8),
        )
    assert not [
        name for r in run(grpo(steps=1), FOUR, answers)[0] for name in r.metrics.values if "taught" in name
    ]


def test_the_alarm_names_the_mismatch():
    results, _, _ = run(grpo(steps=1), FOUR, VARIED, RecordingLearner(metrics={"mismatch_kl": 0.5}))
    assert "0.5 nats per token" in results[0].warnings[0]
    results, _, _ = run(grpo(steps=1), FOUR, VARIED, RecordingLearner(metrics={"mismatch_kl": 0.01}))
    assert results[0].warnings == ()


def test_learners_that_had_nothing_to_do_are_counted_in_a_warning():
    for idle, said in ((2.0, ("2 learners had nothing to do: only 2 groups had an advantage",)), (0.0, ())):
        results, _, _ = run(grpo(steps=1), FOUR, VARIED, RecordingLearner(metrics={"idle_learners": idle}))
        assert results[0].warnings == said
    # Where nobody had anything to do it is not the number of learners.
    results, _, _ = run(
        grpo(steps=1), FOUR, {"*": ["same 0.5"]}, RecordingLearner(metrics={"idle_learners": 2.0})
    )
    assert results[0].warnings == ("no group had an advantage: nothing was learnt in this step",)


def test_the_learner_gets_the_loss_as_plain_data():
    _, learner, _ = run(grpo(loss="gspo", beta=0.02, iterations=2, minibatches=2, steps=1), FOUR, VARIED)
    assert learner.steps[0][1] == {
        "name": "gspo",
        "clip_low": 3e-4,
        "clip_high": 4e-4,
        "beta": 0.02,
        "kl": "k3",
        "importance_cap": 2.0,
        "iterations": 2,
        "minibatches": 2,
        "entropy": True,
    }
    _, learner, _ = run(grpo(clip_high=0.4, steps=1), FOUR, VARIED)
    assert (learner.steps[0][1]["clip_low"], learner.steps[0][1]["clip_high"]) == (0.2, 0.4)


def test_answers_that_never_come_back_stop_the_run():
    class Losing(ScriptedRollouts):
        def sample(self, questions, sampling):
            yield from list(super().sample(questions, sampling))[:1]

    with pytest.raises(RunFailure, match="no answers came back"):
        run(grpo(), FOUR, VARIED, rollouts=Losing(VARIED))


def test_the_number_of_steps_is_given_or_follows_from_the_epochs():
    assert grpo(epochs=3).total_steps(questions("a", "b", "c")) == 6
    assert grpo(steps=5).total_steps(questions("a")) == 5
    assert grpo(steps=5).total_steps(questions()) == 0
