"""SIGKILL at random moments of a GRPO run, and --resume: the numbers are those of a run nobody killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from biorlhf.recipe import yaml12
from tiny_model import write_tiny_model

STEPS_A_KILL = 6  # of a few hundredths of a second each: the last kill falls well before the last step


def recipe(folder: Path, engine: str, steps: int) -> dict:
    return {
        "name": "killed",
        "model": {"base": str(folder / "model"), "dtype": "fp32"},
        "lora": {"r": 4, "alpha": 8, "dropout": 0.1},
        "prompt": {"template": "plain", "answer": "free", "max_tokens": 64},
        "data": [{"dataset": "kmp", "split": "paraphrase", "max_questions": 24, "max_test_questions": 4}],
        "verifiers": [{"verifier": "factual", "weight": 0.6}, {"verifier": "uncertainty", "weight": 0.4}],
        "stages": [
            {
                "trainer": "grpo",
                "prompts_per_step": 3,
                "generations": 4,
                "steps": steps,
                "iterations": 2,
                "beta": 0.01,
                "importance_cap": 2.0 if engine == "transformers" else None,
                "silent_groups": "keep",
                "optimizer": {"learning_rate": 1e-2, "schedule": "cosine", "warmup": 0.2},
            }
        ],
        "rollout": {"engine": engine, "max_completion_tokens": 12, "script": str(folder / "script.json")},
        "evaluation": {"questions": 4, "split": "test"},
        "store": {"folder": str(folder / "runs"), "checkpoint_every": 2},
        "cluster": {"backend": "inline"},
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("kills")
    (folder / "model").mkdir()
    write_tiny_model(folder / "model")
    answers = ["6,425 DEGs. Confidence: 90%", "67 DEGs. Confidence: 20%", "It cannot be told.", "1,555 genes"]
    (folder / "script.json").write_text(json.dumps({"default": answers}))
    return folder


def written(place: Path, engine: str, steps: int) -> str:
    """The path of a recipe."""
    path = place / f"{engine}-{steps}.yaml"
    path.write_text(yaml12.dump(recipe(place, engine, steps)))
    return str(path)


def start(*args: str) -> subprocess.Popen:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "biorlhf", "run", *args, "--json"]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen) -> Path:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return Path(json.loads(out)["folder"])


def numbers(folder: Path) -> list[dict]:
    """Every metric of every step but the times."""
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if not k.endswith("_s")} for row in rows]


def lines_in(folder: Path) -> int:
    path = folder / "metrics.jsonl"
    return path.read_text().count("\n") if path.exists() else 0


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("engine", "often"),
    [
        ("transformers", 3),
        *(pytest.param(engine, 10, marks=pytest.mark.hostile) for engine in ("scripted", "transformers")),
    ],
)
def test_a_run_killed_often_gives_the_numbers_of_one_never_killed(place, engine, often):
    steps = STEPS_A_KILL * often
    path = written(place, engine, steps)
    whole = finish(start(path))
    before = set((place / "runs").iterdir())
    draw = random.Random(engine)
    process = start(path)
    folder, kills = None, 0
    while kills < often:
        reached = lines_in(folder) if folder else 0
        goal = min(reached + draw.randint(0, 3), steps - 1)
        while process.poll() is None and (folder is None or lines_in(folder) < goal):
            fresh = set((place / "runs").iterdir()) - before
            folder = folder or (fresh.pop() if fresh else None)
            time.sleep(0.01)
        time.sleep(draw.random() * 0.1)
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += 1
        process = start("--resume", str(folder))
    assert finish(process) == folder
    assert kills == often, "the run was over before it could be killed often enough"
    assert numbers(folder) == numbers(whole)
    for name in ("adapter/adapter_model.safetensors", "evaluations/after-grpo.json"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes(), name
    assert not list(folder.rglob("*.partial"))
    for path in folder.rglob("*.parquet"):
        assert pq.read_table(path).num_rows > 0
    for path in folder.rglob("*.json"):
        json.loads(path.read_text())


def test_a_finished_run_is_not_run_again(place):
    folder = finish(start(written(place, "scripted", 1)))
    stamp = (folder / "summary.json").stat().st_mtime_ns
    assert finish(start("--resume", str(folder))) == folder
    assert (folder / "summary.json").stat().st_mtime_ns == stamp
