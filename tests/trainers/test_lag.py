"""GRPO ahead of its learner: which policy answers which step, whoever is faster, and after a resume."""

from __future__ import annotations

import json
import random
import threading
import time
from dataclasses import dataclass, field

import pytest

from biorlhf import ahead
from biorlhf.errors import LearnerLost, PolicyMismatch, RecipeError, RunFailure
from biorlhf.seeds import seed_of
from biorlhf.stage import Adapter, Sampling
from biorlhf.testing import RecordingLearner, ScriptedRollouts, a_stage, an_adapter
from biorlhf.types import StepMetrics
from recorded_grpo import COMPOSER, QUESTIONS, RECORDED, SETTINGS, digest, steps_between_doubles, trainer_of

VARIED = {"*": ["so 0.1", "well it is 0.4", "surely 0.9", "it must be about 1.0"]}
FIRST = an_adapter(0).ref


@pytest.mark.parametrize("name", SETTINGS)
def test_without_lag_every_call_is_that_of_before_there_was_one(name):
    recorded = json.loads(RECORDED.read_text())["between_doubles"][name]
    assert [digest(row) for row in steps_between_doubles(SETTINGS[name])] == recorded


@dataclass
class Fleet:
    """Several actors that answer in threads of their own, each in its own time; one of them dies and is asked
    again. Meets :class:`biorlhf.stage.Rollouts`."""

    actors: int
    seed: int
    keep: int
    inner: ScriptedRollouts = field(init=False)
    lock: threading.Lock = field(default_factory=threading.Lock)
    overlaps: int = 0
    learning: bool = False

    def __post_init__(self):
        self.inner = ScriptedRollouts(VARIED, keep=self.keep)

    def sample(self, questions, sampling: Sampling):
        assert sampling.policy is not None
        draw = random.Random(f"{self.seed} {sampling.seed}")
        left = list(questions)
        while left:
            time.sleep(draw.random() * 0.01)
            batch = [left.pop(draw.randrange(len(left))) for _ in range(min(self.actors, len(left)))]
            # One dies with what it was asked, which is asked again later.
            if left and draw.random() < 0.3:
                left.append(batch.pop())
            with self.lock:
                self.overlaps += self.learning
                groups = list(self.inner.sample(batch, sampling))
            yield from groups

    def load_adapter(self, adapter: Adapter, *, learnt: bool = True) -> None:
        with self.lock:
            self.inner.load_adapter(adapter)

    def held(self, ref):
        return self.inner.held(ref)


class Learning(RecordingLearner):
    """A learner that takes its time, and tells the fleet when it is at work."""

    fleet: Fleet | None = None

    def step(self, groups, loss, *, seed):
        if self.fleet is not None:
            self.fleet.learning = True
            time.sleep(0.01)
            self.fleet.learning = False
        return super().step(groups, loss, seed=seed)


def given(results, learner):
    """What must not depend on who answered, or when: all but times."""
    return [
        (
            {k: v for k, v in r.metrics.values.items() if not k.endswith("_s")},
            r.groups,
            r.advantages,
            r.warnings,
        )
        for r in results
    ], learner.steps


def go(lag, rollouts, *, beside, settings=None, learner=None, **stage):
    learner = learner or Learning()
    trainer = trainer_of({"lag": lag, "epochs": 4, "resample_tries": 2, **(settings or {})})
    results = list(trainer.steps(a_stage(learner, QUESTIONS, rollouts, COMPOSER, beside=beside, **stage)))
    return given(results, learner)


@pytest.mark.parametrize("lag", [1, 2])
def test_numbers_are_the_same_in_turn_with_one_actor_and_with_four(lag):
    in_turn = go(lag, ScriptedRollouts(VARIED, keep=lag + 1), beside=False)
    for actors, seed in ((1, 1), (4, 2), (4, 3)):
        fleet = Fleet(actors, seed, keep=lag + 1)
        learner = Learning()
        learner.fleet = fleet
        assert go(lag, fleet, beside=True, learner=learner) == in_turn
        assert fleet.overlaps > 0, "nothing was sampled while the learner was at work"


@pytest.mark.parametrize("lag", [0, 1, 2])
@pytest.mark.parametrize("beside", [False, True])
def test_a_step_is_answered_by_the_policy_of_exactly_that_many_steps_before(lag, beside):
    rows, _ = go(lag, ScriptedRollouts(VARIED, keep=lag + 1), beside=beside)
    assert len(rows) == 12
    for step, (values, groups, _, _) in enumerate(rows, 1):
        made_by = {c.adapter for scored in groups for c in scored.group.completions}
        assert made_by == {an_adapter(max(0, step - 1 - lag)).ref}
        expected = {"lag": min(lag, step - 1), "staleness": min(lag, step - 1)} if lag else {}
        assert {k: values[k] for k in ("lag", "staleness") if k in values} == expected


SILENT_AT_TIMES = {"*": ["same 0.5"], "a": ["no 0.0", "yes 1.0"], "e": ["low 0.2", "high 0.7"]}


@pytest.mark.parametrize("lag", [1, 2])
@pytest.mark.parametrize("done", [1, 2, 3, 7])
@pytest.mark.parametrize(
    "answers", [VARIED, SILENT_AT_TIMES], ids=["every step learns", "some learn nothing"]
)
def test_a_resumed_stage_asks_the_policies_that_were_asked_before(lag, done, answers):
    settings = {"resample_tries": 1, "prompts_per_step": 2}
    whole_rollouts = ScriptedRollouts(answers, keep=lag + 1)
    rows, learnt = go(lag, whole_rollouts, beside=False, settings=settings)
    left = policies_left(rows, whole_rollouts)[: done + 1]
    rollouts = ScriptedRollouts(answers, keep=lag + 1)
    for ref in left[-lag - 1 :]:
        if ref != FIRST:
            rollouts.load_adapter(an_adapter(ref.version))
    # As a restored one: its versions go on where they were.
    learner = Learning()
    learner.steps = list(learnt[:done])
    again, learnt_again = go(
        lag,
        rollouts,
        beside=True,
        settings=settings,
        learner=learner,
        done_steps=done,
        before=tuple(StepMetrics("test", step, row[0]) for step, row in enumerate(rows[:done], 1)),
        policies=left[-lag - 1 :],
    )
    assert again == rows[done:]
    assert learnt_again == learnt


def policies_left(rows, rollouts):
    """The policy that each step left, from the stage's first one on."""
    left, loaded = [FIRST], iter(rollouts.loaded)
    for values, *_ in rows:
        left.append(next(loaded).ref if values["trained_groups"] else left[-1])
    return left


def test_a_policy_that_is_not_the_one_asked_stops_the_run():
    class Deaf(ScriptedRollouts):
        """Serves the first policy, whatever is asked."""

        def sample(self, questions, sampling):
            return ScriptedRollouts(VARIED).sample(questions, Sampling(sampling.n, sampling.max_tokens))

    for lag in (0, 1):
        with pytest.raises(
            PolicyMismatch, match=r"step \d: asked of adapter version 1, answered by version 0"
        ):
            go(lag, Deaf(VARIED, keep=lag + 1), beside=False)


def test_answers_without_log_probabilities_cannot_be_ahead():
    class Mute(ScriptedRollouts):
        def _completion(self, text, limit, ref):
            whole = super()._completion(text, limit, ref)
            return type(whole)(whole.text, whole.token_ids, (), whole.truncated, whole.adapter)

    assert go(0, Mute(VARIED), beside=False)
    with pytest.raises(
        RecipeError, match=r"stages\[0\].lag: 1, but this sampler reports no log-probabilities"
    ):
        go(1, Mute(VARIED, keep=2), beside=False)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"lag": 3}, r"lag: 3\s+available: 0, 1, 2"),
        ({"lag": "1"}, "lag"),
        ({"lag": 1, "importance_cap": None}, "importance_cap: null, but with lag: 1 .*a number"),
    ],
)
def test_a_lag_that_cannot_be_is_refused_with_what_is_allowed(settings, said):
    with pytest.raises(RecipeError, match=said):
        trainer_of(settings)


def test_only_without_lag_is_distance_between_the_policies_an_alarm():
    for lag, warned in ((0, True), (1, False)):
        learner = Learning({"mismatch_kl": 0.5})
        rows, _ = go(lag, ScriptedRollouts(VARIED, keep=lag + 1), beside=False, learner=learner)
        assert any("sampler and learner disagree" in w for *_, warnings in rows for w in warnings) == warned


def test_a_plan_shows_the_lag_and_a_wrong_one_ends_with_2_and_what_is_allowed(tmp_path):
    from tiny_run import ANSWERS, run, start, write_tiny_run

    path = str(write_tiny_run(tmp_path))
    (tmp_path / "script.json").write_text(json.dumps({"default": ANSWERS, "logprob": -1.0}))
    code, said = run(path, "--dry-run", "--set", "stages.0.lag=7")
    assert (code, "available: 0, 1, 2" in said, "Traceback" in said) == (2, True, False)
    code, said = run(path, "--dry-run", "--set", "stages.0.lag=1", "--set", "stages.0.importance_cap=null")
    assert (code, "needs no weight" in said, "Traceback" in said) == (2, True, False)
    process = start(path, "--dry-run", "--set", "stages.0.lag=2", "--json")
    shown, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert json.loads(shown)["stages"][0]["lag"] == 2


class Stuck(ScriptedRollouts):
    """Answers the first step's questions; whoever asks those of another one waits until it is given up."""

    def __init__(self):
        super().__init__(VARIED, keep=3)
        self.given_up, self.waiting = threading.Event(), []

    def sample(self, questions, sampling):
        if sampling.seed == seed_of(7, 1):
            yield from super().sample(questions, sampling)
            return
        self.waiting.append(sampling.seed)
        self.given_up.wait(60)
        time.sleep(0.05)
        self.waiting.remove(sampling.seed)
        raise RunFailure("withdrawn")


class Dying(RecordingLearner):
    def step(self, groups, loss, *, seed):
        raise LearnerLost("its process died")


def test_what_is_ahead_of_a_learner_that_dies_is_given_up_before_anybody_goes_on():
    rollouts = Stuck()
    with pytest.raises(LearnerLost):
        go(2, rollouts, beside=True, learner=Dying(), withdraw=rollouts.given_up.set)
    assert (rollouts.given_up.is_set(), rollouts.waiting) == (True, [])


def test_what_is_given_up_and_does_not_end_is_named(monkeypatch, caplog):
    monkeypatch.setattr(ahead, "ENDS_S", 0.3)
    let_go, told = threading.Event(), []
    with ahead.Ahead(
        lambda step, policy: step < 2 or let_go.wait(30),
        ahead.Policies([FIRST], 2),
        9,
        beside=True,
        withdraw=lambda: told.append(True),
    ) as steps:
        steps.take(1)
    assert told
    [record] = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith("sampling ahead for step 2 and sampling ahead for step 3: given up")
    let_go.set()
