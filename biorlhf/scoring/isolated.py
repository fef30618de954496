"""Verifiers in a process of their own: what hangs, crashes or eats memory fails one score, not the run.

:class:`IsolatedScorer` starts a clean Python (no fork of a process that holds Ray or CUDA), which
rebuilds the verifiers from plain data and scores batches over a pair of pipes. A verifier that takes
longer than ``timeout_s`` on one completion, exhausts ``memory_mb``, or ends the process (twice, where SIGKILL
or SIGTERM ended it: the first may have come from outside) gets a *failed* score for that completion, and so
does a completion on which something else than the child's next report came through its pipe; the child is
replaced and everything else is scored. What a child says of itself is checked again here, so that a value
outside [0, 1] cannot get through. Whatever a verifier started ends with its child.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from biorlhf.errors import RunFailure
from biorlhf.reward import FailureBudget, compose
from biorlhf.scoring.process import ScorerProcess
from biorlhf.scoring.spec import ScorerSpec
from biorlhf.types import Question, Reward, Score

# A batch is one message, and lies as JSON in both processes.
BATCH_ITEMS = 256
BATCH_CHARS = 2_000_000
FRUITLESS = 3


class IsolatedScorer:
    """Scores completions in a child process; use it as a context manager, from any thread.

    ::

        with IsolatedScorer(ScorerSpec(active=["V1", "V4"], timeout_s=5)) as scorer:
            rewards = scorer.score([(question, text), ...])     # one Reward each, in order

    ``restarts`` counts the children that were replaced. One child scores one batch at a time: use
    several scorers for several cores.

    Raises:
        InputError: what :class:`~biorlhf.reward.RewardComposer` raises for the spec.
        RunFailure: the child cannot be started, or ends again and again outside any verifier.
    """

    def __init__(self, spec: ScorerSpec) -> None:
        self.spec = spec
        self.restarts = 0
        self._lock = threading.Lock()
        self._closed = False
        self._process: ScorerProcess | None = ScorerProcess(spec)
        self.weights = self._process.weights

    def __enter__(self) -> IsolatedScorer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child, at once where it is at work. A scorer that is closed cannot be used again."""
        self._closed = True
        process = self._process
        if not self._lock.acquire(blocking=False):
            if process is not None:
                process.kill()  # another thread waits for it, and now sees its pipe close
            self._lock.acquire()
        self._drop()
        self._lock.release()

    def score(self, pairs: Sequence[tuple[Question, str]]) -> list[Reward]:
        """One reward for each (question, completion), in order."""
        with self._lock:
            rewards: list[Reward] = []
            try:
                for batch in _batches(pairs):
                    rewards += self._score_batch(batch)
            except BaseException:  # the child is in the middle of a batch: the next call starts another
                self._drop()
                raise
            return rewards

    def _drop(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    def _score_batch(self, batch: Sequence[tuple[Question, str]]) -> list[Reward]:
        rewards: list[Reward] = []
        skipped: dict[int, dict[str, str]] = {}
        again: set[int] = set()
        fruitless = 0
        while len(rewards) < len(batch):
            if self._closed:
                raise RunFailure("this scorer is closed")
            first = len(rewards)
            self._process = process = self._process or ScorerProcess(self.spec)
            was_fresh = process.fresh
            rows, failure = process.score(batch[first:], {i - first: s for i, s in skipped.items()})
            rewards += [compose(_scores(row, self.weights), self.weights) for row in rows]
            if failure is None:
                continue
            self._drop()
            self.restarts += 1
            if not failure.verifiers:
                # A child that dies outside every verifier names none to skip: without a limit it would be
                # started for ever.
                fruitless = 0 if rows else fruitless + 1
                if fruitless == FRUITLESS:
                    raise RunFailure(f"the scorer process ended {FRUITLESS} times in a row: {failure.reason}")
            elif failure.killed and first + failure.item not in again:
                # Whoever killed it was hardly the verifier, which is asked once more before it is blamed.
                again.add(first + failure.item)
            elif not failure.leak or (was_fresh and not rows):
                failed = dict.fromkeys(failure.verifiers, failure.reason)
                skipped[first + failure.item] = {**failed, **skipped.get(first + failure.item, {})}
            # else: memory ran out in a process that had scored before. Another verifier may have kept
            # it, so the score is tried once more in a new process before this one is blamed.
        return rewards


def _batches(pairs: Sequence[tuple[Question, str]]) -> list[list[tuple[Question, str]]]:
    batches: list[list[tuple[Question, str]]] = []
    size = 0
    for pair in pairs:
        size += len(pair[1])
        if not batches or len(batches[-1]) == BATCH_ITEMS or size > BATCH_CHARS:
            batches.append([])
            size = len(pair[1])
        batches[-1].append(pair)
    return batches


def _scores(row: Mapping[str, Any], weights: Mapping[str, float]) -> dict[str, Score]:
    scores = {}
    for name in weights:
        try:
            scores[name] = Score.from_json(row[name])
        except (KeyError, TypeError, ValueError) as error:
            scores[name] = Score.failed(f"{type(error).__name__}: {error}")
    return scores


__all__ = ["FailureBudget", "IsolatedScorer", "ScorerSpec"]
