"""Chaos: signals to every process of a run at seeded moments. Each run ends in the numbers of one that nobody
disturbed, by itself or after ``--resume``; nothing outlives it, and no file is damaged.

``HOSTILE_MOMENTS`` and ``HOSTILE_PAIRS`` (default 20) say how many; ``HOSTILE_SEED`` draws others.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tiny_run import alive, family, outcome, run, start, wait_for_rows, write_tiny_run

pytestmark = [pytest.mark.engine, pytest.mark.hostile]

MOMENTS = int(os.environ.get("HOSTILE_MOMENTS", "20"))
PAIRS = int(os.environ.get("HOSTILE_PAIRS", "20"))
SEED = os.environ.get("HOSTILE_SEED", "biorlhf")
STEPS = 14
PROCESSES = {
    "driver": "",
    "learner": "LearnerWorker",
    "rollout": "RolloutWorker",
    "scorer": "ScorerWorker",
    "child": "biorlhf.scoring.worker",
    "raylet": "raylet/raylet",
    "gcs": "gcs/gcs_server",
}
SIGNALS = ("SIGKILL", "SIGSTOP", "SIGTERM")
# What a stopped one of these does is noticed by its time limit; the others are let go on after a while.
NOTICED = ("learner", "rollout")


@dataclass(frozen=True)
class Moment:
    target: str
    signal: str
    rows: int
    delay_s: float

    def __str__(self) -> str:
        return f"{self.signal}-{self.target}-{self.rows}-{self.delay_s:.2f}"


def moments() -> list[Moment]:
    draw = random.Random(SEED)
    # Every pair of target and signal comes up before one comes up again.
    every = [(target, name) for target in PROCESSES for name in SIGNALS]
    drawn: list[tuple[str, str]] = []
    while len(drawn) < MOMENTS:
        drawn += draw.sample(every, len(every))
    return [Moment(*pair, draw.randint(1, STEPS - 6), draw.random()) for pair in drawn[:MOMENTS]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("undisturbed")
    code, said = run(str(recipe(folder)), timeout_s=400)
    assert code == 0, said
    [made] = (folder / "runs").iterdir()
    return outcome(made)


def recipe(folder: Path) -> Path:
    limits = {"rollout": {"timeout_s": 8}, "learner": {"timeout_s": 8}, "scorer": {"timeout_s": 5}}
    return write_tiny_run(folder, backend="ray", steps=STEPS, **limits)


def whole(folder: Path) -> None:
    for path in folder.rglob("*.parquet"):
        assert pq.read_table(path).num_rows > 0
    for path in folder.rglob("*.json"):
        assert json.loads(path.read_text())
    assert not list(folder.rglob("*.partial"))


@pytest.mark.parametrize("moment", moments(), ids=str)
def test_a_disturbed_run_ends_in_the_numbers_of_one_that_nobody_disturbed(tmp_path, undisturbed, moment):
    process = start(str(recipe(tmp_path)))
    folder = wait_for_rows(process, tmp_path / "runs", moment.rows)
    time.sleep(moment.delay_s)
    children = family(process.pid)
    name = PROCESSES[moment.target]
    victims = [pid for pid, command in children.items() if name in command] if name else [process.pid]
    assert len(victims) == 1, children
    os.kill(victims[0], getattr(signal, moment.signal))
    if moment.signal == "SIGSTOP" and moment.target not in NOTICED:
        time.sleep(3)
        os.kill(victims[0], signal.SIGCONT)
    _, said = process.communicate(timeout=200)
    if process.returncode != 0:
        if (moment.target, moment.signal) != ("driver", "SIGKILL"):
            assert f"go on with: biorlhf run --resume {folder}" in said, (process.returncode, said)
        code, said = run("--resume", str(folder), timeout_s=300)
        assert code == 0, said
    end = time.monotonic() + 30
    while alive(children) and time.monotonic() < end:
        time.sleep(0.1)
    assert [children[pid] for pid in alive(children)] == []
    assert outcome(folder) == undisturbed
    whole(folder)


@pytest.mark.parametrize("pair", range(PAIRS))
def test_of_two_resumes_at_once_one_runs_and_one_exits_2(cut, whole_outcome, pair):
    folder = cut
    both = [start("--resume", str(folder)) for _ in range(2)]
    said = [process.communicate(timeout=200)[1] for process in both]
    codes = [process.returncode for process in both]
    assert sorted(codes) == [0, 2], said
    assert "this run is in use: process" in said[codes.index(2)]
    assert outcome(folder) == whole_outcome
    whole(folder)


@pytest.fixture(scope="module")
def whole_outcome(request) -> dict:
    return outcome(request.getfixturevalue("whole"))
