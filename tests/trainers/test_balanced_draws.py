"""`draws: balanced`: each right answer comes equally often, and a step's questions follow from its number."""

from __future__ import annotations

from collections import Counter

import pytest

from biorlhf import Dataset, Question
from biorlhf.testing import RecordingLearner, ScriptedRollouts, a_stage
from biorlhf_plugins.trainers._draws import balanced_batch, class_of, others
from recorded_grpo import COMPOSER, trainer_of

CLASSES = ["UP"] * 50 + ["DOWN"] * 17 + ["NS"] * 9 + ["yes"] * 3 + [""] * 5
STEPS = range(1, 61)


def drawn(batch):
    return [balanced_batch(step, CLASSES, batch, seed=5) for step in STEPS]


def shares(batches):
    return Counter(CLASSES[index] for batch in batches for index in batch)


@pytest.mark.parametrize("batch", [1, 5, 7, 15])
def test_classes_come_equally_often(batch):
    assert max(shares(drawn(batch)).values()) - min(shares(drawn(batch)).values()) <= 1


def test_a_class_with_fewer_items_than_its_share_is_in_every_batch_as_a_whole():
    # Of 20 places 4 each, so the three are drawn whole; the 17 that are left go to the other four in turn.
    assert shares(drawn(20)) == {"yes": 3 * 60, **dict.fromkeys(("UP", "DOWN", "NS", ""), 17 * 60 // 4)}


@pytest.mark.parametrize("batch", [1, 5, 7, 20, 40, 84, 100])
def test_all_items_of_a_class_come_before_one_comes_twice_and_none_twice_in_a_batch(batch):
    met = Counter()
    for step in drawn(batch):
        assert len(set(step)) == len(step) == min(batch, len(CLASSES))
        met.update(step)
        for name in set(CLASSES):
            counts = [met[index] for index, own in enumerate(CLASSES) if own == name]
            assert max(counts) - min(counts) <= 1


def test_replacements_come_from_each_class():
    found = [CLASSES[index] for index in others(5, len(CLASSES), {0, 1}, 3, CLASSES)]
    assert sorted(found) == ["", "DOWN", "NS", "UP", "yes"]


def test_the_class_is_the_direction_or_yes_or_no():
    truths = [
        {"pathway": "A", "direction": "NS"},
        {"answer": "Yes"},
        {"answer": "6425"},
        {"pathway": "A", "direction": "MIXED", "missions": {"RR-1": "UP", "RR-3": "DOWN"}},
        {"answerable": False},
    ]
    assert [class_of(truth) for truth in truths] == ["NS", "yes", "", "MIXED", ""]


def asked(done=0, **settings):
    """The questions of each step of a stage, silent groups not replaced."""
    questions = tuple(
        Question(f"q{i}", f"ask {i}", {"pathway": f"SET_{i}", "direction": "UP" if i else "NS"})
        for i in range(8)
    )
    rollouts = ScriptedRollouts({"*": ["so 0.1", "surely 0.9"]})
    trainer = trainer_of({"prompts_per_step": 2, "steps": 6, "silent_groups": "keep", **settings})
    stage = a_stage(RecordingLearner(), Dataset("d", questions), rollouts, COMPOSER, done_steps=done)
    list(trainer.steps(stage))
    return [ids for ids, _ in rollouts.asked]


def test_a_stage_asks_the_rare_answer_in_every_step():
    assert ["q0" in ids for ids in asked(draws="balanced")] == [True] * 6
    assert sum("q0" in ids for ids in asked()) < 3


def test_a_resumed_stage_asks_what_the_whole_one_asked():
    assert asked(done=2, draws="balanced") == asked(draws="balanced")[2:]
