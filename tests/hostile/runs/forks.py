"""Runs in forks of a process that has everything imported, so that many can be disturbed in little time.

    python tests/hostile/runs/forks.py FOLDER SEED INTERRUPTS PAIRS

prints a line of JSON for each. An interrupt is Ctrl-C at a drawn moment of a run, and what the command that
it prints then makes of it. A pair is two resumes at once of one run that was cut off.
"""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tiny_run import outcome, write_tiny_run

# What Python reports of itself when it opens, renames or makes something: the ways in which a run writes.
WRITES = ("open", "os.rename", "os.mkdir")


def begin(arguments: list[str], log: Path, hook: Callable[[str], None] | None = None) -> int:
    """``biorlhf run …`` in a process group of its own, as a shell starts it; gives its process.

    ``hook`` is told each write: ``open /…/metrics.jsonl``.
    """
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            os.setpgid(0, 0)
            os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            sys.argv = ["biorlhf", "run", *arguments]
            if hook is not None:
                sys.addaudithook(lambda event, args: hook(f"{event} {args[0]}") if event in WRITES else None)
            code = _code()
        finally:
            os._exit(code)
    return pid


def _code() -> int:
    from biorlhf.cli import main

    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1 if end.code else 0
    return 0


def end(pid: int, log: Path) -> tuple[int, str]:
    """Exit code, and what was said on stderr."""
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), log.read_text("utf-8", "replace")


def run_of(runs: Path) -> list[Path]:
    return [path.parent for path in runs.glob("*/recipe.yaml")]


def tiny(folder: Path) -> Path:
    """A recipe whose verifiers have time on a busy machine: an answer without a score changes the numbers."""
    return write_tiny_run(folder, scorer={"timeout_s": 120})


def differing(folder: Path, undisturbed: dict) -> list[str]:
    """The parts in which a run is not the one that nobody disturbed."""
    come = outcome(folder)
    return [part for part, value in undisturbed.items() if come[part] != value]


def whole(recipe: Path) -> tuple[Path, int]:
    """A run that nobody disturbs, and how many writes it makes until it is complete."""
    folder = recipe.parent
    heard = folder / "heard"

    def count(what: str) -> None:
        if f" {folder}/runs" in what:
            with os.fdopen(os.open(heard, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
                file.write(what + "\n")

    code, said = end(begin([str(recipe)], folder / "log", count), folder / "log")
    assert code == 0, said
    [made] = run_of(folder / "runs")
    written = heard.read_text().splitlines()
    return made, max(n for n, what in enumerate(written) if "summary.json" in what)


def interrupted(recipe: Path, at: int) -> tuple[Path, int, str]:
    """A run that gets Ctrl-C at its write number ``at``: where it lies, its exit code, what it said."""
    runs = recipe.parent / f"runs-{at}"
    copy = recipe.with_name(f"recipe-{at}.yaml")
    copy.write_text(recipe.read_text().replace(str(recipe.parent / "runs"), str(runs)))
    seen: list[str] = []

    def strike(what: str) -> None:
        if f" {runs}" in what:
            seen.append(what)
            if len(seen) == at:
                # As a terminal does it: to every process of the group.
                os.killpg(0, signal.SIGINT)

    log = recipe.parent / "log"
    return runs, *end(begin([str(copy)], log, strike), log)


def interrupt(recipe: Path, at: int, undisturbed: dict) -> dict:
    runs, code, said = interrupted(recipe, at)
    if code == 0:
        # Runs differ by a few writes (some are made in the background), and this one was complete before.
        return interrupt(recipe, at - 5, undisturbed)
    row = {"at": at, "code": code, "said": said, "begun": bool(list(runs.glob("*"))), "resumed": None}
    row["left"] = [path.name for path in runs.rglob("*.partial")]
    if command := re.search(r"^go on with: biorlhf run (--resume .*)$", said, re.MULTILINE):
        log = recipe.parent / "log"
        row["resumed"], row["words"] = end(begin(shlex.split(command[1]), log), log)
        row["differs"] = row["resumed"] or differing(run_of(runs)[0], undisturbed)
    return row


def pair(cut: Path, undisturbed: dict, tries: int = 3) -> dict:
    """Two that did not meet, since the second came when the first was done, are tried again."""
    folder = cut.parents[1]
    copy = Path(shutil.copytree(cut, folder / "pair"))
    logs = [folder / "log-a", folder / "log-b"]
    both = [begin(["--resume", str(copy)], log) for log in logs]
    ends = [end(pid, log) for pid, log in zip(both, logs, strict=True)]
    said = [words for _, words in ends]
    row = {"codes": [code for code, _ in ends], "said": said, "differs": differing(copy, undisturbed)}
    shutil.rmtree(copy)
    missed = row["codes"] == [0, 0] and sum("this run is complete" in words for words in said) == 1
    return pair(cut, undisturbed, tries - 1) if missed and tries > 1 else row


def main() -> None:
    import peft
    import torch
    import transformers

    from biorlhf.plugins import catalogue

    assert peft
    assert transformers
    torch.set_num_threads(1)
    catalogue()
    folder, seed, interrupts, pairs = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    recipe = tiny(folder)
    made, writes = whole(recipe)
    undisturbed, draw = outcome(made), random.Random(seed)
    # One in each part of the run, however many they are.
    for part in range(interrupts):
        at = draw.randrange(1 + part * writes // interrupts, 1 + (part + 1) * writes // interrupts)
        print(json.dumps(interrupt(recipe, at, undisturbed)), flush=True)
    if pairs:
        [cut] = run_of(interrupted(recipe, writes // 2)[0])
    for _ in range(pairs):
        print(json.dumps(pair(cut, undisturbed)), flush=True)


if __name__ == "__main__":
    main()
