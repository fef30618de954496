"""A whole GRPO run of seconds: a tiny model, a scripted sampler, two verifiers.

On the tests' import path: ``from tiny_run import write_tiny_run``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from biorlhf.recipe import yaml12
from tiny_model import write_tiny_model

ANSWERS = ["6,425 DEGs. Confidence: 90%", "67 DEGs. Confidence: 20%", "It cannot be told.", "1,555 genes"]


def write_tiny_run(folder: Path, *, backend: str = "inline", steps: int = 6, **sections: Any) -> Path:
    """A recipe, and the model and script that it names; ``sections`` are laid over its own."""
    (folder / "model").mkdir(parents=True, exist_ok=True)
    write_tiny_model(folder / "model")
    (folder / "script.json").write_text(json.dumps({"default": ANSWERS}))
    recipe: dict[str, Any] = {
        "name": "tiny",
        "model": {"base": str(folder / "model"), "dtype": "fp32"},
        "lora": {"r": 4, "alpha": 8},
        "prompt": {"template": "plain", "answer": "free", "max_tokens": 64},
        "data": [{"dataset": "kmp", "split": "paraphrase", "max_questions": 24, "max_test_questions": 4}],
        "verifiers": [{"verifier": "factual", "weight": 0.6}, {"verifier": "uncertainty", "weight": 0.4}],
        "stages": [
            {
                "trainer": "grpo",
                "prompts_per_step": 3,
                "generations": 4,
                "steps": steps,
                "silent_groups": "keep",
                "optimizer": {"learning_rate": 1e-2},
            }
        ],
        "rollout": {"engine": "scripted", "max_completion_tokens": 12, "script": str(folder / "script.json")},
        "learner": {},
        "scorer": {},
        "evaluation": {"questions": 4, "split": "test"},
        "store": {"folder": str(folder / "runs"), "checkpoint_every": 2},
        "cluster": {"backend": backend},
    }
    for name in ("rollout", "learner", "scorer"):
        recipe[name] |= {"cpus": 0}
    for name, section in sections.items():
        recipe[name] = {**recipe[name], **section} if isinstance(section, dict) else section
    path = folder / "recipe.yaml"
    path.write_text(yaml12.dump(recipe))
    return path


def start(
    *arguments: str, program: Sequence[str] = ("-m", "biorlhf", "run"), **options: Any
) -> subprocess.Popen[str]:
    """``biorlhf run …`` as a process of its own, in a group of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", **options.pop("env", {})}
    return subprocess.Popen(
        [sys.executable, *program, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def run(*arguments: str, timeout_s: float = 300, **options: Any) -> tuple[int, str]:
    """Exit code, and what was said on stderr."""
    process = start(*arguments, **options)
    _, said = process.communicate(timeout=timeout_s)
    return process.returncode, said


def numbers(folder: Path) -> list[dict[str, Any]]:
    """Every metric of every step but the times."""
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if not k.endswith("_s")} for row in rows]


def outcome(folder: Path) -> dict[str, Any]:
    """What two runs of one recipe must agree in to the last bit: all but times, versions and restarts."""
    summary = json.loads((folder / "summary.json").read_text())
    return {
        "numbers": numbers(folder),
        "adapter": (folder / "adapter" / "adapter_model.safetensors").read_bytes(),
        "evaluation": json.loads((folder / "evaluations" / "after-grpo.json").read_text()),
        "verifiers": summary["verifiers"],
        "completions": [
            pq.read_table(path).to_pylist() for path in sorted((folder / "rollouts").glob("grpo-*.parquet"))
        ],
    }


def family(pid: int) -> dict[int, str]:
    """The processes below ``pid``, with the command of each."""
    parents: dict[int, int] = {}
    commands: dict[int, str] = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text(errors="replace").rpartition(")")[2].split()
            command = (path / "cmdline").read_text(errors="replace")
            commands[int(path.name)] = command.replace("\0", " ").strip()
        except OSError:  # it has ended meanwhile
            continue
        if fields[0] != "Z":
            parents[int(path.name)] = int(fields[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return {child: commands[child] for child in found - {pid}}


def member(pid: int, name: str) -> int:
    """The one process below ``pid`` whose command holds ``name``: ``RolloutWorker``, ``raylet/raylet``, …"""
    [found] = [child for child, command in family(pid).items() if name in command]
    return found


def alive(pids: Iterable[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists() and "Z" not in _state(pid)]


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def wait_for_rows(process: subprocess.Popen[str], runs: Path, rows: int, timeout_s: float = 180) -> Path:
    """The folder of a run that was started, once it has made so many steps."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end and process.poll() is None:
        for path in runs.glob("*/metrics.jsonl"):
            if path.read_text().count("\n") >= rows:
                return path.parent
        time.sleep(0.02)
    process.kill()
    raise AssertionError(f"no step {rows} in {timeout_s:g} s: {process.communicate()[1]}")


VOWELS = """
from biorlhf import Score, VerifierPlugin, hookimpl

class Vowels:
    def score(self, question, text):
        return Score.scored(sum(letter in "aeiouAEIOU0123456789" for letter in text) / max(1, len(text)))

@hookimpl
def biorlhf_verifiers():
    yield VerifierPlugin(name="vowels", build=lambda config: Vowels())
"""


def write_vowels(folder: Path) -> dict[str, str]:
    """Install a verifier that tells even an untrained model's texts apart; gives the environment with it."""
    info = folder / "site" / "vowels-1.0.dist-info"
    info.mkdir(parents=True)
    (info.parent / "vowels.py").write_text(VOWELS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vowels\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[biorlhf]\nvowels = vowels\n")
    return {"PYTHONPATH": os.pathsep.join([str(info.parent), *filter(None, [os.environ.get("PYTHONPATH")])])}
