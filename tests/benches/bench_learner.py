"""Speed of the learner alone on SmolLM2-135M, beside the matrix product rate of the same machine and minute.

    python tests/benches/bench_learner.py --steps 5 --threads 2

For each kind of step: seconds, tokens per second, and the share of the machine's matrix product rate that
was turned into the floating point operations that the step must do. Counted are: the frozen linear
layers forward and backward to their inputs; LoRA forward and backward; the output layer at completion
tokens forward and backward; the reference pass where the loss needs one. Attention, norms, activations
and the optimizer are not counted, so the share is what they and all overheads leave.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from biorlhf.engines.cpu.products import linear
from biorlhf.engines.learning.learner import Learner, build_learner
from biorlhf.engines.learning.packing import fed_tokens, predicted
from biorlhf.recipe import Learner as LearnerSection
from biorlhf.recipe import Recipe
from biorlhf.types import TrainCompletion, TrainGroup

GRPO = {
    "name": "dapo",
    "clip_low": 0.2,
    "clip_high": 0.28,
    "beta": 0.02,
    "kl": "k3",
    "importance_cap": 2.0,
    "entropy": True,
}
DPO = {"name": "dpo_sigmoid", "beta": 0.1, "label_smoothing": 0.0, "sft_term": 0.0}
CASES = {
    "GRPO 4 x 8": (GRPO, 32, {"prompts": 4, "prompt": 70, "completions": (58,) * 8}),
    "GRPO 4 x 16": (GRPO, 32, {"prompts": 4, "prompt": 70, "completions": (58,) * 16}),
    "SFT 8 texts": ({"name": "sft"}, 64, {"prompts": 8, "prompt": 0, "completions": (110,)}),
    "DPO 4 pairs": (DPO, 16, {"prompts": 4, "prompt": 40, "completions": (70, 70)}),
}


def matmul_rate(size: int = 1536, product: Callable[[Tensor, Tensor], Tensor] = torch.mm) -> float:
    """fp32 GFLOP/s of a square matrix product, the best of three."""
    x = torch.randn(size, size)
    product(x, x)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        product(x, x)
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds) / 1e9


def batch(prompts: int, prompt: int, completions: tuple[int, ...]) -> list[TrainGroup]:
    """Random tokens; lengths vary by a quarter around those given, as texts do."""
    draw = random.Random(0)

    def ids(length: int) -> tuple[int, ...]:
        return tuple(draw.randrange(10, 49_000) for _ in range(round(length * draw.uniform(0.75, 1.25))))

    def completion(length: int) -> TrainCompletion:
        tokens = ids(length)
        return TrainCompletion(tokens, draw.gauss(0, 1), tuple(-8.0 for _ in tokens))

    return [TrainGroup(ids(prompt), tuple(map(completion, completions))) for _ in range(prompts)]


def work(learner: Learner, groups: list[TrainGroup], with_reference: bool) -> float:
    """GFLOP that one step must do (see the module)."""
    model = learner.policy.model
    frozen = sum(
        m.base_layer.weight.numel()
        for m in model.modules()
        if hasattr(m, "base_layer") and hasattr(m, "lora_A")
    )
    lora = sum(p.numel() for p in learner.policy.parameters.values())
    head = model.get_output_embeddings().weight.numel()
    fed, targets = sum(map(fed_tokens, groups)), sum(sum(predicted(g)) for g in groups)
    flops = fed * (4 * frozen + 6 * lora) + 4 * targets * head
    if with_reference:
        flops += 2 * fed * frozen + 2 * targets * head
    return flops / 1e9


def learner_of(rank: int, threads: int, budget: int = LearnerSection().token_budget) -> Learner:
    recipe = Recipe.model_validate(
        {
            "name": "bench",
            "model": {"base": "smollm2-135m-instruct", "dtype": "fp32"},
            "lora": {"r": rank, "alpha": rank},
            "data": [{"dataset": "kmp"}],
            "learner": {"token_budget": budget},
            "stages": [{"trainer": "sft", "optimizer": {"learning_rate": 1e-5}}],
        }
    )
    return build_learner(recipe, threads=threads, on_gpu=False)


def measure(name: str, steps: int, threads: int, budget: int) -> None:
    loss, rank, shape = CASES[name]
    learner = learner_of(rank, threads, budget)
    learner.begin_stage(0, steps + 1)
    groups = batch(**shape)
    rows, shares = [], []
    needed = work(learner, groups, with_reference=loss.get("beta", 0) > 0)
    for step in range(steps + 1):
        before = matmul_rate()
        start = time.perf_counter()
        metrics = learner.step(groups, loss, seed=step).metrics
        seconds = time.perf_counter() - start
        if step:  # the first step also warms up
            rows.append({"seconds": seconds, **metrics})
            shares.append(needed / seconds / ((before + matmul_rate()) / 2))
    middle = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
    parts = ", ".join(
        f"{part} {middle.get(f'time_{part}_s', 0.0):.2f}"
        for part in ("reference", "forward", "backward", "optimizer")
    )
    total = sum(len(g.prompt_ids) + len(c.token_ids) for g in groups for c in g.completions)
    seconds = middle["seconds"]
    print(
        f"{name:12s} {seconds:6.2f} s a step ({parts} s) | {total / seconds:5.0f} tokens/s of text, "
        f"{middle['tokens'] / seconds:5.0f} fed | {len(groups) / seconds:.2f} groups/s | {needed:.0f} GFLOP, "
        f"{statistics.median(shares):.0%} of the matrix product rate",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--budget", type=int, default=LearnerSection().token_budget)
    parser.add_argument("--case", choices=CASES, action="append")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rates = f"torch's {matmul_rate():.0f}, the learner's {matmul_rate(product=linear):.0f} GFLOP/s"
    print(f"{arguments.threads} threads, fp32 matrix products: {rates}; medians")
    for name in arguments.case or CASES:
        measure(name, arguments.steps, arguments.threads, arguments.budget)


if __name__ == "__main__":
    main()
