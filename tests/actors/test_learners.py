"""Two learner actors on Ray train as one does alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import tiny_model
from biorlhf.recipe import yaml12
from tiny_model import write_tiny_model

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Number of learners -> the folder of a run of SFT and DPO; the one alone needs no Ray."""
    root = tmp_path_factory.mktemp("learners")
    (root / "tiny").mkdir()
    base = str(write_tiny_model(root / "tiny"))
    folders = {}
    for actors in (1, 2):
        recipe = {
            "name": f"learners-{actors}",
            "model": {"base": base, "dtype": "fp32"},
            "lora": {"r": 4, "alpha": 8, "dropout": 0.1},
            "prompt": {"template": "plain"},
            "data": [{"dataset": "kmp", "max_examples": 12, "max_preferences": 8}],
            "stages": [
                {"trainer": "sft", "batch_size": 6, "optimizer": {"learning_rate": 1e-3}},
                {"trainer": "dpo", "batch_size": 4, "optimizer": {"learning_rate": 1e-4}},
            ],
            "learner": {"actors": actors, "cpus": 0.5, "token_budget": 512},
            "cluster": {"backend": "ray" if actors > 1 else "inline"},
            "evaluation": {"questions": 0},
            "store": {"folder": str(root / f"runs-{actors}")},
        }
        path = root / f"recipe-{actors}.yaml"
        path.write_text(yaml12.dump(recipe))
        command = [sys.executable, "-m", "biorlhf", "run", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        (folders[actors],) = (root / f"runs-{actors}").iterdir()
    return folders


def metrics(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_two_learners_give_the_numbers_of_one(runs):
    one, two = metrics(runs[1]), metrics(runs[2])
    assert len(one) == len(two) == 8
    for alone, together in zip(one, two, strict=True):
        for name in ("loss", "grad_norm", "tokens"):
            assert together[name] == pytest.approx(alone[name], rel=1e-3, abs=1e-5), name
        assert together["idle_learners"] == 0


def test_the_manifest_names_each_learner(runs):
    actors = json.loads((runs[2] / "manifest.json").read_text())["cluster"]["actors"]
    assert [a["name"] for a in actors if a["name"].startswith("learner")] == ["learner 1", "learner 2"]


DEATHS = """
import sys
import ray
from biorlhf.actors.connection import connect
from biorlhf.actors.learner import RayLearners
from biorlhf.errors import LearnerLost
from biorlhf.recipe import Recipe
from tiny_learner import GRPO, groups

recipe = Recipe.model_validate({
    "name": "tiny",
    "model": {"base": sys.argv[1], "dtype": "fp32"},
    "lora": {"r": 4, "alpha": 8, "dropout": 0.1},
    "data": [{"dataset": "kmp"}],
    "stages": [{"trainer": "sft", "optimizer": {"learning_rate": 1e-2}}],
    "learner": {"actors": 2, "cpus": 0},
})
connect(None, 60, 10**8)
learners = RayLearners(recipe, ["DEFAULT", "DEFAULT"])
learners.wait()
learners.begin_stage(0, 10)
saved = learners.checkpoint()
steps = lambda: [learners.step(groups(seed=n), GRPO, seed=n).adapter.ref for n in range(2)]
expected, same, said = steps(), [], []
for rank in (1, 0):
    ray.kill(learners.actors[rank])
    try:
        steps()
    except LearnerLost as error:
        said.append("learner actor" in str(error))
    learners.renew()
    learners.restore(saved, 0, 10)
    same.append(steps() == expected)
learners.close()
print(len(set(expected)), said, same)
"""


def test_learners_of_which_one_dies_are_made_anew_and_go_on_with_the_same_bits(tmp_path):
    base = str(write_tiny_model(tmp_path))
    doubles = os.path.dirname(tiny_model.__file__)
    path = os.pathsep.join([doubles, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", DEATHS, base],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "2 [True, True] [True, True]"
