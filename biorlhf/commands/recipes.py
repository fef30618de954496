"""``biorlhf recipes``: the shipped recipes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from biorlhf.errors import InputError
from biorlhf.recipe.shipped import shipped


def recipes(
    name: Annotated[str | None, typer.Argument(help="A shipped recipe to copy out.")] = None,
    to: Annotated[Path, typer.Option(help="Where to copy it.")] = Path("."),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the shipped recipes, or copy one out."""
    paths = {path.stem: path for path in sorted(shipped("recipes").glob("*.yaml"))}
    if name is None:
        purposes = {
            stem: path.read_text(encoding="utf-8").splitlines()[0].removeprefix("#").strip()
            for stem, path in paths.items()
        }
        if as_json:
            rows = [{"name": stem, "purpose": text} for stem, text in purposes.items()]
            typer.echo(json.dumps({"recipes": rows}, ensure_ascii=False))
        else:
            for stem, text in purposes.items():
                typer.echo(f"{stem}: {text}")
        return
    stem = name.removesuffix(".yaml")
    if stem not in paths:
        raise InputError("biorlhf recipes", f"no shipped recipe {name!r}", choices=paths, name=stem)
    target = to / paths[stem].name if to.is_dir() else to
    if target.exists():
        raise InputError("biorlhf recipes", f"{target} exists", f"another name: --to my_{target.name}")
    if not target.parent.is_dir():
        raise InputError("--to", f"there is no folder {str(target.parent)!r}", "a folder that exists")
    target.write_text(paths[stem].read_text(encoding="utf-8"), encoding="utf-8")
    typer.echo(json.dumps({"name": stem, "file": str(target)}) if as_json else str(target))
