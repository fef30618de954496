"""How many groups of G answers teach GRPO nothing: ``python docs/silent_groups.py SCORED.jsonl 4 8 16``.

SCORED is what ``biorlhf score`` wrote for answers of ``biorlhf generate --n N``. A group whose rewards are
all equal has no advantage. The share for G is over all choices of G of a question's N answers, so one
sample of N = 16 answers tells of 4 and 8 as well; its 95 % interval is over questions.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np


def silent(rewards: list[float], size: int) -> float:
    """The share of all choices of ``size`` of these rewards that are equal throughout."""
    counts = Counter(round(reward, 9) for reward in rewards)
    return sum(math.comb(n, size) for n in counts.values()) / math.comb(len(rewards), size)


def groups(path: Path) -> list[list[float]]:
    """The rewards of each question; its answers' ids end in "#1", "#2" and so on."""
    found: dict[str, list[float]] = defaultdict(list)
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["reward"] is not None:
            found[row["id"].rpartition("#")[0]].append(row["reward"])
    return list(found.values())


def main(path: Path, sizes: list[int]) -> None:
    found = groups(path)
    draws = np.random.default_rng(0).integers(len(found), size=(10_000, len(found)))
    rows = []
    for size in sizes:
        shares = np.array([silent(rewards, size) for rewards in found])
        low, high = np.quantile(shares[draws].mean(axis=1), (0.025, 0.975))
        share = {"value": shares.mean(), "low": low, "high": high}
        rows.append({"answers": size, "silent": {key: round(float(v), 3) for key, v in share.items()}})
    print(json.dumps({"questions": len(found), "groups": rows}, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(size) for size in sys.argv[2:]])
