"""``biorlhf data build``: a lab's tables, or any dataset, as a folder of Parquet."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from biorlhf.errors import InputError


def build(
    target: Annotated[str, typer.Argument(help="A lab's YAML (see docs/datasets.md), or a dataset's name.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The folder; <name>_data by default.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask whether UP means the right thing.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace what was built before.")] = False,
    settings: Annotated[list[str], typer.Option("--set", help="A setting of the dataset, key=value.")] = [],  # noqa: B006
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write questions, SFT texts, preference pairs and splits as Parquet."""
    from biorlhf.commands.data.source import is_lab, resolve
    from biorlhf.plugins import catalogue

    if settings and is_lab(target):
        raise InputError("--set", settings[0], "settings in the lab's file itself")
    name, values = resolve(target, settings)
    ready = catalogue().stream(name, values, where=f"dataset {name}")
    place = Path(target).parent if is_lab(target) else Path()
    folder = out or place / f"{ready.name}_data"
    if folder.exists() and not folder.is_dir():
        raise InputError("--out", f"{folder} is a file", "a folder")
    # Before a question is asked: nobody should answer it in vain.
    # What a killed build left has no provenance, which is written last, and is nobody's loss.
    if not force and (folder / "provenance.json").exists():
        raise InputError("--out", f"{folder} exists", "another folder, or --force")
    for line in ready.lines:
        typer.echo(line, err=as_json)
    for warning in ready.warnings:
        typer.echo(f"warning: {warning}", err=True)
    # Only a person at a terminal can confirm; a script has said what it means in the lab's file.
    asked = bool(ready.question) and not yes and _at_a_terminal()
    if asked and not typer.confirm(ready.question):
        raise ready.refusal or InputError(target, "not confirmed")
    _report(folder, ready.write(folder), as_json)


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()


def _report(folder: Path, record: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), **record}, ensure_ascii=False))
        return
    for name, count in record["counts"].items():
        typer.echo(f"  {name}: {count:,}")
    typer.echo(f"written: {folder}")
