"""A run's folder under attack: two at once, a full disk, damaged files, changed recipes and data."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from biorlhf.errors import InputError, RunFailure
from biorlhf.recipe import yaml12
from biorlhf.runs.keeping import disk
from biorlhf.runs.keeping.lock import Lock
from biorlhf.runs.store import RunStore
from tiny_run import numbers, outcome, run, write_tiny_run

# Fault 1: two at once.


def test_a_run_that_another_process_holds_is_not_resumed_and_says_who_holds_it(cut):
    before = sorted(path.name for path in cut.rglob("*"))
    hold = "import sys, pathlib\nfrom biorlhf.runs.keeping.lock import Lock\n"
    hold += "lock = Lock(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", hold, str(cut)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout.readline() == "held\n"
    code, said = run("--resume", str(cut))
    assert code == 2
    assert f"this run is in use: process {other.pid} on {os.uname().nodename} holds it since 20" in said
    assert sorted(path.name for path in cut.rglob("*")) == before
    other.kill()
    other.communicate()
    Lock(cut).release()  # what a dead process held is free


def test_a_child_that_outlives_its_parent_does_not_hold_the_run(cut):
    code = "import os, sys, pathlib, time\nfrom biorlhf.runs.keeping.lock import Lock\n"
    code += "lock = Lock(pathlib.Path(sys.argv[1]))\n"
    code += "pid = os.fork()\nif pid == 0: os.close(1); time.sleep(60)\nprint(pid, flush=True); os._exit(0)"
    command = [sys.executable, "-c", code, str(cut)]
    parent = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    child = int(parent.stdout)
    try:
        lock = Lock(cut)
        assert json.loads(lock.path.read_text())["pid"] == os.getpid()
        assert Path(f"/proc/{child}").exists()
        lock.release()
    finally:
        os.kill(child, 9)


def test_a_file_system_without_locks_is_refused(cut, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(InputError, match="has no locks"):
        RunStore.open(cut).hold()


# Fault 8: readers.


def test_a_reader_deletes_nothing(cut):
    mine = cut / "notes.partial"
    live = cut / f".metrics.jsonl.{os.getppid()}.partial"
    for path in (mine, live):
        path.write_text("being written")
    RunStore.open(cut)
    store = RunStore.open(cut)
    store.hold()
    store.release()
    assert mine.exists()  # a user's own
    assert live.exists()  # of a process that lives


def test_who_holds_a_folder_clears_what_a_dead_process_had_begun(cut):
    dead = subprocess.Popen(["true"])
    dead.wait()
    (cut / f".manifest.json.{dead.pid}.partial").write_text('{"half')
    (cut / f"checkpoints/.00-grpo-00006.{dead.pid}.partial").mkdir()
    store = RunStore.open(cut)
    store.hold()
    store.release()
    assert not list(cut.rglob("*.partial"))


# Fault 4: the disk.


def test_a_short_write_is_gone_on_with(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data)[:3]))
    disk.write_file(tmp_path / "a.json", b'{"whole": true}')
    disk.append(tmp_path / "rows", b"first row\n")
    assert (tmp_path / "a.json").read_bytes() == b'{"whole": true}'
    assert (tmp_path / "rows").read_bytes() == b"first row\n"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EIO, "the disk fails"),
    ],
)
def test_a_disk_that_takes_half_a_row_leaves_none_of_it_and_is_named(tmp_path, monkeypatch, number, words):
    rows = tmp_path / "metrics.jsonl"
    rows.write_text("first\n")
    real, calls = os.write, []

    def fills_up(descriptor, data):
        calls.append(len(data))
        if len(calls) > 1:
            raise OSError(number, os.strerror(number))
        return real(descriptor, bytes(data)[:4])

    monkeypatch.setattr(os, "write", fills_up)
    with pytest.raises(RunFailure, match=words):
        disk.append(rows, b"second row\n")
    assert rows.read_text() == "first\n"
    calls.clear()
    with pytest.raises(RunFailure, match=words):
        disk.write_file(tmp_path / "new.json", b"0123456789")
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_a_run_whose_disk_fills_up_ends_with_1_and_goes_on_once_there_is_room(tmp_path, whole):
    recipe = write_tiny_run(tmp_path)
    limit = max(path.stat().st_size for path in (whole / "checkpoints").rglob("*.safetensors")) - 1
    limited = [sys.executable, "-c", LIMITED, str(limit), str(recipe)]
    done = subprocess.run(limited, capture_output=True, text=True, timeout=120, check=False)
    [folder] = (tmp_path / "runs").iterdir()
    assert done.returncode == 1, done.stderr
    assert "the file may not grow further" in done.stderr
    assert f"go on with: biorlhf run --resume {folder}" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(folder.rglob("*.partial"))
    assert run("--resume", str(folder))[0] == 0
    assert outcome(folder)["numbers"] == numbers(whole)


LIMITED = """
import resource, sys
from biorlhf.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.argv = ["biorlhf", "run", sys.argv[2]]
main()
"""


# Fault 11: damaged folders.


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(cut, whole, resumed):
    (cut / "checkpoints/00-grpo-00004/state.json").write_text("")
    said = resumed(cut)
    assert "passed over: checkpoints/00-grpo-00004: state.json is damaged" in said
    assert outcome(cut)["numbers"] == numbers(whole)


def test_a_checkpoint_of_which_one_byte_differs_is_passed_over(cut, whole, resumed):
    path = cut / "checkpoints/00-grpo-00004/policy.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert "passed over: checkpoints/00-grpo-00004: policy.safetensors is damaged" in resumed(cut)
    assert outcome(cut) == outcome(whole)


def test_a_run_without_a_whole_checkpoint_says_what_can_be_saved(cut, resumed):
    for path in cut.glob("checkpoints/*/learner.json"):
        path.unlink()
    with pytest.raises(InputError, match=r"no checkpoint is whole.*learner.json is missing") as error:
        resumed(cut)
    assert "what can be saved" in str(error.value)
    assert len(numbers(cut)) == 5


def test_lost_checkpoints_do_not_begin_a_run_anew_in_silence(cut, resumed):
    shutil.rmtree(cut / "checkpoints")
    with pytest.raises(InputError, match="none is left of a run that made 5 steps"):
        resumed(cut)
    assert len(numbers(cut)) == 5


def test_lost_rows_are_named_and_go_on_only_if_accepted(cut, resumed):
    lines = (cut / "metrics.jsonl").read_text().splitlines(keepends=True)
    (cut / "metrics.jsonl").write_text(lines[0] + lines[2][:40] + "\n" + "".join(lines[3:]))
    with pytest.raises(InputError, match="no row of grpo, steps 2, 3"):
        resumed(cut)
    resumed(cut, accept_changes=True)
    manifest = json.loads((cut / "manifest.json").read_text())
    assert manifest["changes"][0]["differences"] == ["metrics.jsonl: no row of grpo, steps 2, 3"]


def test_a_row_that_was_being_written_is_made_again(cut, whole, resumed):
    with (cut / "metrics.jsonl").open("a") as file:
        file.write('{"stage": "grpo", "step": 6, "lo')
    resumed(cut)
    assert outcome(cut) == outcome(whole)


def test_rows_that_two_runs_wrote_are_not_counted_twice(cut, whole, resumed):
    lines = (cut / "metrics.jsonl").read_text()
    (cut / "metrics.jsonl").write_text(lines + lines)
    resumed(cut)
    assert outcome(cut)["numbers"] == numbers(whole)


def test_truncated_parquet_is_named_and_ends_nothing(cut, whole, resumed):
    path = cut / "rollouts/grpo-00002.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    said = resumed(cut)
    problem = "rollouts/grpo-00002.parquet: is no whole Parquet file; its completions are not counted"
    assert f"damaged: {problem}" in said
    assert json.loads((cut / "summary.json").read_text())["damaged"] == [problem]
    assert numbers(cut) == numbers(whole)


def test_files_of_a_user_among_the_rollouts_stay_and_are_not_counted(cut, whole, resumed):
    names = ("notes.parquet", "grpo-best.parquet", "sft-00001.parquet", "plot.png")
    for name in names:
        (cut / "rollouts" / name).write_text("mine")
    (cut / "checkpoints/my-favourite").mkdir()
    (cut / "checkpoints/my-favourite/state.json").write_text("{}")
    resumed(cut)
    assert all((cut / "rollouts" / name).read_text() == "mine" for name in names)
    assert (cut / "checkpoints/my-favourite/state.json").exists()
    assert json.loads((cut / "summary.json").read_text())["verifiers"] == outcome(whole)["verifiers"]


@pytest.mark.parametrize("content", [None, "", "[]", '{"half'])
def test_a_lost_manifest_is_written_again(cut, resumed, content):
    if content is None:
        (cut / "manifest.json").unlink()
    else:
        (cut / "manifest.json").write_text(content)
    assert any("it is written again" in line for line in resumed(cut))
    assert json.loads((cut / "manifest.json").read_text())["recipe"]["name"] == "tiny"


def test_a_lost_recipe_can_be_put_back_from_the_manifest(cut, whole, resumed):
    recipe = cut / "recipe.yaml"
    recipe.unlink()
    with pytest.raises(InputError, match=r"manifest\.json holds under 'recipe'"):
        resumed(cut)
    recipe.write_text(json.dumps(json.loads((cut / "manifest.json").read_text())["recipe"]))
    resumed(cut)
    assert outcome(cut) == outcome(whole)


# Fault 10: what the run was started with.


def changed(folder: Path, **sections) -> None:
    recipe = yaml12.load((folder / "recipe.yaml").read_text(), "recipe.yaml")[0]
    for name, section in sections.items():
        recipe[name] = {**recipe[name], **section} if isinstance(section, dict) else section
    (folder / "recipe.yaml").write_text(yaml12.dump(recipe))


def test_a_changed_recipe_is_refused_key_by_key_and_accepted_on_request(cut, resumed):
    changed(cut, seed=7, rollout={"temperature": 0.5})
    with pytest.raises(InputError, match="this is not what the run was started with") as error:
        resumed(cut)
    assert "recipe: seed: 42 then, 7 now" in str(error.value)
    assert "recipe: rollout.temperature: 1.0 then, 0.5 now" in str(error.value)
    assert "--accept-changes" in str(error.value)
    said = resumed(cut, accept_changes=True)
    assert "accepted: recipe: seed: 42 then, 7 now" in said
    manifest = json.loads((cut / "manifest.json").read_text())
    assert manifest["recipe"]["seed"] == 7
    assert manifest["changes"][0]["differences"] == [
        "recipe: rollout.temperature: 1.0 then, 0.5 now",
        "recipe: seed: 42 then, 7 now",
    ]


def test_another_rank_is_not_accepted_and_left_unused(cut, resumed):
    changed(cut, lora={"r": 8})
    with pytest.raises(InputError, match="r is 8, but the adapter to be trained on has 4"):
        resumed(cut, accept_changes=True)


def test_changed_data_is_refused_with_the_file(tmp_path, resumed):
    rows = [
        {"id": f"q{n}", "prompt": f"How many mice lived in cage {n}?", "ground_truth": {"answer": str(n)}}
        for n in range(12)
    ]
    file = tmp_path / "cages.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = [{"dataset": "jsonl", "file": str(file)}]
    folder = tmp_path / "lab"
    recipe = write_tiny_run(folder, data=data, evaluation={"questions": 0})
    code, said = run(str(recipe))
    assert code == 0, said
    [made] = (folder / "runs").iterdir()
    (made / "summary.json").unlink()
    rows[3]["ground_truth"]["answer"] = "17"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InputError, match="this is not what the run was started with") as error:
        resumed(made)
    assert "files.0.sha256: " in str(error.value)


def test_an_unchanged_run_is_the_same_to_its_manifest(cut, whole, resumed):
    resumed(cut)
    assert outcome(cut) == outcome(whole)
    assert "changes" not in json.loads((cut / "manifest.json").read_text())


# Fault 23: counts.


def test_the_failure_budget_goes_on_across_resumes(cut, resumed):
    table = cut / "rollouts/grpo-00001.parquet"
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = pq.read_table(table).to_pylist()
    # Eight of the five that a hundred completions may have.
    for row in rows[:8]:
        row["status_factual"], row["score_factual"] = "failed", None
    pq.write_table(pa.Table.from_pylist(rows, pq.read_schema(table)), table)
    with pytest.raises(RunFailure, match="'factual' failed on 8 of"):
        resumed(cut)


def test_restarts_of_scorers_are_added_up_over_resumes(cut, resumed):
    state = cut / "checkpoints/00-grpo-00004/state.json"
    state.write_text(json.dumps({**json.loads(state.read_text()), "scorer_restarts": 3}))
    resumed(cut)
    assert json.loads((cut / "summary.json").read_text())["scorer_restarts"] == 3


def test_a_complete_run_is_left_as_it_is(whole, resumed):
    before = (whole / "summary.json").stat().st_mtime_ns
    assert any("this run is complete" in line for line in resumed(whole))
    assert (whole / "summary.json").stat().st_mtime_ns == before
