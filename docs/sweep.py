"""Short GRPO runs from one adapter, a setting changed in each: ``python docs/sweep.py ADAPTER OUT``.

ADAPTER is a folder of a run of ``recipes/knows_smol.yaml``, as ``RUN/adapters/00-sft``. Each cell is that
recipe's GRPO stage alone, STEPS steps of ANSWERS answers, with its own learning rate, KL weight, verifiers or
answers to a question. OUT gets a folder a cell; a cell that is whole is not run again, so a sweep that was
stopped goes on. Then the table is printed as JSON (the ``table`` of ``docs/results/sweep.json``).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

RECIPE = Path(__file__).parents[1] / "recipes" / "knows_smol.yaml"
STEPS, ANSWERS, QUESTIONS, SEED = 8, 32, 96, 2
RATES, BETAS = (3e-5, 1e-4, 3e-4), (0.0, 0.001, 0.01)

MEASURED = {
    "reward": ("reward", "reward"),
    "accuracy, taught": ("calibration (taught)", "accuracy"),
    "confidence, taught": ("calibration (taught)", "mean_confidence"),
    "confidence, untaught": ("calibration (untaught)", "mean_confidence"),
    "AUROC": ("calibration", "auroc"),
    "ECE": ("calibration", "ece"),
    "Brier score": ("calibration", "brier"),
}


def cells() -> dict[str, dict[str, Any]]:
    """What each cell sets of the GRPO stage, by its name; ``verifiers`` is the recipe's."""
    rates = {f"lr {lr:g}, beta {b:g}": {"lr": lr, "beta": b} for lr in RATES for b in BETAS}
    one = {"lr": 1e-4, "beta": 0.001}
    sizes = {f"{g} answers to a question": {**one, "generations": g} for g in (4, 16)}
    return rates | sizes | {"V1 and V4 alone": {**one, "verifiers": ("factual", "uncertainty")}}


def recipe(adapter: Path, cell: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The recipe of one cell."""
    found: dict[str, Any] = yaml.safe_load(RECIPE.read_text("utf-8"))
    generations = cell.get("generations", 8)
    kept = cell.get("verifiers")
    found["verifiers"] = [v for v in found["verifiers"] if kept is None or v["verifier"] in kept]
    found["model"] |= {"adapter": str(adapter), "adapter_use": "train"}
    found["data"][0]["seed"] = found["seed"] = SEED
    found["stages"] = [
        {
            "trainer": "grpo",
            "prompts_per_step": ANSWERS // generations,
            "generations": generations,
            "steps": STEPS,
            "beta": cell["beta"],
            "optimizer": {"learning_rate": cell["lr"], "warmup": 0.1},
        }
    ]
    found["evaluation"]["questions"] = QUESTIONS
    found["store"] |= {"folder": str(folder)}
    return found


def measured(run: Path, when: str) -> dict[str, Any]:
    """The evaluation's figures of MEASURED, each with its interval."""
    evaluators = json.loads((run / "evaluations" / f"{when}.json").read_text("utf-8"))["evaluators"]
    rows = {name: evaluators[evaluator][metric] or {} for name, (evaluator, metric) in MEASURED.items()}
    return {name: {key: round(value, 4) for key, value in row.items()} for name, row in rows.items()}


def trained(run: Path) -> dict[str, float]:
    """Means over the steps of what GRPO's metrics say, and the groups without an advantage."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]
    steps = [line for line in lines if line.get("stage") == "grpo" and "reward" in line]
    keys = ("zero_variance_share", "kl", "entropy", "rollout_s", "update_s")
    found = {key: sum(step[key] for step in steps if key in step) / len(steps) for key in keys}
    rows = sum(pq.read_metadata(path).num_rows for path in (run / "rollouts").glob("grpo-*.parquet"))
    return {key: round(value, 5) for key, value in found.items()} | {"answers": rows}


def main(adapter: Path, out: Path) -> None:
    table = []
    for number, (name, cell) in enumerate(cells().items()):
        folder = out / f"{number:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        if not any(folder.glob("*/evaluations/after-grpo.json")):
            path = folder / "recipe.yaml"
            path.write_text(yaml.safe_dump(recipe(adapter.resolve(), cell, folder)), "utf-8")
            subprocess.run([sys.executable, "-m", "biorlhf", "run", str(path)], check=True, stdout=sys.stderr)
        run = next(folder.glob("*/evaluations/after-grpo.json")).parents[1]
        table.append({"cell": name, **measured(run, "after-grpo"), "steps": trained(run)})
        if not number:
            table.insert(0, {"cell": "before", **measured(run, "start")})
    print(json.dumps(table, indent=1))


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("adapter", type=Path)
    given.add_argument("out", type=Path)
    main(**vars(given.parse_args()))
