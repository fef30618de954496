"""A lab's recipe runs as a submitted job, and a running cluster says whether it can start one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from biorlhf.recipe import yaml12
from tiny_model import write_tiny_model

pytestmark = pytest.mark.engine
LUNG = Path(__file__).resolve().parents[1] / "data" / "lung"


@pytest.fixture
def folder(tmp_path) -> Path:
    """What is submitted: a recipe in a folder of its own, its lab and tables beside it."""
    lab = tmp_path / "work" / "my lab"
    lab.mkdir(parents=True)
    for path in LUNG.glob("*.[cy]*"):
        shutil.copy(path, lab)
    (tmp_path / "tiny").mkdir()
    recipe = {
        "name": "job",
        "model": {"base": str(write_tiny_model(tmp_path / "tiny")), "dtype": "fp32"},
        "prompt": {"template": "plain"},
        "data": [{"dataset": "tables", "lab": "lab.yaml"}],
        "verifiers": [{"verifier": "pathway", "weight": 1}],
        "stages": [{"trainer": "sft", "epochs": 1, "batch_size": 64, "optimizer": {"learning_rate": 1e-3}}],
        "rollout": {"engine": "transformers", "max_completion_tokens": 4},
        "evaluation": {"questions": 2},
    }
    (lab / "recipe.yaml").write_text(yaml12.dump(recipe))
    return tmp_path


def test_a_lab_s_recipe_is_validated_against_a_cluster_and_runs_as_a_job(folder, monkeypatch):
    import ray
    from ray._private.utils import write_ray_address
    from ray.job_submission import JobStatus, JobSubmissionClient

    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    ray_folder = tempfile.mkdtemp(prefix="ray", dir="/tmp")  # short: a socket's path has 107 bytes
    context = ray.init(
        "local",
        num_cpus=2,
        include_dashboard=True,
        dashboard_port=0,
        log_to_driver=False,
        _temp_dir=ray_folder,
    )
    try:
        address = context.address_info["gcs_address"]
        # As `ray start` does: a job takes any other Ray of the machine for its own without it.
        write_ray_address(address, ray_folder)
        told = [
            sys.executable,
            "-m",
            "biorlhf",
            "validate",
            str(folder / "work/my lab/recipe.yaml"),
            "--json",
        ]
        done = subprocess.run(
            [*told, "--address", address, "--set", "learner.cpus=3"],
            capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
        row = json.loads(done.stdout)
        assert row["where"] == f"the cluster at {address}"
        assert "there are 2 CPUs and 0 GPUs" in row["cannot_start"]
        client = JobSubmissionClient(f"http://{context.dashboard_url}")
        name = client.submit_job(
            entrypoint=f'"{sys.executable}" -m biorlhf run "my lab/recipe.yaml" '
            f'--set "store.folder={folder}/runs"',
            runtime_env={
                "working_dir": str(folder / "work"),
                "env_vars": {"PYTHONPATH": os.environ.get("PYTHONPATH", os.pathsep.join(sys.path))},
            },
        )
        ended = (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.STOPPED)
        while client.get_job_status(name) not in ended:
            time.sleep(1)
        assert client.get_job_status(name) is JobStatus.SUCCEEDED, client.get_job_logs(name)[-3000:]
    finally:
        ray.shutdown()
        shutil.rmtree(ray_folder, ignore_errors=True)
    [run] = (folder / "runs").iterdir()
    assert json.loads((run / "summary.json").read_text())["steps"] == 2
