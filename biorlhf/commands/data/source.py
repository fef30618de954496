"""What a data command works on: a dataset by name, a file, a lab's YAML, or a folder that was built."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from biorlhf.errors import InputError
from biorlhf.inputs.rows import SUFFIXES
from biorlhf.inputs.validation import apply_override
from biorlhf.types import Dataset

LAB_SUFFIXES = (".yaml", ".yml")


def load(target: str, settings: Sequence[str] = ()) -> Dataset:
    """The dataset that ``target`` stands for.

    Args:
        target: a dataset's name or alias; a file of rows; a lab's YAML; a folder of ``data build``.
        settings: ``key=value`` strings, the value in YAML: the dataset's own settings.

    Raises:
        InputError: no such name or file, a setting that the dataset does not know, or wrong data.
    """
    from biorlhf.plugins import catalogue

    name, values = resolve(target, settings)
    dataset: Dataset = catalogue().build("dataset", name, values, where=f"dataset {name}")
    return dataset


def is_lab(target: str) -> bool:
    """Whether a target is a lab's YAML, which holds its own settings."""
    return Path(target).suffix.lower() in LAB_SUFFIXES


def resolve(target: str, settings: Sequence[str] = ()) -> tuple[str, dict[str, Any]]:
    """The dataset plugin behind a target, and its settings."""
    from biorlhf.plugins import catalogue

    values = parse_settings(settings)
    path = Path(target)
    if _is_folder_of_data(path) or path.suffix.lower() in SUFFIXES:
        return "jsonl", {"file": target, **values}
    if is_lab(target):
        return "tables", {"lab": target, **values}
    if path.is_file():
        raise InputError(target, f"a file of type {path.suffix!r}", choices=(*SUFFIXES, *LAB_SUFFIXES))
    return catalogue().get("dataset", target, where="dataset").record.name, values


def _is_folder_of_data(path: Path) -> bool:
    """A folder, but not one without data that a dataset is named like: its package, where one writes it."""
    from biorlhf.plugins import catalogue

    if not path.is_dir() or any(path.glob("*.parquet")):
        return path.is_dir()
    names = {name for e in catalogue().of_kind("dataset") for name in (e.record.name, *e.record.aliases)}
    return str(path) not in names


def parse_settings(settings: Sequence[str]) -> dict[str, Any]:
    """``["mode=open_book", "splits.test=0.3"]`` as nested settings, values read as YAML."""
    values: dict[str, Any] = {}
    for text in settings:
        apply_override(values, text, {}, example="mode=open_book")
    return values
