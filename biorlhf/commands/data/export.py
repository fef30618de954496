"""``biorlhf data export``: JSONL for other trainers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from biorlhf.errors import InputError
from biorlhf.inputs.rows import JSON_LINES, check_output
from biorlhf.types import Dataset, Example, Preference, Question

Format = Literal["prompt-completion", "messages", "preference", "preference-messages", "questions"]


def export(
    target: Annotated[str, typer.Argument(help="A dataset's name, a file, a lab's YAML, or a built folder.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The JSONL file to write.")],
    as_format: Annotated[Format, typer.Option("--format", help="The shape of a row.")] = "prompt-completion",
    split: Annotated[str, typer.Option(help="Only this split.")] = "",
    settings: Annotated[list[str], typer.Option("--set", help="A setting of the dataset, key=value.")] = [],  # noqa: B006
    system: Annotated[str, typer.Option(help="A system message for the messages formats.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a dataset as JSONL: prompt/completion, messages, chosen/rejected, or questions."""
    from biorlhf.commands.data.source import load

    check_output("--out", out, JSON_LINES, target)
    dataset = load(target, settings)
    # Whole before the file is opened: a format without items must not leave an empty file.
    written = [row for item_split, row in rows(dataset, as_format, system) if split in ("", item_split)]
    if not written:
        splits = sorted({item_split for item_split, _ in rows(dataset, as_format, system)})
        problem = f"no items for the format {as_format}" + (f" in the split {split!r}" if split else "")
        raise InputError(target, problem, choices=splits, name=split)
    out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in written), "utf-8")
    message = {"file": str(out), "rows": len(written), "format": as_format}
    typer.echo(json.dumps(message) if as_json else f"{len(written):,} rows in {out}")


def rows(dataset: Dataset, as_format: str, system: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """(split, row) of every item that the format has a place for."""
    if as_format == "questions":
        for question in dataset.questions:
            yield question.split, plain(question)
    elif as_format.startswith("preference"):
        for pair in dataset.preferences:
            yield pair.split, _preference(pair, as_format, system)
    else:
        for example in dataset.examples:
            yield example.split, _example(example, as_format, system)


def _example(example: Example, as_format: str, system: str) -> dict[str, Any]:
    if as_format == "messages":
        return {"messages": [*_asked(example.asked, system), _answered(example.response)]}
    return {"prompt": example.asked, "completion": example.response}


def _preference(pair: Preference, as_format: str, system: str) -> dict[str, Any]:
    if as_format == "preference":
        return {"prompt": pair.asked, "chosen": pair.chosen, "rejected": pair.rejected}
    return {
        "prompt": _asked(pair.asked, system),
        "chosen": [_answered(pair.chosen)],
        "rejected": [_answered(pair.rejected)],
    }


def _asked(prompt: str, system: str) -> list[dict[str, str]]:
    before = [{"role": "system", "content": system}] if system else []
    return [*before, {"role": "user", "content": prompt}]


def _answered(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def plain(item: Question | Example | Preference) -> dict[str, Any]:
    """An item as JSON; empty fields are left out. The dataset ``jsonl`` reads it back."""
    row = dataclasses.asdict(item)
    return {key: value for key, value in row.items() if value not in ("", None, ())}
