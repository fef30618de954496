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
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per recipe.")] = False,
) -> None:
    """Check recipes without running them: keys, types, plugins and settings, weights that pay for lies."""
    from biorlhf.plugins import catalogue
    from biorlhf.runs.pipeline import composer_of

    wrong = 0
    for path in paths:
        try:
            recipe = recipes.load(path, tuple(overrides or ()))
            if recipe.verifiers:
                # The schema cannot see weights under which a wrong answer pays; building the composer can.
                composer_of(recipe, catalogue())
        except InputError as error:
            wrong += 1
            if as_json:
                typer.echo(json.dumps({"recipe": str(path), "ok": False, "error": str(error)}))
            else:
                typer.echo(f"error: {error}", err=True)
        else:
            typer.echo(json.dumps({"recipe": str(path), "ok": True}) if as_json else f"{path}: ok")
    if wrong:
        raise typer.Exit(2)
