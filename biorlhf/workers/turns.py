"""One GPU for learner and rollouts that do not fit it together: the engines sleep while the learner computes.

``rollout.sleep`` of the recipe. Whoever asks for answers wakes them; trainers know nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from biorlhf.workers.crew import ControlledLearner

COMPUTES = frozenset({"begin_stage", "restore", "step", "evaluate"})
"""What a learner needs the GPU for. Its log-probabilities of one text, and its adapter, are asked for beside
engines that are awake: that takes next to nothing."""


def in_turn(learner: ControlledLearner, sleep: Callable[[], object]) -> ControlledLearner:
    """The same learner, which calls ``sleep`` before it computes; that returns when the engines sleep."""
    taking: Any = _InTurn(learner, sleep)
    return taking  # type: ignore[no-any-return]


class _InTurn:
    def __init__(self, learner: ControlledLearner, sleep: Callable[[], object]) -> None:
        self._learner, self._sleep = learner, sleep

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._learner, name)
        if name not in COMPUTES:
            return method

        def alone(*args: Any, **named: Any) -> Any:
            self._sleep()
            return method(*args, **named)

        return alone
