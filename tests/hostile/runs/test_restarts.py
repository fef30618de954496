"""What is done about actors and a Ray that died or do not answer; doubles stand for them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from biorlhf.actors import connection, learner, scorer
from biorlhf.actors.members import ActorDied
from biorlhf.actors.remains import guarded
from biorlhf.errors import LearnerLost, ResourceError, RunFailure
from biorlhf.recipe.schema import Learner
from judges import Judge, groups_of, scorers_of
from tiny_run import alive


class Ref:
    """What is waited for; each is another."""

    def __init__(self, number: int, alive: bool, method: str) -> None:
        self.number, self.alive, self.method = number, alive, method


class Actor:
    """Answers everything with its number; one that is dead answers nothing."""

    def __init__(self, number: int, alive: bool = True) -> None:
        self.number, self.alive, self.asked = number, alive, []

    def __getattr__(self, method: str) -> SimpleNamespace:
        def remote(*arguments):
            self.asked.append((method, *arguments))
            return Ref(self.number, self.alive, method)

        return SimpleNamespace(remote=remote)


def test_scorers_from_which_nothing_comes_are_replaced_and_asked_again(monkeypatch):
    judges = [Judge(threading.Event()) for _ in range(3)]
    made = scorers_of(monkeypatch, judges, 1)
    made.fleet.limits, made._takes_s = replace(made.fleet.limits, timeout_s=0.1), lambda _: 0.0
    with pytest.raises(RunFailure, match=r"scorer actor 1 died 3 times: .*no answer in 0\.1 s \(scorer\."):
        list(made.score(groups_of(["a", "b", "c"])))
    assert len(judges[2].calls) == 1 + scorer.ROOM
    made.close()


def test_a_learner_that_gives_no_answer_is_named_with_the_time_that_it_had(monkeypatch):
    monkeypatch.setattr(learner.ray, "wait", lambda refs, **_: ([], refs))
    learners = learner.RayLearners.__new__(learner.RayLearners)
    limits = SimpleNamespace(learner=SimpleNamespace(timeout_s=8), cluster=SimpleNamespace(start_timeout_s=9))
    learners.recipe, learners.actors = limits, [Actor(1)]
    with pytest.raises(RunFailure, match=r"^learner actor: no sign of life in 8 s; .*learner\.timeout_s"):
        dict(learners.checkpoint())  # fetched where it is read
    learners.actors.append(Actor(2))
    with pytest.raises(RunFailure, match=r"^learner actor 1: no sign of life in 9 s; .*start_timeout_s"):
        learners.wait()


def test_a_part_of_ray_that_dies_is_noticed_at_once(monkeypatch):
    part = subprocess.Popen(["sleep", "600"])
    descriptor = os.pidfd_open(part.pid)
    monkeypatch.setattr(connection, "_processes", lambda: {descriptor: "Ray's raylet (process 1)"})
    told, said = threading.Event(), []

    def lost(what: str) -> None:
        said.append(what)
        told.set()

    with connection.watched(lost):
        assert not told.is_set()
        part.kill()
        assert told.wait(30)
    part.wait()
    assert said == ["Ray's raylet (process 1) died, and with it all workers of this run"]


def test_a_ray_that_is_stopped_on_purpose_is_not_reported(monkeypatch):
    part = subprocess.Popen(["sleep", "600"])
    descriptor = os.pidfd_open(part.pid)
    monkeypatch.setattr(connection, "_processes", lambda: {descriptor: "Ray's raylet"})
    said: list[str] = []
    with connection.watched(said.append):
        pass
    part.kill()
    part.wait()
    assert said == []


def test_a_port_where_nobody_answers_is_given_up_in_time():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ResourceError, match=r"cannot be reached: no answer in 0\.5 s"):
            connection.connect(address, 0.5)


def test_a_port_that_is_closed_is_said_at_once():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ResourceError, match=r"cannot be reached: .*refused"):
            connection.connect(f"127.0.0.1:{taken.getsockname()[1]}", 60)


def test_a_ray_that_does_not_start_is_a_failure_with_its_reason(monkeypatch):
    def late(**_):
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(connection.ray, "init", late)
    with pytest.raises(RunFailure, match=r"Ray does not start on this machine: The current node timed out"):
        connection.connect(None, 1.0)


HOLDER = """
import subprocess, sys, time
from biorlhf.actors.remains import guarded
part = subprocess.Popen(["sleep", "600"], start_new_session=True)
with guarded([part.pid]):
    print(part.pid, flush=True)
    time.sleep(600)
"""


def test_what_a_killed_driver_leaves_of_its_ray_is_ended():
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True) as holder:
        part = int(holder.stdout.readline())
        assert alive([part])
        holder.kill()
    end = time.monotonic() + 30
    while alive([part]) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive([part])


def test_what_is_guarded_is_gone_when_the_run_has_ended_and_what_ended_before_is_no_fault():
    part, ended = (subprocess.Popen(["sleep", length]) for length in ("600", "0"))
    ended.wait()
    with guarded([ended.pid, part.pid]):
        assert part.poll() is None
    assert part.wait(30) == -signal.SIGKILL


def learners_that(monkeypatch, *answers: object) -> learner.RayLearners:
    """Learners by rank: what each answers, or raises; they are heard in that order."""

    def fetch(ref: object, *_: object) -> object:
        if isinstance(ref, Exception):
            raise ref
        return ref

    def wait(refs: list, num_returns: int = 1, **_: object) -> tuple[list, list]:
        return refs[:num_returns], refs[num_returns:]

    monkeypatch.setattr(learner, "fetch", fetch)
    monkeypatch.setattr(learner.ray, "wait", wait)
    made = learner.RayLearners.__new__(learner.RayLearners)
    made.recipe = SimpleNamespace(
        learner=SimpleNamespace(timeout_s=1), cluster=SimpleNamespace(start_timeout_s=1)
    )
    made.actors = list(answers)
    return made


BROKEN = RunFailure("learner actor 1: RuntimeError: Connection closed by peer")
DEAD = ActorDied("learner actor 2: its process died")


@pytest.mark.parametrize("answers", [(DEAD,), (BROKEN, DEAD), ("fine", DEAD), (BROKEN, "fine", DEAD)])
def test_a_learner_that_died_is_told_from_those_that_fail_because_of_it(monkeypatch, answers):
    learners = learners_that(monkeypatch, *answers)
    with pytest.raises(LearnerLost, match="its process died"):
        learners._results(list(answers))


@pytest.mark.parametrize("answers", [(BROKEN,), (BROKEN, BROKEN), ("fine", BROKEN)])
def test_a_failure_in_which_nobody_died_is_no_loss(monkeypatch, answers):
    learners = learners_that(monkeypatch, *answers)
    with pytest.raises(RunFailure, match="Connection closed") as caught:
        learners._results(list(answers))
    assert not isinstance(caught.value, LearnerLost)


NODES = ("a", "b", "dead")


def place_of(index: int) -> PlacementGroupSchedulingStrategy:
    place = PlacementGroupSchedulingStrategy.__new__(PlacementGroupSchedulingStrategy)
    place.placement_group, place.placement_group_bundle_index = None, index
    return place


@pytest.mark.parametrize(("held_by", "gone"), [(("a", "b"), 0), (("a", "dead"), 1), (("", "dead"), 2)])
def test_learners_whose_node_is_gone_are_not_waited_for(monkeypatch, held_by, gone):
    learners = learners_that(monkeypatch, Actor(1), Actor(2))
    learners.places = [place_of(0), place_of(1)]
    learners.recipe.learner = Learner(cpus=2, gpus=1)
    table = {"bundles_to_node_id": dict(enumerate(held_by))}
    monkeypatch.setattr(learner, "placement_group_table", lambda _: table)
    nodes = [{"NodeID": name, "Alive": name != "dead", "Resources": {}, "Labels": {}} for name in NODES]
    monkeypatch.setattr(learner.ray, "nodes", lambda: nodes)
    said = f"the node of {gone} of 2 learners is gone, .* 2 CPU and 1 GPU"
    with pytest.raises(RunFailure, match=said) if gone else nullcontext():
        learners._moved()


@pytest.mark.parametrize(("cpus", "zone", "patient"), [(1, "a", False), (4, "a", True), (4, "b", False)],
                         ids=["too small", "busy", "of another kind"])  # fmt: skip
def test_another_node_is_waited_for_where_it_has_room_alone(monkeypatch, cpus, zone, patient):
    learners = learners_that(monkeypatch, Actor(1))
    learners.places = [place_of(0)]
    learners.recipe.learner = Learner(cpus=2, labels={"zone": "a"})
    looks = []
    monkeypatch.setattr(learner, "PLACED_S", 0.2)
    monkeypatch.setattr(learner.ray, "wait", lambda refs, **_: (looks.append(1), ([], refs))[1])
    monkeypatch.setattr(learner, "placement_group_table", lambda _: {"bundles_to_node_id": {0: "dead"}})
    nodes = [{"NodeID": "a", "Alive": True, "Resources": {"CPU": cpus}, "Labels": {"zone": zone}}]
    monkeypatch.setattr(learner.ray, "nodes", lambda: nodes)
    with pytest.raises(RunFailure, match="the node of 1 of 1 learners is gone"):
        learners._moved()
    assert (len(looks) > 1) == patient


@pytest.mark.parametrize(("held_by", "started"), [(["dead", "a"], 2), (["a"], 1)], ids=["moved", "stayed"])
def test_learners_whose_places_move_to_another_node_are_started_there(monkeypatch, held_by, started):
    """What was started in the old place has failed by then: that is no want of room."""
    learners, starts = learners_that(monkeypatch, Actor(1)), []
    learners.places = [place_of(0)]
    learners.recipe.learner = Learner(cpus=2)
    for name in ("close", "wait"):
        monkeypatch.setattr(learners, name, lambda: None)
    monkeypatch.setattr(learners, "_start", lambda: starts.append(1) or [Actor(1)])
    monkeypatch.setattr(learner, "LOOK_S", 0.01)
    looks = iter(held_by)
    monkeypatch.setattr(learner, "placement_group_table", lambda _: {"bundles_to_node_id": {0: next(looks)}})
    nodes = [{"NodeID": "a", "Alive": True, "Resources": {"CPU": 4}, "Labels": {}}]
    monkeypatch.setattr(learner.ray, "nodes", lambda: nodes)
    learners.renew()
    assert len(starts) == started
