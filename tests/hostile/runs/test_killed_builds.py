"""``biorlhf data build`` killed while it writes: the next one goes on as if there had been none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from biorlhf.errors import DataError
from biorlhf_plugins.making.parquet import from_parquet, refuse_other_files

# Stands still in the middle of writing, at the place that is given.
STOPS = """
import os, sys, time
from biorlhf_plugins.making import parquet

_, mark, place, folder = sys.argv

def stop(*_):
    open(mark, "w").close()
    time.sleep(600)

setattr(parquet, place, stop)
sys.argv = ["biorlhf", "data", "build", "kmp", "--out", folder, "--yes", "--force"]
from biorlhf.cli import main
main()
"""


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "biorlhf", "data", "build", "kmp", "--out", str(folder), "--yes"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def killed(tmp_path: Path, folder: Path, place: str, number: int) -> int:
    mark = tmp_path / "mark"
    mark.unlink(missing_ok=True)
    process = subprocess.Popen([sys.executable, "-c", STOPS, str(mark), place, str(folder)])
    while not mark.exists() and process.poll() is None:
        time.sleep(0.02)
    assert process.poll() is None
    process.send_signal(number)
    return process.wait(30)


@pytest.mark.parametrize("place", ["_tables", "_sha256"])
def test_a_build_that_was_killed_leaves_nothing_that_blocks_the_next(tmp_path, place):
    folder = tmp_path / "kmp_data"
    assert killed(tmp_path, folder, place, signal.SIGKILL) == -signal.SIGKILL
    assert list(folder.iterdir())
    done = build(folder)
    assert done.returncode == 0, done.stderr
    assert not list(folder.glob("*.part"))
    assert from_parquet(folder).questions


def test_a_build_that_was_killed_over_an_earlier_one_does_not_pass_for_it(tmp_path):
    folder = tmp_path / "kmp_data"
    assert build(folder).returncode == 0
    killed(tmp_path, folder, "_sha256", signal.SIGKILL)
    with pytest.raises(DataError, match=r"provenance\.json: no such file"):
        from_parquet(folder)


def test_a_build_that_is_asked_to_end_leaves_nothing(tmp_path):
    folder = tmp_path / "kmp_data"
    assert killed(tmp_path, folder, "_tables", signal.SIGTERM) == 143
    assert list(folder.iterdir()) == []


def test_files_of_a_user_still_keep_a_build_out(tmp_path):
    (tmp_path / "notes.part").write_text("mine")
    with pytest.raises(DataError, match=r"holds other files: notes\.part"):
        refuse_other_files(tmp_path)
    assert os.listdir(tmp_path) == ["notes.part"]
