"""SFT and DPO: what they hand to the learner, in which order, and what the guard says."""

from __future__ import annotations

import pytest

from biorlhf import Dataset, Example, InputError, Preference, RunFailure
from biorlhf.testing import END_TOKEN, RecordingLearner, a_stage, fresh_catalogue, tokens_of


def sft(**settings):
    return fresh_catalogue().build("trainer", "sft", settings)


def dpo(**settings):
    return fresh_catalogue().build("trainer", "dpo", settings)


def examples(count: int) -> Dataset:
    return Dataset("d", examples=tuple(Example(f"e{n}", f"ask {n}", f"say {n}") for n in range(count)))


def preferences(count: int, known: int = 0) -> Dataset:
    pairs = tuple(Preference(f"p{n}", f"ask {n}", f"good {n}", f"bad {n}") for n in range(count))
    return Dataset("d", preferences=pairs, examples=examples(known).examples)


def run(trainer, dataset, learner=None, **settings):
    learner = learner or RecordingLearner()
    return list(trainer.steps(a_stage(learner, dataset, **settings))), learner


def test_each_epoch_of_sft_covers_every_example_once_in_an_order_of_its_own():
    trainer, dataset = sft(epochs=2, batch_size=3), examples(7)
    results, learner = run(trainer, dataset)
    assert [r.metrics.step for r in results] == [1, 2, 3, 4, 5, 6]
    assert trainer.total_steps(dataset) == 6
    seen = [g.prompt_ids for groups, _, _ in learner.steps for g in groups]
    everything = sorted(tokens_of(f"ask {n}") for n in range(7))
    assert sorted(seen[:7]) == sorted(seen[7:]) == everything
    assert seen[:7] != seen[7:]
    assert [r.metrics.values["epoch"] for r in results] == [0, 0, 0, 1, 1, 1]


def test_sft_trains_on_the_response_and_its_end():
    _, learner = run(sft(epochs=1, batch_size=1), examples(1))
    (group,), loss, _ = learner.steps[0]
    assert loss == {"name": "sft", "adapter": False, "iterations": 1, "minibatches": 1}
    assert group.prompt_ids == tokens_of("ask 0")
    assert group.completions[0].token_ids == (*tokens_of("say 0"), END_TOKEN)


def test_sft_on_all_text_learns_the_prompt_too():
    _, learner = run(sft(epochs=1, batch_size=1, loss_on="all"), examples(1))
    ((group,), _, _) = learner.steps[0]
    text = (*tokens_of("ask 0 say 0"), END_TOKEN)
    assert (group.prompt_ids, group.completions[0].token_ids) == (text[:1], text[1:])


def test_a_long_response_is_cut_and_a_long_prompt_is_an_error():
    _, learner = run(sft(epochs=1, batch_size=1, max_tokens=3), examples(1))
    assert len(learner.steps[0][0][0].completions[0].token_ids) == 1
    with pytest.raises(InputError, match="a prompt alone has 2 tokens"):
        run(sft(max_tokens=2), examples(1))


@pytest.mark.parametrize("done", [1, 3, 5])
@pytest.mark.parametrize(
    ("trainer", "dataset"), [(sft(epochs=2, batch_size=3), examples(7)), (dpo(epochs=6), preferences(4))]
)
def test_a_resumed_stage_repeats_what_was_lost(trainer, dataset, done):
    _, whole = run(trainer, dataset)
    results, resumed = run(trainer, dataset, done_steps=done)
    assert resumed.steps == whole.steps[done:]
    assert results[0].metrics.step == done + 1


def test_another_seed_gives_another_order():
    first, second = (run(sft(epochs=1), examples(50), seed=seed)[1] for seed in (1, 2))
    assert first.steps[0][0] != second.steps[0][0]


def test_an_empty_dataset_has_no_steps():
    assert sft().total_steps(examples(0)) == dpo().total_steps(preferences(0)) == 0


def test_dpo_puts_chosen_before_rejected_under_one_prompt():
    _, learner = run(dpo(batch_size=1, beta=0.2, loss="ipo", sft_term=0.5), preferences(1))
    (group,), loss, _ = learner.steps[0]
    settings = {"beta": 0.2, "label_smoothing": 0.0, "sft_term": 0.5}
    assert loss == {"name": "dpo_ipo", "adapter": False, **settings}
    assert group.prompt_ids == tokens_of("ask 0")
    assert [c.token_ids for c in group.completions] == [
        (*tokens_of("good 0"), END_TOKEN),
        (*tokens_of("bad 0"), END_TOKEN),
    ]


def test_the_guard_warns_when_chosen_responses_become_less_likely():
    results, _ = run(dpo(), preferences(1), RecordingLearner(metrics={"chosen_change": -0.7}))
    assert "lost 0.70 nats per token" in results[0].warnings[0]
    results, _ = run(dpo(), preferences(1), RecordingLearner(metrics={"chosen_change": -0.4}))
    assert results[0].warnings == ()


def test_the_guard_stops_the_run_after_the_step_was_recorded():
    stage = a_stage(RecordingLearner(metrics={"chosen_change": -0.7}), preferences(8))
    steps = dpo(guard="stop").steps(stage)
    assert next(steps).metrics.step == 1
    with pytest.raises(RunFailure, match=r"step 1: the chosen responses lost"):
        next(steps)


def test_the_probe_compares_known_texts_with_the_stages_start():
    learner = RecordingLearner(evaluation={"token_recall": 0.6, "start_token_recall": 0.9, "loss": 1.0})
    results, _ = run(dpo(batch_size=1, probe_every=2, probe_examples=5), preferences(3, known=9), learner)
    assert [bool(r.warnings) for r in results] == [False, True, True]
    assert "lost 30.0% of its tokens" in results[1].warnings[0]
    assert results[1].metrics.values["probe_token_recall"] == 0.6
    assert all(len(groups) == 5 and loss == {"name": "probe"} for groups, loss in learner.evaluations)
    assert learner.evaluations[0] == learner.evaluations[1]


def test_a_guard_that_is_off_measures_nothing():
    learner = RecordingLearner(metrics={"chosen_change": -9.0})
    results, _ = run(dpo(guard="off"), preferences(2, known=2), learner)
    assert results[0].warnings == ()
    assert learner.evaluations == []


@pytest.mark.parametrize(
    ("trainer", "train", "validation", "name"),
    [
        (sft(epochs=2, batch_size=2, evaluation_examples=4), examples(3), examples(9), "sft"),
        (dpo(epochs=2, batch_size=2, evaluation_pairs=4), preferences(3), preferences(9), "dpo_sigmoid"),
    ],
)
def test_the_loss_on_validation_texts_is_measured_after_each_epoch(trainer, train, validation, name):
    learner = RecordingLearner(evaluation={"loss": 0.5})
    results, _ = run(trainer, train, learner, validation=validation)
    assert [r.metrics.values.get("eval_loss") for r in results] == [None, 0.5, None, 0.5]
    assert [(len(groups), loss["name"]) for groups, loss in learner.evaluations] == [(4, name)] * 2
    assert learner.evaluations[0] == learner.evaluations[1]


def test_unknown_settings_of_a_trainer_are_refused():
    with pytest.raises(InputError, match="batchsize"):
        sft(batchsize=3)
