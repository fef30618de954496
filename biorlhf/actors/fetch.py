"""Getting results out of Ray with errors that a person can act on."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import ray
from ray.exceptions import (
    ActorUnavailableError,
    GetTimeoutError,
    ObjectLostError,
    RayActorError,
    RayTaskError,
)

from biorlhf import errors
from biorlhf.actors.members import ActorDied
from biorlhf.errors import BiorlhfError, InputError, LearnerLost, RunFailure

# Where a node dies, what an actor had given is lost with it, whichever is noticed first.
ActorLost = (RayActorError, ObjectLostError)
NODE_DIED = "its node has died"  # Ray has no class for it, and says it in its words


def fetch(ref: Any, what: str, timeout_s: float | None = None, setting: str = "") -> Any:
    """The value of a reference. An error that biorlhf raised in an actor is raised again as it was.

    ``setting`` is the recipe's key that holds ``timeout_s``.

    Raises:
        InputError: the actor refused the recipe when it was built.
        ActorDied: its process or its node is gone, or cannot be reached.
        RunFailure: the actor failed in a way nobody foresaw, or gave no answer in ``timeout_s``.
    """
    try:
        return ray.get(ref, timeout=timeout_s)
    except GetTimeoutError:
        raise silent(what, timeout_s or 0.0, setting) from None
    except (RayTaskError, *ActorLost) as error:
        raise known(error, what) from error


def future_of(ref: Any, what: str) -> Future[Any]:
    """Ray's own future of a reference, with errors that a person can act on."""
    made: Future[Any] = Future()

    def told(done: Future[Any]) -> None:
        error = done.exception()
        if error is not None:
            made.set_exception(known(error, what))
        else:
            made.set_result(done.result())

    ref.future().add_done_callback(told)
    return made


def known(error: BaseException, what: str) -> BaseException:
    """Ray's error as one of ours, where it is one of Ray's."""
    if isinstance(error, RayTaskError):
        if isinstance(error.cause, ObjectLostError):
            # The one thing that an actor is given and that may lie elsewhere.
            return LearnerLost(f"{what}: the adapter that it was given was lost with the learner's node")
        return root_cause(error, what)
    if isinstance(error, RayActorError) and error.actor_init_failed:
        return _not_started(error, what)
    if isinstance(error, ActorLost):
        return ActorDied(f"{what}: {_fate(error)} ({_reason(error)})")
    return error


def _fate(error: BaseException) -> str:
    """What became of an actor, as far as Ray knows by now."""
    if isinstance(error, ObjectLostError):
        return "its node died, and what it had given with it"
    if isinstance(error, ActorUnavailableError):
        return "it cannot be reached; its process, its node or the way to it is gone"
    return "its node died" if NODE_DIED in str(error) else "its process died"


def _reason(error: BaseException) -> str:
    """The line of Ray's message that says why; its first says no more than that it is so."""
    return next((line.strip() for line in str(error).splitlines() if " because " in line), _first_line(error))


def silent(what: str, timeout_s: float, setting: str) -> RunFailure:
    """That an actor gave no answer in its time; ``setting`` is the recipe's key that holds the time."""
    way = f"; it hangs, or needs a larger {setting}" if setting else ""
    return RunFailure(f"{what}: no sign of life in {timeout_s:g} s{way}")


def root_cause(error: RayTaskError, what: str) -> BiorlhfError:
    """The error that was raised in the actor, with the actor's traceback kept as a note."""
    cause = error.cause
    if isinstance(cause, BiorlhfError):
        return cause
    failure = RunFailure(f"{what}: {type(cause).__name__}: {_first_line(cause)}")
    # A programmer needs the actor's traceback, a user the one line; notes are printed below it.
    failure.add_note(str(error))
    return failure


def _not_started(error: RayActorError, what: str) -> BiorlhfError:
    """What an actor's constructor raised. Ray keeps the traceback's text alone, which ends with it: a line
    that names the class, and what is indented after it."""
    lines = str(error).rstrip().splitlines()
    # The message may go over several lines (choices, hints): all after the last line that is not indented
    # belong to it.
    start = max((n for n, line in enumerate(lines) if not line.startswith(" ")), default=0)
    name, _, message = "\n".join(lines[start:]).partition(": ")
    kind = getattr(errors, name.removeprefix(f"{errors.__name__}."), None)
    if isinstance(kind, type) and issubclass(kind, InputError):
        return InputError(f"{what} could not be started", message)
    return RunFailure(f"{what} could not be started: {name}: {message}")


def _first_line(error: BaseException) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
