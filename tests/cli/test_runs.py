"""``biorlhf runs``: the list, one run, watching, and what clean takes and what it refuses."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from biorlhf.commands.runs.clean import removable, remove
from biorlhf.commands.runs.listing import details, listing
from biorlhf.commands.runs.watch import follow, newest, status, view
from biorlhf.errors import InputError
from biorlhf.runs.folder import read_run
from biorlhf.runs.keeping.lock import Lock
from biorlhf.runs.listener import Silence
from biorlhf.runs.store import RunStore
from biorlhf.runs.watching.progress_file import SILENT_S, is_live, noted, read_progress
from biorlhf.stage import StepResult
from biorlhf.types import StepMetrics
from made_run import write_run

LIVE = {"state": "running", "phase": "grpo", "unit": "step", "done": 4, "total": 10, "left_s": 130.0}


@pytest.fixture
def place(tmp_path) -> Iterator[Path]:
    """Three runs: one complete, one that is worked on, one that was stopped."""
    for age, name in enumerate(("live", "whole", "cut")):
        folder = write_run(tmp_path / name)
        for part in ("checkpoints/01-grpo-00008", "rollouts", "adapters/01-grpo", "adapter"):
            (folder / part).mkdir(parents=True)
            (folder / part / "file").write_bytes(b"x" * 1500)
        os.utime(folder / "recipe.yaml", (1e9 - age, 1e9 - age))
    for name in ("live", "cut"):
        (tmp_path / name / "summary.json").unlink()
    row = {**LIVE, "pid": os.getpid(), "host": platform.node(), "updated": time.time()}
    (tmp_path / "live" / "progress.json").write_text(json.dumps(row))
    lock = Lock(tmp_path / "live")
    yield tmp_path
    lock.release()


def test_runs_are_listed_the_newest_first_with_state_step_time_left_and_result(place):
    rows = listing(place)
    assert [(row["name"], row["state"]) for row in rows] == [
        ("live", "running"),
        ("whole", "complete"),
        ("cut", "stopped"),
    ]
    assert (rows[0]["stage"], rows[0]["step"], rows[0]["steps"], rows[0]["left_s"]) == ("grpo", 8, 10, 130.0)
    assert rows[1]["left_s"] is None
    assert set(rows[1]["result"]) == {"before", "after"}
    assert rows[1]["bytes"] > 6000


def test_the_list_fits_eighty_columns_and_the_json_is_the_same(place, capsys, monkeypatch):
    from biorlhf import cli

    monkeypatch.setenv("COLUMNS", "80")
    for arguments in (["runs", "--folder", str(place)], ["runs", "--folder", str(place), "--json"]):
        monkeypatch.setattr(sys, "argv", ["biorlhf", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert not ended.value.code
        out = capsys.readouterr().out
        if "--json" not in arguments:
            assert "0.05 → 0." in out
            assert "2:10" in out
            assert max(map(len, out.splitlines())) <= 80
    assert [row["name"] for row in json.loads(out)["runs"]] == ["live", "whole", "cut"]


def command(monkeypatch, capsys, *arguments: str) -> tuple[int, str, str]:
    from biorlhf import cli

    monkeypatch.setattr(sys, "argv", ["biorlhf", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_a_name_as_runs_have_it_stays_whole_at_eighty_columns_and_nothing_is_lost_at_forty(
    tmp_path, capsys, monkeypatch
):
    write_run(tmp_path / "quickstart-20260101-120000")
    monkeypatch.setenv("COLUMNS", "80")
    wide = command(monkeypatch, capsys, "runs", "--folder", str(tmp_path))[1]
    assert "quickstart-20260101-120000" in wide
    monkeypatch.setenv("COLUMNS", "40")
    narrow = command(monkeypatch, capsys, "runs", "--folder", str(tmp_path))[1]
    assert "…" not in narrow
    assert max(map(len, narrow.splitlines())) <= 40


def test_a_file_in_place_of_the_folder_of_runs_is_refused(tmp_path, capsys, monkeypatch):
    (tmp_path / "file").write_text("")
    for words in (["runs"], ["runs", "clean"], ["runs", "watch"]):
        code, _, err = command(monkeypatch, capsys, *words, "--folder", str(tmp_path / "file"))
        assert code == 2
        assert "a folder of runs" in err


def test_a_run_that_may_not_be_read_is_named_and_the_others_are_listed(tmp_path, capsys, monkeypatch):
    write_run(tmp_path / "open")
    write_run(tmp_path / "closed")

    def refused(folder):
        if folder.name == "closed":
            raise PermissionError(13, "Permission denied", str(folder / "metrics.jsonl"))
        return read_run(folder)

    monkeypatch.setattr("biorlhf.commands.runs.listing.read_run", refused)
    code, out, err = command(monkeypatch, capsys, "runs", "--folder", str(tmp_path))
    assert (code, "open" in out) == (0, True)
    assert "closed/metrics.jsonl: Permission denied" in err


def test_a_run_whose_recipe_cannot_be_read_is_told_by_its_last_evaluation(tmp_path):
    folder = write_run(tmp_path / "torn")
    (folder / "recipe.yaml").write_text("a: [")
    assert read_run(folder).stages == ["sft", "grpo"]
    assert list(read_run(folder).evaluations) == ["start", "after-sft", "after-grpo"]


def test_an_arrow_is_an_escape_where_the_encoding_has_none(place):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "biorlhf", "runs", "--folder", str(place)]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "\\u2192" in ended.stdout


def test_one_run_is_shown_with_what_it_learnt_and_the_command_that_comes_next(place):
    found = details(place / "cut")
    assert found["state"] == "stopped"
    assert found["summary"][0].startswith("It learnt")
    assert found["parts"]["checkpoints"] == 1500


def test_clean_takes_checkpoints_of_complete_runs_alone_and_keeps_adapters(place):
    found = removable(None, place, rollouts=False)
    assert found == {place / "whole" / "checkpoints": 1500}
    assert remove(found, yes=True, quiet=True)["bytes"] == 1500
    assert (place / "whole" / "checkpoints").is_dir()
    assert (place / "whole" / "adapters/01-grpo/file").is_file()
    assert (place / "whole" / "adapter/file").is_file()
    assert (place / "cut" / "checkpoints/01-grpo-00008/file").is_file()
    assert set(removable([place / "whole"], place, rollouts=True)) == {place / "whole" / "rollouts"}


@pytest.mark.parametrize(("name", "word"), [("live", "works on this run"), ("cut", "not complete")])
def test_clean_refuses_a_run_that_is_live_or_that_can_go_on(place, name, word):
    with pytest.raises(InputError, match=word):
        removable([place / name], place, rollouts=True)
    assert (place / name / "checkpoints/01-grpo-00008/file").is_file()


def test_clean_asks_and_without_a_terminal_takes_nothing(place, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(InputError, match="--yes"):
        remove({place / "whole" / "checkpoints": 1500}, yes=False, quiet=False)
    assert (place / "whole" / "checkpoints/01-grpo-00008/file").is_file()


def test_a_run_is_live_while_its_lock_is_held_whatever_its_file_says(place):
    lives = place / "live"
    row = json.loads((lives / "progress.json").read_text())
    for said in ({**row, "state": "stopped"}, {**row, "pid": 2**22}, {}):
        assert is_live(lives, said)
    # A process of that number that is another's: the run that wrote it is gone.
    (place / "cut" / "progress.json").write_text(json.dumps(row))
    Lock(place / "cut").release()
    assert not is_live(place / "cut")
    assert not is_live(place / "whole")
    # A job on another machine, whose locks may not be seen here: its file can be old, or hold anything.
    assert is_live(place / "cut", {**row, "host": "node-7"})
    for updated in (time.time() - 2 * SILENT_S, None, "now"):
        assert not is_live(place / "cut", {**row, "host": "node-7", "updated": updated})


def test_who_only_looks_keeps_no_run_from_its_folder(place):
    """A look takes the lock for a moment; a run that begins in that moment asks again."""
    folder = place / "cut"
    Lock(folder).release()
    descriptor = os.open(folder / "run.lock", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    looked = threading.Timer(0.1, os.close, (descriptor,))
    looked.start()
    mine = Lock(folder)
    assert is_live(folder)
    mine.release()
    looked.join()


def test_clean_takes_nothing_of_a_run_that_was_taken_while_it_asked(place):
    found = removable(None, place, rollouts=False)
    lock = Lock(place / "whole")
    with pytest.raises(InputError, match="this run is in use"):
        remove(found, yes=True, quiet=True)
    assert (place / "whole" / "checkpoints/01-grpo-00008/file").is_file()
    lock.release()
    assert remove(found, yes=True, quiet=True)["bytes"] == 1500


def test_a_run_that_has_said_nothing_yet_is_starting(place):
    (place / "live" / "progress.json").unlink()
    assert status(place / "live").startswith("live: starting")


def test_watching_shows_the_bar_and_the_numbers_and_ends_with_the_run(place, capsys):
    from rich.console import Console

    assert newest(place) == place / "live"
    assert status(place / "live") == "live: grpo 4/10, loss 0.1, reward 0.8, kl 0.008, 2:10 left"
    console = Console(width=80, record=True)
    console.print(view(place / "live"))
    assert "▁▂▃▄▅▆▇█" in console.export_text()
    follow(place / "cut")
    assert "cut: stopped" in capsys.readouterr().out
    with pytest.raises(InputError, match="no run here"):
        follow(place / "none")
    with pytest.raises(InputError):
        newest(place / "whole")


def test_a_run_notes_how_far_it_is_and_whether_it_ended_whole(tmp_path):
    store = RunStore(tmp_path)
    with noted(Silence(), store) as listener:
        assert read_progress(tmp_path) == {}
        listener.begin("sft", 2, 0, "step")
        listener.step(StepResult(StepMetrics("sft", 2, {})))
        row = read_progress(tmp_path)
        assert (row["phase"], row["done"], row["total"], row["left_s"]) == ("sft", 2, 2, 0.0)
    assert read_progress(tmp_path)["state"] == "complete"
    with pytest.raises(KeyboardInterrupt), noted(Silence(), store):
        raise KeyboardInterrupt
    assert read_progress(tmp_path)["state"] == "stopped"


def test_seconds_are_kept_by_phase_and_a_resumed_run_adds_its_own(tmp_path, monkeypatch):
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr("biorlhf.runs.watching.progress_file.time.monotonic", lambda: float(next(clock)))
    store = RunStore(tmp_path)
    with noted(Silence(), store) as listener:
        for name in ("evaluation start", "sft"):
            listener.begin(name, 2, 0, "step")
            listener.end()
    first = read_progress(tmp_path)["seconds"]
    assert set(first) == {"evaluation start", "sft"}
    assert first["sft"] > 0
    with noted(Silence(), store) as listener:
        listener.begin("sft", 2, 0, "step")
        listener.end()
    assert read_progress(tmp_path)["seconds"] == {**first, "sft": 2 * first["sft"]}


def test_a_row_whose_stage_is_no_word_is_told_as_it_stands(tmp_path, capsys, monkeypatch):
    folder = write_run(tmp_path / "odd")
    with (folder / "metrics.jsonl").open("a") as rows:
        rows.write('{"stage": ["x"], "step": 2}\n')
    code, out, _ = command(monkeypatch, capsys, "report", str(folder))
    assert code == 0
    assert "['x'] 2 steps" in out
