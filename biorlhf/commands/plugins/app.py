"""``biorlhf plugins``: list them; ``plugins new`` writes the package of a new one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, invoke_without_command=True, rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def plugins(context: typer.Context, as_json: AsJson = False) -> None:
    """List verifiers, datasets, trainers and evaluators with their distributions."""
    if context.invoked_subcommand is None:
        from biorlhf.commands.plugins.listing import print_plugins

        print_plugins(as_json)


@app.command()
def new(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="verifier, dataset, trainer or evaluator.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name in recipes: my_verifier.")],
    folder: Annotated[Path, typer.Option(help="Where the package's folder NAME is made.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Write a small installable package with a working plugin, a test, and the place to edit."""
    from biorlhf.commands.plugins.new import NewPlugin, write

    plugin = NewPlugin(kind, name)
    files = write(plugin, folder)
    place = folder / name
    if as_json:
        row = {"kind": kind, "name": name, "folder": str(place), "files": [str(path) for path in files]}
        typer.echo(json.dumps(row, ensure_ascii=False))
        return
    typer.echo(
        f"wrote {place}: the {kind} {name}\n"
        f"  edit     {place / plugin.module}, where it says EDIT HERE\n"
        f"  install  pip install -e {place}\n"
        f"  see it   biorlhf plugins\n"
        f"  test     python -m pytest {place}"
    )
