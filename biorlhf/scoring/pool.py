"""Scoring many completions on all cores, in order, with bounded memory and isolated verifiers."""

from __future__ import annotations

import math
import queue
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from biorlhf.errors import InputError
from biorlhf.ground_truth import names_of
from biorlhf.scoring.cores import cores
from biorlhf.scoring.isolated import IsolatedScorer, ScorerSpec
from biorlhf.scoring.rows import NameOf, Row, check_output, open_output, output_row, read_rows
from biorlhf.statistics.intervals import wilson
from biorlhf.types import JSON, Names, Question, Reward, Status

BATCH_ROWS = 128
BATCH_CHARS = 1_000_000
IN_FLIGHT = 2  # batches per scorer: one at work and one that waits

Pair = tuple[Question, str]


class ScorerPool:
    """Several isolated scorers as one; a context manager."""

    def __init__(self, spec: ScorerSpec, jobs: int) -> None:
        self.scorers = [IsolatedScorer(spec)]  # a spec that is wrong fails here, once
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix="scorer")
        try:
            # Side by side: each child imports all plugins before it is ready.
            self.scorers += self._threads.map(IsolatedScorer, [spec] * (jobs - 1))
        except BaseException:
            self.close()
            raise
        self._idle: queue.SimpleQueue[IsolatedScorer] = queue.SimpleQueue()
        for scorer in self.scorers:
            self._idle.put(scorer)

    def __enter__(self) -> ScorerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop what is waiting, and end every child once its batch is done."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for scorer in self.scorers:
            scorer.close()

    @property
    def weights(self) -> dict[str, float]:
        return self.scorers[0].weights

    @property
    def restarts(self) -> int:
        return sum(scorer.restarts for scorer in self.scorers)

    def map(self, batches: Iterable[Sequence[Pair]]) -> Iterator[list[Reward]]:
        """The rewards of each batch, in order. Reads ahead no further than what keeps all scorers busy."""
        waiting: deque[Future[list[Reward]]] = deque()
        for batch in batches:
            waiting.append(self._threads.submit(self._score, batch))
            # The oldest first: results keep the order of the rows, whichever scorer is done earlier.
            if len(waiting) > IN_FLIGHT * len(self.scorers):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _score(self, batch: Sequence[Pair]) -> list[Reward]:
        scorer = self._idle.get()
        try:
            return scorer.score(batch)
        finally:
            self._idle.put(scorer)


@dataclass
class Tally:
    """Counts of one verifier, and the sum of its scores."""

    counts: Counter[str] = field(default_factory=Counter)
    total: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """Counts by status, the mean of the scored with its 95 % interval (Wilson's, which is on the wide
        side for values in [0, 1] and takes rows as independent), and the most common reasons of failure."""
        n = self.counts[Status.SCORED]
        # A sum of n floats can exceed n by its rounding.
        low, high = wilson(min(self.total, n), n) if n else (None, None)
        return {
            **{status.value: self.counts[status] for status in Status},
            "mean": self.total / n if n else None,
            "low": low,
            "high": high,
            "reasons": dict(self.reasons.most_common(3)),
        }


@dataclass(frozen=True)
class Summary:
    """What scoring a file came to."""

    rows: int
    seconds: float
    jobs: int
    restarts: int
    reward: Tally
    verifiers: dict[str, Tally]
    weights: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        reward = self.reward.to_json()
        return {
            "rows": self.rows,
            "seconds": self.seconds,
            "rows_per_s": self.rows / self.seconds if self.seconds else None,
            "jobs": self.jobs,
            "restarts": self.restarts,
            "reward": {
                **{key: reward[key] for key in ("mean", "low", "high")},
                "rewarded": self.reward.counts[Status.SCORED],
                "without_reward": self.rows - self.reward.counts[Status.SCORED],
            },
            "verifiers": {name: tally.to_json() for name, tally in self.verifiers.items()},
        }


@dataclass(frozen=True, slots=True)
class FileJob:
    """One file to score, and where to.

    ``jobs`` is the number of scorer processes, the cores of this process by default; a small file
    takes fewer. ``keep`` is the id of a row that the caller wants to see.
    """

    source: Path
    out: Path | None
    spec: ScorerSpec
    name_of: NameOf
    jobs: int | None = None
    keep: str | None = None


def score_file(
    job: FileJob, on_start: Callable[[int], None], on_progress: Callable[[int], None]
) -> tuple[Summary, tuple[Row, Reward] | None]:
    """Score every row of a file and write the results in the same order.

    All rows are checked before the first is scored. Memory stays bounded: a few batches per scorer
    are held, whatever the file's length.

    Args:
        job: what to score. With ``out`` None and ``keep`` set, only that row is scored.
        on_start: called once with the number of rows.
        on_progress: called with the number of rows done since the last call.

    Returns:
        The summary, and the row that ``job.keep`` names with its reward (the first with that id).

    Raises:
        InputError: a wrong path or spec, or ``keep`` is no row's id.
        DataError: a malformed row, with its place.
    """
    rows, names = _check(job)
    on_start(rows)
    # A child takes longer to start than a batch to score; a small file gets no more than it has batches.
    jobs = min(job.jobs or cores(), max(1, math.ceil(rows / BATCH_ROWS)))
    with ScorerPool(job.spec.with_names(names), jobs) as pool:
        if job.out is None:
            return _score_all(job, pool, lambda rows: None, on_progress)
        with open_output(job.out) as write:
            return _score_all(job, pool, write, on_progress)


def _score_all(
    job: FileJob,
    pool: ScorerPool,
    write: Callable[[Sequence[dict[str, Any]]], None],
    on_progress: Callable[[int], None],
) -> tuple[Summary, tuple[Row, Reward] | None]:
    waiting: deque[list[Row]] = deque()

    def batches() -> Iterator[list[Pair]]:
        for batch in _batches(_wanted(job)):
            waiting.append(batch)
            yield [(row.question, row.response) for row in batch]

    start = time.monotonic()
    reward_tally, tallies = Tally(), {name: Tally() for name in pool.weights}
    explained, done = None, 0
    for rewards in pool.map(batches()):
        batch = waiting.popleft()
        write([output_row(row, reward) for row, reward in zip(batch, rewards, strict=True)])
        for row, reward in zip(batch, rewards, strict=True):
            _count(reward, reward_tally, tallies)
            if explained is None and job.keep is not None and str(row.id) == job.keep:
                explained = (row, reward)
        done += len(batch)
        on_progress(len(batch))
    seconds = time.monotonic() - start
    processes = len(pool.scorers)
    return Summary(done, seconds, processes, pool.restarts, reward_tally, tallies, pool.weights), explained


def _check(job: FileJob) -> tuple[int, Names]:
    """Read every row once: a mistake in the last line is found before hours of work, not after.

    What the rows' ground truths name is known to every row: each is the others' foil.
    """
    if job.jobs is not None and job.jobs < 1:
        raise InputError("--jobs", str(job.jobs), "1 or more")
    if job.out is not None:
        check_output(job.out, job.source)
    count, wanted = 0, 0

    def truths() -> Iterator[JSON]:
        nonlocal count, wanted
        for row in read_rows(job.source, job.name_of):
            count += 1
            wanted += str(row.id) == job.keep
            yield row.question.ground_truth

    names = names_of(truths())
    if count == 0:
        raise InputError(str(job.source), "the file has no rows", "at least one")
    if job.keep is not None and not wanted:
        # Names to suggest, from the file's beginning: a large one is not held in memory for it.
        ids = [str(row.id) for _, row in zip(range(1000), read_rows(job.source, job.name_of), strict=False)]
        near = ids if len(ids) <= 20 else ids[:5]
        raise InputError("--explain", f"no row has the id {job.keep!r}", choices=near, name=job.keep)
    return 1 if job.out is None else count, names


def _wanted(job: FileJob) -> Iterator[Row]:
    rows = read_rows(job.source, job.name_of)
    if job.out is not None:
        yield from rows
    else:
        yield next(row for row in rows if job.keep in (None, str(row.id)))


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    chars = 0
    for row in rows:
        batch.append(row)
        # Answers can be long: by rows alone a batch has no size.
        chars += len(row.response) + len(row.question.prompt)
        if len(batch) == BATCH_ROWS or chars > BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


def _count(reward: Reward, reward_tally: Tally, tallies: dict[str, Tally]) -> None:
    if reward.total is not None:
        reward_tally.counts[Status.SCORED] += 1
        reward_tally.total += reward.total
    for name, score in reward.scores.items():
        tally = tallies[name]
        tally.counts[score.status] += 1
        tally.total += score.value or 0.0
        if score.status is Status.FAILED:
            tally.reasons[str(score.details.get("reason", ""))[:200]] += 1
