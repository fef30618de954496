"""The package of a new plugin, written from the templates beside this module."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from biorlhf.errors import InputError
from biorlhf.plugins import KINDS, NAME, catalogue

WHERE = "plugins new"


@dataclass(frozen=True, slots=True)
class NewPlugin:
    """A plugin that is to be written.

    Raises:
        InputError: no such kind; a name that no plugin may have, or that something installed has.
    """

    kind: str
    name: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            problem = f"there is no kind of plugin {self.kind!r}"
            raise InputError(WHERE, problem, choices=KINDS, name=self.kind)
        _refuse_malformed(self.name)
        _refuse_taken(self.kind, self.name)

    @property
    def module(self) -> str:
        """The file of its one module."""
        return f"{self.name}.py"

    @property
    def words(self) -> dict[str, str]:
        """What the templates leave open."""
        parts = [part for part in self.name.split("_") if part]
        return {
            "kind": self.kind,
            "name": self.name,
            "project": "-".join(parts),  # a distribution's name may not end with a dash
            "class_name": "".join(part.capitalize() for part in parts) + self.kind.capitalize(),
        }


def write(plugin: NewPlugin, folder: Path) -> list[Path]:
    """Write the package into a new folder of ``folder``; returns the files, in the order to read them.

    Raises:
        InputError: the package's folder exists, or cannot be written.
    """
    place = folder / plugin.name
    if place.exists():
        raise InputError(WHERE, f"{place} exists", "a folder that does not exist yet", hint="--folder DIR")
    written = []
    try:
        for name, text in _texts(plugin):
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            written.append(path)
    except OSError as error:
        raise InputError(WHERE, f"cannot write {place}: {error.strerror}", hint="--folder DIR") from error
    return written


def _texts(plugin: NewPlugin) -> Iterator[tuple[str, str]]:
    """Each file of the package: its path in there, and its text."""
    templates = files("biorlhf.commands.plugins") / "templates"
    for name, template in (
        (plugin.module, f"{plugin.kind}.py.txt"),
        (f"tests/test_{plugin.module}", f"test_{plugin.kind}.py.txt"),
        ("pyproject.toml", "pyproject.toml.txt"),
        ("README.md", "README.md.txt"),
    ):
        text = (templates / template).read_text("utf-8")
        yield name, Template(text).substitute(plugin.words)


def _refuse_malformed(name: str) -> None:
    """The rule of plugin names, and what Python forbids: the name is that of the module as well."""
    if NAME.fullmatch(name) and not keyword.iskeyword(name):
        return
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    near = re.sub(r"[^a-z0-9]+", "_", words).strip("_").lstrip("0123456789_")
    raise InputError(
        WHERE,
        f"the name {name!r}",
        "small letters, digits and underscores, beginning with a letter, and no word of Python",
        hint=f"for example: {near}" if NAME.fullmatch(near) and not keyword.iskeyword(near) else "",
    )


def _refuse_taken(kind: str, name: str) -> None:
    """A second plugin of this name would be a conflict; a second module would hide the first."""
    for entry in catalogue().of_kind(kind):
        if name in (entry.record.name.lower(), *(alias.lower() for alias in entry.record.aliases)):
            problem = f"the {kind} name {name!r} is taken: {entry.record.name} of {entry.provenance} has it"
            raise InputError(
                WHERE, problem, "a name of its own; `biorlhf plugins` lists those that are taken"
            )
    spec = None if name in sys.stdlib_module_names else importlib.util.find_spec(name)
    # A folder of this name in the working directory is found as well, without a file: it hides nothing.
    if name in sys.stdlib_module_names or (spec is not None and spec.origin is not None):
        owner = "Python itself" if spec is None else spec.origin
        raise InputError(WHERE, f"a module named {name!r} exists already: {owner}", "a name of its own")
