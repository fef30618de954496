"""A run's folder: what was asked, what ran, what came out; a crash leaves no half file in it.

::

    runs/<name>-<time>/
      recipe.yaml       the resolved recipe; runs again as it is
      manifest.json     versions, plugins, data with sha256, hardware, git commit
      metrics.jsonl     one row a step
      progress.json     how far it is, for whoever watches
      rollouts/         one Parquet file a step
      evaluations/      start.json, after-<stage>.json, with the completions as Parquet beside them
      checkpoints/      <number>-<stage>-<step>/: the learner's files and state.json
      adapter/          the final LoRA adapter in PEFT's plain format
      summary.json      written last: a run without it did not finish
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from biorlhf import recipe as recipes
from biorlhf.errors import InputError, RunFailure
from biorlhf.inputs import yaml12
from biorlhf.recipe import Recipe
from biorlhf.runs.folder import METRICS, RECIPE, no_run, read_metrics
from biorlhf.stage import Adapter, StepResult
from biorlhf.types import Reward, ScoredGroup, Status


class RunStore:
    """Writes and reads one run's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def create(cls, recipe: Recipe, *, now: datetime.datetime | None = None) -> RunStore:
        """A fresh folder ``<name>-<time>``; a number is added where two runs start in one second."""
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
            for part in ("rollouts", "evaluations", "checkpoints"):
                (folder / part).mkdir()
            store.write_text(RECIPE, yaml12.dump(recipe.to_json()))
            return store
        raise InputError("store.folder", f"{stem} exists a thousand times")

    @classmethod
    def open(cls, folder: str | Path) -> RunStore:
        """An existing run's folder. Raises ``InputError`` where there is no run in it."""
        folder = Path(folder)
        if not (folder / RECIPE).is_file():
            raise no_run(folder)
        # Left by a process that was killed while it wrote.
        for leftover in folder.rglob("*.partial"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        return cls(folder)

    @property
    def recipe(self) -> Recipe:
        return recipes.load(self.folder / RECIPE, resolved=True)

    # Writing: a file appears whole, under its name, or not at all.

    def write_bytes(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)

    def write_text(self, name: str, content: str) -> None:
        self.write_bytes(name, content.encode())

    def write_json(self, name: str, content: Any) -> None:
        # NaN is no JSON: it stops the run here rather than a reader later.
        self.write_text(name, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")

    def write_folder(self, name: str, files: Mapping[str, bytes]) -> None:
        """A folder of files that appears as a whole."""
        path = self.folder / name
        partial = path.with_name(path.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for inner, content in files.items():
            with open(partial / inner, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        if path.exists():  # a folder cannot replace one that is not empty
            shutil.rmtree(path)
        os.replace(partial, path)

    def read_json(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

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
        descriptor = os.open(self.folder / METRICS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line.encode())  # one write: the line is there whole or not at all
        finally:
            os.close(descriptor)

    def metrics(self) -> list[dict[str, Any]]:
        """The rows so far. Raises ``RunFailure`` where one is not whole: it would be written back."""
        rows, problems = read_metrics(self.folder / METRICS)
        if problems:
            raise RunFailure(f"{self.folder}: {problems[0]}")
        return rows

    def write_table(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        import io

        import pyarrow as pa
        import pyarrow.parquet as pq

        names = dict.fromkeys(name for row in rows for name in row)
        schema = pa.schema([(name, _arrow_type(name, rows)) for name in names])
        buffer = io.BytesIO()
        pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema), buffer, compression="zstd")
        self.write_bytes(name, buffer.getvalue())

    def status_counts(self) -> dict[str, dict[str, int]]:
        """Verifier -> how many completions it scored, failed on, and did not apply to, over the whole run."""
        import pyarrow.parquet as pq

        counts: dict[str, Counter[str]] = {}
        for path in sorted(self.folder.glob("*/*.parquet")):
            rollouts = pq.read_table(path)
            for column in (name for name in rollouts.column_names if name.startswith("status_")):
                statuses = counts.setdefault(column.removeprefix("status_"), Counter())
                statuses.update(rollouts[column].to_pylist())
        return {
            name: {status.value: statuses[status.value] for status in Status}
            for name, statuses in counts.items()
        }

    # Checkpoints.

    def write_checkpoint(
        self, index: int, stage: str, step: int, files: Mapping[str, bytes], keep: int
    ) -> None:
        """``index`` and ``step`` say what is done: ``step`` steps of stage number ``index``."""
        state = {"stage_index": index, "stage": stage, "step": step}
        self.write_folder(
            f"checkpoints/{index:02d}-{stage}-{step:05d}",
            {**files, "state.json": json.dumps(state).encode()},
        )
        # Only now that the new one is whole.
        for old in self._checkpoints()[:-keep]:
            shutil.rmtree(old)

    def _checkpoints(self) -> list[Path]:
        # By name, which is by age: the numbers in it are filled up with zeros.
        return sorted(path.parent for path in (self.folder / "checkpoints").glob("*/state.json"))

    def last_checkpoint(self) -> tuple[dict[str, Any], dict[str, bytes]] | None:
        """The newest checkpoint's state and files, or None."""
        checkpoints = self._checkpoints()
        if not checkpoints:
            return None
        newest = checkpoints[-1]
        files = {path.name: path.read_bytes() for path in newest.iterdir() if path.name != "state.json"}
        return json.loads((newest / "state.json").read_text()), files

    def rewind(self, recipe: Recipe, index: int, step: int) -> None:
        """Drop the rows and rollouts of steps that came after a checkpoint; they will be run again."""
        done = {recipe.stage_name(i): (i, float("inf")) for i in range(index)}
        done[recipe.stage_name(index)] = (index, step)
        # Rows go before rollouts, as they come after them in append_step: a row always has its rollouts.
        rows = [row for row in self.metrics() if row["step"] <= done.get(row["stage"], (0, -1))[1]]
        self.write_text(METRICS, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        for path in (self.folder / "rollouts").glob("*.parquet"):
            stage, _, number = path.stem.rpartition("-")
            if int(number) > done.get(stage, (0, -1))[1]:
                path.unlink()

    # The end.

    def write_adapter(self, name: str, adapter: Adapter) -> None:
        self.write_folder(
            name, {"adapter_model.safetensors": adapter.tensors, "adapter_config.json": adapter.config}
        )


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
