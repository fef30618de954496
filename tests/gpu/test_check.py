"""The check for a GPU machine does not fail for its own mistakes: what a CPU can do of it is done here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def run(out, *options):
    path = os.pathsep.join(map(str, (ROOT, ROOT / "plugins", ROOT / "tests" / "doubles")))
    done = subprocess.run(
        [sys.executable, str(HERE / "check.py"), "--out", str(out), *options],
        env={**os.environ, "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    rows = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    return done, rows


@pytest.mark.engine
def test_the_check_runs_on_a_cpu_and_a_rerun_goes_on_where_it_stopped(tmp_path):
    done, rows = run(tmp_path / "a", "--quick")
    bad = [row for row in rows if row.get("ok") is False]
    assert bad == []
    assert done.returncode == 0, done.stderr[-2000:]
    finished = {row["part"] for row in rows if row.get("finished")}
    assert {
        "tiny models",
        "nf4 by two ways",
        "steps",
        "mistral-7b shape, nf4",
        "micro-benchmarks",
    } <= finished
    compared = [row for row in rows if row["part"] == "tiny models" and "case" in row]
    assert all("cpu" in row["nats_apart"] for row in compared)
    done, again = run(tmp_path / "b", "--quick", "--previous", str(tmp_path / "a" / "results.jsonl"))
    assert [row["part"] for row in again] == ["versions"]


def test_a_failing_part_is_written_and_the_next_is_run(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    import check

    def breaks(given):
        yield {"value": 1}
        raise RuntimeError("no such kernel")

    parts = [check.Part("first", 1, breaks), check.Part("second", 1, lambda _: iter([{"value": 2}]))]
    monkeypatch.setattr(check, "parts", lambda: parts)
    made = check.Check(tmp_path, "cpu", True, False, [], until=float("inf"))
    assert check.run(made) == 1
    rows = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()][1:]
    assert [row["part"] for row in rows] == ["first", "first", "first", "second", "second"]
    assert "no such kernel" in rows[1]["error"]
    assert check.finished(tmp_path / "results.jsonl") == {"second"}


def test_no_part_begins_without_its_time(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    import check

    monkeypatch.setattr(check, "parts", lambda: [check.Part("long", 60, lambda _: iter([{"value": 1}]))])
    made = check.Check(tmp_path, "cpu", False, False, [], until=0.0)
    assert check.run(made) == 0
    rows = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert "skipped" in rows[-1]


def test_the_script_for_a_rented_machine_is_sound_shell():
    assert subprocess.run(["bash", "-n", str(HERE / "rented.sh")], check=False).returncode == 0
