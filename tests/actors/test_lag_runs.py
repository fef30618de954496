"""Whole runs whose rollouts are ahead: in turn in one process, on Ray, and cut off at random moments."""

from __future__ import annotations

import functools
import json
import os
import random
import signal
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from recorded_grpo import ENGINES, RECORDED, machine, real_run
from tiny_run import family, numbers, outcome, run, start, wait_for_rows, write_tiny_run, write_vowels

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1800)]
STEPS, KILLS = 10, 4


def written(folder: Path, lag: int, **sections) -> Path:
    """A recipe whose answers, rewards and so policies change with every step."""
    stage = {
        "trainer": "grpo",
        "prompts_per_step": 3,
        "generations": 4,
        "steps": STEPS,
        "lag": lag,
        "iterations": 2,
        # An untrained model's answers end at the limit.
        "mask_truncated": False,
        "beta": 0.01,
        "optimizer": {"learning_rate": 1e-2, "schedule": "cosine"},
    }
    common = {
        "lora": {"dropout": 0.1},
        "rollout": {"engine": "transformers"},
        # A busy machine takes its time to judge.
        "scorer": {"timeout_s": 60},
        "verifiers": [{"verifier": "vowels", "weight": 1.0}],
        "stages": [stage],
    }
    return write_tiny_run(folder, **{**common, **sections})


def one_core() -> None:
    """How many threads there are may change how a sum is rounded."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return write_vowels(tmp_path_factory.mktemp("verifier"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory, environment):
    """Lag -> the folder of a run in one process that nothing disturbs."""

    @functools.cache
    def made(lag: int) -> Path:
        place = tmp_path_factory.mktemp(f"lag{lag}")
        code, said = run(str(written(place, lag)), timeout_s=900, env=environment, preexec_fn=one_core)
        assert code == 0, said
        [folder] = (place / "runs").iterdir()
        return folder

    return made


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


@pytest.mark.parametrize("lag", [1, pytest.param(2, marks=pytest.mark.hostile)])
def test_a_run_killed_at_random_moments_gives_the_numbers_of_one_never_killed(
    whole, environment, tmp_path, lag
):
    draw, options = random.Random(lag), {"env": environment, "preexec_fn": one_core}
    process = start(str(written(tmp_path, lag)), **options)
    for kill in range(KILLS):
        folder = wait_for_rows(process, tmp_path / "runs", 2 * kill + 1, 600)
        time.sleep(draw.random() * 0.3)
        assert process.poll() is None, "the run was over before it could be killed often enough"
        process.send_signal(signal.SIGKILL)
        process.communicate()
        process = start("--resume", str(folder), **options)
    said = process.communicate(timeout=900)[1]
    assert process.returncode == 0, said
    assert outcome(folder) == outcome(whole(lag))
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
        killed.add(kill_one(process, name, killed))
    said = process.communicate(timeout=900)[1]
    assert process.returncode == 0, said
    assert outcome(folder) == outcome(whole(1))
    assert said.count("started again from the last checkpoint") == 3
    assert json.loads((folder / "summary.json").read_text())["learner_restarts"] == 3


def kill_one(process, name: str, killed: set[int]) -> int:
    """Kill an actor of that name, once there is one that was not killed before."""
    end = time.monotonic() + 300
    while time.monotonic() < end:
        found = [pid for pid, command in family(process.pid).items() if name in command and pid not in killed]
        if found:
            os.kill(found[0], signal.SIGKILL)
            return found[0]
        time.sleep(0.02)
    raise AssertionError(f"no {name} in five minutes")
