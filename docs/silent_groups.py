"""How many groups of G answers teach GRPO nothing: ``python docs/silent_groups.py RUN 2 4 8``.

A group whose rewards are all equal has no advantage. RUN kept every group that its GRPO stage sampled, of N
answers each, those that were replaced included; the share for G is over all choices of G of its N answers.
Its 95 % interval is over questions, whose groups are drawn together.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq


def silent(rewards: list[float], size: int) -> float:
    """The share of all choices of ``size`` of these rewards that are equal throughout."""
    counts = Counter(round(reward, 9) for reward in rewards)
    return sum(math.comb(n, size) for n in counts.values()) / math.comb(len(rewards), size)


def groups(run: Path) -> dict[str, list[list[float]]]:
    """The rewards of every group of a run's GRPO stage, by question."""
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    for path in sorted((run / "rollouts").glob("grpo-*.parquet")):
        for row in pq.read_table(path, columns=["question_id", "step", "reward"]).to_pylist():
            if row["reward"] is not None:
                found[row["question_id"], row["step"]].append(row["reward"])
    by_question: dict[str, list[list[float]]] = defaultdict(list)
    for (question, _), rewards in found.items():
        by_question[question].append(rewards)
    return by_question


def main(run: Path, sizes: list[int]) -> None:
    of_size = [[g for g in gs if len(g) >= max(sizes)] for gs in groups(run).values()]
    found = [gs for gs in of_size if gs]
    if not found:
        raise SystemExit(f"{run}: no GRPO stage with groups of {max(sizes)} answers")
    draws = np.random.default_rng(0).integers(len(found), size=(10_000, len(found)))
    counts = np.array([len(of_question) for of_question in found])
    rows = []
    for size in sizes:
        sums = np.array([sum(silent(rewards, size) for rewards in of_question) for of_question in found])
        shares = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
        low, high = np.quantile(shares, (0.025, 0.975))
        share = {"value": sums.sum() / counts.sum(), "low": low, "high": high}
        rows.append({"answers": size, "silent": {key: round(float(v), 3) for key, v in share.items()}})
    print(json.dumps({"questions": len(found), "groups": int(counts.sum()), "by_size": rows}, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(size) for size in sys.argv[2:]])
