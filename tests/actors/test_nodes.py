"""Several raylets: one dies with its rollout actors, or with the learner, and another joins."""

from __future__ import annotations

import time
from collections import Counter

import pytest
import ray
from ray.cluster_utils import Cluster
from ray.util import placement_group, placement_group_table, remove_placement_group

from biorlhf.actors import rollout
from biorlhf.actors.cluster import give_back, place
from biorlhf.actors.learner import RayLearners
from biorlhf.actors.rollout import RayRollouts
from biorlhf.engines.learning.learner import build_learner
from biorlhf.errors import LearnerLost, RunFailure
from biorlhf.recipe import Lora, from_data
from biorlhf.recipe.schema import Learner
from biorlhf.stage import Sampling
from biorlhf.testing import an_adapter
from biorlhf.types import Question
from biorlhf.workers.plan import Request
from raylets import NODE, place_of, recipe_of, until
from tiny_learner import GRPO, groups

# Two raylets, and minutes of starting and waiting.
pytestmark = [pytest.mark.engine, pytest.mark.hostile]


@pytest.fixture
def cluster():
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False, **NODE})
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.mark.timeout(300)
def test_a_raylet_that_dies_takes_no_question_with_it_and_one_that_joins_answers(
    cluster, tmp_path, monkeypatch
):
    far = cluster.add_node(num_cpus=2, **NODE)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    recipe = recipe_of(tmp_path)
    asked = [Request(f"rollout {n + 1}", 1, 0) for n in range(3)]
    given = []
    put = rollout.RayEngine.put
    monkeypatch.setattr(
        rollout.RayEngine, "put", lambda self, tickets: (given.append(self.name), put(self, tickets))
    )
    rollouts = RayRollouts(recipe, list(place(asked, 60).values()))
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


@pytest.mark.timeout(400)
def test_a_real_engine_whose_raylet_dies_in_a_step_leaves_its_questions_to_the_other(cluster, tmp_path):
    # One actor for the head's CPU, one for the other node's.
    far = cluster.add_node(num_cpus=1, **NODE)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    engine = {"engine": "vllm", "actors": 2, "concurrency": 4, "kv_cache_gb": 0.2}
    given = recipe_of(tmp_path).to_json()
    given |= {
        "model": {"base": "smollm2-135m-instruct", "dtype": "fp32"},
        "lora": {"r": 4, "alpha": 8},
        "rollout": {**engine, "cpus": 1, "max_completion_tokens": 24},
    }
    recipe = from_data(given)
    asked = [Request(f"rollout {n + 1}", 1, 0) for n in range(2)]
    rollouts = RayRollouts(recipe, list(place(asked, 60).values()))
    learner = build_learner(recipe, threads=1, on_gpu=False)
    learner.begin_stage(0, 10)
    rollouts.wait()
    rollouts.watch(learner)
    rollouts.load_adapter(learner.adapter())
    nodes = [place_of(slot.engine.actor) for slot in rollouts.fleet.slots]
    lost = rollouts.fleet.slots[nodes.index(far.node_id)]

    names = [f"question {n}" for n in range(16)]
    questions = [Question(name, f"How many genes has plasmid {name}?", {}) for name in names]
    seen, orphans, gone = [], set(), None
    for answer in rollouts.sample(questions, Sampling(n=2, max_tokens=24)):
        seen.append(answer.question.id)
        orphans.discard(answer.question.id)
        if gone is not None and not orphans:
            print(f"what it had been asked is answered {time.monotonic() - gone:.1f} s after the loss")
            took_s, orphans = time.monotonic() - gone, {"said"}
        if gone is None and len(seen) >= 4 and lost.asked:
            orphans = {ticket.work[0].id for ticket, *_ in list(lost.asked.values())} - set(seen)
            cluster.remove_node(far, allow_graceful=False)
            gone = time.monotonic()
    assert Counter(seen) == Counter(names)
    assert lost.deaths == 1
    assert took_s < 30
    rollouts.close()


@pytest.mark.timeout(900)
def test_learners_whose_raylet_dies_are_said_to_be_lost_with_what_they_gave(cluster, tmp_path):
    # One CPU is the head's: the learner fits nowhere else.
    far = cluster.add_node(num_cpus=2, **NODE)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    # Its adapter is large enough to lie in the object store, and to be lost with it.
    given = {"lora": Lora(r=64, alpha=128), "learner": Learner(cpus=2)}
    recipe = recipe_of(tmp_path).model_copy(update=given)
    asked = [Request("learner", 2, 0)]
    learners = RayLearners(recipe, list(place(asked, 60).values()))
    learners.wait()
    learners.begin_stage(0, 10)
    update = learners.step(groups(seed=1), GRPO, seed=1)
    cluster.remove_node(far, allow_graceful=False)
    lost = time.monotonic()
    with pytest.raises(LearnerLost):
        learners.step(groups(seed=2), GRPO, seed=2)
    print(f"noticed after {time.monotonic() - lost:.1f} s")
    with pytest.raises(RunFailure, match="no other has room for 2 CPU"):
        learners.renew()
    took_s = time.monotonic() - lost
    print(f"ended after {took_s:.1f} s")
    assert took_s < 60
    with pytest.raises(LearnerLost):
        len(update.adapter.tensors)
    learners.close()


@pytest.mark.timeout(900)
def test_learners_whose_node_dies_go_on_over_two_where_no_other_holds_them_all(cluster, tmp_path):
    far = cluster.add_node(num_cpus=2, **NODE)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    recipe = recipe_of(tmp_path).model_copy(update={"learner": Learner(cpus=1, actors=2)})
    places = place([Request(f"learner {n + 1}", 1, 0) for n in range(2)], 60)
    learners = RayLearners(recipe, list(places.values()))
    learners.wait()
    assert [place_of(actor) for actor in learners.actors] == [far.node_id] * 2
    learners.begin_stage(0, 10)
    learners.step(groups(seed=1), GRPO, seed=1)
    # With the head's one as many CPUs as they need.
    cluster.add_node(num_cpus=1, **NODE)
    cluster.remove_node(far, allow_graceful=False)
    with pytest.raises(LearnerLost):
        learners.step(groups(seed=2), GRPO, seed=2)
    lost = time.monotonic()
    learners.renew()
    print(f"there again {time.monotonic() - lost:.1f} s after the loss was noticed")
    assert len({place_of(actor) for actor in learners.actors}) == 2
    learners.begin_stage(0, 10)
    learners.step(groups(seed=1), GRPO, seed=1)
    learners.close()
    give_back(places.values())
    until(lambda: {table["state"] for table in placement_group_table().values()} == {"REMOVED"}, 30)


@pytest.mark.timeout(300)
def test_a_node_that_could_hold_the_learners_and_is_busy_is_not_waited_for(cluster):
    far = cluster.add_node(num_cpus=2, **NODE)
    cluster.add_node(num_cpus=1, **NODE)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    other = placement_group([{"CPU": 1}, {"CPU": 1}], strategy="STRICT_PACK")
    assert other.wait(60)
    asked = [Request(f"learner {n + 1}", 1, 0) for n in range(2)]
    began = time.monotonic()
    places = place(asked, 100)
    print(f"two nodes after {time.monotonic() - began:.1f} s")
    assert time.monotonic() - began < 50
    table = placement_group_table(places["learner 1"].placement_group)
    assert table["strategy"] == "PACK"
    assert far.node_id not in table["bundles_to_node_id"].values()
    give_back(places.values())
    # Free again, it holds them both.
    remove_placement_group(other)
    places = place(asked, 100)
    table = placement_group_table(places["learner 1"].placement_group)
    assert table["strategy"] == "STRICT_PACK"
    assert set(table["bundles_to_node_id"].values()) == {far.node_id}
