"""Which actors are one group on a cluster, and what is held while a run waits for its places."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
import ray
from ray.util import placement_group, placement_group_table, remove_placement_group

from biorlhf.actors import cluster as ray_cluster
from biorlhf.actors import learner
from biorlhf.errors import ResourceError
from biorlhf.recipe.schema import Learner
from biorlhf.workers.layouts import holds, layouts
from biorlhf.workers.plan import Request, place_for


def actors(kind, number, cpus, gpus=0.0, **labels):
    return [
        Request(f"{kind} {n + 1}", cpus, gpus, {k: (v,) for k, v in labels.items()}) for n in range(number)
    ]


def alone(*requests):
    return [[request] for request in requests]


def words(layout):
    return [f"{strategy} {', '.join(a.name for b in bundles for a in b)}" for strategy, bundles in layout]


APART = ["PACK learner 1, learner 2", "PACK rollout 1", "PACK rollout 2", "SPREAD scorer 1, scorer 2"]
ONE = ["PACK learner 1, learner 2, rollout 1, rollout 2, scorer 1, scorer 2"]


@pytest.mark.parametrize(
    ("nodes", "strict"),
    [
        ([{"CPU": 8}], True),
        ([{"CPU": 2}, {"CPU": 4}, {"CPU": 2}], True),
        ([{"CPU": 3}, {"CPU": 3}, {"CPU": 3}], False),
        ([{"CPU": 8, "labels": {"zone": "b"}}, {"CPU": 3, "labels": {"zone": "a"}}], False),
        ([{"CPU": 8, "labels": {"zone": "b"}}, {"CPU": 4, "labels": {"zone": "a"}}], True),
    ],
)
def test_learners_are_asked_of_one_node_where_one_of_their_kind_holds_them(nodes, strict):
    asked = [*actors("learner", 2, 2, zone="a"), *actors("rollout", 2, 2), *actors("scorer", 2, 1)]
    first = ["STRICT_PACK learner 1, learner 2", *APART[1:]]
    assert [words(layout) for layout in layouts(asked, nodes)] == [*[first] * strict, APART, ONE]


def test_what_fits_on_fewest_nodes_is_asked_for_first():
    large = [*actors("learner", 2, 1, 1), *actors("rollout", 1, 1, 2), *actors("scorer", 1, 9)]
    first, second, one = layouts(large, [{"CPU": 16, "GPU": 2}])
    assert words(first) == ["STRICT_PACK learner 1, learner 2", "PACK rollout 1", "SPREAD scorer 1"]
    assert words(second) == ["PACK rollout 1", "PACK learner 1, learner 2", "SPREAD scorer 1"]
    assert words(one) == ["PACK rollout 1, learner 1, learner 2, scorer 1"]


def test_where_the_ways_are_the_same_there_is_one():
    learner = actors("learner", 1, 1)
    assert [words(layout) for layout in layouts(learner, [{"CPU": 8}])] == [["PACK learner 1"]]
    assert layouts([*actors("learner", 2, 0), *actors("scorer", 2, 0)], [{"CPU": 8}]) == [[]]


def test_who_shares_a_gpu_is_one_bundle_of_the_learners_group():
    asked = [*actors("learner", 2, 1, 0.5), *actors("rollout", 3, 1, 0.5)]
    first, *_ = layouts(asked, [{"CPU": 8, "GPU": 3}])
    assert [[[a.name for a in bundle] for bundle in bundles] for _, bundles in first] == [
        [["learner 1", "rollout 1"], ["learner 2", "rollout 2"]],
        [["rollout 3"]],
    ]


H100 = {"CPU": 8, "GPU": 2, "labels": {"card": "H100"}}
FITS = [
    (alone(*actors("learner", 3, 0, 0.5)), True),
    (alone(*actors("learner", 4, 0, 0.5)), True),
    (alone(*actors("learner", 3, 0, 0.6)), False),  # 1.8 of 2
    (alone(*actors("learner", 1, 0, 1.0), *actors("rollout", 2, 0, 0.6)), False),  # one share to each GPU
    (alone(*actors("learner", 2, 0, 0.4), *actors("rollout", 2, 0, 0.6)), True),
    ([actors("learner", 2, 0, 0.45), *alone(*actors("rollout", 2, 0, 0.55))], False),
    (alone(*actors("learner", 1, 0, 2.0)), True),
    (alone(*actors("learner", 1, 0, 2.0), *actors("rollout", 1, 0, 0.1)), False),
    (alone(*actors("learner", 3, 1.3)), True),
    (alone(*actors("learner", 3, 1.4)), False),  # 4.2 of 4
]


@pytest.mark.parametrize(("bundles", "fit"), FITS)
def test_shares_of_a_gpu_are_those_of_one_gpu(bundles, fit):
    assert holds({"CPU": 4, "GPU": 2}, bundles) == fit


@pytest.mark.parametrize(("card", "fit"), [("H100", True), ("L4", False)])
def test_a_node_of_another_kind_holds_nobody(card, fit):
    assert holds(H100, alone(*actors("learner", 2, 1, 1, card=card))) == fit


class Groups:
    """A Ray that gives the groups of these numbers, by the order in which they are asked for."""

    def __init__(self, monkeypatch, given):
        self.given, self.asked, self.held, self.waits = given, [], [], []
        monkeypatch.setattr(ray_cluster, "placement_group", self.ask)
        monkeypatch.setattr(ray_cluster, "remove_placement_group", self.held.remove)
        monkeypatch.setattr(ray_cluster, "alive", lambda: {"one": {"CPU": 8, "GPU": 0}})
        monkeypatch.setattr(ray_cluster.ray, "available_resources", lambda: {"CPU": 3.0})

    def ask(self, bundles, *, strategy, **_):
        number, waits = len(self.asked), self.waits

        class Group:
            def wait(group, timeout_s):
                waits.append((number, timeout_s))
                return number in self.given

        self.asked.append(f"{strategy} {len(bundles)}")
        self.held.append(Group())
        return self.held[-1]


ASKED = [*actors("learner", 2, 2), *actors("rollout", 2, 1), *actors("scorer", 1, 1)]
ALL_WAYS = ["STRICT_PACK 2", *["PACK 1"] * 2, "SPREAD 1", "PACK 2", *["PACK 1"] * 2, "SPREAD 1", "PACK 5"]


@pytest.mark.parametrize(("given", "asked", "held"), [
    (range(4), 4, 4),
    (range(4, 8), 8, 4),
    ([0, 1, 3, 4, 5, 6, 8], 9, 1),
], ids=["one node is free", "several are", "too little is"])  # fmt: skip
def test_the_first_way_that_is_free_is_taken_and_nothing_of_the_others_held(monkeypatch, given, asked, held):
    groups = Groups(monkeypatch, given)
    places = ray_cluster.place(ASKED, 300)
    assert groups.asked == ALL_WAYS[:asked]
    assert len(groups.held) == held
    assert list(places) == [request.name for request in ASKED]
    assert {place.placement_group for place in places.values()} == set(groups.held)
    ray_cluster.give_back(places.values())
    assert groups.held == []


def test_what_never_comes_is_waited_for_as_one_group_until_the_deadline_and_given_back(monkeypatch):
    groups = Groups(monkeypatch, [])
    with pytest.raises(
        ResourceError, match="nothing became free in 300 s: asked for learner 1: 2 CPU"
    ) as caught:
        ray_cluster.place(ASKED, 300)
    assert "free now: 3 CPUs and 0 GPUs" in str(caught.value)
    assert groups.held == []
    assert groups.waits == [(0, 5), (4, 5), (8, 300)]


def test_nothing_is_held_where_a_run_is_interrupted_while_it_waits(monkeypatch):
    groups = Groups(monkeypatch, [0])

    def interrupted(group, _):
        raise KeyboardInterrupt

    monkeypatch.setattr(ray_cluster, "_is_there", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ray_cluster.place(ASKED, 300)
    assert groups.held == []


@pytest.mark.parametrize("one_node", [True, False], ids=["another node", "two nodes"])
def test_learners_whose_node_dies_are_asked_for_on_several_where_no_other_holds_them_all(
    monkeypatch, one_node
):
    nodes = {name: {"CPU": 2, "GPU": 1, "labels": {}} for name in "ab"}
    groups = Groups(monkeypatch, range(9))
    monkeypatch.setattr(ray_cluster, "alive", lambda: {"dead": {"CPU": 8, "GPU": 2}})
    asked = [*actors("learner", 2, 1, 0.5), *actors("rollout", 2, 1, 0.5)]
    places = ray_cluster.place(asked, 300)
    [strict] = groups.held
    looks = iter(["dead", *["a" if one_node else ""] * 9])

    def table(group):
        if group is strict:
            return {"strategy": "STRICT_PACK", "bundles_to_node_id": dict.fromkeys((0, 1), next(looks))}
        return {"strategy": "PACK", "bundles_to_node_id": {0: "a", 1: "b"}}

    strict.bundle_specs = [{"CPU": 2.0, "GPU": 1.0}] * 2
    for name, value in {
        "placement_group": groups.ask,
        "remove_placement_group": groups.held.remove,
        "placement_group_table": table,
        "alive": lambda: nodes,
        "LOOK_S": 0.01,
        "ONE_NODE_S": 0.02,
    }.items():
        monkeypatch.setattr(learner, name, value)
    learners = learner.RayLearners.__new__(learner.RayLearners)
    learners.recipe = SimpleNamespace(learner=Learner(cpus=1, gpus=0.5, actors=2))
    learners.actors, learners.places = [], [places["learner 1"], places["learner 2"]]
    assert learners._moved()
    assert groups.asked == ["STRICT_PACK 2", *([] if one_node else ["PACK 2"])]
    # Who shares their GPUs goes with them, and what is given back at the end is what is held by then.
    assert {place.placement_group for place in places.values()} == set(groups.held)
    assert (strict in groups.held) == one_node
    ray_cluster.give_back(places.values())
    assert groups.held == []


@pytest.fixture(scope="module")
def local_ray():
    ray.init(address="local", num_cpus=4, num_gpus=2, include_dashboard=False, logging_level="ERROR")
    yield
    ray.shutdown()


@pytest.mark.engine
@pytest.mark.parametrize(("bundles", "fit"), FITS)
def test_ray_finds_room_on_one_node_for_what_one_is_said_to_hold(local_ray, bundles, fit):
    asked = [place_for(actors).bundle() for actors in bundles]
    asked.sort(key=lambda bundle: -bundle.get("GPU", 0))
    group = placement_group(asked, strategy="STRICT_PACK")
    assert group.wait(1 + 9 * fit) == fit
    remove_placement_group(group)


@pytest.mark.engine
def test_of_two_runs_that_fit_alone_one_starts_and_the_other_holds_nothing(local_ray):
    """Three CPUs each, of four: learners of one, a rollout actor and a scorer."""
    asked = [*actors("learner", 1, 1), *actors("rollout", 1, 1), *actors("scorer", 1, 1)]
    outcomes, both = {}, threading.Barrier(2)

    def run(name):
        both.wait()
        try:
            outcomes[name] = ray_cluster.place(asked, 4)
        except ResourceError as error:
            outcomes[name] = error

    def groups_there():
        return [t["state"] for t in placement_group_table().values() if t["state"] != "REMOVED"]

    threads = [threading.Thread(target=run, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [places] = [one for one in outcomes.values() if isinstance(one, dict)]
    [error] = [one for one in outcomes.values() if isinstance(one, ResourceError)]
    assert "nothing became free in 4 s" in str(error)
    assert set(groups_there()) == {"CREATED"}
    assert len(groups_there()) == len({place.placement_group for place in places.values()})
    ray_cluster.give_back(places.values())
    # And it starts when the first has gone.
    ray_cluster.give_back(ray_cluster.place(asked, 30).values())
    assert groups_there() == []
