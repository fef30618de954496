"""The plugin manager: built-ins, then entry points, then checks, then a catalogue by name.

Start-up order: hook specifications, built-in plugins, entry points of the group ``biorlhf``; each is
imported, registered, and its hooks are called and checked. An installed plugin that fails at any of this
(it raises, exits, misspells a hook, yields something else than records) is left out and remembered with its
reason: it is fatal only to a recipe that asks for it. What it prints goes to stderr.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.metadata
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy
from pydantic import BaseModel

from biorlhf import hookspecs
from biorlhf.errors import PluginError
from biorlhf.hookspecs import DatasetPlugin, DatasetStream, PluginRecord
from biorlhf.inputs.validation import validate_model
from biorlhf.types import Dataset

GROUP = "biorlhf"
KINDS: dict[str, tuple[str, type[PluginRecord]]] = {
    "verifier": ("biorlhf_verifiers", hookspecs.VerifierPlugin),
    "dataset": ("biorlhf_datasets", hookspecs.DatasetPlugin),
    "trainer": ("biorlhf_trainers", hookspecs.TrainerPlugin),
    "evaluator": ("biorlhf_evaluators", hookspecs.EvaluatorPlugin),
    "tracker": ("biorlhf_trackers", hookspecs.TrackerPlugin),
}
NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a plugin comes from."""

    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One registered plugin record with its provenance."""

    record: PluginRecord
    provenance: Provenance

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.record.name,
            "kind": self.record.kind,
            "aliases": list(self.record.aliases),
            "summary": self.record.summary,
            "distribution": self.provenance.distribution,
            "version": self.provenance.version,
        }


@dataclass(frozen=True, slots=True)
class Broken:
    """An entry point that was left out, and why: it failed to import, or its hooks did."""

    entry_point: str
    provenance: Provenance
    reason: str


class Catalogue:
    """Every plugin by kind and name. Look one up with :meth:`get`, build it with :meth:`build`."""

    def __init__(self, entries: list[Entry], broken: list[Broken]) -> None:
        # Entry points come in the order in which packages were installed.
        self.entries = sorted(entries, key=lambda entry: (entry.record.kind, entry.record.name))
        self.broken = broken
        self._by_name: dict[tuple[str, str], Entry] = {}
        for entry in self.entries:
            for name in (entry.record.name, *entry.record.aliases):
                self._claim(name, entry)

    def _claim(self, name: str, entry: Entry) -> None:
        key = (entry.record.kind, name.lower())
        rival = self._by_name.get(key)
        if rival is not None:
            raise PluginError(
                "",
                f"two plugins claim the {entry.record.kind} name {name!r}: "
                f"{rival.record.name} of {rival.provenance} and {entry.record.name} of {entry.provenance}",
                hint="uninstall one of them, or ask its authors for another name",
            )
        self._by_name[key] = entry

    def of_kind(self, kind: str) -> list[Entry]:
        """The entries of one kind, sorted by name."""
        return [entry for entry in self.entries if entry.record.kind == kind]

    def get(self, kind: str, name: str, *, where: str = "") -> Entry:
        """The entry that a name or alias stands for, in any case; ``PluginError`` lists the choices."""
        entry = self._by_name.get((kind, name.lower()))
        if entry is None:
            why = "; ".join(f"{b.entry_point} of {b.provenance}: {b.reason}" for b in self.broken)
            raise PluginError(
                where,
                f"no {kind} named {name!r}",
                choices=[e.record.name for e in self.of_kind(kind)],
                name=name,
                hint=f"plugins that failed to load: {why}" if why else "",
            )
        return entry

    def config(self, kind: str, name: str, settings: dict[str, Any], *, where: str = "") -> BaseModel:
        """A plugin's settings, checked against its own model; a wrong one raises ``RecipeError``."""
        return validate_model(self.get(kind, name, where=where).record.config, settings, where=where)

    def build(self, kind: str, name: str, settings: dict[str, Any], *, where: str = "") -> Any:
        """The working object behind a name."""
        entry = self.get(kind, name, where=where)
        config = self.config(kind, name, settings, where=where)
        with contextlib.redirect_stdout(sys.stderr):
            return entry.record.build(config)

    def stream(self, name: str, settings: dict[str, Any], *, where: str = "") -> DatasetStream:
        """A dataset ready to be written: the plugin's own stream, or what it builds in memory."""
        entry = self.get("dataset", name, where=where)
        config = self.config("dataset", name, settings, where=where)
        own = entry.record.stream if isinstance(entry.record, DatasetPlugin) else None
        return own(config) if own is not None else _in_memory(entry.record.build(config))


def _in_memory(dataset: Dataset) -> DatasetStream:
    def write(folder: Path) -> dict[str, Any]:
        counts = {name: len(getattr(dataset, name)) for name in ("questions", "examples", "preferences")}
        paths = builtin_part("making.parquet").to_parquet(dataset, folder)
        return {"counts": counts, "files": [path.name for path in paths]}

    return DatasetStream(dataset.name, write)


def builtin_part(name: str) -> ModuleType:
    """A part of the built-in plugins that commands use and no recipe names: ``check``, ``making.parquet``.

    The core reaches biorlhf_plugins in this module alone, and by name, as it does those of third parties.
    """
    return importlib.import_module(f"biorlhf_plugins.{name}")


def new_manager() -> pluggy.PluginManager:
    """A plugin manager that knows the hooks and nothing else."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    return manager


def load(*, entry_points: bool = True, extra: tuple[Any, ...] = ()) -> Catalogue:
    """Build a catalogue: the built-ins, installed plugins, and ``extra`` plugin objects (for tests)."""
    manager = new_manager()
    entries: list[Entry] = []
    broken: list[Broken] = []

    # Built-ins are imported, not found by entry points: a checkout that is not installed has them, too.
    own = Provenance("biorlhf", own_version())
    # stdout is for what a command was asked for, which may be JSON.
    with contextlib.redirect_stdout(sys.stderr):
        for module in importlib.import_module("biorlhf_plugins").builtin_modules():
            entries += _register(manager, module, module.__name__, own)
        if entry_points:
            _load_entry_points(manager, entries, broken)
        for number, plugin in enumerate(extra):
            name = getattr(plugin, "__name__", f"extra{number}")
            entries += _register(manager, plugin, name, Provenance(name, "0"))
    manager.check_pending()
    return Catalogue(entries, broken)


@functools.cache
def catalogue() -> Catalogue:
    """The catalogue of this process, built once."""
    return load()


@functools.cache
def own_version() -> str:
    try:
        return importlib.metadata.version("biorlhf")
    except importlib.metadata.PackageNotFoundError:
        return "0+source"


def _load_entry_points(manager: pluggy.PluginManager, entries: list[Entry], broken: list[Broken]) -> None:
    for point in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda p: (p.name, p.value)):
        dist = point.dist
        provenance = Provenance(dist.name if dist else "unknown", dist.version if dist else "?")
        name = f"{provenance.distribution}:{point.name}"
        try:
            plugin = point.load()
            # Two entry points may name one module.
            if not manager.is_registered(plugin):
                entries += _register(manager, plugin, name, provenance)
        # A third party's code may raise anything, exit included; it is reported, not hidden.
        except (Exception, SystemExit, GeneratorExit) as error:
            if manager.has_plugin(name):
                manager.unregister(name=name)
            reason = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
            broken.append(Broken(point.name, provenance, " ".join(reason.split())))


def _register(manager: pluggy.PluginManager, plugin: Any, name: str, provenance: Provenance) -> list[Entry]:
    """A plugin's records; ``PluginError`` where its hooks are not what they have to be."""
    manager.register(plugin, name=name)
    where = f"plugin {name} of {provenance}"
    _refuse_misspelt_hooks(plugin, where)
    entries = []
    for hook, record_type in KINDS.values():
        for implementation in getattr(manager.hook, hook).get_hookimpls():
            if implementation.plugin is plugin:
                records = implementation.function()
                if not isinstance(records, Iterable):
                    found = f"{hook} gave {type(records).__name__}"
                    raise PluginError(where, found, f"an iterable of {record_type.__name__}")
                entries += [Entry(_checked(r, record_type, hook, where), provenance) for r in records]
    return entries


def _refuse_misspelt_hooks(plugin: Any, where: str) -> None:
    known = [hook for hook, _ in KINDS.values()]
    for attribute in dir(plugin):
        found = getattr(plugin, attribute, None)
        marked = getattr(found, "biorlhf_impl", None)
        if isinstance(marked, dict) and attribute not in known and not marked.get("optionalhook"):
            raise PluginError(where, f"there is no hook named {attribute!r}", choices=known, name=attribute)
        code = getattr(found, "__code__", None)
        # One that was imported from the specifications is no implementation.
        if attribute in known and code is not None and marked is None and not hasattr(found, "biorlhf_spec"):
            raise PluginError(
                f"{where}: {code.co_filename}:{code.co_firstlineno}",
                f"{attribute} is not marked as a hook",
                "@hookimpl above it",
            )


def _checked(record: Any, record_type: type[PluginRecord], hook: str, where: str) -> PluginRecord:
    if not isinstance(record, record_type):
        raise PluginError(
            where, f"{hook} yielded {type(record).__name__}", f"records of type {record_type.__name__}"
        )
    strings = (record.name, record.summary, *record.aliases)
    if not all(isinstance(text, str) for text in strings) or isinstance(record.aliases, str):
        raise PluginError(where, f"{record.name!r}: a name, summary or alias that is no text", "strings")
    if not (isinstance(record.config, type) and issubclass(record.config, BaseModel)):
        raise PluginError(where, f"{record.name}: config is {record.config!r}", "a subclass of PluginConfig")
    if not callable(record.build):
        raise PluginError(where, f"{record.name}: build is {record.build!r}", "a function of its config")
    for name in (record.name, *record.aliases):
        # The name becomes a column of the rollouts and a part of metrics' names.
        if not NAME.fullmatch(name.lower()):
            raise PluginError(
                where,
                f"{record.kind} name {name!r}",
                "a name of letters, digits and underscores that begins with a letter",
            )
    return record
