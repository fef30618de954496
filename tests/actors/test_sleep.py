"""Engines that sleep while the learner computes: none answers before it was seen to serve its policy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ray.exceptions import ObjectReconstructionFailedError, RayTaskError

from biorlhf.errors import PolicyMismatch
from biorlhf.testing import Pace
from dozing import STEPS, Run, damaged, none_left, the_one_before
from simulated_fleet import SleepingEngine, a_fleet, serve, works_of
from tiny_run import outcome

FAST = Pace(((1, 1e-4), (64, 1.5e-4)))


@pytest.fixture
def yard():
    """(a fleet of two engines, those that were started); each takes a moment to be told something."""
    started = []

    def start():
        started.append(SleepingEngine(f"engine {len(started)}", FAST, [], delay_s=0.05))
        return started[-1]

    fleet = a_fleet([start, start])
    yield fleet, started
    fleet.close()


def ask(fleet, policy="first"):
    return [answer["policy"] for answer in fleet.answers(works_of(["a", "b", "c"], policy=policy), policy)]


def test_a_question_wakes_engines_that_prove_their_policy_again_before_they_answer(yard):
    fleet, started = yard
    proofs = []
    serve(fleet, "second", lambda number, proof: proofs.append(number))
    assert ask(fleet, "second") == ["second"] * 3
    for _ in range(2):
        proofs.clear()
        fleet.sleep()
        assert [engine.asleep for engine in started] == [True, True]
        assert ask(fleet, "second") == ["second"] * 3
        assert proofs


def test_a_policy_that_was_only_just_published_is_taken_before_engines_sleep(yard):
    fleet, started = yard
    for name in ("second", "third"):
        serve(fleet, name)
        fleet.sleep()
        assert [engine.asleep for engine in started] == [True, True]
    assert ask(fleet, "third") == ["third"] * 3


def test_what_does_not_serve_its_policy_after_it_woke_answers_nothing(yard):
    fleet, started = yard
    awake = []

    def prove(number, proof):
        awake.append(number)
        if len(awake) > 2:
            raise PolicyMismatch("it serves the base")

    serve(fleet, "second", prove)
    ask(fleet, "second")
    fleet.sleep()
    with pytest.raises(PolicyMismatch):
        ask(fleet, "second")
    assert [number for engine in started for number in engine.works] == []


def test_one_that_dies_asleep_is_started_again_when_the_others_wake(yard):
    fleet, started = yard
    ask(fleet)
    fleet.sleep()
    started[0].die()
    fleet.sleep()
    assert (len(started), fleet.slots[0].engine) == (2, None)
    assert ask(fleet) == ["first"] * 3
    fleet.wait([0])
    assert len(started) == 3


def test_engines_asked_to_sleep_before_they_were_asked_at_all_sleep_and_wake(yard):
    fleet, _ = yard
    fleet.sleep()
    fleet.sleep()
    assert ask(fleet) == ["first"] * 3


@pytest.fixture(scope="module")
def awake(tmp_path_factory):
    """The outcome of a run whose engine never sleeps."""
    patch = pytest.MonkeyPatch()
    run = Run(tmp_path_factory.mktemp("awake"), patch, sleep=0)
    patch.undo()
    assert run.sampler.woken == 0
    return outcome(run.folder)


@pytest.mark.parametrize("fleet", [False, True], ids=["in one process", "in a fleet"])
def test_a_run_with_sleep_gives_the_bytes_of_one_without(awake, tmp_path, monkeypatch, fleet):
    run = Run(tmp_path, monkeypatch, fleet=fleet)
    # Before the first policy, and while each step is learnt.
    assert run.sampler.woken == 1 + STEPS
    assert outcome(run.folder) == awake


# Half of a step of 5e-7 moves no text as far as two engines round: what is damaged is seen by its sha256.
@pytest.mark.parametrize(
    ("fault", "rate", "fleet"),
    [
        (none_left, 5e-7, False),
        (the_one_before, 5e-7, False),
        (damaged, 1e-2, False),
        (none_left, 5e-7, True),
        (damaged, 1e-2, True),
    ],
)
def test_an_engine_that_wakes_with_another_policy_ends_the_run_before_it_is_asked(
    tmp_path, monkeypatch, fault, rate, fleet
):
    run = Run(tmp_path, monkeypatch, fleet=fleet, rate=rate, fault=fault, at=3)
    assert isinstance(run.error, PolicyMismatch)
    assert run.sampler.woken == 3
    assert run.sampler.asked > 0
    assert run.sampler.asked_with_fault == 0


def test_an_adapter_damaged_on_its_way_to_an_engine_that_woke_ends_the_run(tmp_path, monkeypatch):
    def sent(adapter, before):
        return replace(adapter, tensors=adapter.tensors[:-1] + b"?") if before == 2 else adapter

    run = Run(tmp_path, monkeypatch, fleet=True, sent=sent)
    assert "arrived damaged" in str(run.error)
    assert run.sampler.before.ref == run.references[1].ref


@pytest.mark.parametrize("sleep", [0, 1])
def test_a_policy_lost_with_the_learners_node_is_made_again_from_the_last_checkpoint(
    awake, tmp_path, monkeypatch, sleep
):
    gone = RayTaskError("hold", "", ObjectReconstructionFailedError("00", b"", ""))
    run = Run(
        tmp_path, monkeypatch, fleet=True, sleep=sleep, sent=lambda adapter, n: gone if n == 2 else adapter
    )
    assert run.error is None
    assert run.learner.renewed == 1
    assert outcome(run.folder) == awake


def the_base_where_it_comes_again(adapter, before):
    """What is loaded a second time is an older policy, of before the checkpoint that a run goes back to."""
    again = before is not None and adapter.ref.version <= before.ref.version
    return none_left(adapter, before) if again else adapter.tensors


@pytest.mark.parametrize("fault", [None, the_base_where_it_comes_again], ids=["served", "not served"])
def test_an_older_policy_is_held_against_what_the_learner_said_when_it_was_new(tmp_path, monkeypatch, fault):
    gone = RayTaskError("hold", "", ObjectReconstructionFailedError("00", b"", ""))
    lost = {"fleet": True, "sleep": 0, "lag": 1, "sent": lambda adapter, n: gone if n == 2 else adapter}
    run = Run(tmp_path, monkeypatch, fault=fault, at=-1, **lost)
    assert run.learner.renewed == 1
    assert (type(run.error) is PolicyMismatch) == (fault is not None)
    assert (
        run.error is None or "since an earlier policy" in str(run.error) or "does not serve" in str(run.error)
    )
