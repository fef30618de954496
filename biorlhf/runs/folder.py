"""Reading a run's folder, and nothing but reading: one that is still going, or was cut short, opens as well.

:mod:`biorlhf.runs.store` says what lies in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from biorlhf import recipe as recipes
from biorlhf.errors import InputError
from biorlhf.inputs import yaml12
from biorlhf.recipe import Recipe

RECIPE, METRICS = "recipe.yaml", "metrics.jsonl"


@dataclass(frozen=True, slots=True)
class Run:
    """A run that was made, as its folder tells.

    ``metrics``: a row a step. ``evaluations``: name (``start``, ``after-<stage>``) -> what its file holds, in
    the order in which they were made; those that were asked for later come last, by name. ``summary`` is
    empty and ``adapter`` None where the run did not finish. ``settings`` is the recipe as it was written,
    unchecked. ``problems`` names the files that could not be read, with reasons; they are left out.
    """

    folder: Path
    metrics: list[dict[str, Any]] = field(repr=False)
    evaluations: dict[str, dict[str, Any]] = field(repr=False)
    summary: dict[str, Any] = field(repr=False)
    adapter: Path | None = None
    manifest: dict[str, Any] = field(default_factory=dict, repr=False)
    settings: dict[str, Any] = field(default_factory=dict, repr=False)
    problems: tuple[str, ...] = ()

    @property
    def recipe(self) -> Recipe:
        """The recipe, checked against this version; ``RecipeError`` where the two do not agree."""
        return recipes.load(self.folder / RECIPE, resolved=True)

    @property
    def finished(self) -> bool:
        return (self.folder / "summary.json").is_file()

    @property
    def stages(self) -> list[str]:
        """The stages' names, in order."""
        return _stages(self.settings)


def read_run(folder: str | Path) -> Run:
    """What a run's folder holds.

    Raises:
        InputError: there is no such folder, or no run in it; the nearest runs are listed.
    """
    folder = Path(folder)
    if not any((folder / name).is_file() for name in (RECIPE, METRICS)):
        raise no_run(folder)
    problems: list[str] = []
    metrics, torn = read_metrics(folder / METRICS)
    settings = _read(folder / RECIPE, problems)
    files = {path.stem: path for path in sorted((folder / "evaluations").glob("*.json"))}
    order = ["start", *(f"after-{stage}" for stage in _stages(settings))]
    # Not by name or by the file's time: a copied folder has other times.
    names = sorted(files, key=lambda name: (order.index(name) if name in order else len(order), name))
    read = {name: _read(files[name], problems) for name in names}
    adapter = folder / "adapter"
    return Run(
        folder=folder,
        metrics=metrics,
        evaluations={name: evaluation for name, evaluation in read.items() if evaluation},
        summary=_read(folder / "summary.json", problems),
        adapter=adapter if adapter.is_dir() else None,
        manifest=_read(folder / "manifest.json", problems),
        settings=settings,
        problems=(*problems, *torn),
    )


def _stages(settings: Mapping[str, Any]) -> list[str]:
    parts = settings.get("stages")
    if not isinstance(parts, list):
        return []
    return [str(part.get("name") or part.get("trainer")) for part in parts if isinstance(part, Mapping)]


def no_run(folder: Path) -> InputError:
    """The error for a folder without a run in it, with the runs that lie around it."""
    around = folder.parent if folder.parent.is_dir() else Path("runs")
    near = sorted(str(path.parent) for path in around.glob(f"*/{RECIPE}"))
    return InputError(str(folder), "no run here", "a run's folder", choices=near[:20], name=str(folder))


def read_metrics(path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """The whole rows of ``metrics.jsonl``, and the places of those that are not whole."""
    rows, problems = [], []
    lines = path.read_bytes().split(b"\n") if path.is_file() else []
    for number, line in enumerate(lines, 1):
        if not line and number == len(lines):
            continue
        try:
            row = json.loads(line)
            rows.append({"stage": str(row["stage"]), "step": int(row["step"]), **row})
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            problems.append(f"{path.name}:{number}: not a whole row")
    return rows, problems


def _read(path: Path, problems: list[str]) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        text = path.read_text(encoding="utf-8")
        data = yaml12.load(text, str(path))[0] if path.suffix == ".yaml" else json.loads(text)
    except (
        OSError,
        ValueError,
        RecursionError,
    ) as error:  # a file cut short is named in the report; the rest is shown
        problems.append(f"{path.name}: {str(error).splitlines()[0]}")
        return {}
    if isinstance(data, Mapping):
        return dict(data)
    problems.append(f"{path.name}: no mapping of keys")
    return {}
