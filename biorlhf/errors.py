"""One family of errors. Each says where, what was found, what was expected, and what there is."""

from __future__ import annotations

import difflib
import errno
import os
import re
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

MOST = 40  # of the choices that a message lists

# Control characters but for tab and line feed, line separators, what turns the direction of text, half pairs.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """Text for a terminal: what would move the cursor, colour, hide or reorder it stands as an escape."""
    # JSON knows \\u alone, and has escaped by itself what is below a space.
    return _UNSEEN.sub(lambda m: f"\\x{ord(m[0]):02x}" if m[0] < " " else f"\\u{ord(m[0]):04x}", text)


def nobody_reads(stream: Any) -> NoReturn:
    """End as a program that ``head`` has read enough of: quietly, with 128 + SIGPIPE.

    SIGPIPE itself stays ignored: a scorer's or a worker's pipe may break without ending the run.
    """
    # What is still in the buffer goes nowhere; Python would write it once more when it ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    raise SystemExit(128 + 13)


class BiorlhfError(Exception):
    """The base of every error that biorlhf raises on purpose. The command line exits with 1 for it."""

    exit_code = 1


class InputError(BiorlhfError, ValueError):
    """The user's input is wrong: a recipe, a file, a name, a request that this machine cannot meet.

    The command line prints the message alone, without a traceback, and exits with 2. The parts are
    kept as attributes so that a program can show them in its own way.

    Args:
        where: file, line and dotted path, as far as they are known: ``recipes/a.yaml:12: lora.r``.
        found: what stands there.
        expected: what is allowed there.
        choices: every allowed name, where there is a list; the nearest to ``name`` is suggested.
        name: the name that was looked up among ``choices``.
        hint: what to do about it.
    """

    exit_code = 2

    def __init__(
        self,
        where: str,
        found: str,
        expected: str = "",
        *,
        choices: Iterable[str] = (),
        name: str = "",
        hint: str = "",
    ) -> None:
        self.where, self.found, self.expected, self.hint = where, found, expected, hint
        self.choices = tuple(sorted(choices))
        # What was looked up may be anything that stood in a file.
        self.name = name = str(name)
        self.nearest = _nearest(name, self.choices)
        super().__init__(self._message())

    def _message(self) -> str:
        lines = [f"{self.where}: {self.found}" if self.where else self.found]
        if self.nearest:
            lines.append(f"  did you mean: {self.nearest}")
        if self.expected:
            lines.append(f"  expected: {self.expected}")
        if self.choices:
            more = len(self.choices) - MOST
            lines.append(
                f"  available: {', '.join(self.choices[:MOST])}" + (f" and {more} more" if more > 0 else "")
            )
        if self.hint:
            lines.append(f"  {self.hint}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:  # keeps the parts when the error crosses a process
        state = (self.where, self.found, self.expected, self.choices, self.name, self.hint)
        return _rebuild, (type(self), *state)


def _nearest(name: str, choices: Sequence[str]) -> str:
    """The choice that a misspelt name may have meant, or ""."""
    # In lower case: difflib takes "LORA" and "lora" for strangers.
    name, known = name.lower(), {choice.lower(): choice for choice in choices}
    # Of files, an ending that both have says nothing about what was meant.
    ending = "".join(re.findall(r"\.[a-z]\w*$", name))
    alike = {one.removesuffix(ending): choice for one, choice in known.items() if one.endswith(ending)}
    others = {one: choice for one, choice in known.items() if not one.endswith(ending)}
    for asked, names in ((name.removesuffix(ending), alike), (name, others)):
        if close := difflib.get_close_matches(asked, names, n=1, cutoff=0.5):
            return names[close[0]]
    return ""


def _rebuild(
    cls: type[InputError],
    where: str,
    found: str,
    expected: str,
    choices: tuple[str, ...],
    name: str,
    hint: str,
) -> InputError:
    return cls(where, found, expected, choices=choices, name=name, hint=hint)


class RecipeError(InputError):
    """A recipe that does not fit its schema, or names what does not exist."""


class PluginError(InputError):
    """A plugin that conflicts with another, is malformed, misspells a hook, or failed to import."""


class DataError(InputError):
    """A data file that is missing, malformed, or contradicts itself."""


class ResourceError(InputError):
    """The machine or cluster lacks what the recipe asks for."""


class RunFailure(BiorlhfError, RuntimeError):
    """The run could not go on: an actor lost for good, a policy mismatch, a failure budget spent."""


class LearnerLost(RunFailure):
    """A learner's process is gone; others can go on from the last checkpoint."""


class PolicyMismatch(RunFailure):
    """Rollout and learner do not serve the same policy after a synchronisation."""


class FailureBudgetExceeded(RunFailure):
    """More verifier failures than the recipe allows."""


_DISK = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EFBIG: "the file may not grow further (see ulimit -f)",
    errno.EIO: "the disk fails",
}


def disk_failure(error: OSError) -> RunFailure | None:
    """What a system error says about the disk in words, or None where it is about something else."""
    reason = _DISK.get(error.errno or 0)
    if reason is None:
        return None
    name = error.filename if isinstance(error.filename, str) else ""
    return RunFailure(f"{name}: {reason}" if name else reason)
