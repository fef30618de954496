"""A learner that is saved and loaded goes on as if nothing had happened, to the last bit."""

from __future__ import annotations

import hashlib
import json
import random

import pytest
import torch

from biorlhf.engines.learning.checkpoint import from_files, to_files
from biorlhf.engines.learning.learner import build_learner
from biorlhf.errors import RunFailure
from biorlhf.recipe import Recipe
from biorlhf.types import TrainCompletion, TrainGroup
from tiny_model import write_tiny_model

GRPO = {
    "name": "grpo",
    "clip_low": 0.2,
    "clip_high": 0.28,
    "beta": 0.05,
    "kl": "k3",
    "importance_cap": 2.0,
    "iterations": 2,
    "minibatches": 2,
}
TIMES = ("time_",)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("tiny"))


def new_learner(base, way, *, dtype="fp32", eight_bit=False):
    optimizer = {"learning_rate": 5e-3, "schedule": "cosine", "warmup": 0.3, "weight_decay": 0.1}
    recipe = Recipe.model_validate(
        {
            "name": "tiny",
            "model": {"base": str(base), "dtype": dtype},
            "lora": {"r": 4, "alpha": 8, "dropout": 0.1},
            "data": [{"dataset": "kmp"}],
            "learner": {"token_budget": 90},
            "stages": [
                {
                    "trainer": "sft",
                    "name": f"s{n}",
                    "adapter": way,
                    "optimizer": {**optimizer, "eight_bit": eight_bit},
                }
                for n in range(2)
            ],
        }
    )
    return build_learner(recipe, threads=1, on_gpu=False)


def batch(step):
    draw = random.Random(step)

    def completion():
        tokens = tuple(draw.randrange(250) for _ in range(draw.randrange(2, 12)))
        return TrainCompletion(tokens, draw.gauss(0, 1), tuple(-5.5 for _ in tokens))

    def prompt():
        return tuple(draw.randrange(250) for _ in range(draw.randrange(1, 20)))

    return [TrainGroup(prompt(), tuple(completion() for _ in range(3))) for _ in range(4)]


def go(learner, first, last):
    """Steps ``first`` … ``last``: metrics without times, and the adapter's identity after each."""
    rows = []
    for step in range(first, last):
        update = learner.step(batch(step), GRPO, seed=step)
        numbers = {k: v for k, v in update.metrics.items() if not k.startswith(TIMES)}
        rows.append((numbers, update.adapter.ref))
    return rows


@pytest.mark.parametrize("way", ["continue", "merge"])
@pytest.mark.parametrize("dtype", ["fp32", "nf4"])
def test_resuming_in_the_middle_of_a_stage_is_exact(base, way, dtype):
    whole = new_learner(base, way, dtype=dtype)
    whole.begin_stage(0, 4)
    go(whole, 0, 4)
    whole.begin_stage(1, 6)
    expected = go(whole, 4, 9)
    for cut in (4, 8):
        before = new_learner(base, way, dtype=dtype)
        before.begin_stage(0, 4)
        go(before, 0, 4)
        before.begin_stage(1, 6)
        rows = go(before, 4, cut)
        files = before.checkpoint()
        go(before, cut, cut + 1)  # what was lost with the process leaves no trace
        after = new_learner(base, way, dtype=dtype)
        after.restore(files, 1, 6)
        assert rows + go(after, cut, 9) == expected


def test_a_restored_learner_gives_the_same_checkpoint_and_adapter(base):
    learner = new_learner(base, "merge")
    learner.begin_stage(0, 4)
    go(learner, 0, 2)
    learner.begin_stage(1, 4)
    go(learner, 2, 4)
    files = learner.checkpoint()
    other = new_learner(base, "merge")
    other.restore(files, 1, 4)
    assert other.checkpoint() == files
    assert other.adapter() == learner.adapter()


def test_resuming_at_the_end_of_a_stage_begins_the_next_one_alike(base):
    whole = new_learner(base, "merge")
    whole.begin_stage(0, 3)
    go(whole, 0, 3)
    files = whole.checkpoint()
    whole.begin_stage(1, 3)
    expected = go(whole, 3, 6)
    after = new_learner(base, "merge")
    after.restore(files, 0, 3)
    after.begin_stage(1, 3)
    assert go(after, 3, 6) == expected


def test_eight_bit_moments_resume_exactly(base):
    whole = new_learner(base, "continue", eight_bit=True)
    whole.begin_stage(0, 6)
    go(whole, 0, 3)
    files = whole.checkpoint()
    expected = go(whole, 3, 6)
    after = new_learner(base, "continue", eight_bit=True)
    after.restore(files, 0, 6)
    assert go(after, 3, 6) == expected


def test_a_checkpoint_that_lacks_a_file_is_refused(base):
    learner = new_learner(base, "continue")
    learner.begin_stage(0, 4)
    files = learner.checkpoint()
    with pytest.raises(RunFailure, match=r"optimizer\.safetensors is missing"):
        learner.restore({k: v for k, v in files.items() if k != "optimizer.safetensors"}, 0, 4)
    with pytest.raises(RunFailure, match=r"no learner\.json"):
        learner.restore({}, 0, 4)


def test_a_checkpoint_that_holds_its_sums_itself_as_older_ones_do_is_read_and_refused_where_it_is_damaged():
    table = {"weight": torch.ones(3)}
    files = to_files({"policy": table}, {"version": 3})
    state = json.loads(files["learner.json"])
    del state["tables"]
    state["sha256"] = {"policy.safetensors": hashlib.sha256(files["policy.safetensors"]).hexdigest()}
    files["learner.json"] = json.dumps(state).encode()
    tables, read = from_files(files)
    assert torch.equal(tables["policy"]["weight"], table["weight"])
    assert read == {"version": 3}
    damaged = files["policy.safetensors"][:-1] + b"!"
    with pytest.raises(RunFailure, match=r"policy.safetensors is missing or damaged"):
        from_files({**files, "policy.safetensors": damaged})


def test_a_checkpoint_of_another_stage_is_refused(base):
    learner = new_learner(base, "continue")
    learner.begin_stage(0, 4)
    with pytest.raises(RunFailure, match="one of stage 0, not of stage 1"):
        learner.restore(learner.checkpoint(), 1, 4)


def test_empty_tables_survive(base):
    tables, state = from_files(to_files({"prior": {}}, {"version": 3}))
    assert tables == {"prior": {}}
    assert state == {"version": 3}
