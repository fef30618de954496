"""Both sides on one machine, one after the other: JSON, and a table of ratios.

    make bench-peer                                   (or, with fewer steps:)
    .venv/bin/python tests/benches/peer/bench_peer.py --steps 2 --only sft,grpo-8 --out runs/peer.json

The first step of each side warms up and is left out. The figure is the median of the others; for SFT, whose
batches differ in length, their mean over three times as many, so that every token counts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import workload

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PEER = ROOT / ".venv-peer" / "bin" / "python"
#: row -> task, generations, and how many times faster than the peer it should be
ROWS = {
    "grpo-8": ("grpo", 8, 3.0),
    "grpo-16": ("grpo", 16, 3.0),
    "sft": ("sft", 0, 4.0),
    "dpo": ("dpo", 0, 2.0),
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


def seconds(found: dict[str, Any]) -> float:
    """Of a step: the median, and of SFT the mean."""
    measured = found["seconds"][1:]
    return statistics.mean(measured) if found["task"] == "sft" else statistics.median(measured)


def row(task: str, generations: int, target: float, ours: dict[str, Any], peer: dict[str, Any]) -> list[str]:
    our_s, peer_s = seconds(ours), seconds(peer)
    if task == "sft":
        work = workload.SFT_BATCH * ours["tokens_per_text"]
        rate = f"{work / our_s:.0f} / {work / peer_s:.0f} tokens/s"
    elif task == "dpo":
        rate = f"{workload.DPO_BATCH / our_s:.2f} / {workload.DPO_BATCH / peer_s:.2f} pairs/s"
    else:
        lengths = (statistics.mean(side["mean_completion_tokens"][1:]) for side in (ours, peer))
        rate = "{:.0f} / {:.0f} tokens an answer".format(*lengths)
    return [
        f"{task} G={generations}" if generations else task,
        f"{our_s:.1f} s",
        f"{peer_s:.1f} s",
        f"{peer_s / our_s:.1f}x (target {target:g}x)",
        rate,
        f"{ours['peak_gb']:.1f} / {peer['peak_gb']:.1f} GB",
    ]


def breakdown(ours: dict[str, Any]) -> str:
    """Where biorlhf's seconds went: the median of each part of a step, the largest first."""
    parts = {name: statistics.median(values[1:]) for name, values in ours["parts"].items()}
    shown = sorted(parts.items(), key=lambda part: -part[1])
    return ", ".join(f"{name.removesuffix('_s')} {seconds:.1f}" for name, seconds in shown if seconds >= 0.05)


def table(rows: list[list[str]]) -> str:
    head = ["task", "biorlhf", "TRL", "ratio", "rate, biorlhf / TRL", "peak memory"]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=6, help="with the first, which warms up")
    parser.add_argument("--only", default=",".join(ROWS), help="rows, with commas between")
    parser.add_argument("--model", default="smollm2-135m-instruct")
    parser.add_argument("--engine", default="vllm", help="biorlhf's sampler: vllm or transformers")
    parser.add_argument("--checkpointing", action="store_true", help="TRL with its default, which is slower")
    parser.add_argument("--out", default=str(ROOT / "runs" / "bench_peer.json"))
    args = parser.parse_args()
    asked = args.only.split(",")
    if unknown := [name for name in asked if name not in ROWS]:
        parser.error(f"--only: no row {unknown[0]!r}; there are {', '.join(ROWS)}")
    from biorlhf.engines.models import resolve_base

    model = str(resolve_base(args.model))
    found, rows = [], []
    for task, generations, target in (ROWS[name] for name in asked):
        steps = args.steps * 3 if task == "sft" else args.steps
        common = [task, "--model", model, "--steps", str(steps)]
        common += ["--generations", str(generations)] if generations else []
        ours = measure(sys.executable, "run_ours.py", [*common, "--engine", args.engine])
        flags = ["--checkpointing"] if args.checkpointing else []
        peer = measure(str(PEER), "run_peer.py", [*common, *flags])
        found += [ours, peer]
        rows.append(row(task, generations, target, ours, peer))
        print(table(rows[-1:]).splitlines()[-1], flush=True)
        print(f"  of it (time_... is within update): {breakdown(ours)}", flush=True)
    out = Path(args.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "machine": platform.machine()}
    out.write_text(json.dumps({"machine": machine, "steps": args.steps, "runs": found}, indent=1) + "\n")
    print(f"\n{table(rows)}\n\n{out}")


if __name__ == "__main__":
    main()
