"""The run's folder: whole files or none, rows that match rollouts, checkpoints that can be gone back to."""

from __future__ import annotations

import datetime
import json
import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from biorlhf.errors import InputError
from biorlhf.recipe import Recipe
from biorlhf.runs.keeping.background import Background
from biorlhf.runs.store import RunStore
from biorlhf.stage import Adapter, StepResult
from biorlhf.testing import an_adapter
from biorlhf.types import AdapterRef, Completion, Group, Question, Reward, Score, ScoredGroup, StepMetrics


def recipe_in(folder: Path) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "small",
            "model": {"base": "x"},
            "data": [{"dataset": "kmp"}],
            "stages": [
                {"trainer": "sft", "optimizer": {"learning_rate": 1e-4}},
                {"trainer": "grpo", "optimizer": {"learning_rate": 1e-4}},
            ],
            "store": {"folder": str(folder)},
        }
    )


def step(stage: str, number: int, *, failed: bool = False) -> StepResult:
    score = Score.failed("it broke") if failed else Score.scored(0.5, found="6,425")
    reward = Reward(None if failed else 0.5, {"factual": score}, {} if failed else {"factual": 1.0})
    ref = AdapterRef(number, "abc")
    completion = Completion("6,425", (1, 2), (-0.5, -0.1), False, ref)
    group = Group(Question("q", "How many?", {}, tissue="soleus"), (5, 6, 7), (completion,))
    metrics = StepMetrics(stage, number, {"reward": 0.5})
    return StepResult(metrics, (ScoredGroup(group, (reward,)),), ((0.25,),), ref)


def done(index: int, stage: str, number: int, **more: object) -> dict:
    return {"stage_index": index, "stage": stage, "step": number, **more}


def test_a_rollout_row_carries_everything_that_explains_it(tmp_path):
    store = RunStore.create(recipe_in(tmp_path))
    store.append_step(step("grpo", 1))
    [row] = pq.read_table(store.folder / "rollouts/grpo-00001.parquet").to_pylist()
    assert row["completion"] == "6,425"
    assert (row["prompt_tokens"], row["completion_tokens"]) == (3, 2)
    assert (row["adapter_version"], row["adapter_sha256"]) == (1, "abc")
    assert (row["reward"], row["advantage"]) == (0.5, 0.25)
    assert (row["score_factual"], row["status_factual"]) == (0.5, "scored")
    assert json.loads(row["details_factual"]) == {"found": "6,425"}


def test_a_failed_score_is_stored_as_missing_never_as_zero(tmp_path):
    store = RunStore.create(recipe_in(tmp_path))
    store.append_step(step("grpo", 1, failed=True))
    table = pq.read_table(store.folder / "rollouts/grpo-00001.parquet")
    assert table.to_pylist()[0]["score_factual"] is None
    assert table.to_pylist()[0]["reward"] is None
    assert str(table.schema.field("score_factual").type) == "double"


def test_every_step_has_the_same_columns_and_types(tmp_path):
    store = RunStore.create(recipe_in(tmp_path))
    store.append_step(step("grpo", 1))
    store.append_step(step("grpo", 2, failed=True))
    first, second = (pq.read_schema(p) for p in sorted((store.folder / "rollouts").iterdir()))
    assert first.equals(second)


def test_the_steps_of_a_stage_are_given_back_with_their_numbers_alone(tmp_path):
    store = RunStore.create(recipe_in(tmp_path))
    store.append_step(step("sft", 1))
    store.append_step(replace(step("grpo", 1), warnings=("look",)))
    store.append_step(step("grpo", 2))
    assert store.steps("grpo") == tuple(StepMetrics("grpo", n, {"reward": 0.5}) for n in (1, 2))


def test_rewinding_drops_what_came_after_the_checkpoint(tmp_path):
    recipe = recipe_in(tmp_path)
    store = RunStore.create(recipe)
    for number in (1, 2):
        store.append_step(step("sft", number))
    for number in (1, 2, 3):
        store.append_step(step("grpo", number))
        store.write_checkpoint(done(1, "grpo", number), {"adapter": bytes([number])}, keep=2)
    assert len(list((store.folder / "checkpoints").iterdir())) == 2
    state, files = store.last_checkpoint()
    assert (state["stage"], state["step"], files) == ("grpo", 3, {"adapter": b"\x03"})
    store.rewind(recipe, 1, 2)
    assert [(row["stage"], row["step"]) for row in store.metrics()] == [
        ("sft", 1),
        ("sft", 2),
        ("grpo", 1),
        ("grpo", 2),
    ]
    assert not (store.folder / "rollouts/grpo-00003.parquet").exists()
    assert (store.folder / "rollouts/sft-00002.parquet").exists()


def test_a_later_stage_is_newer_than_an_earlier_one_with_more_steps(tmp_path):
    store = RunStore.create(recipe_in(tmp_path))
    store.write_checkpoint(done(0, "sft", 90), {}, keep=5)
    store.write_checkpoint(done(1, "grpo", 1), {}, keep=5)
    assert store.last_checkpoint()[0]["stage"] == "grpo"


def test_two_runs_in_one_second_have_folders_of_their_own(tmp_path):
    now = datetime.datetime(2026, 1, 2, 3, 4, 5)
    first, second = (RunStore.create(recipe_in(tmp_path), now=now).folder.name for _ in range(2))
    assert (first, second) == ("small-20260102-030405", "small-20260102-030405-2")


def test_a_folder_in_which_no_recipe_was_written_does_not_stay(tmp_path, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(RunStore, "write_text", stopped)
    with pytest.raises(KeyboardInterrupt):
        RunStore.create(recipe_in(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_run_is_refused_with_the_nearest_run(tmp_path):
    folder = RunStore.create(recipe_in(tmp_path)).folder
    with pytest.raises(InputError, match=f"did you mean: {folder}"):
        RunStore.open(str(folder)[:-1])


def test_a_metric_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="loss"):
        StepMetrics("grpo", 1, {"loss": float("nan")})


def test_policies_are_written_once_go_with_their_last_checkpoint_and_damage_is_passed_over(tmp_path):
    store = RunStore.create(recipe_in(tmp_path))
    folder, written = store.folder / "checkpoints" / "policies", {}

    def adapter(number: int) -> Adapter:
        return replace(an_adapter(number), canary=(-number / 3, -1e-300))

    for number in range(2, 6):
        # As with a lag of 2: each checkpoint names the policies of the two steps before its own.
        named = store.write_policies([adapter(number - 2), adapter(number - 1)])
        for path in folder.iterdir():
            assert written.setdefault(path, path.stat().st_ino) == path.stat().st_ino
        store.write_checkpoint(done(1, "grpo", number, policies=named), {}, keep=2)
    assert {path.stem for path in folder.iterdir()} == {an_adapter(n).ref.sha256 for n in (2, 3, 4)}
    state, _ = store.last_checkpoint()
    assert store.read_policies(state["policies"]) == [adapter(3), adapter(4)]
    # As checkpoints named them that were written before there were canaries.
    assert store.read_policies([one[:2] for one in state["policies"]]) == [an_adapter(3), an_adapter(4)]
    newest = folder / f"{an_adapter(4).ref.sha256}.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1] + b"?")
    problems: list[str] = []
    state, _ = store.last_checkpoint(problems)
    assert state["step"] == 4
    assert problems == [f"checkpoints/01-grpo-00005: policies/{newest.name} is damaged"]


def write_for_ever(store):
    """What a run does, as fast as it can: rollouts and row of a step, and after every second a checkpoint."""
    with Background() as writing:
        for number in range(1, 100_000):
            writing.put(store.append_step, step("sft", number))
            if number % 2 == 0:
                writing.wait()
                writing.put(store.write_checkpoint, done(0, "sft", number), {"a": b"x" * 50_000}, 2)


def test_a_run_killed_at_any_moment_leaves_a_beginning_of_what_it_had_to_write(tmp_path):
    draw = random.Random(5)
    for kill in range(10):
        store = RunStore.create(recipe_in(tmp_path / str(kill)))
        store.release()
        child = os.fork()
        if child == 0:
            write_for_ever(store)
            os._exit(0)
        while not list((store.folder / "checkpoints").glob("0*")):
            time.sleep(0.001)
        time.sleep(draw.random() * 0.1)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        store.hold()
        rows = [row["step"] for row in store.metrics()]
        assert rows == list(range(1, len(rows) + 1))
        tables = {number: path for _, number, path in store.tables(store.recipe).rollouts()}
        assert set(tables) >= set(rows)
        assert all(pq.read_table(path).num_rows == 1 for path in tables.values())
        problems = []
        state, files = store.last_checkpoint(problems)
        assert (problems, state["step"] in rows, len(files["a"])) == ([], True, 50_000)
        store.release()
