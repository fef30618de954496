"""The settings that the four verifiers share: a lab's own names, given inline or in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import Field

from biorlhf import InputPath, PluginConfig
from biorlhf.errors import InputError
from biorlhf_plugins.language import Additions, additions_of, additions_of_names

NAMES = {"entities": "entity", "conditions": "condition", "pathways": "pathway", "phrases": "phrase"}


class LexiconSettings(PluginConfig):
    """Names beyond the built-in lexicon: canonical name -> aliases.

    ``lexicon_file`` is a JSON file with the same keys; inline entries are added to its own. ``names`` are
    those of the run's datasets, which a run fills in itself.
    """

    entities: dict[str, list[str]] = Field(default_factory=dict)
    conditions: dict[str, list[str]] = Field(default_factory=dict)
    pathways: dict[str, list[str]] = Field(default_factory=dict)
    lexicon_file: InputPath | None = None
    names: dict[str, dict[str, Any]] = Field(default_factory=dict)

    def additions(self) -> Additions:
        """The additions as the extraction takes them. ``InputError`` where the file is wrong."""
        tables = {"entities": self.entities, "conditions": self.conditions, "pathways": self.pathways}
        if self.lexicon_file:
            for key, values in _load(self.lexicon_file).items():
                # Inline entries last: one recipe may correct a file that several share.
                tables[key] = {**values, **tables[key]}
        data = additions_of_names(self.names)
        # Sets keep their database's spelling, by which a ground truth names them.
        own = additions_of(
            {
                NAMES[key]: {
                    (name if key == "pathways" else name.lower()): aliases for name, aliases in values.items()
                }
                for key, values in tables.items()
            }
        )
        return Additions((*data.entries, *own.entries))


def _load(path: str) -> dict[str, dict[str, list[str]]]:
    try:
        tables = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}", "a lexicon in JSON") from error
    except ValueError as error:
        raise InputError(path, f"is not JSON: {error}", "a lexicon in JSON") from error
    if not isinstance(tables, dict):
        raise InputError(path, type(tables).__name__, "an object with entities, conditions, pathways")
    for key, values in tables.items():
        if key not in ("entities", "conditions", "pathways"):
            raise InputError(
                path, f"unknown key {key!r}", choices=("entities", "conditions", "pathways"), name=key
            )
        good = isinstance(values, dict) and all(
            isinstance(aliases, list) and all(isinstance(alias, str) for alias in aliases)
            for aliases in values.values()
        )
        if not good:
            raise InputError(f"{path}: {key}", "not a mapping of names to lists", '{"tongue": ["lingual"]}')
    return tables
