"""Verifiers that attack the process they run in, as a package that a test installs.

``measure`` says which completion it saw; ``attack`` does what the completion's first word says.
"""

import ctypes
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time

from biorlhf import Score, VerifierPlugin, hookimpl

LIES = b'{"scores": {"measure": {"status": "scored", "value": 0.0, "details": {}}}}\n'


def pipes():
    """Every descriptor above the standard ones that is a pipe."""
    for fd in range(3, 256):
        try:
            if stat.S_ISFIFO(os.fstat(fd).st_mode):
                yield fd
        except OSError:
            continue


def write_everywhere(data):
    for fd in pipes():
        try:
            os.write(fd, data)
        except OSError:
            continue


def daemon():
    """A grandchild that leaves the group, the session and its parent."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            program = "import time; time.sleep(900)"
            os.execv(sys.executable, [sys.executable, "-S", "-c", program, "left_behind"])
        os._exit(0)
    os.wait()


def orphaned_by_exit():
    if os.fork():
        os._exit(0)


def later():
    time.sleep(0.01)
    write_everywhere(LIES)


ATTACKS = {
    "fork": os.fork,
    "cfork": lambda: ctypes.CDLL(None).fork(),
    "forkfork": lambda: (os.fork(), os.fork()),
    "forkhang": lambda: os.fork() or time.sleep(900),
    "orphan": orphaned_by_exit,
    "daemon": daemon,
    "stray": lambda: write_everywhere(LIES),
    "half": lambda: write_everywhere(b"\xb1sc\x01\x00"),
    "byte": lambda: write_everywhere(b"\n"),
    "thread": lambda: threading.Thread(target=later).start(),
    "print": lambda: print('{"scores": {}}', flush=True),
    "flood": lambda: [os.write(fd, b"noise " * 10000) for fd in (1, 2) for _ in range(40)],
    "escape": lambda: print("\x1b[2J\x1b]0;title\x07", flush=True),
    "hang": lambda: time.sleep(900),
    "stop": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "exit": lambda: os._exit(0),
    "killgroup": lambda: os.killpg(0, signal.SIGKILL),
    "close": lambda: os.closerange(0, 256),
    "shell": lambda: subprocess.Popen(["sleep", "900"], start_new_session=True),
}


class Measure:
    def score(self, question, text):
        return Score.scored(min(len(text), 1000) / 1000, id=question.id, length=len(text))


class Attack:
    def score(self, question, text):
        ATTACKS.get(text.split(" ")[0], int)()
        return Score.scored(1.0, id=question.id)


class Moody:
    def score(self, question, text):
        # Not below 0.1: what is nearer to zero is printed with an exponent.
        return Score.scored(random.uniform(0.1, 0.9))


class Curious:
    def score(self, question, text):
        return Score.scored(1.0, seen=dict(os.environ))


def endless(config):
    print("building", flush=True)
    time.sleep(900)


@hookimpl
def biorlhf_verifiers():
    yield VerifierPlugin(name="measure", build=lambda config: Measure())
    yield VerifierPlugin(name="attack", build=lambda config: Attack())
    yield VerifierPlugin(name="moody", build=lambda config: Moody())
    yield VerifierPlugin(name="curious", build=lambda config: Curious())
    yield VerifierPlugin(name="endless", build=endless)
    yield VerifierPlugin(name="leaver", build=lambda config: sys.exit("not today"))
