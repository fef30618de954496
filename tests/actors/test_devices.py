"""Who sees a GPU, who starts when, and what is ready before time is counted; Ray's own parts are doubles."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ray.exceptions import ActorDiedError, ActorUnavailableError, ObjectLostError

from biorlhf import recipe as recipes
from biorlhf.actors import bases, cluster, connection, devices, fetch, learner, rollout, scorer
from biorlhf.actors.members import ActorDied
from biorlhf.workers.memory import object_store_bytes

RECIPES = Path(__file__).resolve().parents[2] / "recipes"


def load(name, **rollout):
    made = recipes.load(RECIPES / f"{name}.yaml")
    return made.model_copy(update={"rollout": made.rollout.model_copy(update=rollout)})


@pytest.mark.parametrize(("name", "seen"), [("quickstart", ""), ("grpo_mve", "3")])
def test_an_actor_sees_the_gpus_that_its_recipe_gives_it(name, seen, monkeypatch):
    found = []

    def note(*args, **kwargs):
        found.append(os.environ["CUDA_VISIBLE_DEVICES"])

    for part, attribute in (
        (learner.Learner, "__init__"),
        (rollout, "build_sampler"),
        (scorer, "IsolatedScorer"),
    ):
        monkeypatch.setattr(part, attribute, note)
    made = load(name).to_json()
    for worker in (learner.LearnerWorker, rollout.RolloutWorker, scorer.ScorerWorker):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")  # Ray's choice, or the machine's
        worker(made)
    assert found == [seen, seen, ""]


def test_a_learner_on_a_gpu_has_memory_that_can_grow():
    (environment,) = devices.learner_options(0.5)["runtime_env"].values()
    assert environment == {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}
    assert devices.learner_options(0) == {}


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("grpo_mve", ["learner", "learner ready", "rollouts", "scorers", "rollouts ready", "scorers ready"]),
        (
            "quickstart",
            ["learner", "rollouts", "scorers", "learner ready", "rollouts ready", "scorers ready"],
        ),
    ],
)
def test_vllm_starts_on_a_shared_gpu_when_the_learner_has_its_base_in_place(name, order, monkeypatch):
    events = []

    class Double:
        def __init__(self, what):
            self.what = what
            events.append(what)

        def wait(self):
            events.append(f"{self.what} ready")
            return []

        def watch(self, _):
            pass

        def renew(self):
            pass

        def close(self):
            pass

    monkeypatch.setattr(cluster, "RayLearners", lambda *_: Double("learner"))
    monkeypatch.setattr(cluster, "RayRollouts", lambda *_: Double("rollouts"))
    monkeypatch.setattr(cluster, "RayScorers", lambda *_: Double("scorers"))
    places = {"learner": None, "rollout 1": None, "scorer 1": None}
    with cluster._actors(load(name), places, {}, lambda what: None) as workers:
        assert workers.notes == []
    assert events == order


@pytest.mark.parametrize(
    ("gpus", "order"),
    [(0.5, ["start", "ready", "start", "ready"]), (1, ["start", "start"]), (0, ["start", "start"])],
)
def test_engines_that_share_a_gpu_start_after_each_other(gpus, order, monkeypatch):
    events = []

    class Double:
        def __init__(self, *_):
            pass

        def launch(self, numbers):
            events.append("start")

        def wait(self, numbers):
            events.append("ready")

    monkeypatch.setattr(rollout, "Fleet", Double)
    rollout.RayRollouts(load("grpo_mve", gpus=gpus), [None, None])
    assert events == order


@pytest.fixture
def tasks(monkeypatch):
    """What is asked to be made ready: (task, its options)."""
    asked = []

    class Task:
        def __init__(self, name):
            self.name = name

        def options(self, **options):
            asked.append((self.name, options))
            return self

        def remote(self, _):
            return self.name

    monkeypatch.setattr(bases, "_resolve", Task("resolve"))
    monkeypatch.setattr(bases, "_expand", Task("expand"))
    monkeypatch.setattr(bases, "fetch", lambda *args: asked.append(("waited", args[2:])))
    return asked


def test_a_model_of_the_hub_is_fetched_and_expanded_before_an_actors_time_is_counted(tasks):
    bases.prepare_bases(load("grpo_mve"), {"learner": "A", "rollout 1": "A", "scorer 1": "B"})
    assert [(name, options.get("num_gpus")) for name, options in tasks if name != "waited"] == [
        ("resolve", None),
        ("expand", 0.5),
    ]
    # Without a limit: a large model takes what it takes.
    assert [row for row in tasks if row[0] == "waited"] == [("waited", ())] * 2


def test_every_one_of_several_learners_has_its_model_fetched_on_a_node_of_its_labels(tasks):
    made = load("grpo_full_v2_unlike")
    bases.prepare_bases(made, {"learner 1": "A", "learner 2": "B", "scorer 1": "C"})
    found = [options for name, options in tasks if name == "resolve"]
    assert [options["scheduling_strategy"] for options in found] == ["A", "B"]
    assert found[1]["label_selector"] == {"ray.io/accelerator-type": "in(H100,H200,A100)"}


def test_what_lies_on_this_machine_and_is_served_as_it_is_needs_no_preparing(tasks):
    bases.prepare_bases(load("quickstart"), {"learner": "A", "rollout 1": "A"})
    assert tasks == []


def test_rays_store_on_this_machine_holds_what_the_recipe_hands_over(monkeypatch):
    seen = {}
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(connection.ray, "init", lambda **settings: seen.update(settings))
    size = object_store_bytes(load("grpo_full_v2"))
    connection.connect(None, 1.0, size)
    assert seen["object_store_memory"] == size > 3e9
    seen.clear()
    connection.connect("auto", 1.0, size)
    assert "object_store_memory" not in seen


def died(why):
    """As Ray reports it: the first line is the same whatever it was."""
    error = ActorDiedError()
    error.error_msg = f"The actor died unexpectedly before finishing this task.\n\tclass_name: X\n{why}"
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            died("The actor is dead because its worker process has died."),
            r"its process died \(.*worker process",
        ),
        (died("The actor died because its node has died. Node Id: 5f"), r"its node died \(.*Node Id: 5f"),
        (ActorUnavailableError("RpcError", None), "it cannot be reached; .*RpcError"),
        (ObjectLostError("00" * 28, None, ""), "its node died, and what it had given with it"),
    ],
)
def test_an_actor_that_is_lost_is_said_to_be_what_it_is(monkeypatch, error, said):
    def lost(*_, **__):
        raise error

    monkeypatch.setattr(fetch.ray, "get", lost)
    with pytest.raises(ActorDied, match=f"rollout actor 1: {said}"):
        fetch.fetch("ref", "rollout actor 1")


@pytest.mark.parametrize(
    ("lag", "kind", "threads"), [(0, "learner", 8), (0, "rollout", 3), (1, "learner", 2), (2, "rollout", 2)]
)
def test_actors_that_compute_at_once_share_the_cores(monkeypatch, lag, kind, threads):
    monkeypatch.setattr(devices, "cores", lambda: 16)
    made = load("quickstart", actors=4, most=5)
    learner = made.learner.model_copy(update={"actors": 2, "cpus": 1})
    stages = tuple(stage.model_copy(update={"lag": lag}) for stage in made.stages)
    made = made.model_copy(update={"learner": learner, "stages": stages})
    assert devices.thread_count(made, kind) == threads
    asked = made.model_copy(update={kind: getattr(made, kind).model_copy(update={"cpus": 12})})
    assert devices.thread_count(asked, kind) == 12
