"""What a trainer sees of the rest: data, a learner, rollouts and scorers, each behind a small interface.

The interfaces are met by Ray actors (``biorlhf.actors``), by plain objects in this process
(``biorlhf.workers.inline``), and by the doubles in ``biorlhf.testing``. A trainer cannot tell which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from biorlhf.types import (
    AdapterRef,
    Dataset,
    Group,
    Question,
    Reward,
    Score,
    ScoredGroup,
    StepMetrics,
    TrainGroup,
)

# What the canary's tokens are taken from: figures, names and symbols that adapters change early. Learner and
# sampler must give this text the same log-probabilities, or they do not hold the same policy.
CANARY_PROMPT = "How many genes change in soleus under hindlimb unloading?"
CANARY_ANSWER = "Soleus has 6,425 DEGs under HU. Confidence: 90%"


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample. ``seed`` and the question's id fix every random draw of a completion.

    ``max_tokens`` counts generated tokens; ``temperature`` 0 is greedy and needs ``n`` = 1. ``policy`` is the
    one that answers, of those that are held; None: the newest.
    """

    n: int
    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0
    policy: AdapterRef | None = None


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter as it travels: its identity and its two files (PEFT's plain format).

    ``canary`` holds the nats that the learner, while this was its policy, gave the tokens of the fixed text
    above; empty where nobody asked it.
    """

    ref: AdapterRef
    tensors: bytes = field(repr=False)
    config: bytes = field(repr=False)
    canary: tuple[float, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Update:
    """What one optimizer update did. ``metrics`` are named numbers: loss, grad_norm, lr, kl, ...

    ``adapter`` is None where nothing changed (every group had an advantage of zero), and where the loss's
    settings say ``adapter: False``: where nothing samples from it, it need not be carried anywhere.
    """

    metrics: Mapping[str, float]
    adapter: Adapter | None


class Learner(Protocol):
    """Holds the base model, the LoRA adapter, the optimizer and the reference policy of a stage."""

    def tokenize(self, pairs: Sequence[tuple[str, str]]) -> list[TrainGroup]:
        """(prompt, response) texts as token ids: the recipe's template on the prompt, an end token after
        the response. One group per pair, each with one completion."""
        ...

    def step(self, groups: Sequence[TrainGroup], loss: Mapping[str, Any], *, seed: int) -> Update:
        """One or more optimizer updates on one batch. ``loss`` is the trainer's own settings of the
        loss: plain data, with the key ``"name"``."""
        ...

    def evaluate(self, groups: Sequence[TrainGroup], loss: Mapping[str, Any]) -> Mapping[str, float]:
        """The loss's metrics on a batch, without an update."""
        ...

    def adapter(self) -> Adapter:
        """The adapter as it is now."""
        ...


class Rollouts(Protocol):
    """The rollout workers, as one. They hold the ``lag + 1`` newest policies: one where no stage has a lag.

    :meth:`sample` may be called from several threads, each of which goes through its own groups.
    """

    def sample(self, questions: Sequence[Question], sampling: Sampling) -> Iterator[Group]:
        """One group per question, in the order in which they finish."""
        ...

    def load_adapter(self, adapter: Adapter, *, learnt: bool = True) -> None:
        """Add a policy, the newest from now on. Raises ``PolicyMismatch`` where a worker serves another:
        here, or at the latest before the first answer of that policy. ``learnt``: whether it is the one that
        the learner has; with another what is served is compared with its ``canary``, where it has one."""
        ...

    def held(self, ref: AdapterRef) -> Adapter:
        """A policy that is held. Raises ``RunFailure`` where it is not."""
        ...


class Scorers(Protocol):
    """The scorer workers, as one."""

    def score(self, groups: Iterable[Group]) -> Iterator[ScoredGroup]:
        """Rewards for each group, in the order in which they finish. Consumes ``groups`` as they
        arrive, so that scoring and generation overlap."""
        ...


class Composer(Protocol):
    """What a trainer may use of :class:`biorlhf.reward.RewardComposer`, which meets this."""

    weights: dict[str, float]

    def compose(self, scores: Mapping[str, Score]) -> Reward:
        """Weighted mean over the verifiers that scored, with their weights renormalised."""
        ...

    def score(self, question: Question, response: str) -> Reward:
        """The reward of one text, judged in this process: a verifier that hangs is not stopped here."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a recipe, ready to run.

    ``index`` and ``name`` are unique in a run. ``done_steps`` is 0, or the number of steps that an
    interrupted run had finished at its last checkpoint; ``before`` are their metrics. ``rollouts``,
    ``scorers`` and ``composer`` are None for a trainer that says it needs no rollouts.
    ``max_completion_tokens``, ``temperature`` and ``top_p`` are the recipe's, for sampling. ``dataset`` is
    the training split, ``validation`` that split.
    ``policies`` are those that the last steps left, oldest first, down to the one that the stage started
    from: as many as its lag needs. ``beside``: whether rollouts and scorers work beside the learner, so that
    they may be asked from other threads meanwhile. ``withdraw`` has both give up what they were asked until
    then: whoever waits for it gets a ``RunFailure``. None where nobody else could be waiting.
    """

    name: str
    index: int
    seed: int
    dataset: Dataset
    learner: Learner
    rollouts: Rollouts | None = None
    scorers: Scorers | None = None
    composer: Composer | None = None
    max_completion_tokens: int = 0
    temperature: float = 1.0
    top_p: float = 1.0
    validation: Dataset | None = None
    done_steps: int = 0
    before: tuple[StepMetrics, ...] = ()
    policies: tuple[AdapterRef, ...] = ()
    beside: bool = False
    withdraw: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class StepResult:
    """One finished step: its metrics, and the rollouts (with advantages, ``_P_G``) that it used."""

    metrics: StepMetrics
    groups: tuple[ScoredGroup, ...] = ()
    advantages: tuple[tuple[float, ...], ...] = ()
    adapter: AdapterRef | None = None
    warnings: tuple[str, ...] = ()
