"""A command's words that do not fit it, told as every other wrong input is."""

from __future__ import annotations

import re
from typing import Any

from biorlhf.errors import InputError
from biorlhf.inputs.validation import in_words


def wrong_words(error: Any) -> InputError:
    """What typer has against a command line: an unknown command or option, one that is missing, a value.

    Args:
        error: a ``UsageError`` of typer, which says in ``ctx`` which command it is about.
    """
    context, message = error.ctx, str(error.format_message()).rstrip(".")
    named = re.sub(r"^.*?biorlhf", "biorlhf", context.command_path) if context else "biorlhf"
    hint = f"see {named} --help" if context else ""
    if unknown := re.match(r"No such command '(.*?)'", message):
        known = context.command.list_commands(context)
        return InputError(named, f"there is no command {unknown[1]!r}", choices=known, name=unknown[1])
    if hasattr(error, "possibilities"):
        known = [*(name for one in context.command.params for name in one.opts if name[:1] == "-"), "--help"]
        name = str(error.option_name)
        return InputError(named, f"there is no option {name}", choices=known, name=name)
    parameter = getattr(error, "param", None)
    if parameter is None:
        return InputError(named, message[:1].lower() + message[1:], hint=hint)
    options = [name for name in parameter.opts if name[:1] == "-"]
    where = max(options, key=len, default=parameter.metavar or parameter.name)
    if hasattr(error, "param_type"):
        kind = "option" if where[:1] == "-" else "argument"
        return InputError(named, f"the {kind} {where} is missing", parameter.help or "", hint=hint)
    return _wrong_value(where, error, hint)


def _wrong_value(where: str, error: Any, hint: str) -> InputError:
    # What was found stands in pydantic's error, or in the message alone.
    problems = error.__cause__.errors() if hasattr(error.__cause__, "errors") else []
    message = str(error.message).rstrip(".")
    if choice := re.search(r"'(.*)' is not one of (.*)", message):
        choices = re.findall(r"'(.*?)'", choice[2])
        return InputError(where, repr(choice[1]), choices=choices, name=choice[1])
    if problems:
        return InputError(where, f"{problems[0]['input']}", in_words(problems[0]), hint=hint)
    return InputError(where, message, hint=hint)
