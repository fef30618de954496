"""Several raylets: one dies with its rollout actors, or with the learner, and another joins."""

from __future__ import annotations

import json
import time
from collections import Counter

import pytest
import ray
from ray.cluster_utils import Cluster

from biorlhf.actors import rollout
from biorlhf.actors.cluster import _place, _places
from biorlhf.recipe import from_data
from biorlhf.stage import Sampling
from biorlhf.testing import an_adapter
from biorlhf.types import Question
from biorlhf.workers.plan import Request
from tiny_model import write_tiny_model
from tiny_run import numbers, start, wait_for_rows, write_tiny_run

# Two raylets, and minutes of starting and waiting.
pytestmark = [pytest.mark.engine, pytest.mark.hostile]
NODE = {"object_store_memory": 80_000_000}


@pytest.fixture
def cluster():
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False, **NODE})
    yield made
    ray.shutdown()
    made.shutdown()


def recipe_of(folder):
    (folder / "script.json").write_text(json.dumps({"default": ["67 genes. Confidence: 90%"]}))
    return from_data(
        {
            "name": "nodes",
            "model": {"base": str(write_tiny_model(folder)), "dtype": "fp32"},
            "prompt": {"template": "plain", "answer": "free", "max_tokens": 64},
            "data": [{"dataset": "kmp"}],
            "stages": [{"trainer": "sft", "optimizer": {"learning_rate": 1e-3}}],
            "rollout": {
                "engine": "scripted",
                "script": str(folder / "script.json"),
                "simulated": {"token_s": [[1, 0.01]], "mean_tokens": 40},
                "actors": 3,
                "cpus": 1,
                "concurrency": 8,
            },
        }
    )


def until(true, timeout_s):
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, f"not in {timeout_s} s"
        time.sleep(0.05)
    return timeout_s - (end - time.monotonic())


@pytest.mark.timeout(300)
def test_a_raylet_that_dies_takes_no_question_with_it_and_one_that_joins_answers(
    cluster, tmp_path, monkeypatch
):
    far = cluster.add_node(num_cpus=2, **NODE)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    recipe = recipe_of(tmp_path)
    asked = [Request(f"rollout {n + 1}", 1, 0) for n in range(3)]
    group = _place(asked, 60)
    given = []
    put = rollout.RayEngine.put
    monkeypatch.setattr(
        rollout.RayEngine, "put", lambda self, tickets: (given.append(self.name), put(self, tickets))
    )
    rollouts = rollout.RayRollouts(recipe, list(_places(asked, group).values()))
    rollouts.wait()
    rollouts.load_adapter(an_adapter(1))

    def answers(names):
        return rollouts.sample(
            [Question(name, "How many?", {}) for name in names], Sampling(n=4, max_tokens=64)
        )

    names = [f"question {n}" for n in range(60)]
    stream, seen = answers(names), []
    for answer in stream:
        seen.append(answer.question.id)
        if len(seen) == 6:
            cluster.remove_node(far, allow_graceful=False)
            lost_s = time.monotonic()
        elif len(seen) == 30:
            print(f"24 more answers within {time.monotonic() - lost_s:.1f} s of the loss")
    assert Counter(seen) == Counter(names)
    slots = rollouts.fleet.slots
    # Of three places two were on that node; what is started anew there may die as well.
    until(lambda: [bool(slot.deaths) for slot in slots].count(True) == 2, 30)
    assert sum(slot.alive for slot in slots) == 1

    cluster.add_node(num_cpus=2, **NODE)
    took_s = until(lambda: all(slot.alive for slot in slots), 60)
    given.clear()
    assert Counter(a.question.id for a in answers(names)) == Counter(names)
    print(f"a node that joined answers after {took_s:.1f} s")
    assert len(set(given)) == 3
    rollouts.close()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("spare", [True, False], ids=["another node has room", "none has"])
def test_the_learners_raylet_dies_and_the_run_goes_on_or_says_why_not(cluster, tmp_path, spare):
    # One CPU is the head's: the learner fits nowhere else.
    far = cluster.add_node(num_cpus=2, **NODE)
    # Large enough to lie in the object store, and to be lost with it.
    sections = {"rollout": {"cpus": 1}, "learner": {"cpus": 2}, "lora": {"r": 64, "alpha": 128}}
    recipe = write_tiny_run(tmp_path, backend="ray", steps=20, evaluation={"questions": 0}, **sections)
    process = start(str(recipe), "--address", cluster.address)
    folder = wait_for_rows(process, tmp_path / "runs", 3, 500)
    if spare:
        cluster.add_node(num_cpus=2, **NODE)
    cluster.remove_node(far, allow_graceful=False)
    made, began = rows_of(folder), time.monotonic()
    if spare:
        until(lambda: process.poll() is not None or rows_of(folder) > made + 1, 60)
        print(f"restarted: the next step {time.monotonic() - began:.1f} s after the loss")
    else:
        until(lambda: process.poll() is not None, 60)
        print(f"ended {time.monotonic() - began:.1f} s after the loss")
    said = process.communicate(timeout=300)[1]
    print(said[-1500:])
    if spare:
        assert process.returncode == 0, said
        assert json.loads((folder / "summary.json").read_text())["learner_restarts"] == 1
        assert [row["step"] for row in numbers(folder)] == list(range(1, 21))
    else:
        assert process.returncode == 1, said
        assert "no other has room for 2 CPU" in said
        assert "--resume" in said


def rows_of(folder):
    return (folder / "metrics.jsonl").read_text().count("\n")
