"""The command line: it joins the commands and turns errors into messages and exit codes."""

from __future__ import annotations

import errno
import importlib
import io
import signal
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

# Each command lives in a module of its own, imported when it is called: `biorlhf --help` loads none.
COMMANDS = {
    "run": ("biorlhf.commands.run:run", "Train as a recipe says, on Ray, or resume a run."),
    "init": ("biorlhf.commands.init:init", "Write lab.yaml and recipe.yaml for your tables."),
    "validate": ("biorlhf.commands.validate:validate", "Check recipes without running them."),
    "plugins": ("biorlhf.commands.plugins.app:app", "List every plugin, or write a new one."),
    "recipes": ("biorlhf.commands.recipes:recipes", "List the shipped recipes, or copy one out."),
    "score": ("biorlhf.commands.score:score", "Score answers in a file, without a model."),
    "audit": ("biorlhf.commands.audit:audit", "Attack the verifiers, and show which attacks pay."),
    "data": ("biorlhf.commands.data.app:app", "List, show, build, check and export datasets."),
    "evaluate": ("biorlhf.commands.evaluate:evaluate", "Ask a run's model its evaluation questions."),
    "report": ("biorlhf.commands.report:report", "Show what a run learnt, with intervals and plots."),
    "compare": ("biorlhf.commands.compare:compare", "Compare two runs, paired by question."),
    "runs": ("biorlhf.commands.runs.app:app", "List runs; show, watch or clean one."),
    "generate": ("biorlhf.commands.generate:generate", "Ask a run's model one prompt, a file, or chat."),
    "export": ("biorlhf.commands.export:export", "Write merged weights, or the adapter with a card."),
}


class LazyGroup(TyperGroup):
    """Knows every command's name and help; imports a command's module when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, name: str) -> Any:
        if name not in COMMANDS:
            return None
        target, summary = COMMANDS[name]
        if ctx.resilient_parsing or "--help" in sys.argv[1:2] or len(sys.argv) < 2:
            return TyperCommand(name, help=summary, short_help=summary)
        return _load(name, target)


def _load(name: str, target: str) -> Any:
    module, _, attribute = target.partition(":")
    command_function = getattr(importlib.import_module(module), attribute)
    if isinstance(command_function, typer.Typer):
        command = typer.main.get_command(command_function)
    else:
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(name)(command_function)
        command = typer.main.get_command(app)
    command.name = name
    return command


app = typer.Typer(cls=LazyGroup, add_completion=False, no_args_is_help=True, rich_markup_mode=None)


def _version(asked: bool) -> None:
    if asked:
        from biorlhf.plugins import own_version

        typer.echo(f"biorlhf {own_version()}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train language models on facts that a biology lab can check."""


def _ended(number: int, frame: object) -> None:
    """As an exception, a request to end takes half-written files away and stops workers on its way out."""
    sys.exit(128 + number)


# What is wrong with a path that somebody named; a disk that is full or failing is the machine's.
_WRONG_PATH = (
    *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP),
    *(errno.EEXIST, errno.EINVAL, errno.ENXIO, errno.ENOTEMPTY),
)


class _Seen:
    """A stream on which control characters are seen as escapes. A ``Terminal`` goes to the one behind."""

    def __init__(self, stream: Any) -> None:
        from biorlhf.errors import nobody_reads, visible

        self.behind, self._visible, self._closed = stream, visible, nobody_reads

    def write(self, text: str) -> int:
        # Other packages' progress bars return to the start of their line first.
        rest = text.removeprefix("\r")
        try:
            self.behind.write(text[: len(text) - len(rest)] + self._visible(rest))
        except BrokenPipeError:
            self._closed(self.behind)
        return len(text)

    def flush(self) -> None:
        try:
            self.behind.flush()
        except BrokenPipeError:
            self._closed(self.behind)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)


# typer does not export it; its BadParameter is one.
_USAGE: Any = typer.BadParameter.__bases__[0]


def _call(command: Any) -> None:
    """Call a command of typer; what its words lack is told as all wrong input is."""
    try:
        code = command(standalone_mode=False)
    except _USAGE as error:
        if "NoArgs" in type(error).__name__:  # which is no error, but the help
            error.show()
            sys.exit(error.exit_code)
        from biorlhf.inputs.usage import wrong_words

        raise wrong_words(error) from None
    except typer.Abort:
        print("stopped: the answer was no, or there was none", file=sys.stderr)
        sys.exit(1)
    # Here, not when Python ends: a pipe that was closed meanwhile would end in a traceback there.
    sys.stdout.flush()
    sys.exit(code if isinstance(code, int) else 0)


def main(command: Callable[[], object] = lambda: _call(app)) -> None:
    """Run the command line. Exit codes: 0 done; 2 the input is wrong; 1 the run failed; 141 nobody reads."""
    from biorlhf.errors import BiorlhfError, disk_failure

    # Clusters end jobs by SIGTERM, which would otherwise run no "finally".
    signal.signal(signal.SIGTERM, _ended)
    streams = sys.stdout, sys.stderr
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            # An arrow that the terminal's encoding lacks is written as an escape.
            stream.reconfigure(errors="backslashreplace")
    sys.stdout, sys.stderr = _Seen(sys.stdout), _Seen(sys.stderr)
    try:
        command()
    except ModuleNotFoundError as error:
        from biorlhf.inputs.extras import absent

        print(f"error: {absent(error)}", file=sys.stderr)
        sys.exit(2)
    except BiorlhfError as error:
        print(f"error: {error}", file=sys.stderr)
        for note in getattr(error, "__notes__", ()):
            print(note, file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        reason = disk_failure(error)
        if reason is not None:
            print(f"error: {reason}", file=sys.stderr)
            sys.exit(reason.exit_code)
        if error.filename is None:
            raise
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        sys.exit(2 if error.errno in _WRONG_PATH else 1)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
    finally:
        sys.stdout, sys.stderr = streams


def grpo_main() -> None:
    """``biorlhf-grpo``, a command of BioRLHF 0.3 that stands on its own."""
    main(lambda: _call(_load("biorlhf-grpo", "biorlhf.compat.command:grpo")))


if __name__ == "__main__":
    main()
