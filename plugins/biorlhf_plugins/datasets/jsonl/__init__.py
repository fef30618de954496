"""Your own questions, SFT texts or preference pairs: JSONL, a JSON array, CSV, TSV, or Parquet.

The rows of a file may have any of these shapes::

    {"prompt": ..., "ground_truth": {...}}                       a question for GRPO, evaluation, scoring
    {"prompt": ..., "completion": ...}                           an SFT text ("response" is accepted too)
    {"messages": [{"role": "user", ...}, {"role": "assistant", ...}]}
    {"instruction": ..., "input": ..., "output": ...}            or {"question": ..., "answer": ...}
    {"text": "### Instruction:\\n...\\n\\n### Response:\\n..."}
    {"prompt": ..., "chosen": ..., "rejected": ...}              a preference pair; sides as text or messages

``id``, ``split``, ``kind``, ``source``, ``tissue``, ``difficulty``, ``family``, ``verifiers``, ``answer``,
``split_group``, ``fact_ids`` and an ``instruction`` that asks for an answer block are read where they are
there. A text whose ``label`` (or ``desirable``, ``correct``, ``accepted``) is false is refused. A folder
that ``biorlhf data build`` wrote is read as a whole, with its names.
"""

from __future__ import annotations

import functools
import hashlib
import operator
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from biorlhf import (
    DataError,
    Dataset,
    DatasetPlugin,
    Example,
    InputPath,
    PluginConfig,
    Preference,
    Question,
    hookimpl,
)
from biorlhf.inputs.rows import read_rows
from biorlhf.types import Names, Split
from biorlhf_plugins.datasets.jsonl.shapes import Item, read_item
from biorlhf_plugins.making.names import read_names

BUILT = ("questions.parquet", "examples.parquet", "preferences.parquet")


class JsonlConfig(PluginConfig):
    """Settings of the dataset ``jsonl``.

    ``split`` is for rows that name none. ``validation_fraction`` is the share of prompts, drawn by
    ``seed``, that is moved from training to validation; rows with one prompt stay together.
    """

    file: InputPath | tuple[InputPath, ...]
    split: Literal["train", "validation", "test"] = "train"
    validation_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.0
    seed: int = 42
    licence: str = ""


def build(config: JsonlConfig) -> Dataset:
    """Every row of every file; raises ``DataError`` naming file, line and key."""
    names = [config.file] if isinstance(config.file, str) else list(config.file)
    paths = [path for name in names for path in _files(Path(name))]
    made: list[Item] = []
    for path in paths:
        made += [_drawn(item, config) for item in read_items(path, config.split)]
    return Dataset(
        name=Path(names[0]).stem,
        questions=tuple(item for item in made if isinstance(item, Question)),
        examples=tuple(item for item in made if isinstance(item, Example)),
        preferences=tuple(item for item in made if isinstance(item, Preference)),
        provenance={"files": [_describe(path, config.licence) for path in paths]},
        names=functools.reduce(operator.or_, (read_names(Path(name)) for name in names), Names()),
    )


def read_items(path: Path, default_split: str = "train") -> Sequence[Item]:
    """The items of one file, in order; a row without an id is named by the file and its position."""
    seen: dict[tuple[type, str], str] = {}
    items: list[Item] = []
    for number, (where, row) in enumerate(read_rows(path)):
        item = read_item(where, row, f"{path.stem}:{number}", default_split)
        # One answer is joined to its question by the id: of two, one would be judged as the other.
        first = seen.setdefault((type(item), item.id), where)
        if first != where:
            raise DataError(f"{where}: id", f"{item.id!r}, which is that of {first} too", "each id once")
        items.append(item)
    return items


def _drawn(item: Item, config: JsonlConfig) -> Item:
    digest = hashlib.sha256(f"{config.seed}:{item.prompt.strip().lower()}".encode()).digest()
    held = int.from_bytes(digest[:8], "big") / 2**64 < config.validation_fraction
    # Never out of a test that somebody has set aside.
    moves = held and item.split == Split.TRAIN
    return replace(item, split=Split.VALIDATION.value) if moves else item


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    there = [path / name for name in BUILT if (path / name).is_file()]
    # A build of test questions alone has an empty table of texts; a file of one's own must not be empty.
    files = [file for file in there if not _is_empty(file)] or there
    if not files:
        raise DataError(
            str(path), "a folder without built data", f"a file, or a folder with {', '.join(BUILT)}"
        )
    return files


def _is_empty(path: Path) -> bool:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return bool(parquet.read_metadata(path).num_rows == 0)
    except (pa.ArrowException, OSError):
        return False  # damaged, and said to be so where it is read


def _describe(path: Path, licence: str) -> dict[str, Any]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"path": path.name, "sha256": digest, "licence": licence or "not stated"}


@hookimpl
def biorlhf_datasets():
    yield DatasetPlugin(
        name="jsonl",
        aliases=("json", "file"),
        summary="your own questions, SFT texts or preference pairs (JSONL, JSON, CSV, Parquet)",
        config=JsonlConfig,
        build=build,
    )
