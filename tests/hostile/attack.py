"""Runs commands against malformed inputs, each in a fork of a process that has everything imported.

    python tests/hostile/attack.py SEED COUNT [--engines] [KIND ...]

prints a line of JSON for every input that did not end with exit code 2 and one message, and their number.
``--engines`` attacks with models and adapters, which needs torch.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

LIMIT_S, LIMIT_MB = 5.0, 1024


@dataclass(frozen=True)
class Outcome:
    """How a command ended. ``code`` is the exit code, minus the signal's number where one ended it."""

    kind: str
    command: list[str]
    code: int
    seconds: float
    peak_mb: int
    text: str

    @property
    def problem(self) -> str:
        """Why this is no good end; "" where it is one."""
        if "Traceback" in self.text:
            return "traceback"
        # A report shows what is whole, and names what is not.
        repaired = self.code == 0 and self.command[0] in ("report", "compare") and "unreadable" in self.text
        if self.code != 2 and not repaired:
            return f"exit code {self.code}"
        if not self.text.strip():
            return "no message"
        if any(ord(sign) < 32 and sign not in "\n\t" for sign in self.text):
            return "control characters"
        if self.seconds > LIMIT_S:
            return f"{self.seconds:.1f} s of CPU"
        return f"{self.peak_mb} MB" if self.peak_mb > LIMIT_MB else ""


def preload(engines: bool) -> None:
    """What every command would import by itself; ``engines``: torch and transformers as well."""
    import openpyxl  # noqa: F401
    import pyarrow.csv
    import pyarrow.parquet
    import rich.console

    import biorlhf.cli
    from biorlhf.plugins import catalogue

    for target, _ in biorlhf.cli.COMMANDS.values():
        __import__(target.partition(":")[0])
    if engines:
        import biorlhf.engines.samplers.transformers
    assert pyarrow.csv
    assert rich.console
    catalogue()


def run(kind: str, command: list[str], folder: Path) -> Outcome:
    """Run one command in a fork, in this folder."""
    log = folder / ".log"
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            _become(command, folder, log)
            code = _code()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            break
        if time.monotonic() - began > 60:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)
    text = log.read_text("utf-8", "replace") if log.exists() else ""
    seconds = usage.ru_utime + usage.ru_stime
    return Outcome(kind, command, os.waitstatus_to_exitcode(status), seconds, usage.ru_maxrss // 1024, text)


def _become(command: list[str], folder: Path, log: Path) -> None:
    os.chdir(folder)
    resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30, 6 * 2**30))
    fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")
    sys.argv = ["biorlhf", *command]


def _code() -> int:
    import traceback

    from biorlhf.cli import main

    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def attack(seed: int, count: int, kinds: dict) -> list[Outcome]:
    """``count`` inputs, the kinds in turn."""
    names, outcomes = sorted(kinds), []
    draw = random.Random(seed)
    for number in range(count):
        name = names[number % len(names)]
        with tempfile.TemporaryDirectory() as folder:
            command = kinds[name](draw, Path(folder))
            outcomes.append(run(name, command, Path(folder)))
    return outcomes


def main() -> None:
    for name in sorted(path.stem for path in Path(__file__).parent.glob("malformed_*.py")):
        importlib.import_module(name)
    from malformed import KINDS

    seed, count, *only = (part for part in sys.argv[1:] if part != "--engines")
    engines = "--engines" in sys.argv
    kinds = {name: made for name, made in KINDS.items() if (made.__module__ == "malformed_models") == engines}
    chosen = {name: kinds[name] for name in only or kinds}
    preload(engines)
    outcomes = attack(int(seed), int(count), chosen)
    bad = [outcome for outcome in outcomes if outcome.problem]
    for outcome in bad:
        command = [part[:200] for part in outcome.command]
        shown = {"kind": outcome.kind, "problem": outcome.problem, "command": command}
        print(json.dumps({**shown, "text": outcome.text[-400:]}))
    print(f"{len(bad)} of {len(outcomes)} inputs of {len(chosen)} kinds got through")


if __name__ == "__main__":
    main()
