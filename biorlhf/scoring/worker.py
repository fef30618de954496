"""What a scorer's child does: rebuild the verifiers, and score what it is sent.

Messages are JSON in the frames of :mod:`biorlhf.scoring.messages`. In: the spec, then batches
``{"questions": [..], "items": [[question's index, text, {verifier: reason}]]}``; before all, the key.
Out: ``{"building": verifier}`` before each is built, ``{"weights": ..}`` or ``{"error": ..}`` once, then
one per completion: ``{"scores": {..}}``, or ``{"memory": verifier}`` after which this process ends.
Before each call of a verifier its number within the batch is written to shared memory, so that the
parent knows which one hangs or crashed even though this process cannot say so any more.
"""

from __future__ import annotations

import json
import math
import mmap
import os
from collections.abc import Mapping
from typing import Any

from biorlhf import plugins
from biorlhf.errors import InputError
from biorlhf.reward import RewardComposer
from biorlhf.scoring.messages import KEY_BYTES, ForeignBytes, Inbox, pack
from biorlhf.scoring.process import PROGRESS, question_from_json
from biorlhf.scoring.spec import ScorerSpec
from biorlhf.types import Question, Score

MAX_SCORE_BYTES = 4_000_000
# One completion in so many is scored twice: a verifier that is no pure function is found, at 1 % of the cost.
AGAIN_EVERY = 100


def serve(memory_fd: int, *, output_fd: int) -> int:
    """Serve until the parent closes the pipe; the process's exit code.

    Args:
        memory_fd: the descriptor of the memory that is shared with the parent.
        output_fd: what is printed goes there.
    """
    line = _Line(output_fd)
    progress = mmap.mmap(memory_fd, PROGRESS.size)
    spec = ScorerSpec.from_json(line.receive())
    try:
        plugins.catalogue()
        composer = RewardComposer(
            spec.active,
            spec.weights,
            configs=spec.configs,
            on_build=lambda name: line.send({"building": name}),
        )
    except InputError as error:
        line.send({"error": _parts(error)})
        return 0
    line.send({"weights": composer.weights})
    # Not earlier: what the plugins load is not an answer's fault.
    _limit_memory(spec.memory_mb)
    worker = _Worker(composer, progress)
    try:
        while (batch := line.receive()) is not None:
            questions = [question_from_json(row) for row in batch["questions"]]
            for number, (index, text, skipped) in enumerate(batch["items"]):
                report = worker.score((questions[index], text), skipped, number)
                line.send_bytes(report)
                if report.startswith(b'{"memory"'):
                    return 0
    except InputError as error:  # a question that asks for a verifier that does not exist
        line.send({"error": _parts(error)})
    except BrokenPipeError:  # the parent wants no more
        return 0
    except ForeignBytes:  # a verifier read what was not meant for it
        return 3
    return 0


class _Line:
    """Both pipes, on descriptors of their own: a verifier that prints or reads cannot touch them."""

    def __init__(self, output_fd: int) -> None:
        self._orders, self._reports = os.dup(0), os.dup(1)
        null = os.open(os.devnull, os.O_RDONLY)
        for fd, standard in ((null, 0), (output_fd, 1), (output_fd, 2)):
            os.dup2(fd, standard)
        os.close(null)
        os.close(output_fd)
        self._key = os.read(self._orders, KEY_BYTES)
        self._inbox = Inbox(self._key)
        self._sent = 0

    def receive(self) -> Any:
        """The next order; None where the parent has closed the pipe."""
        while (payload := self._inbox.take()) is None:
            chunk = os.read(self._orders, 1 << 20)
            if not chunk:
                return None
            self._inbox.add(chunk)
        return json.loads(payload)

    def send(self, message: Any) -> None:
        self.send_bytes(json.dumps(message).encode())

    def send_bytes(self, payload: bytes) -> None:
        data = memoryview(pack(self._key, self._sent, payload))
        self._sent += 1
        while data:
            data = data[os.write(self._reports, data) :]


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


class _Worker:
    """Scores one completion after the other, with every verifier."""

    def __init__(self, composer: RewardComposer, progress: mmap.mmap) -> None:
        self._composer, self._progress = composer, progress
        self._pid = os.getpid()
        self._done = 0
        self._calls = 0
        self._unsteady: set[str] = set()

    def score(self, pair: tuple[Question, str], skipped: Mapping[str, str], number: int) -> bytes:
        """The report on the completion with this number within its batch."""
        parts = []
        again = self._done % AGAIN_EVERY == 0
        self._done += 1
        for position, name in enumerate(self._composer.verifiers):
            if name in skipped:
                score = Score.failed(skipped[name])
            else:
                call = number * len(self._composer.verifiers) + position + 1
                score = self._call(name, pair, call)
                if (again or name in self._unsteady) and not _out_of_memory(score):
                    score = self._compared(name, score, self._call(name, pair, call))
                # After a MemoryError nothing in this process can be trusted to have room: the parent decides
                # who is to blame.
                if _out_of_memory(score):
                    return json.dumps({"memory": name}).encode()
            parts.append(f"{json.dumps(name)}: {_encode(score)}")
        return f'{{"scores": {{{", ".join(parts)}}}}}'.encode("ascii")

    def _call(self, name: str, pair: tuple[Question, str], call: int) -> Score:
        self._calls += 1
        self._progress[:] = PROGRESS.pack(call, self._calls)
        score = self._composer.score_one(name, *pair)
        # A verifier that forked comes back twice, and only the one that was asked may answer.
        if os.getpid() != self._pid:
            os._exit(0)
        return score

    def _compared(self, name: str, first: Score, second: Score) -> Score:
        if _out_of_memory(second) or (first.status, first.value) == (second.status, second.value):
            return second
        # From now on every answer is scored twice: what differs fails, and spends the failure budget.
        self._unsteady.add(name)
        values = " and then ".join(f"{s.value}" if s.value is not None else s.status for s in (first, second))
        return Score.failed(f"not a pure function: one answer, scored twice, got {values}")


def _out_of_memory(score: Score) -> bool:
    return score.value is None and str(score.details.get("reason", "")).startswith("MemoryError")


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


def _parts(error: InputError) -> dict[str, Any]:
    names = ("where", "found", "expected", "choices", "name", "hint")
    return {name: getattr(error, name) for name in names}
