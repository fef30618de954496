"""What is done about actors and a Ray that died or do not answer; doubles stand for them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from biorlhf.actors import connection, learner, scorer
from biorlhf.actors.fetch import ActorDied
from biorlhf.actors.remains import guarded
from biorlhf.actors.rollout import MAX_RESTARTS, RayRollouts
from biorlhf.errors import ResourceError, RunFailure
from biorlhf.types import AdapterRef, Completion, Group, Question
from tiny_run import alive


class Ref:
    """What is waited for; each is another."""

    def __init__(self, number: int, alive: bool) -> None:
        self.number, self.alive = number, alive


class Actor:
    """Answers everything with its number; one that is dead answers nothing."""

    def __init__(self, number: int, alive: bool = True) -> None:
        self.number, self.alive, self.asked = number, alive, []

    def __getattr__(self, method: str) -> SimpleNamespace:
        def remote(*arguments):
            self.asked.append((method, *arguments))
            return Ref(self.number, self.alive)

        return SimpleNamespace(remote=remote)


def rollouts_of(*actors: Actor, successors: list[Actor], monkeypatch) -> RayRollouts:
    def answer(ref: Ref, what: str, *_):
        if not ref.alive:
            raise ActorDied(f"{what}: its process died")
        return ref.number

    monkeypatch.setattr("biorlhf.actors.rollout.fetch", answer)
    monkeypatch.setattr(RayRollouts, "_start", lambda self, place: successors.pop(0))
    limits = SimpleNamespace(rollout=SimpleNamespace(timeout_s=1), cluster=SimpleNamespace(start_timeout_s=1))
    rollouts = RayRollouts.__new__(RayRollouts)
    rollouts.recipe, rollouts.places = limits, [None] * len(actors)
    rollouts.actors, rollouts.restarts = list(actors), [0] * len(actors)
    rollouts.adapter, rollouts.canary = "the adapter", None
    return rollouts


def test_an_idle_actor_that_died_is_replaced_given_the_adapter_and_asked_again(monkeypatch):
    successor = Actor(7)
    rollouts = rollouts_of(Actor(1), Actor(2, alive=False), successors=[successor], monkeypatch=monkeypatch)
    assert rollouts._on_all("logprobs", "ids") == [1, 7]
    assert successor.asked == [("ready",), ("load_adapter", "the adapter"), ("logprobs", "ids")]
    assert rollouts.restarts == [0, 1]


def test_a_successor_that_dies_while_it_starts_is_replaced_as_well(monkeypatch):
    successors = [Actor(3, alive=False), Actor(4)]
    rollouts = rollouts_of(Actor(1, alive=False), successors=successors, monkeypatch=monkeypatch)
    assert rollouts._on_all("encode", "text") == [4]
    assert rollouts.restarts == [2]


def test_an_actor_that_dies_again_and_again_stops_the_run(monkeypatch):
    successors = [Actor(n, alive=False) for n in range(9)]
    rollouts = rollouts_of(Actor(1, alive=False), successors=successors, monkeypatch=monkeypatch)
    with pytest.raises(RunFailure, match=f"rollout actor 1 died {MAX_RESTARTS + 1} times"):
        rollouts._on_all("encode", "text")


def group_of(name: str) -> Group:
    return Group(Question(name, "?", {}), (1,), (Completion("x", (1,), (-0.1,), False, AdapterRef(0, "a")),))


def test_scorers_from_which_nothing_comes_are_replaced_and_asked_again(monkeypatch):
    killed: list[Actor] = []
    monkeypatch.setattr(scorer.ray, "kill", killed.append)
    monkeypatch.setattr(scorer.ray, "wait", lambda refs, **_: ([], refs))
    started = [Actor(5), Actor(6), Actor(7)]
    monkeypatch.setattr(scorer.RayScorers, "_start", lambda self, place: started.pop(0))
    scorers = scorer.RayScorers.__new__(scorer.RayScorers)
    first = Actor(1)
    scorers.actors, scorers.places = [first], [None]
    pending = {"a": (group_of("a"), 0, 1), "b": (group_of("b"), 0, 1)}
    assert list(scorers._finished(pending, timeout_s=1)) == []
    assert killed == [first]
    assert {tries for _, _, tries in pending.values()} == {2}
    assert len(scorers.actors[0].asked) == 2
    list(scorers._finished(pending, timeout_s=1))
    with pytest.raises(RunFailure, match=r"no score came in 1 s for .* groups, 3 times"):
        list(scorers._finished(pending, timeout_s=1))


def test_a_learner_that_gives_no_answer_is_named_with_the_time_that_it_had(monkeypatch):
    monkeypatch.setattr(learner.ray, "wait", lambda refs, **_: ([], refs))
    learners = learner.RayLearners.__new__(learner.RayLearners)
    limits = SimpleNamespace(learner=SimpleNamespace(timeout_s=8), cluster=SimpleNamespace(start_timeout_s=9))
    learners.recipe, learners.actors = limits, [Actor(1)]
    with pytest.raises(RunFailure, match=r"^learner actor: no sign of life in 8 s; .*learner\.timeout_s"):
        learners.checkpoint()
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
