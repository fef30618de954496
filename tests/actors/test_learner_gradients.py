"""Learner actors on Ray, which sum over gloo, have one learner's gradients: of each loss, sharded too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tiny_model
from learners_on_ray import PLANS
from tiny_model import write_tiny_model

DOUBLES = Path(tiny_model.__file__).parent
pytestmark = pytest.mark.engine


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("kinds", "which"),
    [
        pytest.param([(2, True)], "few", id="two, sharded"),
        pytest.param([(2, False), (2, True)], "all", id="two", marks=pytest.mark.hostile),
        pytest.param([(3, False), (3, True)], "all", id="three", marks=pytest.mark.hostile),
        pytest.param([(4, False), (4, True)], "all", id="four", marks=pytest.mark.hostile),
    ],
)
def test_several_on_ray_have_the_gradients_of_one_whole_and_sharded(kinds, which, tmp_path):
    path = os.pathsep.join([str(DOUBLES), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [
            sys.executable,
            str(DOUBLES / "learners_on_ray.py"),
            str(write_tiny_model(tmp_path)),
            json.dumps(kinds),
            which,
        ],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for plans in json.loads(done.stdout.splitlines()[-1]):
        assert set(plans) == {str(plan) for plan in PLANS[which]}
        for name, row in plans.items():
            assert max(row["gaps"]) < 5e-6, name
            assert row["same"], name
