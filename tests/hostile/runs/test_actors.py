"""Ray runs whose processes are killed, stopped or asked to end: each goes on, or ends with a message."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tiny_run import alive, family, member, outcome, run, start, wait_for_rows, write_tiny_run

pytestmark = [pytest.mark.engine, pytest.mark.hostile]

STEPS = 12


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("ray")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("undisturbed")
    code, said = run(str(write_tiny_run(folder, backend="ray", steps=STEPS)), timeout_s=400)
    assert code == 0, said
    [made] = (folder / "runs").iterdir()
    return outcome(made)


def begin(tmp_path: Path, **sections):
    """A run on Ray that has made two steps of many; its processes."""
    recipe = write_tiny_run(tmp_path, backend="ray", steps=STEPS, **sections)
    process = start(str(recipe))
    folder = wait_for_rows(process, tmp_path / "runs", 2)
    return process, folder


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_request_to_end_ends_all_and_says_how_to_go_on(tmp_path, undisturbed, number, code):
    process, folder = begin(tmp_path)
    children = family(process.pid)
    assert any("raylet" in command for command in children.values())
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == code, said
    assert f"go on with: biorlhf run --resume {folder}" in said
    assert "Traceback" not in said
    assert "*** SIGTERM" not in said
    end = time.monotonic() + 30
    while alive(children) and time.monotonic() < end:
        time.sleep(0.1)
    assert [children[pid] for pid in alive(children)] == []
    code, said = run("--resume", str(folder))
    assert code == 0, said
    assert outcome(folder) == undisturbed


def test_a_rollout_that_dies_while_it_is_idle_is_started_again(tmp_path, undisturbed):
    process, folder = begin(tmp_path)
    os.kill(member(process.pid, "RolloutWorker"), signal.SIGKILL)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert outcome(folder) == undisturbed


def test_a_learner_that_hangs_is_a_failure_with_a_message(tmp_path, undisturbed):
    process, folder = begin(tmp_path, learner={"timeout_s": 8})
    os.kill(member(process.pid, "LearnerWorker"), signal.SIGSTOP)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1, said
    assert "learner actor: no sign of life in 8 s; it hangs, or needs a larger learner.timeout_s" in said
    assert f"go on with: biorlhf run --resume {folder}" in said
    code, said = run("--resume", str(folder))
    assert code == 0, said
    assert outcome(folder) == undisturbed


@pytest.mark.parametrize("name", ["raylet/raylet", "gcs/gcs_server"])
def test_a_part_of_ray_that_is_killed_has_a_message(tmp_path, undisturbed, name):
    process, folder = begin(tmp_path)
    os.kill(member(process.pid, name), signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1, said
    assert f"error: Ray's {name.split('/')[1]} (process " in said
    assert f"go on with: biorlhf run --resume {folder}" in said
    code, said = run("--resume", str(folder))
    assert code == 0, said
    assert outcome(folder) == undisturbed
