"""A run's folder belongs to one process at a time. The system gives the lock back when that process is gone,
however it went."""

from __future__ import annotations

import datetime
import errno
import fcntl
import json
import os
import platform
import time
from pathlib import Path

from biorlhf.errors import InputError
from biorlhf.runs.keeping.disk import reported

NAME = "run.lock"
#: How long a run asks again before the folder counts as another's: who only looks holds it for a moment.
PATIENCE_S = 0.5
_HELD: set[int] = set()


class Lock:
    """Held from when it is made until :meth:`release`.

    Raises:
        InputError: another process holds the folder (who, where, since when), or there are no locks there.
        RunFailure: the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        with reported(self.path):
            # Never removed: one process might hold a file that is gone while another locks a new one.
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        self.descriptor: int | None = descriptor
        _HELD.add(descriptor)
        try:
            self._take(descriptor)
        except BaseException:
            self.release()
            raise

    def _take(self, descriptor: int) -> None:
        try:
            _patiently(descriptor)
        except BlockingIOError:
            raise InputError(
                str(self.path.parent),
                f"this run is in use: {_holder(self.path)}",
                hint="wait until it ends, or stop it; a process that is gone holds nothing",
            ) from None
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL):
                raise
            raise InputError(
                "store.folder",
                f"the file system of {self.path.parent} has no locks ({error.strerror})",
                "one that two runs cannot write to at once",
            ) from None
        holder = {
            "pid": os.getpid(),
            "host": platform.node(),
            "since": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        }
        with reported(self.path):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(holder).encode() + b"\n", 0)

    def release(self) -> None:
        """Give the folder back; twice is once."""
        if self.descriptor is not None:
            _HELD.discard(self.descriptor)
            os.close(self.descriptor)
            self.descriptor = None


def is_held(folder: Path) -> bool:
    """Whether a process holds this folder: one of any machine whose locks the file system shows."""
    try:
        descriptor = os.open(folder / NAME, os.O_RDONLY)
    except OSError:  # a run of an older version, or none of ours to read
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no locks here: nobody holds one
        return False
    finally:
        os.close(descriptor)
    return False


def _patiently(descriptor: int) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > end:
                raise
        time.sleep(0.02)


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        return f"process {holder['pid']} on {holder['host']} holds it since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):  # it has just taken the lock, and not signed yet
        return "another process holds it"


def _let_go() -> None:
    # A child shares its parent's lock, and would hold it after the parent's death.
    for descriptor in _HELD:
        os.close(descriptor)
    _HELD.clear()


os.register_at_fork(after_in_child=_let_go)
