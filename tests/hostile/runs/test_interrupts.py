"""Ctrl-C, whenever it comes, ends with a command that completes the run; of two of those at once one runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FORKS = Path(__file__).with_name("forks.py")
SEED = os.environ.get("HOSTILE_SEED", "biorlhf")
PAIRS = int(os.environ.get("HOSTILE_PAIRS", "20"))


def rows_of(folder: Path, seed: str, interrupts: int, pairs: int) -> list[dict]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, str(FORKS), str(folder), seed, str(interrupts), str(pairs)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def few(tmp_path_factory) -> list[dict]:
    """Some of both, out of one process."""
    return rows_of(tmp_path_factory.mktemp("few"), "few", 3, 1)


def is_completed(row: dict) -> bool:
    """An interrupt ended as asked; where there was a run, the printed command made of it what it would have
    been, and where there was none nothing is left."""
    ended = row["code"] == 130 and "Traceback" not in row["said"] and row["left"] == []
    if not row["begun"]:
        return ended and row["resumed"] is None and "nothing is kept" in row["said"]
    return ended and "\nkept: " in row["said"] and row["resumed"] == 0 and row["differs"] == []


def test_a_run_that_is_stopped_by_ctrl_c_is_completed_by_the_command_that_it_prints(few):
    rows = [row for row in few if "at" in row]
    assert len(rows) == 3
    assert [row for row in rows if not is_completed(row)] == []


@pytest.mark.hostile
@pytest.mark.timeout(1800)
def test_a_run_that_is_stopped_at_twenty_moments_is_completed_at_each(tmp_path):
    rows = rows_of(tmp_path, SEED, 20, 0)
    assert len(rows) == 20
    assert [row for row in rows if not is_completed(row)] == []


def one_ran(row: dict) -> bool:
    """Of two resumes at once one completed the run, and the other exited 2 and said who holds it."""
    if sorted(row["codes"]) != [0, 2] or row["differs"]:
        return False
    return "this run is in use: process" in row["said"][row["codes"].index(2)]


def test_of_two_resumes_at_once_one_runs_and_one_exits_2(few):
    rows = [row for row in few if "codes" in row]
    assert len(rows) == 1
    assert [row for row in rows if not one_ran(row)] == []


@pytest.mark.hostile
@pytest.mark.timeout(1800)
def test_of_many_pairs_of_resumes_at_once_one_runs_and_one_exits_2(tmp_path):
    rows = rows_of(tmp_path, SEED, 0, PAIRS)
    assert len(rows) == PAIRS
    assert [row for row in rows if not one_ran(row)] == []
