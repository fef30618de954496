"""The child process of :mod:`biorlhf.scoring.isolated`: rebuilds the verifiers, and scores what it is sent.

One JSON document per line. In: the spec, then batches ``{"questions": [..], "items": [[question's
index, text, {verifier: reason}]]}``. Out: ``{"weights": ..}`` or ``{"error": ..}`` once, then one line
per completion: ``{"scores": {..}}``, or ``{"memory": verifier}`` after which this process ends.
Before each call of a verifier its number within the batch is written to shared memory, so that the
parent knows which one hangs or crashed even though this process cannot say so any more.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any, BinaryIO

from biorlhf.errors import InputError
from biorlhf.reward import RewardComposer
from biorlhf.scoring.process import GRACE_S, PROGRESS, question_from_json
from biorlhf.scoring.spec import ScorerSpec
from biorlhf.types import Question, Score

MAX_SCORE_BYTES = 4_000_000


def main() -> int:
    """Serve until the parent closes the pipe. ``argv[1]`` is the descriptor of the shared memory."""
    orders, reports = _take_over_pipes()
    progress = mmap.mmap(int(sys.argv[1]), PROGRESS.size)
    spec = ScorerSpec.from_json(json.loads(orders.readline()))
    try:
        composer = RewardComposer(spec.active, spec.weights, configs=spec.configs)
    except InputError as error:
        _send(reports, {"error": _parts(error)})
        return 0
    _send(reports, {"weights": composer.weights})
    # Not earlier: what the plugins load is not an answer's fault.
    _limit_memory(spec.memory_mb)
    try:
        for line in orders:
            if not _serve(json.loads(line), composer, progress, spec.timeout_s, reports):
                break
    except InputError as error:  # a question that asks for a verifier that does not exist
        _send(reports, {"error": _parts(error)})
    return 0


def _serve(
    batch: Any, composer: RewardComposer, progress: mmap.mmap, timeout_s: float, reports: BinaryIO
) -> bool:
    """Score one batch; false where this process has to end because it ran out of memory."""
    questions = [question_from_json(row) for row in batch["questions"]]
    for number, (index, text, skipped) in enumerate(batch["items"]):
        report = _score(composer, (questions[index], text), skipped, number, progress, timeout_s)
        reports.write(report)
        reports.flush()
        if report.startswith(b'{"memory"'):
            return False
    return True


def _take_over_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The two pipes on descriptors of their own: a verifier that prints or reads cannot touch them."""
    orders, reports = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return open(orders, "rb", buffering=1 << 16), open(reports, "wb")


def _limit_memory(memory_mb: int) -> None:
    """Bound the address space to what it is now, with every plugin imported, plus ``memory_mb``."""
    import resource

    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            size = int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except FileNotFoundError:  # no /proc on this system: its own resident size is what is known
        size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    # The address space, for Linux does not enforce a limit of resident memory.
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    limit = size + memory_mb * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard < 0 else min(limit, hard), hard))


def _score(
    composer: RewardComposer,
    pair: tuple[Question, str],
    skipped: Mapping[str, str],
    number: int,
    progress: mmap.mmap,
    timeout_s: float,
) -> bytes:
    parts = []
    for position, name in enumerate(composer.verifiers):
        if name in skipped:
            score = Score.failed(skipped[name])
        else:
            progress[:] = PROGRESS.pack(number * len(composer.verifiers) + position + 1)
            # SIGALRM's default action ends a process even inside C code that never returns to Python: where
            # the parent is gone and can kill nobody, this leaves no orphan behind.
            signal.setitimer(signal.ITIMER_REAL, timeout_s + GRACE_S)
            score = composer.score_one(name, *pair)
            signal.setitimer(signal.ITIMER_REAL, 0)
            # After a MemoryError nothing in this process can be trusted to have room: the parent decides who
            # is to blame.
            if str(score.details.get("reason", "")).startswith("MemoryError") and score.value is None:
                return json.dumps({"memory": name}).encode() + b"\n"
        parts.append(f"{json.dumps(name)}: {_encode(score)}")
    return f'{{"scores": {{{", ".join(parts)}}}}}\n'.encode("ascii")


def _encode(score: Score) -> str:
    """A score as JSON. Details that are no JSON are made so; a score too large to send is a failed one."""
    row = score.to_json()
    try:
        text = json.dumps(row, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        # Details may hold themselves; a depth ends that.
        text = json.dumps(_plain(row, depth=12))
    if len(text) > MAX_SCORE_BYTES:
        reason = f"returned {len(text):,} bytes of details; at most {MAX_SCORE_BYTES:,} are kept"
        text = json.dumps(Score.failed(reason).to_json())
    return text


def _plain(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if depth == 0:
        return "..."
    if isinstance(value, Mapping):
        return {str(key): _plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, depth - 1) for item in value]
    if hasattr(value, "item") and getattr(value, "shape", None) == ():  # a NumPy scalar
        return _plain(value.item(), depth - 1)
    return repr(value)[:1000]


def _send(reports: BinaryIO, message: Any) -> None:
    reports.write(json.dumps(message).encode() + b"\n")
    reports.flush()


def _parts(error: InputError) -> dict[str, Any]:
    names = ("where", "found", "expected", "choices", "name", "hint")
    return {name: getattr(error, name) for name in names}


if __name__ == "__main__":
    sys.exit(main())
