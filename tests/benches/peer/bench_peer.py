"""Both sides on one machine, turn by turn: JSON, and a table of ratios.

    make bench-peer                                   (or, with fewer steps:)
    .venv/bin/python tests/benches/peer/bench_peer.py --rounds 1 --only sft,grpo-8 --out runs/peer.json

The peer is measured twice: with gradient checkpointing, which is its default, and without, which takes less
time and more memory. In each round every side runs in turn, so that a machine whose speed drifts treats them
alike; the first step of a run warms up and is left out. The figure is the median of what all rounds measured;
for SFT, whose batches differ in length, it is their mean, so that every token counts. SFT and DPO, whose
steps are short, take three times as many.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import workload

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PEER = ROOT / ".venv-peer" / "bin" / "python"
#: row -> task, generations, and how many times faster than the peer it should be
ROWS = {
    "dpo": ("dpo", 0, 2.0),
    "sft": ("sft", 0, 4.0),
    "grpo-8": ("grpo", 8, 3.0),
    "grpo-16": ("grpo", 16, 3.0),
}


def measure(python: str, script: str, arguments: list[str]) -> dict[str, Any]:
    """Run one side in a process of its own; its last line of output is its report."""
    command = [python, str(HERE / script), *arguments]
    environment = {**os.environ, "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return json.loads(lines[-1])


@dataclass(frozen=True)
class Side:
    name: str
    python: str
    script: str
    flags: tuple[str, ...] = ()


OURS = Side("biorlhf", sys.executable, "run_ours.py")
PEERS = (
    Side("TRL", str(PEER), "run_peer.py"),
    Side("TRL's default", str(PEER), "run_peer.py", ("--checkpointing",)),
)
Runs = list[dict[str, Any]]  # a side's reports, a round each


def measured(runs: Runs, values: Callable[[dict[str, Any]], list[float]]) -> list[float]:
    """What every round measured, without each one's first step."""
    return [value for run in runs for value in values(run)[1:]]


def seconds(runs: Runs) -> float:
    """Of a step: the median, and of SFT the mean."""
    found = measured(runs, lambda run: run["seconds"])
    return statistics.mean(found) if runs[0]["task"] == "sft" else statistics.median(found)


def rate(runs: Runs, tokens_per_text: float) -> str:
    task, step_s = runs[0]["task"], seconds(runs)
    if task == "sft":
        return f"{workload.SFT_BATCH * tokens_per_text / step_s:.0f} tokens/s"
    if task == "dpo":
        return f"{workload.DPO_BATCH / step_s:.2f} pairs/s"
    lengths = measured(runs, lambda run: run["mean_completion_tokens"])
    return f"{statistics.mean(lengths):.0f} tokens an answer"


def rows_of(task: str, generations: int, target: float, runs: dict[str, Runs]) -> list[list[str]]:
    """A line for each side."""
    title = f"{task} G={generations}" if generations else task
    ours, lines = runs[OURS.name], []
    for side, own in runs.items():
        found = measured(own, lambda run: run["seconds"])
        ratio = "" if side == OURS.name else f"{seconds(own) / seconds(ours):.1f}x (target {target:g}x)"
        spread = f"{seconds(own):.1f} s ({min(found):.1f} to {max(found):.1f}, {len(found)} steps)"
        peak = f"{max(run['peak_gb'] for run in own):.1f} GB"
        lines.append([title, side, spread, rate(own, ours[0]["tokens_per_text"]), ratio, peak])
    return lines


def breakdown(ours: Runs) -> str:
    """Where biorlhf's seconds went: the median of each part of a step, the largest first."""

    def median(part: str) -> float:
        return statistics.median(measured(ours, lambda run: run["parts"][part]))

    shown = sorted(((name, median(name)) for name in ours[0]["parts"]), key=lambda part: -part[1])
    return ", ".join(f"{name.removesuffix('_s')} {seconds:.1f}" for name, seconds in shown if seconds >= 0.05)


def table(rows: list[list[str]]) -> str:
    head = ["task", "side", "a step", "rate", "biorlhf is faster by", "peak memory"]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=4, help="of a run, with its first, which warms up")
    parser.add_argument("--only", default=",".join(ROWS), help="rows, with commas between")
    parser.add_argument("--model", default="smollm2-135m-instruct")
    parser.add_argument("--engine", default="vllm", help="biorlhf's sampler: vllm or transformers")
    parser.add_argument("--out", default=str(ROOT / "runs" / "bench_peer.json"))
    args = parser.parse_args()
    asked = args.only.split(",")
    if unknown := [name for name in asked if name not in ROWS]:
        parser.error(f"--only: no row {unknown[0]!r}; there are {', '.join(ROWS)}")
    from biorlhf.engines.models.load import resolve_base

    model = str(resolve_base(args.model))
    ours = replace(OURS, flags=("--engine", args.engine))
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "processor": processor()}
    found: Runs = []
    rows: list[list[str]] = []
    for task, generations, target in (ROWS[name] for name in asked):
        steps = args.steps if task == "grpo" else 3 * args.steps
        common = [task, "--model", model, "--steps", str(steps)]
        common += ["--generations", str(generations)] if generations else []
        runs: dict[str, Runs] = {}
        for number, side in itertools.product(range(args.rounds), (ours, *PEERS)):
            report = measure(side.python, side.script, [*common, *side.flags])
            print(
                f"round {number + 1} of {args.rounds}: {task} {generations or ''} {side.name}:",
                *(f"{s:.1f}" for s in report["seconds"]),
                file=sys.stderr,
                flush=True,
            )
            runs.setdefault(side.name, []).append(report)
            found.append({"round": number, **report})
            save(Path(args.out), {"machine": machine, "steps": args.steps, "runs": found})
        rows += rows_of(task, generations, target, runs)
        print("\n".join(table(rows).splitlines()[-len(runs) :]), flush=True)
        print(f"  of it (time_... is within update): {breakdown(runs[OURS.name])}", flush=True)
    print(f"\n{table(rows)}\n\n{args.out}")


def save(out: Path, content: dict[str, Any]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def processor() -> str:
    """Its name as Linux has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


if __name__ == "__main__":
    main()
