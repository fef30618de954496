"""Chaos: signals to every process of a run at seeded moments. Each run ends in the numbers of one that nobody
disturbed, by itself or after ``--resume``; nothing outlives it, and no file is damaged.

``HOSTILE_MOMENTS`` (default 8; 100 take the best part of an hour) says how many, ``HOSTILE_SEED`` draws
others.
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

MOMENTS = int(os.environ.get("HOSTILE_MOMENTS", "8"))
SEED = os.environ.get("HOSTILE_SEED", "biorlhf")
STEPS = 14
PROCESSES = {
    "driver": "",
    "learner": "LearnerWorker",
    "rollout": "RolloutWorker",
    "scorer": "ScorerWorker",
    "warden": "biorlhf.scoring.warden",
    "child": "biorlhf.scoring.warden",
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
    # A busy machine takes seconds by itself; only what was stopped waits for these.
    limits = {"learner": {"timeout_s": 25}, "scorer": {"timeout_s": 15}}
    # Answers take their time, or a fast machine is done before the signal comes.
    pace = {"token_s": [[1, 0.03]], "mean_tokens": 10, "spread": 0.3}
    rollout = {"timeout_s": 25, "simulated": pace}
    return write_tiny_run(folder, backend="ray", steps=STEPS, rollout=rollout, **limits)


def victim_of(driver: int, target: str) -> int:
    """The process of a run that a signal is for."""
    if target == "driver":
        return driver
    found = [pid for pid, command in family(driver).items() if PROCESSES[target] in command]
    if target in ("warden", "child"):
        # A warden and its fork, in which verifiers run, have one command.
        found = [pid for pid in found if bool(family(pid)) == (target == "warden")]
    [victim] = found
    return victim


def whole(folder: Path) -> None:
    for path in folder.rglob("*.parquet"):
        assert pq.read_table(path).num_rows > 0
    for path in folder.rglob("*.json"):
        assert json.loads(path.read_text())
    assert not list(folder.rglob("*.partial"))


@pytest.mark.parametrize("moment", moments(), ids=str)
def test_a_disturbed_run_ends_in_the_numbers_of_one_that_nobody_disturbed(tmp_path, undisturbed, moment):
    process = start(str(recipe(tmp_path)))
    try:
        folder = wait_for_rows(process, tmp_path / "runs", moment.rows)
        time.sleep(moment.delay_s)
        children = family(process.pid)
        victim = victim_of(process.pid, moment.target)
        os.kill(victim, getattr(signal, moment.signal))
        if moment.signal == "SIGSTOP" and moment.target not in NOTICED:
            time.sleep(3)
            os.kill(victim, signal.SIGCONT)
        _, said = process.communicate(timeout=200)
    finally:
        # Where something does not hold, what is left must not disturb the next.
        process.kill()
        process.communicate()
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
