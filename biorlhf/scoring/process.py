"""One scorer process and its pipes, as :mod:`biorlhf.scoring.isolated` uses it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import mmap
import os
import secrets
import select
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
from biorlhf.scoring.messages import KEY_BYTES, ForeignBytes, Inbox, pack
from biorlhf.scoring.spec import ScorerSpec, child_environment
from biorlhf.types import Question

PROGRESS = struct.Struct("=QQ")  # the call within the batch, and how many there have been at all
IDLE = PROGRESS.pack(0, 0)
# The child's warden has this long to end everything below it.
END_S = 5.0
# Importing every plugin may take long, building one verifier not quite so long.
START_S, BUILD_S = 120.0, 60.0
# How a child ends that somebody else ended: the kernel that lacks memory, a person, a batch system.
_KILLED = frozenset(f"ended the process by {name}" for name in ("SIGKILL", "SIGTERM"))
_QUESTION_FIELDS = tuple(f.name for f in dataclasses.fields(Question))


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a child had to be replaced.

    ``verifiers`` are those that failed on the completion ``item``: one, or all where something wrote into the
    pipe and nobody can say who; none where the child was not at work on a completion. ``killed``: it was
    ended by a signal that comes from outside as a rule.
    """

    reason: str
    item: int = 0
    verifiers: tuple[str, ...] = ()
    leak: bool = False
    killed: bool = False


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
                [sys.executable, "-P", "-m", "biorlhf.scoring.warden", str(shared.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                pass_fds=(shared.fileno(),),
                # Ctrl-C reaches only the parent.
                start_new_session=True,
                # what this process can import, the child can: a notebook's path, Ray's runtime_env
                env={
                    **child_environment(os.environ, spec.environment),
                    "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path),
                },
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._orders, self._reports = self._process.stdin, self._process.stdout
        # A child that reports before it has read everything would wait for its reader, and that reader for
        # it.
        os.set_blocking(self._orders.fileno(), False)
        self._key = secrets.token_bytes(KEY_BYTES)
        self._sent = 0
        self._inbox = Inbox(self._key)
        try:
            self.weights: dict[str, float] = self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> dict[str, float]:
        limit_s, doing = START_S, "importing the plugins"
        data = memoryview(self._key + self._message(self.spec.to_json()))
        since = time.monotonic()
        while True:
            try:
                payload, data = self._receive(data, limit_s - (time.monotonic() - since))
            except (TimeoutError, EOFError, ForeignBytes) as error:
                if isinstance(error, TimeoutError):
                    self.kill()
                why = f"no end within {limit_s:g} s" if isinstance(error, TimeoutError) else str(error)
                raise RunFailure(f"the scorer process could not be started: {doing}: {why}") from None
            if payload is None:
                continue
            message = json.loads(payload)
            _raise_error(message)
            if "weights" in message:
                weights: dict[str, float] = message["weights"]
                return weights
            since, limit_s = time.monotonic(), max(BUILD_S, self.spec.timeout_s)
            doing = f"building the verifier {message['building']!r}"

    def score(
        self, batch: Sequence[tuple[Question, str]], skipped: Mapping[int, Mapping[str, str]]
    ) -> tuple[list[Any], Failure | None]:
        """The rows of scores of the first completions, and what went wrong on the next one, if anything."""
        if not self._inbox.empty or self._ready(0, write=False)[0]:
            # What comes between two batches belongs to no completion; its sender is given no other.
            return [], Failure("it ended, or wrote into its pipe, between two batches")
        self._progress[:] = IDLE
        payloads, died = self._exchange(_order(batch, skipped), len(batch))
        reports = [json.loads(payload) for payload in payloads]
        scores = [report["scores"] for report in reports if "scores" in report]
        if reports and "memory" in reports[-1]:
            reason = f"used more than {self.spec.memory_mb} MiB of memory"
            return scores, Failure(reason, len(scores), (reports[-1]["memory"],), leak=True)
        failure = None if died is None else self._blame(died, len(scores))
        if scores:
            self.fresh = False
        return scores, failure

    def _blame(self, died: str | ForeignBytes, done: int) -> Failure:
        if isinstance(died, ForeignBytes):
            reason = f"something else than a score came through the scorer's pipe: {died}"
            return Failure(reason, done, tuple(self.weights))
        call, _ = PROGRESS.unpack(self._progress[:])
        item, position = divmod(call - 1, len(self.weights))
        # The counter stays at the last call: where that one's score has arrived, the child ended between two.
        if call == 0 or item < done:
            return Failure(died)
        if item > done:
            return Failure("its score was lost", done, tuple(self.weights))
        return Failure(died, item, (list(self.weights)[position],), killed=died in _KILLED)

    def _exchange(self, message: Any, expected: int) -> tuple[list[bytes], str | ForeignBytes | None]:
        """Send one message and read ``expected``; fewer, with the reason, where the child ends."""
        data = memoryview(self._message(message))
        payloads: list[bytes] = []
        clock = _Clock(self._progress, self.spec.timeout_s)
        overrun: str | None = None
        while len(payloads) < expected:
            try:
                payload, data = self._receive(data, clock.poll_s)
            except TimeoutError:
                if overrun is not None:
                    return payloads, overrun
                # What was on its way when the child was killed still counts.
                if overrun := clock.overrun():
                    self.kill()
                continue
            except EOFError as error:
                return payloads, overrun or str(error)
            except ForeignBytes as error:
                self.kill()
                return payloads, error
            if payload is None:
                continue
            if payload.startswith(b'{"error"'):
                _raise_error(json.loads(payload))
            payloads.append(payload)
        return payloads, None

    def _message(self, message: Any) -> bytes:
        self._sent += 1
        payload = json.dumps(message, default=_as_json).encode("ascii")
        return pack(self._key, self._sent - 1, payload)

    def _receive(self, data: memoryview, timeout_s: float) -> tuple[bytes | None, memoryview]:
        """The next message, None where it has not come in whole; and what is left of the data to be written.

        Raises:
            TimeoutError: nothing came or went in this time.
            EOFError: the child has ended; the message says how.
            ForeignBytes: what came is no message of the child's.
        """
        payload = self._inbox.take()
        if payload is not None:
            return payload, data
        readable, writable = self._ready(timeout_s, write=bool(data))
        if writable:
            data = self._write(data)
        if readable:
            chunk = os.read(self._reports.fileno(), 1 << 20)
            if not chunk:
                raise EOFError(self._exit_reason())
            self._inbox.add(chunk)
        elif not writable:
            raise TimeoutError
        return None, data

    def _ready(self, timeout_s: float, *, write: bool) -> tuple[bool, bool]:
        """Whether there is something to read (or the end), and room to write."""
        poll = select.poll()
        poll.register(self._reports, select.POLLIN)
        if write:
            poll.register(self._orders, select.POLLOUT)
        ready = {fd for fd, _ in poll.poll(max(0.0, timeout_s) * 1000)}
        return self._reports.fileno() in ready, self._orders.fileno() in ready

    def _write(self, data: memoryview) -> memoryview:
        try:
            return data[os.write(self._orders.fileno(), data[: 1 << 16]) :]
        except BlockingIOError:
            return data
        except BrokenPipeError:  # the child has ended; reading its pipe to the end says so
            return data[:0]

    def _exit_reason(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)
        code = self._process.poll()
        if code is None:
            return "closed its pipe"
        return f"ended the process by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def kill(self) -> None:
        """End the child and what it started, whatever it is doing."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """Close the pipes, which ends an idle child; kill it and what it started where that does not."""
        self._orders.close()
        self._reports.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)
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
        limit_s = self._timeout_s if value != IDLE else max(BUILD_S, self._timeout_s)
        return f"no answer within {limit_s:g} s" if now - self._since > limit_s else None


def _order(batch: Sequence[tuple[Question, str]], skipped: Mapping[int, Mapping[str, str]]) -> Any:
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
    return {"questions": rows, "items": items}


def _raise_error(message: Mapping[str, Any]) -> None:
    if "error" in message:
        raise InputError(**message["error"])


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
