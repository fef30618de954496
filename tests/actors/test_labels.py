"""Actors on the nodes that the recipe names by their labels, and none elsewhere."""

from __future__ import annotations

import pytest
import ray
from pydantic import ValidationError
from ray.cluster_utils import Cluster

from biorlhf.actors import cluster as ray_cluster
from biorlhf.errors import ResourceError
from biorlhf.recipe import Recipe
from biorlhf.recipe.schema import Learner
from biorlhf.workers.plan import lacking, requests
from raylets import NODE, place_of, recipe_of, until

KIND = "ray.io/accelerator-type"


def asking(learner=None, rollout=None, **more):
    return Recipe.model_validate(
        {
            "name": "labels",
            "model": {"base": "x"},
            "data": [{"dataset": "kmp"}],
            "stages": [{"trainer": "grpo", "optimizer": {"learning_rate": 1e-4}}],
            "learner": {"labels": learner or {}},
            "rollout": {"labels": rollout or {}, "actors": 2, **more},
        }
    )


def node(cpus=4, **labels):
    return {"CPU": cpus, "GPU": 0, "labels": {"ray.io/node-id": "5f", **labels}}


def test_each_bundle_is_asked_for_with_its_own_labels(monkeypatch):
    asked = []

    class Group:
        def wait(self, _):
            return True

    def note(bundles, **options):
        asked.extend(options["bundle_label_selector"])
        return Group()

    monkeypatch.setattr(ray_cluster, "placement_group", note)
    monkeypatch.setattr(ray_cluster, "alive", dict)
    recipe = asking({KIND: "H100"}, {KIND: ["L40S", "L4"], "zone": "a"})
    ray_cluster.place(requests(recipe, samples=True), 1)
    few = {KIND: "in(L40S,L4)", "zone": "a"}
    assert asked == [{KIND: "H100"}, few, few]  # scorers ask for nothing, and run anywhere


def test_what_ray_itself_refuses_is_an_error_of_the_labels():
    """It takes a GB200 in every bundle of a group: what is waited for is one group."""
    ray.init(address="local", num_cpus=1, include_dashboard=False, logging_level="ERROR")
    try:
        with pytest.raises(ResourceError, match=r"learner\.labels.*GB200"):
            ray_cluster.place(requests(asking({KIND: "GB200"}), samples=True), 1)
    finally:
        ray.shutdown()


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([node(zone="a"), node()], f"learner asks for a node with {KIND}: H100, and no node has the label"),
        ([node(zone="a"), node()], f"{KIND}; there are zone"),
        ([node(**{KIND: "A100"}), node()], f"no node has that; there are {KIND}: A100; {KIND}: none"),
        ([node(**{KIND: "H100"}), node(zone="d")], "rollout 1 asks for a node with zone: b or c, and no"),
        ([node(**{KIND: "H100"}), node(0.5, zone="c")], "are 0.5 CPUs and 0 GPUs on nodes with zone: b or c"),
        ([node(**{KIND: "H100"}), node(1, zone="c")], ""),
        ([{"CPU": 4}], ""),  # one whose labels are not known
    ],
)  # fmt: skip
def test_what_no_node_has_is_said_with_what_they_have(nodes, said):
    problem = lacking(requests(asking({KIND: "H100"}, {"zone": ["b", "c"]}), samples=True), nodes)
    assert said in problem
    assert bool(said) == bool(problem)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"zone": 1}, "a number needs quotes"),
        ({"zone": []}, "or a list of some"),
        ({"zone": "!west"}, "'!west' is no label's value"),
        ({"my zone": "west"}, "'my zone' is no label's name"),
        ({"ray.io/": "west"}, "'ray.io/' is no label's name"),
    ],
)
def test_what_is_no_label_is_refused_with_what_one_is(labels, said):
    with pytest.raises(ValidationError, match=said):
        Learner(labels=labels)


@pytest.mark.engine
@pytest.mark.hostile
@pytest.mark.timeout(400)
def test_learner_and_rollouts_are_on_the_nodes_that_they_ask_for(tmp_path):
    def at(pool, cpus=2):
        return {"num_cpus": cpus, "labels": {"lab/pool": pool}, **NODE}

    made = Cluster(initialize_head=True, head_node_args={"include_dashboard": False, **at("learn", 4)})
    try:
        far = made.add_node(**at("sample"))
        ray.init(address=made.address, log_to_driver=False, logging_level="ERROR")
        recipe = recipe_of(tmp_path)
        rollout = {"labels": {"lab/pool": ("sample",)}, "actors": 2, "most": 3}
        recipe = recipe.model_copy(
            update={
                "rollout": recipe.rollout.model_copy(update=rollout),
                "learner": Learner(cpus=1, labels={"lab/pool": "learn"}),
            }
        )
        with ray_cluster.ray_workers(recipe, samples=True, address=None) as workers:
            assert place_of(workers.learner.actors[0]) == made.head_node.node_id
            slots = workers.rollouts.fleet.slots
            assert [place_of(slot.engine.actor) for slot in slots[:2]] == [far.node_id] * 2
            # The third has room on the head, and waits for a node of its kind.
            made.add_node(**at("other"))
            third = made.add_node(**at("sample"))
            until(lambda: slots[2].alive, 60)
            assert place_of(slots[2].engine.actor) == third.node_id
        lost = {"labels": {"lab/pool": ("none",)}}
        recipe = recipe.model_copy(update={"rollout": recipe.rollout.model_copy(update=lost)})
        said = "lab/pool: none, and no node has that; there are lab/pool: learn; lab/pool: other"
        with (
            pytest.raises(ResourceError, match=said),
            ray_cluster.ray_workers(recipe, samples=True, address=None),
        ):
            pass
    finally:
        ray.shutdown()
        made.shutdown()
