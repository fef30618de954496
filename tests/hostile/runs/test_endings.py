"""A run in this process that is asked to end: what it says, what it leaves, and that its caller lives on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from biorlhf.runs.keeping import ending as endings
from biorlhf.runs.keeping.ending import Ending, how_to_go_on
from tiny_run import outcome, run, start, wait_for_rows, write_tiny_run


def test_what_is_kept_and_the_exact_command_are_said(cut):
    spaced = cut.rename(cut.with_name("my run"))
    assert how_to_go_on(spaced, "ray://head:10001").splitlines() == [
        f"kept: {spaced}, its checkpoint after step 4 of grpo",
        f"go on with: biorlhf run --resume '{spaced}' --address ray://head:10001",
    ]


@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGTERM, SystemExit), (signal.SIGINT, KeyboardInterrupt)]
)
def test_a_caller_that_goes_on_is_not_ended_later(number, kind, monkeypatch):
    before, left = signal.getsignal(number), []
    monkeypatch.setattr(endings, "GRACE_S", 0.05)
    monkeypatch.setattr(Ending, "_leave", lambda self, number: left.append(number))
    with pytest.raises(kind), Ending():
        os.kill(os.getpid(), number)
    timers = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    for timer in timers:
        timer.join()
    assert left == []
    assert signal.getsignal(number) is before


STUCK = """
import os, signal, sys, time
from pathlib import Path
from biorlhf.runs.keeping import ending
ending.GRACE_S = 0.2
with ending.Ending() as this:
    this.folder = Path(sys.argv[1])
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        time.sleep(600)
"""


def test_what_does_not_stop_in_time_is_ended_with_the_message(cut):
    command = [sys.executable, "-c", STUCK, str(cut)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 143
    assert f"go on with: biorlhf run --resume {cut}" in done.stderr


@pytest.mark.hostile
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_without_ray_ends_with_its_code_and_goes_on(tmp_path, number, code):
    process = start(str(write_tiny_run(tmp_path, steps=24)))
    folder = wait_for_rows(process, tmp_path / "runs", 2)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert f"go on with: biorlhf run --resume {folder}" in said
    assert "Traceback" not in said
    assert not list(folder.rglob("*.partial"))
    assert run("--resume", str(folder))[0] == 0
    assert len(outcome(folder)["numbers"]) == 24
