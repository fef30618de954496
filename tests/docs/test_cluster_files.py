"""The files in cluster/ can be read, and say what the manual says of them."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from biorlhf import recipe
from biorlhf.workers.memory import object_store_bytes
from biorlhf.workers.plan import lacking, requests

CLUSTER = Path(__file__).resolve().parents[2] / "cluster"
RECIPES = CLUSTER.parent / "recipes"
RAY = next(
    line.partition("==")[2].strip()
    for line in (CLUSTER / "requirements-cpu.txt").read_text().splitlines()
    if line.startswith("ray==")
)


@pytest.mark.parametrize("path", sorted(CLUSTER.glob("*.yaml")), ids=lambda path: path.name)
def test_every_yaml_file_parses(path):
    assert isinstance(yaml.safe_load(path.read_text()), dict)


@pytest.mark.parametrize("path", sorted(CLUSTER.glob("*.s*")), ids=lambda path: path.name)
def test_every_script_is_sound_shell(path):
    assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0


def test_the_conda_recipe_is_the_light_package():
    made = yaml.safe_load((CLUSTER / "conda" / "meta.yaml").read_text())
    project = tomllib.loads((CLUSTER.parent / "pyproject.toml").read_text())["project"]
    wanted = {canonicalize_name(r.name): str(r.specifier) for r in map(Requirement, project["dependencies"])}
    run = dict(line.split(" ", 1) for line in made["requirements"]["run"])
    assert run.pop("python") == project["requires-python"]
    assert run == wanted
    assert made["package"] == {"name": project["name"], "version": project["version"]}
    scripts = dict(line.split(" = ") for line in made["build"]["entry_points"])
    assert scripts == project["scripts"]
    assert made["about"]["summary"] in project["description"]


def test_kuberay_starts_the_pinned_ray_with_tokens():
    job = yaml.safe_load((CLUSTER / "kuberay.yaml").read_text())
    spec = job["spec"]["rayClusterSpec"]
    assert job["kind"] == "RayJob"
    assert spec["rayVersion"] == RAY
    assert spec["authOptions"] == {"mode": "token"}


def asked_by(name):
    """All actors of a shipped recipe: learners, rollouts and scorers."""
    return requests(recipe.load(RECIPES / f"{name}.yaml"), samples=True)


def test_kuberay_has_the_gpus_and_cpus_that_its_recipes_ask_for():
    text = (CLUSTER / "kuberay.yaml").read_text()
    spec = yaml.safe_load(text)["spec"]
    name = re.search(r"recipes/(\w+)\.yaml", spec["entrypoint"])[1]
    [worker] = spec["rayClusterSpec"]["workerGroupSpecs"]
    [container] = worker["template"]["spec"]["containers"]
    limits = container["resources"]["limits"]
    pod = {"CPU": int(limits["cpu"]), "GPU": int(limits["nvidia.com/gpu"])}
    assert lacking(asked_by(name), [pod] * worker["replicas"]) == ""
    assert "recipes/grpo_full_v2_8gpu.yaml: eight of these pods" in text
    assert lacking(asked_by("grpo_full_v2_8gpu"), [pod] * 8) == ""
    assert lacking(asked_by("grpo_full_v2_8gpu"), [pod] * 7)


def test_slurm_has_the_gpus_and_cpus_that_the_recipes_for_several_ask_for():
    text = (CLUSTER / "slurm.sbatch").read_text()
    wants = r"4gpu.yaml on one node wants --gpus-per-node=(\d+) --cpus-per-task=(\d+);"
    gpus, cpus = re.search(wants, text).groups()
    node = {"CPU": int(cpus), "GPU": int(gpus)}
    assert "8gpu.yaml on two of these --nodes=2" in text
    assert lacking(asked_by("three_stage_4gpu"), [node]) == ""
    assert lacking(asked_by("grpo_full_v2_8gpu"), [node] * 2) == ""


@pytest.mark.parametrize("name", ["kuberay.yaml", "ray-cluster.yaml", "slurm.sbatch", "../docs/cluster.md"])
def test_every_cluster_has_an_object_store_for_what_the_shipped_recipes_hand_over(name):
    needed = max(object_store_bytes(recipe.load(path)) for path in RECIPES.glob("*.yaml"))
    sizes = re.findall(r"object-store-memory(?:=| |: \")(\d+)", (CLUSTER / name).read_text())
    # Head and workers, which `ray symmetric-run` starts with one command.
    assert len(sizes) == (1 if name == "slurm.sbatch" else 2)
    assert all(needed <= int(size) < 1.5 * needed for size in sizes)


def test_the_ssh_cluster_keeps_the_dashboard_on_the_loopback_and_asks_for_the_token():
    cluster = yaml.safe_load((CLUSTER / "ray-cluster.yaml").read_text())
    starts = [
        c for part in ("head", "worker") for c in cluster[f"{part}_start_ray_commands"] if "ray start" in c
    ]
    assert len(starts) == 2
    assert all("RAY_AUTH_MODE=token" in command for command in starts)
    assert "--dashboard-host=127.0.0.1" in starts[0]


@pytest.mark.parametrize(
    "path", sorted(p for p in CLUSTER.rglob("*") if p.is_file()), ids=lambda path: path.name
)
def test_nothing_listens_on_every_interface(path):
    assert "0.0.0.0" not in path.read_text()


def test_the_image_installs_what_the_makefile_installs():
    text = (CLUSTER / "Dockerfile").read_text()
    assert re.search(r"^FROM python:3\.1\d-slim$", text, re.MULTILINE)
    assert "make setup ACCELERATOR=${ACCELERATOR}" in text


def gpu_pins() -> dict[str, str]:
    lines = (CLUSTER / "requirements-gpu.txt").read_text().splitlines()
    pairs = [line.partition("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, _, version in pairs}


def test_the_gpu_packages_fit_each_other():
    """As ``pip check`` would say; what they require of each other is written by tests/docs/gpu_pins.py."""
    pins = gpu_pins()
    known = json.loads((CLUSTER.parent / "tests" / "data" / "gpu_pins.json").read_text())
    assert {name: row["version"] for name, row in known.items()} == pins
    wrong = [
        f"{name} {pins[name]} requires {line}, pinned is {pins.get(need.name)}"
        for name, row in known.items()
        for line in row["requires"]
        for need in [Requirement(line)]
        if need.name not in pins or not need.specifier.contains(pins[need.name], prereleases=True)
    ]
    assert wrong == []


def test_the_gpu_list_is_that_of_torchs_cuda_build():
    known = json.loads((CLUSTER.parent / "tests" / "data" / "gpu_pins.json").read_text())
    needs = {Requirement(line).name for line in known["torch"]["requires"]}
    assert {"triton", "nvidia-cudnn-cu13", "cuda-toolkit"} <= needs


def test_a_machine_that_cannot_be_reached_is_given_up_within_twenty_seconds_whatever_starts_the_head():
    page = CLUSTER.parent / "docs" / "cluster.md"
    for path in (*(CLUSTER / name for name in ("ray-cluster.yaml", "kuberay.yaml", "slurm.sbatch")), page):
        found = re.findall(r'RAY_health_check_(\w+?)(?:=|, value: ")(\d+)', path.read_text())
        given = {name: int(value) for name, value in found}
        assert given == {"period_ms": 1000, "timeout_ms": 4000, "failure_threshold": 4}, path.name


STARTS = {
    "ray-cluster.yaml": 2,
    "kuberay.yaml": 2,
    "slurm.sbatch": 1,
    "../docs/cluster.md": 2,
    "../README.md": 1,
}


@pytest.mark.parametrize(("name", "starts"), STARTS.items())
def test_no_ray_is_started_with_workers_of_low_priority(name, starts):
    found = re.findall(r'RAY_worker_niceness(?:=|, value: ")(\d+)(?!`)', (CLUSTER / name).read_text())
    # The manual names it once more, in its list of what to know.
    assert found == ["0"] * starts
