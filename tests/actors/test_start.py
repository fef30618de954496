"""An actor that cannot be built says why, wherever it was to run."""

from __future__ import annotations

import subprocess
import sys

import pytest

from biorlhf.recipe import yaml12
from tiny_model import write_tiny_model

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("backend", ["inline", "ray"])
def test_a_cache_that_holds_nothing_names_the_setting_to_raise(tmp_path, backend):
    (tmp_path / "tiny").mkdir()
    recipe = {
        "name": "no-room",
        "model": {"base": str(write_tiny_model(tmp_path / "tiny")), "dtype": "fp32"},
        "prompt": {"template": "plain"},
        "data": [{"dataset": "kmp"}],
        "verifiers": [{"verifier": "factual", "weight": 1}],
        "stages": [{"trainer": "grpo", "steps": 1, "optimizer": {"learning_rate": 1e-5}}],
        "rollout": {"max_completion_tokens": 8, "kv_cache_gb": 1e-6},
        "scorer": {"cpus": 0},
        "store": {"folder": str(tmp_path / "runs")},
        "cluster": {"backend": backend},
    }
    (tmp_path / "recipe.yaml").write_text(yaml12.dump(recipe))
    command = [sys.executable, "-m", "biorlhf", "run", str(tmp_path / "recipe.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    last = done.stderr[done.stderr.rindex("error: ") :]
    assert done.returncode == 2, done.stderr[-2000:]
    assert "vLLM does not start: No available memory for the cache blocks" in last
    assert "rollout.kv_cache_gb" in last
    assert "Traceback" not in last
