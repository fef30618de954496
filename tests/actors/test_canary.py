"""The canary by itself: what it takes for the learner's policy, and what not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from biorlhf.engines.samplers import build
from biorlhf.errors import PolicyMismatch
from biorlhf.recipe import Recipe, load
from biorlhf.stage import CANARY_ANSWER, CANARY_PROMPT
from biorlhf.testing import an_adapter
from biorlhf.types import TrainCompletion, TrainGroup
from biorlhf.workers.crew import Canary
from biorlhf.workers.inline import InlineRollouts
from tiny_model import write_tiny_model

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
TEXT = [-1.0, -2.0, -0.5, -3.0]
# Two engines never round alike: in 32 bits they are this far apart, in 16 bits a thousand times that.
ROUNDING = [1e-5, -1e-5, 1.2e-5, -0.9e-5]


def moved(by, values=TEXT):
    return [value + by * (1 + n) for n, value in enumerate(values)]


def served(values, times=1):
    return [value + times * error for value, error in zip(values, ROUNDING, strict=True)]


def canary():
    return Canary("it", 0.1)


def passes(watch, learner, sampler):
    try:
        watch.check(learner, sampler)
    except PolicyMismatch:
        return False
    return True


def test_small_steps_that_arrive_pass():
    watch = canary()
    texts = [moved(3e-4 * step) for step in range(5)]
    assert [passes(watch, text, served(text)) for text in texts] == [True] * 5


def test_one_small_step_that_does_not_arrive_is_seen():
    watch = canary()
    watch.check(TEXT, served(TEXT))
    with pytest.raises(PolicyMismatch, match="it does not follow the learner"):
        watch.check(moved(3e-4), served(TEXT))


def test_half_a_step_that_arrives_is_seen():
    watch = canary()
    watch.check(TEXT, served(TEXT))
    with pytest.raises(PolicyMismatch):
        watch.check(moved(3e-4), served(moved(1e-4)))


def test_steps_that_go_astray_later_are_seen_where_rounding_hides_each():
    watch = canary()
    watch.check(TEXT, served(TEXT, 1000))
    watch.check(moved(4e-3), served(TEXT, 1000))
    watch.check(moved(8e-3), served(TEXT, 1000))
    with pytest.raises(PolicyMismatch):
        watch.check(moved(2e-2), served(TEXT, 1000))


def test_rounding_that_changes_from_step_to_step_is_no_lost_adapter():
    watch = canary()
    watch.check(TEXT, served(TEXT, 1000))
    assert passes(watch, moved(1e-4), served(TEXT, -1000))


def test_another_policy_and_no_number_are_seen_at_once():
    with pytest.raises(PolicyMismatch):
        canary().check(TEXT, moved(0.2))
    with pytest.raises(PolicyMismatch):
        canary().check(TEXT, [float("nan")] * 4)


def test_a_sampler_without_logprobs_is_not_watched():
    assert passes(canary(), [], [])


def test_in_one_process_an_older_policy_is_held_against_what_the_learner_said_of_it(monkeypatch):
    served = {1: TEXT, 2: TEXT}

    class Serving:
        def load_adapter(self, adapter):
            self.version = adapter.ref.version

        def logprobs(self, *_):
            return served[self.version]

    monkeypatch.setattr(build, "build_sampler", lambda _: Serving())
    probe = TrainGroup((1,), (TrainCompletion((2, 3, 4, 5)),))
    learner = SimpleNamespace(tokenize=lambda _: [probe], logprobs=lambda *_: TEXT)
    rollouts = InlineRollouts(load(RECIPES / "quickstart.yaml"), learner)
    rollouts.load_adapter(an_adapter(1))
    older = rollouts.held(an_adapter(1).ref)
    learner.logprobs = lambda *_: pytest.fail("it has another policy by now")
    rollouts.load_adapter(older, learnt=False)
    served[1] = moved(0.2)
    with pytest.raises(PolicyMismatch):
        rollouts.load_adapter(older, learnt=False)
    # One that was kept before canaries were has nothing to be held against.
    rollouts.load_adapter(an_adapter(1), learnt=False)


@pytest.mark.parametrize("arrives", [True, False])
def test_a_real_step_at_the_smallest_rate_is_seen_not_to_arrive(tmp_path, arrives):
    from biorlhf.engines.learning.learner import build_learner
    from biorlhf.engines.samplers.contract import SamplerSpec
    from biorlhf.engines.samplers.transformers import TransformersSampler

    recipe = Recipe.model_validate(
        {
            "name": "tiny",
            "model": {"base": str(write_tiny_model(tmp_path)), "dtype": "fp32"},
            "lora": {"r": 16, "alpha": 32},
            "prompt": {"template": "plain", "max_tokens": 100},
            "data": [{"dataset": "kmp"}],
            "stages": [{"trainer": "sft", "optimizer": {"learning_rate": 5e-7}}],
            "rollout": {"engine": "transformers"},
        }
    )
    learner = build_learner(recipe, threads=1, on_gpu=False)
    learner.begin_stage(0, 10)
    sampler = TransformersSampler(SamplerSpec(recipe, 16, 1, on_gpu=False))
    watch = Canary("it", recipe.rollout.canary_tolerance)
    (probe,) = learner.tokenize([(CANARY_PROMPT, CANARY_ANSWER)])
    ids = probe.prompt_ids, probe.completions[0].token_ids
    for step in range(3):
        if step < 2 or arrives:
            sampler.load_adapter(learner.adapter())
        own, served = learner.logprobs(*ids), sampler.logprobs(*ids)
        if step == 2 and not arrives:
            # Far below the tolerance of the plain comparison, which let it pass.
            assert max(abs(a - b) for a, b in zip(own, served, strict=True)) < recipe.rollout.canary_tolerance
            with pytest.raises(PolicyMismatch):
                watch.check(own, served)
        else:
            watch.check(own, served)
        learner.step(
            learner.tokenize([("Which tissue?", "The soleus, of 4 days.")]), {"name": "sft"}, seed=step
        )
