"""What a change costs a laptop: GRPO's steps by this code beside those by another commit of this repository.

    python tests/benches/bench_overhead.py --before 20a6896        (make bench-overhead; a quarter of an hour)

A recipe like the quickstart's GRPO stage, with vLLM on Ray: SmolLM2-135M, 4 prompts x 8 answers. The sides
run in turns, so that a machine whose speed drifts treats them alike; two idle cores are what it is for. At
most 2 % more is the bar. Both sides draw their answers from the same seeds and learn all of them, so that a
step is the same work. The other commit is cloned into a folder that goes away.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CLOCKS = ("rollout_s", "score_s", "update_s", "sync_s")
BAR = 1.02


def recipe_of(folder: Path, steps: int) -> dict[str, Any]:
    """Keys that old commits know as well."""
    grpo = {
        "trainer": "grpo",
        "prompts_per_step": 4,
        "generations": 8,
        "steps": steps,
        "silent_groups": "keep",
        "mask_truncated": False,
        "optimizer": {"learning_rate": 5e-5},
    }
    weights = {"factual": 0.35, "pathway": 0.30, "consistency": 0.15, "uncertainty": 0.20}
    return {
        "name": "overhead",
        "model": {"base": "smollm2-135m-instruct", "dtype": "fp32"},
        "lora": {"r": 32, "alpha": 64},
        "prompt": {"template": "alpaca", "max_tokens": 128},
        "data": [{"dataset": "kmp"}],
        "verifiers": [{"verifier": name, "weight": weight} for name, weight in weights.items()],
        "stages": [grpo],
        "rollout": {"engine": "vllm", "max_completion_tokens": 48, "canary_tolerance": 0.01},
        "scorer": {"cpus": 0},
        "learner": {"token_budget": 2048},
        "evaluation": {"questions": 0},
        "store": {"folder": str(folder), "checkpoint_every": 10},
    }


def python(code: Path, *arguments: str, folder: Path) -> str:
    """What a program by that code says; it runs in ``folder``, so that no other code is found before it."""
    path = os.pathsep.join([str(code), str(code / "plugins")])
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{code}: {' '.join(arguments)} ended with {done.returncode}\n{done.stderr[-3000:]}")
    return done.stdout


def rows_of(code: Path, folder: Path, steps: int) -> list[dict[str, float]]:
    """One run's steps without the first, which also warms up: the seconds of each part."""
    folder.mkdir()
    found = python(code, "-c", "import biorlhf; print(biorlhf.__file__)", folder=folder).strip()
    if not found.startswith(f"{code}{os.sep}"):
        sys.exit(f"{found} would be measured for {code}")
    # JSON is YAML.
    (folder / "recipe.yaml").write_text(json.dumps(recipe_of(folder / "runs", steps + 1)))
    python(code, "-m", "biorlhf", "run", "recipe.yaml", folder=folder)
    [run] = (folder / "runs").iterdir()
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{clock: row[clock] for clock in CLOCKS} for row in rows[1:]]


def clone(commit: str, folder: Path) -> Path:
    for command in (
        ["git", "clone", "--quiet", "--shared", "--no-checkout", str(ROOT), str(folder)],
        ["git", "-C", str(folder), "-c", "advice.detachedHead=false", "checkout", "--quiet", commit],
    ):
        if subprocess.run(command, check=False).returncode:
            sys.exit(f"--before {commit}: {' '.join(command)} failed")
    return folder


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--before", required=True, help="the commit to compare with")
    ask.add_argument("--steps", type=int, default=5, help="steps of a run that count; one more warms up")
    ask.add_argument("--rounds", type=int, default=2, help="runs of each side")
    given = ask.parse_args()
    seconds: dict[str, list[dict[str, float]]] = {"before": [], "after": []}
    with tempfile.TemporaryDirectory() as place:
        sides = {"before": clone(given.before, Path(place, "code")), "after": ROOT}
        for number in range(given.rounds):
            # Who is first changes: what one leaves warm or hot, it leaves to the other as often.
            for side in list(sides)[:: -1 if number % 2 else 1]:
                rows = rows_of(sides[side], Path(place, f"{side}-{number}"), given.steps)
                seconds[side] += rows
                print(f"{side}: {', '.join(f'{sum(row.values()):.2f}' for row in rows)} s", flush=True)
    medians = {side: statistics.median(sum(row.values()) for row in rows) for side, rows in seconds.items()}
    for side, rows in seconds.items():
        parts = {clock: statistics.median(row[clock] for row in rows) for clock in CLOCKS}
        print(f"{side}: {medians[side]:.2f} s a step; " + ", ".join(f"{k} {v:.2f}" for k, v in parts.items()))
    ratio = medians["after"] / medians["before"]
    print(f"a step after beside before: {ratio:.3f} (at most {BAR:g}){'' if ratio <= BAR else '  MISSED'}")
    if ratio > BAR:
        sys.exit("missed")


if __name__ == "__main__":
    main()
