"""Whole runs whose rollouts are ahead: in turn in one process, on Ray, and cut off at random moments."""

from __future__ import annotations

import json
import random
import signal
import time

import pyarrow.parquet as pq
import pytest

from lag_run import MANY, STEPS, kill_one, one_core, written
from recorded_grpo import ENGINES, RECORDED, machine, real_run
from tiny_run import numbers, outcome, start, wait_for_rows

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("engine", ENGINES)
def test_without_lag_a_run_has_the_bits_of_before_there_was_one(tmp_path, engine):
    recorded = json.loads(RECORDED.read_text())
    if machine() != recorded["machine"]:
        pytest.skip(f"recorded on {recorded['machine']}, and this is {machine()}")
    assert real_run(tmp_path, engine) == recorded["real"][engine]


@pytest.mark.parametrize("lag", [1, 2])
def test_each_row_names_the_policy_of_that_many_steps_before(whole, lag):
    rows = numbers(whole(lag))
    left = [row["adapter_sha256"] for row in rows]
    assert len(set(left)) == STEPS
    made_by = {}
    for path in (whole(lag) / "rollouts").iterdir():
        for row in pq.read_table(path).to_pylist():
            made_by.setdefault(row["step"], set()).add(row["adapter_sha256"])
    first = made_by[1]
    assert all(made_by[step] == first for step in range(1, lag + 2))
    assert all(made_by[step] == {left[step - 2 - lag]} for step in range(lag + 2, STEPS + 1))
    assert [row["lag"] for row in rows] == [min(lag, n) for n in range(STEPS)]


@pytest.mark.parametrize(
    ("lag", "kills", "steps"),
    [
        (1, 4, STEPS),
        pytest.param(1, 10, MANY, marks=pytest.mark.hostile),
        pytest.param(2, 10, MANY, marks=pytest.mark.hostile),
    ],
)
def test_a_run_killed_at_random_moments_gives_the_numbers_of_one_never_killed(
    whole, environment, tmp_path, lag, kills, steps
):
    draw, options = random.Random(lag), {"env": environment, "preexec_fn": one_core}
    process = start(str(written(tmp_path, lag, steps)), **options)
    for kill in range(kills):
        folder = wait_for_rows(process, tmp_path / "runs", 2 * kill + 1, 600)
        time.sleep(draw.random() * 0.3)
        assert process.poll() is None, "the run was over before it could be killed often enough"
        process.send_signal(signal.SIGKILL)
        process.communicate()
        process = start("--resume", str(folder), **options)
    said = process.communicate(timeout=900)[1]
    assert process.returncode == 0, said
    assert outcome(folder) == outcome(whole(lag, steps))
    assert not list(folder.rglob("*.partial"))


def test_on_ray_with_two_actors_and_deaths_of_all_kinds_the_numbers_are_the_same(
    whole, environment, tmp_path
):
    sections = {"rollout": {"engine": "transformers", "actors": 2}, "cluster": {"backend": "ray"}}
    process = start(str(written(tmp_path, 1, **sections)), env=environment, preexec_fn=one_core)
    killed: set[int] = set()
    for rows, name in (
        (1, "LearnerWorker"),
        (3, "RolloutWorker"),
        (5, "LearnerWorker"),
        (7, "LearnerWorker"),
    ):
        folder = wait_for_rows(process, tmp_path / "runs", rows, 600)
        killed.add(kill_one(process.pid, name, killed))
    said = process.communicate(timeout=900)[1]
    assert process.returncode == 0, said
    assert outcome(folder) == outcome(whole(1))
    assert said.count("started again from the last checkpoint") == 3
    assert json.loads((folder / "summary.json").read_text())["learner_restarts"] == 3


@pytest.mark.hostile
def test_a_run_that_loses_one_of_two_learners_in_a_step_gives_the_numbers_of_one_that_lost_none(
    environment, tmp_path
):
    outcomes = []
    for losses in (0, 2):
        place, killed = tmp_path / str(losses), set()
        recipe = written(place, 1, MANY, learner={"actors": 2}, cluster={"backend": "ray"})
        process = start(str(recipe), env=environment, preexec_fn=one_core)
        for loss in range(losses):
            wait_for_rows(process, place / "runs", 3 + 6 * loss, 600)
            # Ray names a process after what it does.
            killed.add(kill_one(process.pid, "LearnerWorker.step_apart", killed))
        said = process.communicate(timeout=900)[1]
        assert process.returncode == 0, said
        [folder] = (place / "runs").iterdir()
        assert json.loads((folder / "summary.json").read_text())["learner_restarts"] == losses, said
        outcomes.append(outcome(folder))
    assert outcomes[0] == outcomes[1]
