"""One scorer process and its pipes, as :mod:`biorlhf.scoring.isolated` uses it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import mmap
import os
import selectors
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from biorlhf.errors import InputError, RunFailure
from biorlhf.scoring.spec import ScorerSpec
from biorlhf.types import Question

PROGRESS = struct.Struct("=Q")
# The child ends itself so much later than the parent would end it: the parent, which knows the reason, comes
# first.
GRACE_S = 2.0
# Importing every plugin may take long; no verifier is at work then whose limit could hold.
START_S = 120.0
_QUESTION_FIELDS = tuple(f.name for f in dataclasses.fields(Question))


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a child had to be replaced; ``verifier`` is None where it was not at work on a completion."""

    reason: str
    item: int = 0
    verifier: str | None = None
    leak: bool = False


class ScorerProcess:
    """One scorer process and its pipes."""

    def __init__(self, spec: ScorerSpec) -> None:
        self.spec = spec
        self.fresh = True
        with tempfile.TemporaryFile() as shared:
            shared.truncate(PROGRESS.size)
            self._progress = mmap.mmap(shared.fileno(), PROGRESS.size)
            self._process = subprocess.Popen(
                # -P: "-m" would look in the current folder first, where a file may be named like a module.
                [sys.executable, "-P", "-m", "biorlhf.scoring.worker", str(shared.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                pass_fds=(shared.fileno(),),
                # A group of its own: kill() reaches what a verifier started, and Ctrl-C reaches only the
                # parent.
                start_new_session=True,
                # what this process can import, the child can: a notebook's path, Ray's runtime_env
                env={**os.environ, "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)},
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._orders, self._reports = self._process.stdin, self._process.stdout
        # A child that reports before it has read everything would wait for its reader, and that reader for
        # it.
        os.set_blocking(self._orders.fileno(), False)
        self._unread = b""
        try:
            self.weights: dict[str, float] = self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> dict[str, float]:
        lines, died = self._exchange(self.spec.to_json(), expected=1)
        if died is not None:
            raise RunFailure(f"the scorer process could not be started: {died}")
        weights: dict[str, float] = json.loads(lines[0])["weights"]
        return weights

    def score(
        self, batch: Sequence[tuple[Question, str]], skipped: Mapping[int, Mapping[str, str]]
    ) -> tuple[list[Any], Failure | None]:
        """The rows of scores of the first completions, and what went wrong on the next one, if anything."""
        questions: dict[int, int] = {}
        rows: list[Any] = []
        items: list[Any] = []
        for number, (question, text) in enumerate(batch):
            # A group's completions share their question, which is sent once; by id, for a question holds
            # dicts and has no hash.
            if id(question) not in questions:
                questions[id(question)] = len(rows)
                rows.append([getattr(question, name) for name in _QUESTION_FIELDS])
            items.append((questions[id(question)], text, skipped.get(number, {})))
        self._progress[:] = PROGRESS.pack(0)
        lines, died = self._exchange({"questions": rows, "items": items}, expected=len(batch))
        reports = [json.loads(line) for line in lines]
        scores = [report["scores"] for report in reports if "scores" in report]
        if reports and "memory" in reports[-1]:
            reason = f"used more than {self.spec.memory_mb} MiB of memory"
            return scores, Failure(reason, len(scores), reports[-1]["memory"], leak=True)
        failure = None if died is None else self._blame(died, len(scores))
        if scores:
            self.fresh = False
        return scores, failure

    def _blame(self, died: str, done: int) -> Failure:
        (call,) = PROGRESS.unpack(self._progress[:])
        item, position = divmod(call - 1, len(self.weights))
        # The counter stays at the last call: where that one's score has arrived, the child ended between two.
        if call == 0 or item < done:
            return Failure(died)
        return Failure(died, item, list(self.weights)[position])

    def _exchange(self, message: Any, expected: int) -> tuple[list[bytes], str | None]:
        """Send one message and read ``expected`` lines; fewer, with the reason, where the child ends."""
        data = memoryview(json.dumps(message, default=_as_json).encode("ascii") + b"\n")
        lines: list[bytes] = []
        clock = _Clock(self._progress, self.spec.timeout_s)
        with selectors.DefaultSelector() as selector:
            selector.register(self._reports, selectors.EVENT_READ)
            selector.register(self._orders, selectors.EVENT_WRITE)
            while len(lines) < expected:
                for key, _ in selector.select(clock.poll_s):
                    if key.fileobj is self._orders:
                        data = self._write(data)
                        if not data:
                            selector.unregister(self._orders)
                        continue
                    chunk = os.read(self._reports.fileno(), 1 << 20)
                    if not chunk:
                        return lines, self._exit_reason()
                    *whole, self._unread = (self._unread + chunk).split(b"\n")
                    lines += whole
                    _raise_error(whole)
                if len(lines) < expected and (overrun := clock.overrun()):
                    self.kill()
                    return lines, overrun
        return lines, None

    def _write(self, data: memoryview) -> memoryview:
        try:
            return data[os.write(self._orders.fileno(), data[: 1 << 16]) :]
        except BlockingIOError:
            return data
        except BrokenPipeError:  # the child has ended; reading its pipe to the end says so
            return data[:0]

    def _exit_reason(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_S)
        code = self._process.poll()
        if code is None:
            return "closed its pipe"
        # The child's own timer (see worker.py).
        if code == -signal.SIGALRM:
            return f"no answer within {self.spec.timeout_s:g} s"
        return f"ended the process by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def kill(self) -> None:
        """End the child and what it started, whatever it is doing."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """Close the pipes, which ends an idle child; kill it and what it started where that does not."""
        self._orders.close()
        self._reports.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self.kill()
        self._progress.close()


class _Clock:
    """Notices that a child has been at the same call for too long, by watching its counter."""

    def __init__(self, progress: mmap.mmap, timeout_s: float) -> None:
        self.poll_s = min(0.05, timeout_s / 4)
        self._progress, self._timeout_s = progress, timeout_s
        self._seen, self._since = progress[:], time.monotonic()

    def overrun(self) -> str | None:
        now, value = time.monotonic(), self._progress[:]
        if value != self._seen:
            self._seen, self._since = value, now
        working = value != PROGRESS.pack(0)
        limit_s = self._timeout_s if working else max(START_S, self._timeout_s)
        return f"no answer within {limit_s:g} s" if now - self._since > limit_s else None


def _raise_error(lines: list[bytes]) -> None:
    for line in lines:
        if line.startswith(b'{"error"'):
            raise InputError(**json.loads(line)["error"])


def question_from_json(row: Sequence[Any]) -> Question:
    """The question behind a list of its fields, in the order of the record."""
    fields = dict(zip(_QUESTION_FIELDS, row, strict=True))
    return Question(
        **{**fields, "verifiers": tuple(fields["verifiers"]), "fact_ids": tuple(fields["fact_ids"])}
    )


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "item"):  # a NumPy scalar out of a table
        return value.item()
    raise InputError("ground_truth", f"a {type(value).__name__}, which is no JSON: {value!r:.80}")
