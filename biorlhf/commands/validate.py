"""``biorlhf validate``: check recipes without running them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from biorlhf import recipe as recipes
from biorlhf.errors import InputError


def validate(
    paths: Annotated[list[Path], typer.Argument(help="Recipes (YAML or JSON).")],
    overrides: Annotated[list[str] | None, typer.Option("--set", help="Override a key: a.b=value")] = None,
    address: Annotated[str | None, typer.Option(help="Whether this Ray cluster can start it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per recipe.")] = False,
) -> None:
    """Check recipes without running them: keys, plugins, data and ground truths, and whether it can start."""
    from biorlhf.commands.dryrun import outlook, outlook_lines
    from biorlhf.runs import data, pipeline
    from biorlhf.runs.store import refuse_unwritable

    wrong = 0
    for path in paths:
        try:
            # All that a run does before it starts anything: settings, data, ground truths, the composer.
            recipe = recipes.load(path, tuple(overrides or ()))
            refuse_unwritable(recipe)
            prepared = pipeline.prepare(recipe)
            seen = outlook(prepared, address)
        except InputError as error:
            wrong += 1
            if as_json:
                typer.echo(json.dumps({"recipe": str(path), "ok": False, "error": str(error)}))
            else:
                typer.echo(f"error: {error}", err=True)
            continue
        counts = data.counts(prepared.dataset)
        if as_json:
            typer.echo(json.dumps({"recipe": str(path), "ok": True, "data": counts, **seen}))
            continue
        totals = ", ".join(f"{sum(splits.values())} {kind}" for kind, splits in counts.items())
        typer.echo(f"{path}: ok ({totals})")
        for line in outlook_lines(seen):
            typer.echo(f"  {line}")
    if wrong:
        raise typer.Exit(2)
