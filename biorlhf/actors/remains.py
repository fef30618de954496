"""What is left of a Ray of this machine's own when its driver is gone, however it went, is ended as well.

Ray's agents notice that their raylet is dead, and then try for a minute to say so to a head that is dead too.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

# Waits for the end of its input, which is the end of whoever holds the other side.
_GUARD = """
import os, signal, sys
held = []
for pid in map(int, sys.argv[1:]):
    try:
        held.append(os.pidfd_open(pid))
    except ProcessLookupError:
        pass
sys.stdin.buffer.read()
for one in held:
    try:
        signal.pidfd_send_signal(one, signal.SIGKILL)
    except ProcessLookupError:
        pass
"""


@contextmanager
def guarded(pids: Sequence[int]) -> Iterator[None]:
    """Whichever of these processes is there when the block ends, or this process, is killed."""
    if not pids:
        yield
        return
    guard = subprocess.Popen(
        [sys.executable, "-S", "-c", _GUARD, *map(str, pids)],
        stdin=subprocess.PIPE,
        # Whoever reads what the run says is not to wait for its guard.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Ctrl-C is for whoever it guards.
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.communicate()
