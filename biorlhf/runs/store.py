"""A run's folder as its run writes it: what was asked, what ran, what came out.

:mod:`biorlhf.runs.folder` only reads it; :mod:`biorlhf.runs.keeping` makes files appear whole or not at all.

::

    runs/<name>-<time>/
      recipe.yaml       the resolved recipe; runs again as it is
      manifest.json     versions, plugins, data with sha256, hardware, git commit
      metrics.jsonl     one row a step
      progress.json     how far it is, for whoever watches
      rollouts/         one Parquet file a step
      evaluations/      start.json, after-<stage>.json, with the completions as Parquet beside them
      checkpoints/      <number>-<stage>-<step>/: the learner's files and state.json; policies/: adapters of
                        steps before it, where a stage samples ahead (lag)
      adapter/          the final LoRA adapter in PEFT's plain format
      summary.json      written last: a run without it did not finish
      run.lock          who holds the folder; the lock itself ends with its process
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from biorlhf import recipe as recipes
from biorlhf.errors import InputError
from biorlhf.inputs import yaml12
from biorlhf.recipe import Recipe
from biorlhf.runs.folder import METRICS, RECIPE, Tables, no_run, read_json, read_metrics
from biorlhf.runs.keeping import checkpoints, disk, policies
from biorlhf.runs.keeping.lock import Lock
from biorlhf.stage import Adapter, StepResult
from biorlhf.types import Reward, ScoredGroup, StepMetrics

MANIFEST = "manifest.json"


def refuse_unwritable(recipe: Recipe) -> None:
    """Say before anything is started that no run's folder can be made in ``store.folder``.

    Raises:
        InputError: what is there, or where it would be made, is no folder or may not be written to.
    """
    folder = Path(recipe.store.folder)
    nearest = folder.absolute()
    while not os.path.lexists(nearest):
        nearest = nearest.parent
    problem = "is no folder" if not nearest.is_dir() else "may not be written to"
    if problem == "is no folder" or not os.access(nearest, os.W_OK | os.X_OK):
        where = str(folder) if nearest == folder.absolute() else f"{folder}: {nearest}"
        expected = "a folder that can be made or written to: --set store.folder=…"
        raise InputError("store.folder", f"{where} {problem}", expected)


class RunStore:
    """Writes and reads one run's folder. Who writes to it holds it: :meth:`create`, or :meth:`hold`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: Lock | None = None

    @classmethod
    def create(cls, recipe: Recipe, *, now: datetime.datetime | None = None) -> RunStore:
        """A fresh folder ``<name>-<time>``, held; a number is added where two runs start in one second."""
        now = now or datetime.datetime.now()
        stem = Path(recipe.store.folder) / f"{recipe.name}-{now:%Y%m%d-%H%M%S}"
        for number in range(1, 1000):
            folder = stem if number == 1 else stem.with_name(f"{stem.name}-{number}")
            try:
                # mkdir also decides: of two runs that start in one second only one can make the folder.
                folder.mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise InputError("store.folder", f"{folder} cannot be made: {error.strerror}") from None
            store = cls(folder)
            try:
                # Before the recipe is there, without which nobody takes the folder for a run.
                store.hold()
                for part in ("rollouts", "evaluations", "checkpoints"):
                    with disk.reported(folder / part):
                        (folder / part).mkdir()
                store.write_text(RECIPE, yaml12.dump(recipe.to_json()))
            except BaseException:
                # Ctrl-C too: a folder that nothing can go on with is in everybody's way.
                store.release()
                shutil.rmtree(folder, ignore_errors=True)
                raise
            return store
        raise InputError("store.folder", f"{stem} exists a thousand times")

    @classmethod
    def open(cls, folder: str | Path) -> RunStore:
        """An existing run's folder, to read. Raises ``InputError`` where there is no run in it."""
        folder = Path(folder)
        store = cls(folder)
        if not (folder / RECIPE).is_file():
            if (folder / MANIFEST).is_file() and "recipe" in store.read_json(MANIFEST):
                hint = f"write there what {folder / MANIFEST} holds under 'recipe'"
                raise InputError(
                    str(folder / RECIPE), "no such file, and a run's manifest beside it", hint=hint
                )
            raise no_run(folder)
        return store

    def hold(self) -> None:
        """Take the folder for this process, and clear away what a process that is gone had begun to write.

        Raises:
            InputError: another process holds it.
        """
        if self._lock is None:
            self._lock = Lock(self.folder)
            disk.clear(self.folder)

    def release(self) -> None:
        """Let another process have the folder."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @property
    def recipe(self) -> Recipe:
        return recipes.load(self.folder / RECIPE, resolved=True)

    @property
    def finished(self) -> bool:
        """Whether the run came to its end; the summary is written last."""
        return (self.folder / "summary.json").is_file()

    def write_bytes(self, name: str, content: bytes) -> None:
        disk.write_file(self.folder / name, content)

    def write_text(self, name: str, content: str) -> None:
        self.write_bytes(name, content.encode())

    def write_json(self, name: str, content: Any) -> None:
        # NaN is no JSON: it stops the run here rather than a reader later.
        self.write_text(name, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")

    def read_json(self, name: str) -> dict[str, Any]:
        """What a file of the folder holds. Raises ``InputError`` where it is missing or damaged."""
        return read_json(self.folder / name)

    # Steps.

    def append_step(self, result: StepResult) -> None:
        """Rollouts first, then the row of metrics, so that a row always has its rollouts."""
        metrics = result.metrics
        if result.groups:
            name = f"rollouts/{metrics.stage}-{metrics.step:05d}.parquet"
            rows = rollout_rows(result.groups, result.advantages)
            self.write_table(name, [{"stage": metrics.stage, "step": metrics.step, **row} for row in rows])
        row: dict[str, Any] = {"stage": metrics.stage, "step": metrics.step, **metrics.values}
        if result.adapter is not None:
            row["adapter_version"], row["adapter_sha256"] = result.adapter.version, result.adapter.sha256
        if result.warnings:
            row["warnings"] = list(result.warnings)
        line = json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"
        disk.append(self.folder / METRICS, line.encode())

    def metrics(self) -> list[dict[str, Any]]:
        """The whole rows so far."""
        return read_metrics(self.folder / METRICS)[0]

    def steps(self, stage: str) -> tuple[StepMetrics, ...]:
        """The steps of a stage so far, with the numbers that its trainer gave."""
        rows = [row for row in self.metrics() if row["stage"] == stage]
        # A trainer's numbers are floats: what stands beside them is not.
        values = [{k: v for k, v in row.items() if isinstance(v, float) and isfinite(v)} for row in rows]
        return tuple(StepMetrics(stage, row["step"], v) for row, v in zip(rows, values, strict=True))

    def write_table(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        import io

        import pyarrow as pa
        import pyarrow.parquet as pq

        names = dict.fromkeys(name for row in rows for name in row)
        schema = pa.schema([(name, _arrow_type(name, rows)) for name in names])
        buffer = io.BytesIO()
        pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema), buffer, compression="zstd")
        self.write_bytes(name, buffer.getvalue())

    def tables(self, recipe: Recipe) -> Tables:
        """The Parquet files that the run itself wrote."""
        return Tables(self.folder, [recipe.stage_name(index) for index in range(len(recipe.stages))])

    # Checkpoints.

    def write_checkpoint(self, state: checkpoints.State, files: Mapping[str, bytes], keep: int) -> None:
        """``state`` says what is done: ``step`` steps of the stage ``stage``, number ``stage_index``."""
        checkpoints.write(self.folder / "checkpoints", state, files, keep)

    def write_policies(self, adapters: Sequence[Adapter]) -> list[list[Any]]:
        """Keep what a checkpoint needs of steps before its own; gives its state's ``policies``."""
        return policies.write(self.folder / "checkpoints", adapters)

    def read_policies(self, named: Sequence[Sequence[Any]]) -> list[Adapter]:
        """The adapters that a checkpoint's state names, oldest first."""
        return [policies.read(self.folder / "checkpoints", one) for one in named]

    def last_checkpoint(
        self, problems: list[str] | None = None
    ) -> tuple[dict[str, Any], dict[str, bytes]] | None:
        """The newest whole checkpoint's state and files, or None; ``problems`` gets what is wrong with later
        ones. Raises ``InputError`` where all are damaged."""
        found, damaged = checkpoints.newest(self.folder / "checkpoints")
        if problems is not None:
            problems += damaged
        return found

    def rewind(self, recipe: Recipe, index: int, step: int) -> None:
        """Drop the rows and rollouts of steps that came after a checkpoint; they will be run again.

        A row that is not whole is one that was being written when the run was cut off; a row that occurs
        twice is kept as it was made last.
        """
        done = {recipe.stage_name(i): (i, float("inf")) for i in range(index)}
        done[recipe.stage_name(index)] = (index, step)
        # Rows go before rollouts, as they come after them in append_step: a row always has its rollouts.
        rows = [row for row in self.metrics() if row["step"] <= done.get(row["stage"], (0, -1))[1]]
        unique = {(row["stage"], row["step"]): row for row in rows}
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in unique.values())
        self.write_text(METRICS, text)
        for stage, number, path in self.tables(recipe).rollouts():
            if number > done.get(stage, (0, -1))[1]:
                with disk.reported(path):
                    path.unlink()

    # The end.

    def write_adapter(self, name: str, adapter: Adapter) -> None:
        files = {"adapter_model.safetensors": adapter.tensors, "adapter_config.json": adapter.config}
        disk.write_folder(self.folder / name, files)


def _arrow_type(name: str, rows: Sequence[Mapping[str, Any]]) -> Any:
    """The same type in every step's file, though a column may hold nothing but None in one of them."""
    import pyarrow as pa

    if name in ("reward", "advantage") or name.startswith("score_"):
        return pa.float64()
    value = next((row[name] for row in rows if row.get(name) is not None), "")
    return {bool: pa.bool_(), int: pa.int64(), float: pa.float64()}.get(type(value), pa.string())


def rollout_rows(
    groups: Iterable[ScoredGroup], advantages_P_G: Sequence[Sequence[float]] = ()
) -> Iterator[dict[str, Any]]:
    """One flat row per completion, as it is stored in Parquet."""
    for number, scored in enumerate(groups):
        question = scored.group.question
        for place, (completion, reward) in enumerate(
            zip(scored.group.completions, scored.rewards, strict=True)
        ):
            yield {
                "question_id": question.id,
                "kind": question.kind,
                "tissue": question.tissue or "",
                "taught": question.taught,
                "prompt": question.prompt,
                "completion": completion.text,
                "prompt_tokens": len(scored.group.prompt_ids),
                "completion_tokens": len(completion.token_ids),
                "truncated": completion.truncated,
                "adapter_version": completion.adapter.version,
                "adapter_sha256": completion.adapter.sha256,
                "reward": reward.total,
                "advantage": float(advantages_P_G[number][place]) if advantages_P_G else None,
                **_score_columns(reward),
            }


def _score_columns(reward: Reward) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, score in reward.scores.items():
        columns[f"score_{name}"] = score.value
        columns[f"status_{name}"] = score.status.value
        columns[f"details_{name}"] = json.dumps(dict(score.details), ensure_ascii=False, default=str)
    return columns
