"""A scorer's child and all that it starts, held together: ``python -m biorlhf.scoring.warden MEMORY_FD``.

This process forks before any plugin is imported. The fork becomes the worker (:mod:`biorlhf.scoring.worker`);
this one waits and runs no verifier's code. It ends when the worker does, when its parent's pipe closes (the
parent has ended, or asks for it), or by SIGTERM; then every process below it is killed, those included that
left the group or the session: orphans fall to it, for it is their "subreaper".
What the worker writes to stdout and stderr is passed on to stderr, up to :data:`OUTPUT_BYTES`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path

from biorlhf.errors import visible

OUTPUT_BYTES = 16_384
# A worker that is idle ends by itself when its pipe closes.
GRACE_S = 1.0
_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h


def main() -> int:
    """In the worker: what it returns. The warden itself ends as the worker did, by its signal or its code."""
    _prctl(_SET_CHILD_SUBREAPER, 1)
    output, theirs = os.pipe()
    parent, warden = os.getppid(), os.getpid()
    # Before the fork: a worker that ends at once is seen as well.
    wake, woken = os.pipe()
    for end in (wake, woken):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: None)
    worker = os.fork()
    if worker == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        # A group of its own: "kill my group" ends the worker alone.
        os.setpgid(0, 0)
        _prctl(_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != warden:
            return 0
        for unused in (output, wake, woken):
            os.close(unused)
        from biorlhf.scoring.worker import serve

        return serve(int(sys.argv[1]), output_fd=theirs)
    os.close(theirs)
    os.close(1)  # the worker's alone: its end is the parent's end of file
    printed = _Printed(output)
    status = _watch(worker, parent, wake, printed)
    printed.pass_on()
    _end_as(status)
    return 1


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


class _Printed:
    """What the worker prints, of which the beginning goes on to stderr."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._rest = OUTPUT_BYTES
        os.set_blocking(fd, False)

    def pass_on(self) -> None:
        """Take what is there."""
        with contextlib.suppress(BlockingIOError):
            while text := os.read(self.fd, 1 << 16):
                if self._rest > 0:
                    shown = visible(text[: self._rest].decode("utf-8", "replace"))
                    if len(text) > self._rest:
                        shown += "\n(what the verifiers print beyond this is left out)\n"
                    _write(shown.encode("utf-8", "replace"))
                    self._rest -= len(text)
                if len(text) < 1 << 16:
                    return


def _watch(worker: int, parent: int, wake: int, printed: _Printed) -> int:
    """Until the worker or the parent has ended; the worker's wait status."""
    poll = select.poll()
    poll.register(0, 0)  # not to read from: the end of the parent's pipe alone
    poll.register(wake, select.POLLIN)
    poll.register(printed.fd, select.POLLIN)
    deadline = float("inf")
    while True:
        for fd, event in poll.poll(1000 if deadline == float("inf") else 20):
            if fd == 0:
                poll.unregister(0)
                deadline = min(deadline, time.monotonic() + GRACE_S)
            elif fd == wake and bytes([signal.SIGTERM]) in os.read(wake, 4096):
                deadline = 0.0
            elif fd == printed.fd and event & select.POLLIN:
                printed.pass_on()
            elif fd == printed.fd:
                poll.unregister(fd)
        ended, status = os.waitpid(worker, os.WNOHANG)
        # A parent that is gone may have left its end of the pipe with another child of its own.
        if ended or time.monotonic() > deadline or os.getppid() != parent:
            return _end_all(worker, status if ended else None)


def _write(text: bytes) -> None:
    stderr = select.poll()
    stderr.register(2, select.POLLOUT)
    # A reader that does not read must not stop what watches over the worker.
    for start in range(0, len(text), select.PIPE_BUF):
        if not any(event & select.POLLOUT for _, event in stderr.poll(100)):
            return
        with contextlib.suppress(OSError):
            os.write(2, text[start : start + select.PIPE_BUF])


def _end_all(worker: int, status: int | None) -> int:
    """Kill whatever is below this process, until nothing is; the worker's wait status."""
    while True:
        for pid in {*_children(), *([worker] if status is None else [])}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            ended, how = os.waitpid(-1, 0)
        except ChildProcessError:
            return status or 0
        if ended == worker:
            status = how


def _children() -> list[int]:
    """Those whose parent this process is; who is orphaned by a kill is one from then on."""
    own, found = os.getpid(), []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            # The name, in brackets, may hold spaces and brackets.
            if int(entry.read_bytes().rpartition(b")")[2].split()[1]) == own:
                found.append(int(entry.parent.name))
    return found


def _end_as(status: int) -> None:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        os._exit(code)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if -code not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)


if __name__ == "__main__":
    sys.exit(main())
