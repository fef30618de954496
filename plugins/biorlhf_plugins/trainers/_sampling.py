"""Answers of the policy with their rewards, and the seconds that each part of a step took."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from biorlhf import RunFailure
from biorlhf.seeds import seed_of
from biorlhf.stage import Sampling, Stage
from biorlhf.types import AdapterRef, Group, ScoredGroup


class Clock:
    """Seconds spent in the parts of a step, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def add(self, name: str, seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    @contextmanager
    def __call__(self, name: str, minus: str = "") -> Iterator[None]:
        """Time a block; ``minus`` names another part that was timed inside of it."""
        started, inner = time.monotonic(), self.seconds.get(minus, 0.0)
        yield
        self.add(name, time.monotonic() - started - (self.seconds.get(minus, 0.0) - inner))

    def waiting(self, groups: Iterator[Group], name: str) -> Iterator[Group]:
        """The same groups; the time until each of them is there counts as ``name``."""
        while True:
            started = time.monotonic()
            group = next(groups, None)
            self.add(name, time.monotonic() - started)
            if group is None:
                return
            yield group


def sample_and_score(
    stage: Stage,
    generations: int,
    step: int,
    asked: Sequence[int],
    clock: Clock,
    policy: AdapterRef | None = None,
) -> tuple[ScoredGroup, ...]:
    """``generations`` answers of a policy (None: the newest) to each of some questions with their rewards, in
    the order of the questions.

    Scoring begins with the first group that is finished. ``rollout_s`` is the time that nothing but
    sampling could be waited for; ``score_s`` is the rest.
    """
    if stage.rollouts is None or stage.scorers is None:
        raise RunFailure(f"stage {stage.name}: this trainer needs rollout and scorer workers, and has none")
    questions = [stage.dataset.questions[index] for index in asked]
    sampling = Sampling(
        n=generations,
        max_tokens=stage.max_completion_tokens,
        temperature=stage.temperature,
        top_p=stage.top_p,
        seed=seed_of(stage.seed, step),
        policy=policy,
    )
    with clock("score_s", minus="rollout_s"):
        groups = clock.waiting(stage.rollouts.sample(questions, sampling), "rollout_s")
        by_id = {scored.group.question.id: scored for scored in stage.scorers.score(groups)}
    lost = [question.id for question in questions if question.id not in by_id]
    if lost:
        raise RunFailure(f"stage {stage.name}, step {step}: no answers came back for {', '.join(lost[:5])}")
    return tuple(by_id[question.id] for question in questions)
