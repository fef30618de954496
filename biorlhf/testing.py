"""Public test doubles: write a plugin or a trainer, and test it without a model, Ray or a GPU.

    stage = a_stage(RecordingLearner(), dataset, ScriptedRollouts({"*": ["yes", "no"]}), composer)
    for result in trainer.steps(stage): ...

Each meets its protocol in :mod:`biorlhf.stage`, is deterministic, and records what it was asked to do.
"""

from __future__ import annotations

import hashlib
import heapq
import math
import random
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from biorlhf import plugins
from biorlhf.errors import RunFailure
from biorlhf.reward import RewardComposer
from biorlhf.stage import Adapter, Sampling, Stage, Update
from biorlhf.types import (
    AdapterRef,
    Completion,
    Dataset,
    Group,
    Question,
    ScoredGroup,
    TrainCompletion,
    TrainGroup,
)

END_TOKEN = 1


def fresh_catalogue(*extra: Any) -> plugins.Catalogue:
    """The built-in plugins and ``extra`` plugin modules or objects; installed plugins are left out."""
    return plugins.load(entry_points=False, extra=extra)


def tokens_of(text: str) -> tuple[int, ...]:
    """One token per word, the same for the same word in every process, in [2, 1002)."""
    return tuple(
        2 + int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") % 1000 for word in text.split()
    )


def an_adapter(version: int) -> Adapter:
    """An adapter that holds nothing but its version."""
    tensors = f"adapter {version}".encode()
    return Adapter(AdapterRef(version, hashlib.sha256(tensors).hexdigest()), tensors, b"{}")


@dataclass
class ScriptedRollouts:
    """Answers drawn from a script, by question id; meets :class:`biorlhf.stage.Rollouts`.

    Attributes:
        answers: question id -> what may be answered; ``"*"`` is for every other question.
        logprob: what every token's log-probability is said to be, in nats.
        backwards: whether groups come in the reverse order of the questions, as they may from workers.
        asked: the (questions' ids, sampling) of each call.
        loaded: every adapter that was loaded.
        keep: how many of them are held; as many as a stage's lag, and one.
    """

    answers: Mapping[str, Sequence[str]]
    logprob: float = -1.0
    backwards: bool = False
    asked: list[tuple[tuple[str, ...], Sampling]] = field(default_factory=list)
    loaded: list[Adapter] = field(default_factory=list)
    keep: int = 1

    def sample(self, questions: Sequence[Question], sampling: Sampling) -> Iterator[Group]:
        self.asked.append((tuple(question.id for question in questions), sampling))
        ref = self.held(sampling.policy or self._refs()[-1]).ref
        for question in reversed(questions) if self.backwards else questions:
            # By question, as real samplers draw: the order of the questions changes no answer.
            draw = random.Random(f"{sampling.seed}:{question.id}")
            texts = [draw.choice(self._options(question)) for _ in range(sampling.n)]
            completions = tuple(self._completion(text, sampling.max_tokens, ref) for text in texts)
            yield Group(question, tokens_of(question.prompt), completions)

    def load_adapter(self, adapter: Adapter, *, learnt: bool = True) -> None:
        self.loaded.append(adapter)

    def held(self, ref: AdapterRef) -> Adapter:
        if ref not in self._refs()[-self.keep :]:
            raise RunFailure(f"adapter version {ref.version} is not held")
        return next(a for a in (*self.loaded, an_adapter(0)) if a.ref == ref)

    def _refs(self) -> list[AdapterRef]:
        return [an_adapter(0).ref, *(adapter.ref for adapter in self.loaded)]

    def _options(self, question: Question) -> Sequence[str]:
        return self.answers[question.id] if question.id in self.answers else self.answers["*"]

    def _completion(self, text: str, limit: int, ref: AdapterRef) -> Completion:
        ids = (*tokens_of(text), END_TOKEN)
        truncated = len(ids) > limit
        ids = ids[:limit]
        return Completion(text, ids, (self.logprob,) * len(ids), truncated, ref)


@dataclass(frozen=True)
class Pace:
    """Seconds that an engine takes for one more token of each sequence, by how many run side by side.

    ``points`` are such pairs, both parts rising in what they give a second; between two of them, and beyond
    the last, the seconds lie on a straight line.
    """

    points: tuple[tuple[int, float], ...]

    def __call__(self, running: int) -> float:
        first, *others = self.points
        low, high = first, first
        for point in others:
            low, high = high, point
            if running <= point[0]:
                break
        if running <= first[0] or low == high:
            return first[1]
        return low[1] + (high[1] - low[1]) * (running - low[0]) / (high[0] - low[0])


def length_of(mean: float, spread: float, limit: int, *parts: int | str) -> int:
    """How many tokens an answer has, in [1, ``limit``]: log-normal with that mean before it is cut off.

    ``spread`` is the deviation of the logarithm; ``parts`` fix the draw.
    """
    draw = random.Random(":".join(map(str, parts)))
    return min(limit, max(1, round(mean * math.exp(draw.gauss(0, spread) - spread**2 / 2))))


class Decoder:
    """An engine that computes nothing: sequences decode side by side, each for as long as ``pace`` says.

    It knows no clock. Whoever holds it sleeps for :meth:`next_s` and says so with :meth:`advance`::

        decoder.add("a question", [30, 12, 55])
        time.sleep(decoder.next_s())
        done = decoder.advance(decoder.next_s())
    """

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self._tokens = 0.0  # that each sequence which ran from the start would have
        self._ends: list[tuple[float, int, Hashable]] = []
        self._left: dict[Hashable, int] = {}
        self._added = 0

    @property
    def running(self) -> int:
        """Sequences that are not complete."""
        return len(self._ends)

    def add(self, key: Hashable, lengths: Sequence[int]) -> None:
        """Begin so many sequences of ``lengths`` tokens, complete together under ``key``."""
        self._left[key] = len(lengths)
        for length in lengths:
            self._added += 1
            heapq.heappush(self._ends, (self._tokens + length, self._added, key))

    def next_s(self) -> float:
        """Seconds until the next sequence is complete; 0 where none runs."""
        return max(0.0, self._ends[0][0] - self._tokens) * self.pace(self.running) if self._ends else 0.0

    def advance(self, seconds: float) -> list[Hashable]:
        """Let so many seconds pass; gives what is complete by then, in that order."""
        done = []
        while self._ends:
            wait_s = self.next_s()
            if wait_s > seconds:
                self._tokens += seconds / self.pace(self.running)
                break
            seconds -= wait_s
            self._tokens, _, key = heapq.heappop(self._ends)
            self._left[key] -= 1
            if not self._left[key]:
                del self._left[key]
                done.append(key)
        return done


@dataclass
class DirectScorers:
    """A :class:`~biorlhf.reward.RewardComposer` called directly; meets :class:`biorlhf.stage.Scorers`."""

    composer: RewardComposer

    def score(self, groups: Iterable[Group]) -> Iterator[ScoredGroup]:
        for group in groups:
            rewards = tuple(self.composer.score(group.question, c.text) for c in group.completions)
            yield ScoredGroup(group, rewards)


@dataclass
class RecordingLearner:
    """Writes down what it is asked to learn; meets :class:`biorlhf.stage.Learner`.

    Attributes:
        metrics: returned by every update, beside ``loss`` (the number of completions).
        evaluation: returned by every evaluation.
        steps, evaluations: the (groups, loss settings, seed) and (groups, loss settings) of each call.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    evaluation: Mapping[str, float] = field(default_factory=dict)
    steps: list[tuple[list[TrainGroup], dict[str, Any], int]] = field(default_factory=list)
    evaluations: list[tuple[list[TrainGroup], dict[str, Any]]] = field(default_factory=list)

    def tokenize(self, pairs: Sequence[tuple[str, str]]) -> list[TrainGroup]:
        return [
            TrainGroup(tokens_of(prompt), (TrainCompletion((*tokens_of(response), END_TOKEN)),))
            for prompt, response in pairs
        ]

    def step(self, groups: Sequence[TrainGroup], loss: Mapping[str, Any], *, seed: int) -> Update:
        self.steps.append((list(groups), dict(loss), seed))
        count = sum(len(group.completions) for group in groups)
        return Update({"loss": float(count), **self.metrics}, an_adapter(len(self.steps)) if groups else None)

    def evaluate(self, groups: Sequence[TrainGroup], loss: Mapping[str, Any]) -> Mapping[str, float]:
        self.evaluations.append((list(groups), dict(loss)))
        return self.evaluation

    def adapter(self) -> Adapter:
        return an_adapter(len(self.steps))


def a_stage(
    learner: RecordingLearner,
    dataset: Dataset,
    rollouts: ScriptedRollouts | None = None,
    composer: RewardComposer | None = None,
    **settings: Any,
) -> Stage:
    """A stage made of doubles; ``settings`` replace any other field of :class:`biorlhf.stage.Stage`."""
    values: dict[str, Any] = {"name": "test", "index": 0, "seed": 7, "max_completion_tokens": 32}
    values |= {"policies": (an_adapter(0).ref,) if rollouts else (), **settings}
    scorers = DirectScorers(composer) if composer is not None else None
    return Stage(
        dataset=dataset, learner=learner, rollouts=rollouts, scorers=scorers, composer=composer, **values
    )
