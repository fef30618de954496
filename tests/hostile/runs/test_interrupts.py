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


def hold_interrupts(rows: list[dict], count: int) -> None:
    assert len(rows) == count
    for row in rows:
        assert row["code"] == 130, row
        assert "Traceback" not in row["said"], row
        assert row["left"] == [], row
        # What nothing could go on with is not there.
        assert (row["resumed"] is not None) == row["begun"], row
        assert row["begun"] or "nothing is kept" in row["said"], row
        if row["begun"]:
            assert "\nkept: " in row["said"], row
            assert row["resumed"] == 0, row
            assert row["differs"] == [], row


def test_a_run_that_is_stopped_by_ctrl_c_is_completed_by_the_command_that_it_prints(few):
    hold_interrupts([row for row in few if "at" in row], 3)


@pytest.mark.hostile
@pytest.mark.timeout(1800)
def test_a_run_that_is_stopped_at_twenty_moments_is_completed_at_each(tmp_path):
    hold_interrupts(rows_of(tmp_path, SEED, 20, 0), 20)


def hold_pairs(rows: list[dict], count: int) -> None:
    assert len(rows) == count
    for row in rows:
        assert sorted(row["codes"]) == [0, 2], row
        assert "this run is in use: process" in row["said"][row["codes"].index(2)], row
        assert row["differs"] == [], row


def test_of_two_resumes_at_once_one_runs_and_one_exits_2(few):
    hold_pairs([row for row in few if "codes" in row], 1)


@pytest.mark.hostile
@pytest.mark.timeout(1800)
def test_of_many_pairs_of_resumes_at_once_one_runs_and_one_exits_2(tmp_path):
    hold_pairs(rows_of(tmp_path, SEED, 0, PAIRS), PAIRS)
