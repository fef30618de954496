"""Learner and engine on one GPU that cannot hold both: whose turn it is, and who sleeps meanwhile.

What samples wakes the engine, what learns puts it to sleep; its weights then lie in the host's memory
(vLLM's sleep of level 1), and the learner's base in the engine's turn. Trainers know nothing of it. After
every wake the adapter is loaded again: what an engine lost in its sleep comes back, and the canary that
watches each load has seen the policy before it answers anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from biorlhf.stage import CANARY_ANSWER, CANARY_PROMPT, Adapter
from biorlhf.types import TrainGroup

#: What a learner computes with its base for; the rest it does asleep.
LEARNS = frozenset({"begin_stage", "restore", "step", "evaluate", "logprobs"})


class Sleeper(Protocol):
    """What gives its memory on the GPU away, and takes it again."""

    def sleep(self) -> None: ...

    def wake(self) -> None: ...


class InTurn:
    """``inner``, with ``take`` called before each of ``methods``."""

    def __init__(self, inner: Any, take: Callable[[], None], methods: frozenset[str]) -> None:
        self._inner, self._take, self._methods = inner, take, methods

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name not in self._methods:
            return method

        def in_turn(*args: Any, **named: Any) -> Any:
            self._take()
            return method(*args, **named)

        return in_turn


class Turns:
    """``learner`` and ``rollouts`` meet their protocols, and are awake in turn.

    Begins with the engine awake and the learner asleep, which is how they have to be started.
    """

    def __init__(self, learner: Any, rollouts: Any) -> None:
        self._learner, self._engine = learner, rollouts
        self._learns = False
        self._adapter: Adapter | None = None
        self._own: list[float] = []
        self._probe: TrainGroup = learner.tokenize([(CANARY_PROMPT, CANARY_ANSWER)])[0]
        self.learner = InTurn(learner, self._to_learner, LEARNS)
        self.rollouts = InTurn(self, self._to_engine, frozenset({"sample"}))
        # Its canary asks when the learner sleeps again.
        rollouts.watch(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def tokenize(self, pairs: Sequence[tuple[str, str]]) -> list[TrainGroup]:
        """For the engine's canary: as the learner does."""
        tokens: list[TrainGroup] = self._learner.tokenize(pairs)
        return tokens

    def logprobs(self, *_: Sequence[int]) -> list[float]:
        """For the engine's canary: what the learner said of its text before it went to sleep."""
        return self._own

    def load_adapter(self, adapter: Adapter) -> None:
        """Serve this policy from now on; what the learner says of it has to be asked while it is awake."""
        self._to_learner()
        self._adapter = adapter
        self._to_engine()

    def _to_learner(self) -> None:
        if not self._learns:
            self._engine.sleep()
            self._learner.wake()
            self._learns = True

    def _to_engine(self) -> None:
        if not self._learns:
            return
        self._own = self._learner.logprobs(self._probe.prompt_ids, self._probe.completions[0].token_ids)
        self._learner.sleep()
        self._engine.wake()
        self._learns = False
        if self._adapter is not None:
            self._engine.load_adapter(self._adapter)
