"""``biorlhf run``: train as a recipe says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from biorlhf import recipe as recipes
from biorlhf.errors import InputError


def run(
    recipe: Annotated[Path | None, typer.Argument(help="A recipe (YAML or JSON).")] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a key: --set stages.0.optimizer.learning_rate=1e-5"),
    ] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with this run from its last checkpoint.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would run: no GPU and no model needed.")
    ] = False,
    address: Annotated[
        str | None, typer.Option(help="A Ray cluster; otherwise RAY_ADDRESS, otherwise a local one.")
    ] = None,
    accept_changes: Annotated[
        bool,
        typer.Option(
            "--accept-changes", help="Resume though recipe, data or plugins differ; it is recorded."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary (or the plan) as JSON.")] = False,
) -> None:
    """Train as a recipe says, on Ray, or resume a run."""
    from biorlhf.runs.store import RunStore, refuse_unwritable

    if (recipe is None) == (resume is None):
        raise InputError("biorlhf run", "give either a recipe or --resume with a run's folder")
    if accept_changes and resume is None:
        raise InputError("--accept-changes", "given without --resume", "--resume with a run's folder")
    store = RunStore.open(resume) if resume else None
    if store is not None and overrides:
        raise InputError("--set", "a resumed run keeps its recipe", "start a new run to change a setting")
    parsed = store.recipe if store else recipes.load(recipe or "", tuple(overrides or ()))
    if dry_run:
        from biorlhf.commands.dryrun import show_plan

        if store is None:  # a run that goes on stays where it is
            refuse_unwritable(parsed)
        show_plan(parsed, as_json=as_json, address=address)
        return

    from biorlhf.runs import pipeline
    from biorlhf.runs.keeping.ending import how_to_go_on
    from biorlhf.runs.progress import listener

    # To resume a complete run is no mistake: a script may call it until it is.
    folder = pipeline.run(parsed, listener(), resume=store, address=address, accept_changes=accept_changes)
    try:
        show(folder, as_json)
    except KeyboardInterrupt:
        # The command line's own end to it would say nothing of a run that is complete.
        typer.echo(how_to_go_on(folder, address), err=True)
        raise


def show(folder: Path, as_json: bool) -> None:
    """What a complete run gave."""
    if as_json:
        from biorlhf.runs.store import RunStore

        summary = RunStore(folder).read_json("summary.json")
        typer.echo(json.dumps({"folder": str(folder), **summary}, ensure_ascii=False))
        return
    from biorlhf.reports.text import summary_lines

    for line in summary_lines(folder):
        typer.echo(line)
