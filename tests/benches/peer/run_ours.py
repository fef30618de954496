"""biorlhf on the shared workload; runs in the project's own environment.

    .venv/bin/python tests/benches/peer/run_ours.py grpo --steps 5 --generations 8

The trainer plugins, the learner and a sampler run as in ``biorlhf run`` with ``cluster.backend: inline``.
Prints one line of JSON: seconds of each step, their parts, what they did, peak memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from typing import Any

import workload

from biorlhf import Dataset, Example, Preference, Question, RewardComposer, Score, VerifierPlugin, hookimpl
from biorlhf.recipe import Learner, Recipe, from_data
from biorlhf.stage import Stage
from biorlhf.testing import DirectScorers, fresh_catalogue


class Figures:
    def score(self, question: Question, completion_text: str) -> Score:
        return Score.scored(workload.reward(completion_text))


class Plugin:
    @hookimpl
    def biorlhf_verifiers(self) -> Any:
        yield VerifierPlugin(name="figures", build=lambda config: Figures())


CATALOGUE = fresh_catalogue(Plugin())


def stage_of(task: str, steps: int, generations: int) -> tuple[dict[str, Any], int]:
    """A recipe's stage, and its LoRA rank."""
    if task == "grpo":
        settings = {
            "steps": steps,
            "prompts_per_step": workload.GRPO_PROMPTS,
            "generations": generations,
            "beta": workload.BETA,
            "loss": "dapo",
            "normalisation": "group",
            "std_floor": 0,
            "silent_groups": "keep",
            "mask_truncated": False,
        }
        return settings, workload.GRPO_RANK
    if task == "sft":
        return {"epochs": 1, "batch_size": workload.SFT_BATCH}, workload.SFT_RANK
    return {"epochs": 1, "batch_size": workload.DPO_BATCH, "guard": "off"}, workload.DPO_RANK


def recipe_of(args: argparse.Namespace) -> Recipe:
    settings, rank = stage_of(args.task, args.steps, args.generations)
    stage = {"trainer": args.task, "optimizer": {"learning_rate": 1e-5}, **settings}
    data = {
        "name": "bench",
        "model": {"base": args.model, "dtype": "fp32"},
        "lora": {"r": rank, "alpha": 2 * rank},
        "prompt": {"template": "chat" if args.task == "grpo" else "alpaca"},
        "data": [{"dataset": "kmp"}],
        "verifiers": [{"verifier": "figures", "weight": 1}],
        "stages": [stage],
        "rollout": {
            "engine": args.engine,
            "dtype": args.rollout_dtype,
            "max_completion_tokens": workload.LIMIT,
        },
        "learner": {"token_budget": args.token_budget},
        "cluster": {"backend": "inline"},
    }
    return from_data(data, catalogue=CATALOGUE)


def dataset_of(args: argparse.Namespace) -> Dataset:
    per_step = {"grpo": 64, "sft": workload.SFT_BATCH * args.steps, "dpo": workload.DPO_BATCH * args.steps}
    make = workload.instructions if args.task == "sft" else workload.texts
    rows = list(enumerate(make(per_step[args.task])))
    return Dataset(
        "bench",
        questions=tuple(Question(f"q{n}", t.prompt, {}) for n, t in rows),
        examples=tuple(Example(f"e{n}", t.prompt, t.chosen) for n, t in rows),
        preferences=tuple(Preference(f"p{n}", t.prompt, t.chosen, t.rejected) for n, t in rows),
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=["grpo", "sft", "dpo"])
    parser.add_argument("--model", default=workload.BASE)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--generations", type=int, default=8)
    parser.add_argument("--engine", choices=["vllm", "transformers"], default="vllm")
    parser.add_argument("--rollout-dtype", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--token-budget", type=int, default=Learner().token_budget)
    args = parser.parse_args()
    recipe, dataset = recipe_of(args), dataset_of(args)
    from biorlhf.engines.learning.learner import build_learner
    from biorlhf.workers.inline import InlineRollouts

    trainer = CATALOGUE.build("trainer", args.task, recipe.stages[0].settings)
    learner = build_learner(recipe, threads=os.cpu_count() or 1, on_gpu=False)
    learner.begin_stage(0, trainer.total_steps(dataset))
    composer = RewardComposer(["figures"], catalogue=CATALOGUE)
    rollouts = InlineRollouts(recipe, learner) if args.task == "grpo" else None
    if rollouts is not None:
        rollouts.load_adapter(learner.adapter())
    stage = Stage(
        name=args.task,
        index=0,
        seed=1,
        dataset=dataset,
        learner=learner,
        rollouts=rollouts,
        scorers=DirectScorers(composer),
        composer=composer,
        max_completion_tokens=workload.LIMIT,
    )
    seconds, rows, started = [], [], time.perf_counter()
    for result in trainer.steps(stage):
        now = time.perf_counter()
        seconds.append(now - started)
        rows.append(dict(result.metrics.values))
        started = time.perf_counter()
    print(json.dumps(report(args, recipe, seconds, rows)))


def report(args: argparse.Namespace, recipe: Recipe, seconds: list[float], rows: list[Any]) -> dict[str, Any]:
    import torch

    from biorlhf.engines.models.load import load_tokenizer

    tokenizer = load_tokenizer(recipe.model)
    seen = workload.instructions(workload.SFT_BATCH * args.steps)
    whole = [workload.ALPACA.format(t.prompt) + t.chosen for t in seen]
    parts = sorted({name for row in rows for name in row if name.endswith("_s")})
    return {
        "side": "biorlhf",
        "task": args.task,
        "generations": args.generations if args.task == "grpo" else None,
        "engine": args.engine if args.task == "grpo" else None,
        "seconds": seconds,
        "parts": {name: [row.get(name, 0.0) for row in rows] for name in parts},
        "mean_completion_tokens": [
            r["completion_tokens_mean"] for r in rows if "completion_tokens_mean" in r
        ],
        "loss": [row["loss"] for row in rows],
        "tokens_per_text": sum(len(tokenizer(t)["input_ids"]) for t in whole) / len(whole),
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "threads": torch.get_num_threads(),
    }


if __name__ == "__main__":
    main()
