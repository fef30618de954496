"""One GPU in turns, with doubles of a learner and of an engine that cannot be used while they sleep."""

from __future__ import annotations

import pytest

from biorlhf.actors.turns import Turns
from biorlhf.errors import PolicyMismatch
from biorlhf.stage import Adapter, Sampling
from biorlhf.testing import RecordingLearner, an_adapter
from biorlhf.workers.crew import Canary

CARD = ["the engine"]  # who has its memory on the GPU


class Learner(RecordingLearner):
    """Its log-probabilities are minus the number of its steps."""

    def sleep(self):
        CARD.remove("the learner")

    def wake(self):
        assert not CARD, "both on one card"
        CARD.append("the learner")

    def step(self, *args, **named):
        assert CARD == ["the learner"]
        return super().step(*args, **named)

    def begin_stage(self, *_):
        assert CARD == ["the learner"]

    def logprobs(self, *_):
        assert CARD == ["the learner"]
        return [-1.0 - len(self.steps)] * 4


class Engine:
    """What vLLM's sleep does: weights come back with a wake; an adapter that was lost does not."""

    def __init__(self, *, loses=False, keeps_old=False, wakes_damaged=False):
        self.loses, self.keeps_old, self.wakes_damaged = loses, keeps_old, wakes_damaged
        self.adapter: Adapter | None = None
        self.damage = 0.0
        self.log: list[str] = []

    def sleep(self):
        CARD.remove("the engine")
        self.log.append("sleep")
        if self.loses:
            self.adapter = None

    def wake(self):
        assert not CARD, "both on one card"
        CARD.append("the engine")
        self.log.append("wake")
        self.damage = 1.0 if self.wakes_damaged else 0.0

    def watch(self, learner):
        self.learner, self.canary = learner, Canary("the engine", 0.05)
        self.probe = learner.tokenize([("a", "b")])[0]

    def load_adapter(self, adapter):
        assert CARD == ["the engine"]
        self.log.append(f"load {adapter.ref.version}")
        if not (self.keeps_old and self.adapter is not None):
            self.adapter = adapter
        served = [-1.0 - self.adapter.ref.version - self.damage] * 4
        self.canary.check(self.learner.logprobs(self.probe.prompt_ids, ()), served)
        self.log.append("canary")

    def sample(self, questions, sampling):
        assert CARD == ["the engine"]
        self.log.append("sample")
        yield self.adapter.ref.version


@pytest.fixture(autouse=True)
def card():
    CARD[:] = ["the engine"]


def turns_of(engine):
    learner = Learner()
    turns = Turns(learner, engine)
    turns.learner.begin_stage(0, 3)
    turns.rollouts.load_adapter(turns.learner.adapter())
    return turns


GROUP = RecordingLearner().tokenize([("a", "b")])


def a_step(turns):
    answers = list(turns.rollouts.sample([], Sampling(1, 1)))
    update = turns.learner.step(GROUP, {"name": "grpo"}, seed=1)
    turns.rollouts.load_adapter(update.adapter)
    return answers


def test_each_has_the_card_in_its_turn_and_the_canary_sees_every_wake():
    engine = Engine()
    turns = turns_of(engine)
    assert [a_step(turns) for _ in range(3)] == [[0], [1], [2]]
    turn = ["sample", "sleep", "wake"]
    assert engine.log == [
        "sleep", "wake", "load 0", "canary",
        *turn, "load 1", "canary",
        *turn, "load 2", "canary",
        *turn, "load 3", "canary",
    ]  # fmt: skip


def test_a_step_that_changed_nothing_wakes_the_engine_to_the_policy_of_before():
    engine = Engine(loses=True)
    turns = turns_of(engine)
    a_step(turns)
    turns.learner.evaluate(GROUP, {"name": "grpo"})
    assert list(turns.rollouts.sample([], Sampling(1, 1))) == [1]
    assert engine.log[-5:] == ["sleep", "wake", "load 1", "canary", "sample"]


def test_what_needs_no_base_wakes_nobody():
    engine = Engine()
    turns = turns_of(engine)
    before = list(engine.log)
    turns.learner.tokenize([("a", "b")])
    turns.learner.adapter()
    assert engine.log == before


@pytest.mark.parametrize("fault", ["keeps_old", "wakes_damaged"])
def test_an_engine_that_wakes_with_another_policy_ends_the_run_before_it_answers(fault):
    engine = Engine()
    turns = turns_of(engine)
    setattr(engine, fault, True)
    with pytest.raises(PolicyMismatch):
        a_step(turns)
    assert engine.log.count("sample") == 1


def test_a_learner_that_moved_without_a_load_is_not_sampled_for():
    turns = turns_of(Engine())
    turns.learner.step(GROUP, {"name": "grpo"}, seed=1)
    with pytest.raises(PolicyMismatch):
        list(turns.rollouts.sample([], Sampling(1, 1)))


def test_an_adapter_that_is_loaded_twice_is_no_fault():
    turns = turns_of(Engine())
    turns.rollouts.load_adapter(an_adapter(0))
    assert a_step(turns) == [0]
