"""vLLM with more prompts than one of its steps reads, in a process of its own: its settings are for good."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.engine

SCRIPT = """
import sys
from biorlhf import Question
from biorlhf.engines.sampling import SamplerSpec
from biorlhf.engines.tiny import write_tiny_model
from biorlhf.engines.vllm_sampler import READ_AT_ONCE, VllmSampler
from biorlhf.recipe import Recipe
from biorlhf.stage import Sampling
from biorlhf.types import AdapterRef

base = write_tiny_model(sys.argv[1], hidden_size=128)
recipe = Recipe.model_validate({
    "name": "prompts",
    "model": {"base": str(base), "dtype": "fp32"},
    "lora": {"r": 4, "alpha": 8},
    "prompt": {"template": "plain", "max_tokens": 100},
    "data": [{"dataset": "kmp"}],
    "stages": [{"trainer": "sft", "optimizer": {"learning_rate": 1e-3}}],
    "rollout": {"max_completion_tokens": 4, "kv_cache_gb": 1},
})
sampler = VllmSampler(SamplerSpec(recipe, 4, 2, on_gpu=False))
sampler.ref = AdapterRef(0, "0" * 64)
asked = [Question(str(n), f"{n:05d} " + "x" * 90, {}) for n in range(2 * READ_AT_ONCE // 90)]
groups = list(sampler.sample(asked, Sampling(n=2, temperature=1.0, top_p=1.0, max_tokens=4, seed=1)))
print(len(asked), len({group.question.id for group in groups}), {len(group.completions) for group in groups})
"""


def test_prompts_that_do_not_fit_one_step_are_all_answered(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "tiny")],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "91 91 {2}"
