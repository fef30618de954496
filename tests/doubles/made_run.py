"""A run's folder, made up: three evaluations of forty questions, thirteen steps."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from biorlhf.statistics.assessment import assess
from biorlhf.statistics.intervals import mean, share

QUESTIONS = 40


def evaluation(when: str, skill: float, seed: int, offset: int = 0) -> dict:
    """An evaluation of ``QUESTIONS`` questions that are answered rightly with the chance ``skill``."""
    draw = random.Random(seed)
    names = [f"q{offset + i}" for i in range(QUESTIONS)]
    clusters = [f"c{(offset + i) // 2}" for i in range(QUESTIONS)]
    right = [float(draw.random() < skill) for _ in names]
    stated = [draw.choice([0.3, 0.6, 0.9]) for _ in names]
    found = assess(stated, right, clusters)
    reward = mean(right, clusters)
    accuracy = share(int(sum(right)), len(right))
    assert reward is not None
    assert accuracy is not None
    reports = {
        "reward": {
            "reward": reward.to_json(),
            "answers": {"question": names, "cluster": clusters, "reward": right},
        },
        "question_answering": {
            "overall": {"accuracy": accuracy.to_json(), "left_out": {"balanced_accuracy": "no such answer"}},
            "answers": {"question": names, "cluster": clusters, "overall.accuracy": right},
        },
        "calibration": {
            **{name: rate.to_json() for name, rate in found.rates.items()},
            "null_ece": found.null,
            "with_confidence": len(names),
            "distinct_confidences": found.distinct_confidences,
            "risk_coverage": found.curve,
            "reliability_diagram": found.diagram,
            "left_out": found.left_out,
            "answers": {"question": names, "cluster": clusters, "confidence": stated, "correct": right},
        },
        "another": {"hits": reward.to_json()},
    }
    return {"when": when, "split": "test", "questions": QUESTIONS, "evaluators": reports}


def write_run(folder: Path, after: float = 0.9, *, seed: int = 0, offset: int = 0) -> Path:
    (folder / "evaluations").mkdir(parents=True)
    (folder / "recipe.yaml").write_text("name: demo <1>\nstages:\n- trainer: sft\n- trainer: grpo\n")
    rows = [{"stage": "sft", "step": step, "loss": 2 / step} for step in range(1, 6)]
    for step in range(1, 9):
        values = {"reward": 0.1 * step, "score.factual": 0.5, "kl": 0.001 * step, "loss": 0.1}
        rows.append({"stage": "grpo", "step": step, **values, "completion_tokens_mean": 40.0})
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "summary.json").write_text("{}")
    skills = {"start": 0.2, "after-sft": 0.5, "after-grpo": after}
    for place, (when, skill) in enumerate(skills.items()):
        data = evaluation(when, skill, 10 * seed + place, offset)
        (folder / "evaluations" / f"{when}.json").write_text(json.dumps(data))
        write_answers(folder, when, data["evaluators"]["reward"]["answers"])
    return folder


def write_answers(folder: Path, when: str, table: dict, prompt: str = "What of {}?") -> None:
    names = table["question"]
    columns = {
        "question_id": names,
        "prompt": [prompt.format(name) for name in names],
        "completion": [f"<{when}> of {name}" for name in names],
        "reward": table["reward"],
    }
    pq.write_table(pa.table(columns), folder / "evaluations" / f"{when}.parquet")
