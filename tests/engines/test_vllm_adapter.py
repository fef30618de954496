"""vLLM with the adapter beside the weights (``sync: adapter``), in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.engine

SCRIPT = """
import sys, tempfile
from pathlib import Path
tempfile.tempdir = sys.argv[1]
from biorlhf import Question
from biorlhf.engines.control import build_learner
from biorlhf.engines.sampling import SamplerSpec
from biorlhf.engines.tiny import write_tiny_model
from biorlhf.engines.vllm_sampler import VllmSampler
from biorlhf.recipe import Recipe
from biorlhf.stage import Sampling

base = write_tiny_model(sys.argv[1] + "/tiny", hidden_size=128)
recipe = Recipe.model_validate({
    "name": "beside",
    "model": {"base": str(base), "dtype": "fp32"},
    "lora": {"r": 8, "alpha": 16},
    "prompt": {"template": "plain", "max_tokens": 100},
    "data": [{"dataset": "kmp"}],
    "stages": [{"trainer": "sft", "optimizer": {"learning_rate": 1e-2}}],
    "rollout": {"max_completion_tokens": 4, "kv_cache_gb": 1, "sync": "adapter"},
})
learner = build_learner(recipe, threads=2, on_gpu=False)
learner.begin_stage(0, 10)
(text,) = learner.tokenize([("How many genes?", "1,234 in the heart")])
ids = text.prompt_ids, text.completions[0].token_ids
sampler = VllmSampler(SamplerSpec(recipe, 8, 2, on_gpu=False))
gaps, sums = [], []
for step in range(2):
    sampler.load_adapter(learner.adapter())
    ours, theirs = learner.logprobs(*ids), sampler.logprobs(*ids)
    gaps.append(max(abs(a - b) for a, b in zip(ours, theirs, strict=True)))
    sums.append(sum(theirs))
    learner.step([text], {"name": "sft"}, seed=step)
(group,) = sampler.sample([Question("q", "How many genes?", {})], Sampling(n=2, max_tokens=4))
left = list(Path(sys.argv[1]).glob("biorlhf-*"))
print(max(gaps) < 1e-3, sums[1] > sums[0] + 0.1, len(group.completions), left)
"""


def test_an_adapter_beside_the_weights_gives_what_the_learner_computes(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "True True 2 []"
