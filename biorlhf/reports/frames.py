"""Tables for a notebook: what was asked and answered, and every step; Arrow, pandas or polars."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from biorlhf.errors import InputError
from biorlhf.inputs.extras import need
from biorlhf.runs.folder import Run, read_run
from biorlhf.types import Question, ScoredGroup

Kind = Literal["arrow", "pandas", "polars"]
KINDS = ("arrow", "pandas", "polars")


def table(rows: Sequence[dict[str, Any]], kind: Kind = "pandas") -> Any:
    """Rows as a pyarrow table, a pandas or a polars DataFrame; what is no plain value is JSON in a cell.

    Raises:
        InputError: another kind.
        ResourceError: the package is not installed.
    """
    if kind not in KINDS:
        raise InputError("kind", repr(kind), choices=KINDS, name=str(kind))
    names = dict.fromkeys(name for row in rows for name in row)
    plain = [{name: _plain(row.get(name)) for name in names} for row in rows]
    arrow = pa.Table.from_pylist(plain) if plain else pa.table({})
    if kind == "arrow":
        return arrow
    library = need(kind, f"a {kind} DataFrame")
    return library.from_arrow(arrow) if kind == "polars" else arrow.to_pandas()


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | None) else json.dumps(value, ensure_ascii=False)


def questions(items: Iterable[Question], kind: Kind = "pandas") -> Any:
    """One row a question, its ground truth as JSON."""
    return table([dataclasses.asdict(item) for item in items], kind)


def metrics(run: Run | str | Path, kind: Kind = "pandas") -> Any:
    """One row a step, as in ``metrics.jsonl``, of a run or its folder."""
    return table((run if isinstance(run, Run) else read_run(run)).metrics, kind)


def _rows(groups: Iterable[ScoredGroup]) -> Iterator[dict[str, Any]]:
    for scored in groups:
        question = scored.group.question
        for completion, reward in zip(scored.group.completions, scored.rewards, strict=True):
            yield {
                "question_id": question.id,
                "kind": question.kind,
                "prompt": question.prompt,
                "completion": completion.text,
                "truncated": completion.truncated,
                "reward": reward.total,
                **{f"score_{name}": score.value for name, score in reward.scores.items()},
                **{f"status_{name}": score.status.value for name, score in reward.scores.items()},
            }


def answers(
    of: Run | str | Path | Iterable[ScoredGroup], kind: Kind = "pandas", *, when: str | None = None
) -> Any:
    """One row an answer, with its reward and each verifier's score.

    Args:
        of: a run or its folder (``when`` names its evaluation, the last by default), or the groups of an
            evaluation.
        kind: which kind of table.

    Raises:
        InputError: the run has no evaluation of that name.
    """
    if isinstance(of, str | Path):
        of = read_run(of)
    if not isinstance(of, Run):
        return table(list(_rows(of)), kind)
    import pyarrow.parquet as pq

    files = {path.stem: path for path in (of.folder / "evaluations").glob("*.parquet")}
    name = when if when is not None else next((n for n in reversed(of.evaluations) if n in files), "")
    if name not in files:
        raise InputError(str(of.folder), f"no evaluation named {name!r}", choices=files, name=name)
    return table(pq.read_table(files[name]).to_pylist(), kind)
