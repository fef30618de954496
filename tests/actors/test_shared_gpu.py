"""A learner and rollout actors that share a GPU have one place, so that it is the same GPU."""

from __future__ import annotations

import pytest
import ray
from ray.util import placement_group_table

from biorlhf.actors import cluster as ray_cluster
from biorlhf.recipe import Recipe
from biorlhf.workers.plan import lacking, place_for, requests, together


def asking(learner, rollout, **more):
    recipe = Recipe.model_validate(
        {
            "name": "shares",
            "model": {"base": "x"},
            "data": [{"dataset": "kmp"}],
            "stages": [{"trainer": "grpo", "optimizer": {"learning_rate": 1e-4}}],
            "learner": {"cpus": 1, **learner},
            "rollout": {"cpus": 1, **rollout},
            **more,
        }
    )
    return requests(recipe, samples=True)


@pytest.mark.parametrize(
    ("learner", "rollout", "places"),
    [
        ({"gpus": 0.5}, {"gpus": 0.5}, [["learner", "rollout 1"], ["scorer 1"]]),
        ({"gpus": 0.3}, {"gpus": 0.7}, [["learner", "rollout 1"], ["scorer 1"]]),
        ({"gpus": 0.4}, {"gpus": 0.3, "actors": 2}, [["learner", "rollout 1", "rollout 2"], ["scorer 1"]]),
        (
            {"gpus": 0.5, "actors": 2},
            {"gpus": 0.5, "actors": 3},
            [["learner 1", "rollout 1"], ["learner 2", "rollout 2"], ["rollout 3"], ["scorer 1"]],
        ),
    ],
)
def test_who_shares_a_gpu_has_one_place(learner, rollout, places):
    found = together(asking(learner, rollout))
    assert [[actor.name for actor in actors] for actors in found] == places
    first = place_for(found[0])
    assert first.bundle() == {"CPU": float(len(places[0])), "GPU": 1.0}


@pytest.mark.parametrize(
    ("learner", "rollout"),
    [
        ({}, {}),
        ({"gpus": 1}, {"gpus": 1, "actors": 2}),
        ({"gpus": 0.5}, {}),
        ({"gpus": 0.6}, {"gpus": 0.5}),
        ({"gpus": 0.5, "labels": {"zone": "a"}}, {"gpus": 0.5, "labels": {"zone": "b"}}),
    ],
)
def test_whoever_shares_none_is_placed_as_it_asks(learner, rollout):
    asked = asking(learner, rollout)
    assert [place_for(actors) for actors in together(asked)] == asked


def test_nodes_that_hold_each_alone_but_not_both_are_too_small():
    asked, small = asking({"gpus": 0.5}, {"gpus": 0.5}), {"CPU": 1, "GPU": 1}
    assert "no single node fits learner and rollout 1: 2 CPU, 1 GPU" in lacking(asked, [small, small])
    assert lacking(asked, [small, {"CPU": 2, "GPU": 1}]) == ""


@pytest.mark.engine
def test_both_are_given_the_same_gpu_where_half_of_another_is_free():
    class Holder:
        def gpus(self):
            return ray.get_gpu_ids()

    def hold(**options):
        actor = ray.remote(Holder).options(num_cpus=0, **options).remote()
        return actor, ray.get(actor.gpus.remote(), timeout=60)

    ray.init(address="local", num_cpus=4, num_gpus=2, include_dashboard=False, logging_level="ERROR")
    try:
        _other_run, taken = hold(num_gpus=0.5)
        asked = asking({"gpus": 0.5}, {"gpus": 0.5})
        places = ray_cluster.place(asked, 30)
        held = [hold(num_gpus=r.gpus, scheduling_strategy=places[r.name]) for r in asked if r.gpus]
        [[first], [second]] = [gpus for _, gpus in held]
        assert first == second != taken[0]
        assert len(placement_group_table(places["learner"].placement_group)["bundles"]) == 1
    finally:
        ray.shutdown()
