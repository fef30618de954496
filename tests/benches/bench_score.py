"""How fast `biorlhf score` is, how many cores it uses, and how much memory.

    python tests/benches/bench_score.py --rows 100000 [--verifiers V1,V2,V3,V4] [--jobs N]

Prints one JSON object. ``cores_used`` is CPU time over wall time, of this process and its children;
``peak_rss_mb`` is the parent's, ``peak_child_rss_mb`` the largest child's.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
from pathlib import Path

from biorlhf.commands.score import spec_of, verifier_name
from biorlhf.scoring.cores import cores
from biorlhf.scoring.pool import FileJob, score_file

TISSUES = {"heart": 165, "hippocampus": 1555, "liver": 4110, "soleus": 6425}


def write_rows(path: Path, count: int) -> None:
    """Answers of about 300 tokens to questions about figures and pathways, half of them right."""
    draw = random.Random(0)
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            file.write(json.dumps(_row(number, draw)) + "\n")


def _row(number: int, draw: random.Random) -> dict:
    tissue = draw.choice(list(TISSUES))
    confidence = f"Confidence: {draw.randrange(5, 100, 5)}%"
    filler = " ".join(
        f"In step {n} the counts of {t} under HU were compared with those under IR, which are {v + n:,}."
        for n, (t, v) in enumerate(list(TISSUES.items()) * 3, start=1)
    )
    if number % 2:
        value = TISSUES[tissue] * (1 if draw.random() < 0.5 else 3)
        fact = {"entity": tissue, "condition": "HU", "quantity": "DEG count", "value": TISSUES[tissue]}
        prompt, truth = f"How many DEGs has {tissue} under HU?", {"facts": [fact]}
        answer = f"{tissue.capitalize()} has {value:,} DEGs under HU."
    else:
        direction = draw.choice(["up", "down"])
        prompt = f"Which way does E2F Targets go in {tissue}, flight versus ground?"
        truth = {
            "pathway": "HALLMARK_E2F_TARGETS",
            "direction": "DOWN",
            "tissue": tissue,
            "contrast": "flight_vs_ground",
        }
        answer = f"E2F Targets is {direction} in {tissue}, flight versus ground."
    response = f"{filler} {answer} {confidence}"
    return {"id": f"r{number}", "prompt": prompt, "response": response, "ground_truth": truth}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--verifiers", default=None)
    parser.add_argument("--jobs", type=int, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")
        write_rows(source, options.rows)
        size_mb = source.stat().st_size / 1e6
        job = FileJob(source, out, spec_of(options.verifiers, None, None), verifier_name, options.jobs)
        cpu, wall = _cpu_s(), time.monotonic()
        summary, _ = score_file(job, lambda rows: None, lambda done: None)
        wall, cpu = time.monotonic() - wall, _cpu_s() - cpu
        written = sum(1 for _ in out.open("rb"))
    own, children = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(
        json.dumps(
            {
                "rows": written,
                "input_mb": round(size_mb, 1),
                "verifiers": list(summary.verifiers),
                "failed": sum(tally.counts["failed"] for tally in summary.verifiers.values()),
                "seconds": round(wall, 2),
                "rows_per_s": round(written / wall),
                "jobs": summary.jobs,
                "cores": cores(),
                "cores_used": round(cpu / wall, 2),
                "peak_rss_mb": round(own.ru_maxrss / 1024),
                "peak_child_rss_mb": round(children.ru_maxrss / 1024),
            }
        )
    )


def _cpu_s() -> float:
    """CPU seconds of this process and of its children that have ended."""
    own, children = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main()
