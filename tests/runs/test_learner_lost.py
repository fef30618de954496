"""A learner that dies, whatever it was asked: a new one goes on from the last checkpoint within the run."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace

import pytest

from biorlhf import recipe as recipes
from biorlhf.engines.learning.learner import build_learner
from biorlhf.errors import LearnerLost
from biorlhf.runs import launch, pipeline
from biorlhf.runs.course import Course
from biorlhf.runs.listener import Silence
from biorlhf.workers.inline import inline_workers
from tiny_run import ANSWERS, outcome, write_tiny_run

STEPS = 6
CALLS = ("step", "adapter", "checkpoint", "restore", "logprobs", "begin_stage", "tokenize", "evaluate")


class Mortal:
    """A learner that dies at certain of the calls to it, and answers nothing until it is made anew."""

    def __init__(self, recipe, deaths):
        self.recipe, self.deaths, self.calls, self.died_at = recipe, deaths, 0, []
        self.renew()

    def renew(self):
        self.inner = build_learner(self.recipe, threads=1, on_gpu=False)

    def __getattr__(self, name):
        assert name in CALLS

        def call(*args, **named):
            self.calls += 1
            if self.calls in self.deaths:
                self.inner = None
                self.died_at.append(name)
            if self.inner is None:
                raise LearnerLost("learner actor: its process died")
            return getattr(self.inner, name)(*args, **named)

        return call


class Told(Silence):
    def __init__(self):
        self.said = []

    def phase(self, text):
        self.said.append(text)


def go(folder, monkeypatch, lag, deaths=(), **sections):
    """A run in this process whose learner dies at those calls; gives folder, learner, what was said."""
    path = write_tiny_run(folder, lora={"dropout": 0.1}, steps=STEPS, **sections)
    (folder / "script.json").write_text(json.dumps({"default": ANSWERS, "logprob": -1.0}))
    # The scripted answers are longer than the limit; a busy machine takes its time to judge them.
    also = ("stages.0.mask_truncated=false", "scorer.timeout_s=60")
    recipe = recipes.load(path, (f"stages.0.lag={lag}", *also))
    learners = []

    @contextmanager
    def start(recipe, *, samples, address=None, lost=None, say=None):
        with inline_workers(recipe, samples=samples) as crew:
            learners.append(Mortal(recipe, deaths))
            crew.rollouts.learner = learners[0]
            yield replace(crew, learner=learners[0], renew=learners[0].renew)

    monkeypatch.setattr(launch, "start", start)
    told = Told()
    try:
        made = pipeline.run(recipe, told)
    except LearnerLost as error:
        return error, learners[0], told.said
    return made, learners[0], told.said


@pytest.fixture(scope="module", params=[2, 0], ids=["ahead", "in turn"])
def whole(tmp_path_factory, request):
    """A lag, the outcome of a run in which nothing dies, and how often its learner was called."""
    patch = pytest.MonkeyPatch()
    folder, learner, _ = go(tmp_path_factory.mktemp("whole"), patch, request.param)
    patch.undo()
    return request.param, outcome(folder), learner.calls


def test_the_numbers_are_those_of_a_run_in_which_nothing_died(whole, tmp_path, monkeypatch):
    lag, expected, calls = whole
    # Before the first checkpoint and after; far apart and next to each other, while a new one is restored.
    deaths = {2, calls // 2, calls, calls + 2, calls + 3, calls + 8}
    stages, begin = [], Course._context
    monkeypatch.setattr(Course, "_context", lambda *a: stages.append(begin(*a)) or stages[-1])
    folder, learner, said = go(tmp_path, monkeypatch, lag, deaths, cluster={"restarts": 9})
    assert len(learner.died_at) == 6
    assert {"step", "adapter", "checkpoint", "restore"} <= set(learner.died_at)
    assert outcome(folder) == expected
    # What counts steps in a row goes on counting.
    assert max(stage.done_steps for stage in stages) > 0
    assert all([m.step for m in s.before] == list(range(1, s.done_steps + 1)) for s in stages)
    assert [line.count(f"{n} of 9 times") for n, line in enumerate(lines(said), 1)] == [1] * 6
    records = json.loads((folder / "manifest.json").read_text())["learner_restarts"]
    assert [record["reason"] for record in records] == ["learner actor: its process died"] * 6
    assert json.loads((folder / "summary.json").read_text())["learner_restarts"] == 6


def lines(said):
    return [line for line in said if "started again from the last checkpoint" in line]


def test_one_death_more_than_the_recipe_allows_ends_the_run(tmp_path, monkeypatch):
    error, learner, said = go(tmp_path, monkeypatch, 0, {8, 9, 10}, cluster={"restarts": 2})
    assert isinstance(error, LearnerLost)
    assert len(learner.died_at) == 3
    assert len(lines(said)) == 2
    assert any("biorlhf run --resume" in note for note in error.__notes__)
