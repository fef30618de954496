"""The workers of a run as plain objects in this process: for debugging, and for tests without Ray."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from biorlhf.recipe import Recipe
from biorlhf.scoring.cores import cores
from biorlhf.scoring.isolated import IsolatedScorer, ScorerSpec
from biorlhf.stage import CANARY_ANSWER, CANARY_PROMPT, Adapter, Sampling
from biorlhf.types import AdapterRef, Group, Question, ScoredGroup, TrainGroup
from biorlhf.workers.crew import (
    Canary,
    ControlledLearner,
    Workers,
    highest_rank,
)
from biorlhf.workers.plan import requests
from biorlhf.workers.turns import in_turn


class InlineRollouts:
    """One sampler, called directly; meets :class:`biorlhf.stage.Rollouts`."""

    def __init__(self, recipe: Recipe, learner: ControlledLearner) -> None:
        from biorlhf.engines.samplers.build import SamplerSpec, build_sampler
        from biorlhf.engines.samplers.contract import Held

        # Learner and sampler take turns in one process, so each has all cores.
        threads = cores()
        self.sampler = build_sampler(
            SamplerSpec(recipe, highest_rank(recipe), threads, on_gpu=recipe.rollout.gpus > 0)
        )
        self.recipe, self.learner, self.asleep = recipe, learner, False
        self.adapters: Held[Adapter] = Held(1 + recipe.lag)
        self.canary = Canary("the sampler", recipe.rollout.canary_tolerance)
        self.probe: TrainGroup = learner.tokenize([(CANARY_PROMPT, CANARY_ANSWER)])[0]

    def sample(self, questions: Sequence[Question], sampling: Sampling) -> Iterator[Group]:
        if self.asleep:
            self.load_adapter(self.adapters.get(None)[1])
        yield from self.sampler.sample(questions, sampling)

    def load_adapter(self, adapter: Adapter, *, learnt: bool = True) -> None:
        self.sampler.load_adapter(adapter)
        self.asleep = False
        ids = (self.probe.prompt_ids, self.probe.completions[0].token_ids)
        served, own = self.sampler.logprobs(*ids), adapter.canary
        if learnt and served:
            own = tuple(self.learner.logprobs(*ids))
        self.adapters.add(adapter.ref, replace(adapter, canary=own))
        if own:
            self.canary.check(own, served)

    def sleep(self) -> None:
        """Give back the GPU's memory, until a policy is loaded or a question is asked."""
        self.sampler.sleep()
        self.asleep = True

    def held(self, ref: AdapterRef) -> Adapter:
        return self.adapters.get(ref)[1]


class InlineScorers:
    """One isolated scorer, called directly; meets :class:`biorlhf.stage.Scorers`."""

    def __init__(self, scorer: IsolatedScorer) -> None:
        self.scorer = scorer

    def score(self, groups: Iterable[Group]) -> Iterator[ScoredGroup]:
        for group in groups:
            rewards = self.scorer.score([(group.question, c.text) for c in group.completions])
            yield ScoredGroup(group, tuple(rewards))

    @property
    def kills(self) -> list[int]:
        return [self.scorer.restarts]


@contextmanager
def inline_workers(recipe: Recipe, *, samples: bool) -> Iterator[Workers]:
    """Everything in this process; only the verifiers' child process is kept apart."""
    from biorlhf.engines.learning.learner import build_learner

    learner = build_learner(recipe, threads=cores(), on_gpu=recipe.learner.gpus > 0)
    description = {"actors": [{"name": r.name} for r in requests(recipe, samples=samples)]}
    if not samples:
        yield Workers(learner, None, None, description)
        return
    with IsolatedScorer(ScorerSpec.from_recipe(recipe)) as scorer:
        rollouts = InlineRollouts(recipe, learner)
        seen = in_turn(learner, rollouts.sleep) if recipe.rollout.sleep else learner
        yield Workers(seen, rollouts, InlineScorers(scorer), description)
