"""One vLLM engine beside one learner on one card: the same policy after each sync, and how fast it samples.

    python tests/gpu/engine.py BASE [--dtype bf16|fp32|nf4] [--swap N] [--gpus N] [--sleep]

Prints one JSON object. With --sleep every sync is a wake as well, and what each sleep gave back is measured.
On a machine without a GPU it does the same on the CPU.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import torch

from biorlhf.engines.learning.learner import build_learner
from biorlhf.engines.samplers.contract import SamplerSpec
from biorlhf.engines.samplers.vllm import VllmSampler
from biorlhf.recipe import Recipe
from biorlhf.stage import CANARY_ANSWER, CANARY_PROMPT, Sampling
from biorlhf.types import Question
from biorlhf.workers.crew import Canary


def recipe_of(given: argparse.Namespace, gpu: bool) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "engine",
            "model": {"base": given.base, "dtype": given.dtype},
            "lora": {"r": 16, "alpha": 32},
            "prompt": {"template": "plain", "max_tokens": 256},
            "data": [{"dataset": "kmp"}],
            "stages": [{"trainer": "sft", "optimizer": {"learning_rate": 5e-7}}],
            "rollout": {
                "gpus": (0.5 if given.sleep else given.gpus) if gpu else 0,
                "sleep": int(given.sleep and gpu),
                "max_completion_tokens": given.tokens,
                "canary_tolerance": 0.01 if given.dtype == "fp32" else 0.1,
            },
            "learner": {"gpus": (0.5 if given.sleep else 1) if gpu else 0},
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base")
    parser.add_argument("--dtype", default="bf16", choices=("bf16", "fp32", "nf4"))
    parser.add_argument("--swap", type=int, default=1)
    parser.add_argument("--gpus", type=int, default=1)
    parser.add_argument("--sleep", action="store_true")
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--answers", type=int, default=256)
    given = parser.parse_args()
    gpu = torch.cuda.is_available()
    recipe = recipe_of(given, gpu)
    # The learner first: vLLM charges itself what is allocated while it starts.
    learner = build_learner(recipe, threads=torch.get_num_threads(), on_gpu=gpu)
    learner.begin_stage(0, 10)
    start = time.perf_counter()
    sampler = VllmSampler(SamplerSpec(recipe, 16, torch.get_num_threads(), on_gpu=gpu))
    found: dict[str, Any] = {"device": torch.cuda.get_device_name() if gpu else "cpu", "dtype": given.dtype}
    found["start_s"] = round(time.perf_counter() - start, 1)
    canary = Canary("the engine", recipe.rollout.canary_tolerance)
    (probe,) = learner.tokenize([(CANARY_PROMPT, CANARY_ANSWER)])
    ids = probe.prompt_ids, probe.completions[0].token_ids
    syncs, gaps, given_back = [], [], []
    for number in range(given.swap):
        if given.sleep:
            before = torch.cuda.mem_get_info()[0] if gpu else 0
            sampler.sleep()
            given_back.append(round(((torch.cuda.mem_get_info()[0] if gpu else 0) - before) / 2**30, 2))
        start = time.perf_counter()
        sampler.load_adapter(learner.adapter())
        syncs.append(round(time.perf_counter() - start, 3))
        own, served = learner.logprobs(*ids), sampler.logprobs(*ids)
        canary.check(own, served)
        gaps.append(sum(abs(a - b) for a, b in zip(own, served, strict=True)) / len(own))
        learner.step([probe], {"name": "sft"}, seed=number)
    found |= {"sync_s": syncs, "nats_apart": gaps, "given_back_gb": given_back}
    questions = [
        Question(str(n), f"What is gene {n} known for?", {}) for n in range(max(1, given.answers // 16))
    ]
    start = time.perf_counter()
    groups = list(sampler.sample(questions, Sampling(n=16, temperature=1.0, max_tokens=given.tokens, seed=1)))
    taken = time.perf_counter() - start
    tokens = sum(len(c.token_ids) for g in groups for c in g.completions)
    found |= {"answers": 16 * len(questions), "tokens_a_second": round(tokens / taken, 1)}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
