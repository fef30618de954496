"""The plugin manager: built-ins, then entry points, then checks, then a catalogue by name.

Start-up order: hook specifications, built-in plugins, entry points of the group ``biorlhf``,
``check_pending()`` (a misspelt hook is an error), collection, validation. A plugin that fails to
import is remembered with its reason: it is fatal only to a recipe that asks for it.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import re
from collections.abc import Iterator
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
    """An entry point that failed to import, and why."""

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
                hint=f"plugins that failed to import: {why}" if why else "",
            )
        return entry

    def config(self, kind: str, name: str, settings: dict[str, Any], *, where: str = "") -> BaseModel:
        """A plugin's settings, checked against its own model; a wrong one raises ``RecipeError``."""
        return validate_model(self.get(kind, name, where=where).record.config, settings, where=where)

    def build(self, kind: str, name: str, settings: dict[str, Any], *, where: str = "") -> Any:
        """The working object behind a name."""
        entry = self.get(kind, name, where=where)
        return entry.record.build(self.config(kind, name, settings, where=where))

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
    sources: dict[str, Provenance] = {}
    broken: list[Broken] = []

    # Built-ins are imported, not found by entry points: a checkout that is not installed has them, too.
    own = Provenance("biorlhf", own_version())
    for module in importlib.import_module("biorlhf_plugins").builtin_modules():
        sources[manager.register(module, name=module.__name__) or ""] = own
    if entry_points:
        _load_entry_points(manager, sources, broken)
    for number, plugin in enumerate(extra):
        name = getattr(plugin, "__name__", f"extra{number}")
        sources[manager.register(plugin, name=name) or ""] = Provenance(name, "0")
    _refuse_misspelt_hooks(manager, sources)
    return Catalogue(list(_collect(manager, sources)), broken)


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


def _load_entry_points(
    manager: pluggy.PluginManager, sources: dict[str, Provenance], broken: list[Broken]
) -> None:
    for point in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda p: (p.name, p.value)):
        dist = point.dist
        provenance = Provenance(dist.name if dist else "unknown", dist.version if dist else "?")
        try:
            plugin = point.load()
        except Exception as error:  # a third party's import may raise anything; it is reported, not hidden
            broken.append(Broken(point.name, provenance, f"{type(error).__name__}: {error}"))
            continue
        # Two entry points may name one module.
        if not manager.is_registered(plugin):
            name = manager.register(plugin, name=f"{provenance.distribution}:{point.name}")
            sources[name or ""] = provenance


def _refuse_misspelt_hooks(manager: pluggy.PluginManager, sources: dict[str, Provenance]) -> None:
    known = [hook for hook, _ in KINDS.values()]
    for name, plugin in manager.list_name_plugin():
        for attribute in dir(plugin) if plugin is not None else ():
            marked = getattr(getattr(plugin, attribute, None), "biorlhf_impl", None)
            if isinstance(marked, dict) and attribute not in known and not marked.get("optionalhook"):
                raise PluginError(
                    f"plugin {name} of {sources[name]}",
                    f"there is no hook named {attribute!r}",
                    choices=known,
                    name=attribute,
                )
    manager.check_pending()


def _collect(manager: pluggy.PluginManager, sources: dict[str, Provenance]) -> Iterator[Entry]:
    for kind, (hook, record_type) in KINDS.items():
        for implementation in getattr(manager.hook, hook).get_hookimpls():
            where = f"plugin {implementation.plugin_name}"
            for record in implementation.function():
                if not isinstance(record, record_type):
                    raise PluginError(
                        where,
                        f"{hook} yielded {type(record).__name__}",
                        f"records of type {record_type.__name__}",
                    )
                for name in (record.name, *record.aliases):
                    # The name becomes a column of the rollouts and a part of metrics' names.
                    if not NAME.fullmatch(name.lower()):
                        raise PluginError(
                            where,
                            f"{kind} name {name!r}",
                            "a name of letters, digits and underscores that begins with a letter",
                        )
                yield Entry(record, sources[implementation.plugin_name])
