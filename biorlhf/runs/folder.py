"""Reading a run's folder, and nothing but reading: one that is still going, or was cut short, opens as well.

:mod:`biorlhf.runs.store` says what lies in it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from biorlhf import recipe as recipes
from biorlhf.errors import InputError
from biorlhf.inputs import yaml12
from biorlhf.recipe import Recipe
from biorlhf.types import Status

RECIPE, METRICS, PROGRESS = "recipe.yaml", "metrics.jsonl", "progress.json"


@dataclass(frozen=True, slots=True)
class Run:
    """A run that was made, as its folder tells.

    ``metrics``: a row a step. ``evaluations``: name (``start``, ``after-<stage>``) -> what its file holds, in
    the order in which they were made; those that were asked for later come last, by name. ``summary`` is
    empty and ``adapter`` None where the run did not finish. ``settings`` is the recipe as it was written,
    unchecked. ``seconds``: of each stage and evaluation, by the clock. ``problems`` names the files that
    could not be read, with reasons; they are left out.
    """

    folder: Path
    metrics: list[dict[str, Any]] = field(repr=False)
    evaluations: dict[str, dict[str, Any]] = field(repr=False)
    summary: dict[str, Any] = field(repr=False)
    adapter: Path | None = None
    manifest: dict[str, Any] = field(default_factory=dict, repr=False)
    settings: dict[str, Any] = field(default_factory=dict, repr=False)
    problems: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict, repr=False)

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
        return _stages(self.settings, self.metrics)


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
    order = ["start", *(f"after-{stage}" for stage in _stages(settings, metrics))]
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
        seconds=seconds_in(_read(folder / PROGRESS, [])),
    )


def seconds_in(progress: Mapping[str, Any]) -> dict[str, float]:
    """The seconds that ``progress.json`` holds of each stage and evaluation; those that are none left out."""
    kept = progress.get("seconds")
    rows = kept.items() if isinstance(kept, Mapping) else ()
    return {str(name): s for name, s in rows if isinstance(s, float) and 0 <= s < float("inf")}


def _stages(settings: Mapping[str, Any], metrics: Sequence[Mapping[str, Any]]) -> list[str]:
    parts = settings.get("stages")
    if not isinstance(parts, list):
        # Without a recipe that can be read, the steps still say which stages there were.
        return list(dict.fromkeys(row["stage"] for row in metrics))
    return [str(part.get("name") or part.get("trainer")) for part in parts if isinstance(part, Mapping)]


def no_run(folder: Path) -> InputError:
    """The error for a folder without a run in it, with the runs that lie around it."""
    # It may be named without the folder of runs, or by a file in it.
    around = (folder.parent, folder.parent.parent, Path("runs"))
    found = (path.parent for place in around for path in sorted(place.glob(f"*/{RECIPE}")))
    near = list(dict.fromkeys(map(str, found)))
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
            rows.append({**row, "stage": str(row["stage"]), "step": int(row["step"])})
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            problems.append(f"{path.name}:{number}: not a whole row")
    return rows, problems


def lost_rows(rows: Sequence[Mapping[str, Any]], steps: Mapping[str, int]) -> list[str]:
    """The steps that have no row among ``rows``, in words; ``steps``: stage -> how many steps it has made."""
    have = {(row["stage"], row["step"]) for row in rows}
    lost = {
        stage: [str(step) for step in range(1, made + 1) if (stage, step) not in have]
        for stage, made in steps.items()
    }
    return [
        f"{METRICS}: no row of {stage}, step{'s' if len(missing) > 1 else ''} {', '.join(missing[:10])}"
        + (f" and {len(missing) - 10} more" if len(missing) > 10 else "")
        for stage, missing in lost.items()
        if missing
    ]


def read_json(path: Path) -> dict[str, Any]:
    """What a JSON file of a run holds. Raises ``InputError`` where it is missing or damaged."""
    if not path.is_file():
        raise InputError(str(path), "no such file", "a file that the run wrote")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(str(path), f"is damaged: {str(error).splitlines()[0]}") from None
    if not isinstance(content, dict):
        raise InputError(str(path), f"is damaged: it holds a {type(content).__name__}")
    return content


class Tables:
    """The Parquet files of a run: those that the run wrote itself, whatever else lies beside them."""

    def __init__(self, folder: Path, stages: Sequence[str]) -> None:
        self.folder, self.stages = folder, stages

    def rollouts(self) -> Iterator[tuple[str, int, Path]]:
        """(stage, step, file) of every step that has one."""
        for path in sorted((self.folder / "rollouts").glob("*.parquet")):
            match = re.fullmatch(r"(.+)-(\d{5,})", path.stem)
            if match and match[1] in self.stages:
                yield match[1], int(match[2]), path

    def evaluations(self) -> Iterator[Path]:
        """The tables of the evaluations before and after each stage."""
        for when in ("start", *(f"after-{stage}" for stage in self.stages)):
            path = self.folder / "evaluations" / f"{when}.parquet"
            # Its JSON comes last: a table without one is of an evaluation that will be made again.
            if path.with_suffix(".json").is_file():
                yield path

    def status_counts(self) -> tuple[dict[str, dict[str, int]], list[str]]:
        """Verifier -> how many completions it scored, failed on, and did not apply to, over the whole run;
        and the files that are damaged, whose completions are not counted."""
        counts: dict[str, Counter[str]] = {}
        problems: list[str] = []
        for path in (*(path for _, _, path in self.rollouts()), *self.evaluations()):
            statuses = self._statuses(path, problems)
            for name, values in statuses.items():
                counts.setdefault(name, Counter()).update(values)
        return {
            name: {status.value: statuses[status.value] for status in Status}
            for name, statuses in counts.items()
        }, problems

    def _statuses(self, path: Path, problems: list[str]) -> dict[str, list[str]]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(path) as file:
                names = [name for name in file.schema_arrow.names if name.startswith("status_")]
                columns = file.read(names)
        except (pa.ArrowException, OSError) as error:
            reason = "is missing" if isinstance(error, FileNotFoundError) else "is no whole Parquet file"
            problems.append(f"{path.relative_to(self.folder)}: {reason}; its completions are not counted")
            return {}
        return {name.removeprefix("status_"): columns[name].to_pylist() for name in names}


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
