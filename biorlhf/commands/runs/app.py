"""``biorlhf runs``: which runs there are, how far each is, and what can go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, invoke_without_command=True, rich_markup_mode=None)

Folder = Annotated[Path, typer.Option(help="Where the runs lie.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def runs(context: typer.Context, folder: Folder = Path("runs"), as_json: AsJson = False) -> None:
    """List runs, the newest first: stage, step, time left, result, size."""
    if context.invoked_subcommand is not None:
        return
    from biorlhf.commands.runs.listing import listing, print_listing

    rows = listing(folder)
    if as_json:
        typer.echo(json.dumps({"runs": rows}, ensure_ascii=False))
    else:
        print_listing(rows, folder)


@app.command()
def show(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    as_json: AsJson = False,
) -> None:
    """Show one run: how far it is, what it learnt, what it holds, and what can be done with it."""
    from biorlhf.commands.runs.listing import details, print_details

    found = details(run)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        print_details(found)


@app.command()
def watch(
    run: Annotated[Path | None, typer.Argument(help="A run's folder; the newest by default.")] = None,
    folder: Folder = Path("runs"),
) -> None:
    """Watch a run that another terminal, or a job on a cluster, works on. Ctrl-C leaves the run alone."""
    from biorlhf.commands.runs.watch import follow, newest

    follow(run or newest(folder))


@app.command()
def clean(
    runs: Annotated[list[Path] | None, typer.Argument(help="Runs; all that are complete if none.")] = None,
    folder: Folder = Path("runs"),
    rollouts: Annotated[bool, typer.Option("--rollouts", help="The answers of training, too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove checkpoints, which a complete run does not need. Adapters, numbers and evaluations stay."""
    from biorlhf.commands.runs.clean import removable, remove

    found = removable(runs, folder, rollouts=rollouts)
    removed = remove(found, yes=yes, quiet=as_json)
    if as_json:
        typer.echo(json.dumps(removed, ensure_ascii=False))
