"""Whole runs on several raylets: actors are late, die and join, and the learner's node is lost."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster

import delayed_run
from lag_run import MANY, on_one_core, written
from raylets import NODE, until
from tiny_run import outcome, start, wait_for_rows

pytestmark = [pytest.mark.engine, pytest.mark.hostile, pytest.mark.timeout(1800)]


@pytest.fixture
def head(environment, monkeypatch):
    """Starts a cluster, of a head node with these CPUs and labels, in which our verifier is installed."""
    for name, value in {**environment, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}.items():
        monkeypatch.setenv(name, value)

    @contextmanager
    def started(**node):
        made = Cluster(initialize_head=True, head_node_args={"include_dashboard": False, **NODE, **node})
        try:
            yield made
        finally:
            made.shutdown()

    with on_one_core():
        yield started


def noted(notes: Path, what: str) -> set[int]:
    return {int(path.stem) for path in notes.glob(f"*.{what}")}


@pytest.mark.parametrize("lag", [1, 2])
def test_four_actors_with_delays_a_kill_and_a_join_give_the_bytes_of_one_process(
    whole, head, tmp_path, monkeypatch, lag
):
    notes = tmp_path / "notes"
    notes.mkdir()
    monkeypatch.setenv("DELAYS", str(notes))
    # Each takes one question at a time, and the fifth waits for a node that has room for it.
    rollout = {"engine": "transformers", "actors": 4, "most": 5, "cpus": 1, "concurrency": 4}
    recipe = written(tmp_path, lag, rollout=rollout, cluster={"backend": "ray"})
    with head(num_cpus=4) as cluster:
        process = start(str(recipe), "--address", cluster.address, program=(delayed_run.__file__,))
        folder = wait_for_rows(process, tmp_path / "runs", 2, 600)
        first = noted(notes, "ready")
        # In the middle of a step, and the run is not over before both are there.
        (notes / "hold").touch()
        cluster.add_node(num_cpus=1, **NODE)
        os.kill(min(first), signal.SIGKILL)
        until(lambda: len(noted(notes, "ready")) == 6 or process.poll() is not None, 300)
        (notes / "hold").unlink()
        said = process.communicate(timeout=900)[1]
    assert process.returncode == 0, said
    assert len(first) == 4
    assert noted(notes, "ready") - first <= noted(notes, "answered")
    assert "rollout actor 5 has joined" in said
    assert said.count("has joined") == 2, "one in the place of the one that was killed"
    assert outcome(folder) == outcome(whole(lag))


LEARNS = {"num_cpus": 1, "labels": {"lab/host": "learns"}, **NODE}


@pytest.mark.parametrize("spare", [True, False], ids=["another node has room", "none has"])
def test_a_run_whose_learners_raylet_dies_goes_on_elsewhere_or_says_within_a_minute_why_not(
    whole, head, tmp_path, spare
):
    rollout = {"engine": "transformers", "cpus": 1, "labels": {"lab/host": "samples"}}
    learner = {"cpus": 1, "labels": {"lab/host": "learns"}}
    recipe = written(tmp_path, 1, MANY, rollout=rollout, learner=learner, cluster={"backend": "ray"})
    with head(num_cpus=1, labels={"lab/host": "samples"}) as cluster:
        far = cluster.add_node(**LEARNS)
        process = start(str(recipe), "--address", cluster.address)
        folder = wait_for_rows(process, tmp_path / "runs", 3, 600)
        if spare:
            cluster.add_node(**LEARNS)
        assert process.poll() is None
        cluster.remove_node(far, allow_graceful=False)
        lost = time.monotonic()
        said = process.communicate(timeout=900)[1]
        took_s = time.monotonic() - lost
    print(f"{'ended well' if spare else 'ended'} {took_s:.1f} s after the loss")
    if spare:
        assert process.returncode == 0, said
        assert json.loads((folder / "summary.json").read_text())["learner_restarts"] > 0
        assert outcome(folder) == outcome(whole(1, MANY))
    else:
        assert process.returncode == 1, said
        assert "no other with lab/host: learns has room for 1 CPU" in said
        assert f"go on with: biorlhf run --resume {folder}" in said
        assert took_s < 60


def test_two_runs_that_fit_a_cluster_alone_and_not_together_come_one_after_the_other(whole, head, tmp_path):
    rollout = {"engine": "transformers", "actors": 2, "cpus": 1}
    sections = {
        "rollout": rollout,
        "learner": {"cpus": 1},
        "cluster": {"backend": "ray", "start_timeout_s": 900},
    }
    places = [tmp_path / name for name in "ab"]
    with head(num_cpus=3) as cluster:
        cluster.add_node(num_cpus=2, **NODE)
        for place in places:
            place.mkdir()
        recipes = [written(place, 1, **sections) for place in places]
        both = [start(str(recipe), "--address", cluster.address) for recipe in recipes]
        said = [process.communicate(timeout=1500)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    folders = [next((place / "runs").iterdir()) for place in places]
    assert [outcome(folder) for folder in folders] == [outcome(whole(1))] * 2
