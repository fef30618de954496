"""The built-in plugins. Every public module of these folders is one plugin; delete a file to drop it."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

FOLDERS = ("verifiers", "datasets", "trainers", "evaluators", "trackers")


def builtin_modules() -> list[ModuleType]:
    """The plugin modules, by folder and name: those of a folder whose name has no leading underscore
    and that implement a hook. A package (a folder of its own) counts as one module."""
    found = []
    for folder in FOLDERS:
        package = importlib.import_module(f"{__name__}.{folder}")
        for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
            if not info.name.startswith("_"):
                found.append(importlib.import_module(f"{package.__name__}.{info.name}"))
    return found
