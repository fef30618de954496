"""``biorlhf data``: list, show, stats, build, check, export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from biorlhf.commands.data.build import build
from biorlhf.commands.data.check import check
from biorlhf.commands.data.export import export
from biorlhf.inputs.rows import check_output

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)
app.command("build")(build)
app.command("check")(check)
app.command("export")(export)

Target = Annotated[
    str, typer.Argument(help="A dataset's name, a file of rows, a lab's YAML, or a built folder.")
]
Settings = Annotated[
    list[str], typer.Option("--set", help="A setting of the dataset, key=value; may be repeated.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_datasets(as_json: AsJson = False) -> None:
    """List the datasets, and how many items those have that need no settings."""
    from biorlhf.commands.data.stats import listing

    rows = listing()
    if as_json:
        typer.echo(json.dumps({"datasets": rows}, ensure_ascii=False))
        return
    from rich.table import Table

    from biorlhf.runs.watching.terminal import Terminal

    table = Table("name", "questions", "examples", "preferences", "summary", box=None, pad_edge=False)
    for row in rows:
        counts = row["counts"]
        cells = [f"{counts[key]:,}" if counts else "-" for key in ("questions", "examples", "preferences")]
        table.add_row(row["name"], *cells, row["summary"])
    Terminal().print(table, markup=False, highlight=False)
    for row in rows:
        if row["needs"]:
            typer.echo(f"{row['name']} needs: {row['needs']}")


@app.command()
def show(
    target: Target,
    settings: Settings = [],  # noqa: B006  (typer reads the default and never changes it)
    table: Annotated[
        str, typer.Option(help="questions, examples or preferences; all three by default.")
    ] = "",
    item: Annotated[str, typer.Option("--id", help="Only the item with this id.")] = "",
    family: Annotated[str, typer.Option(help="Only this family or kind.")] = "",
    split: Annotated[str, typer.Option(help="Only this split.")] = "",
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="How many of each table.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Print items as a person wants to read them."""
    from biorlhf.commands.data.show import Wanted, choose, print_items
    from biorlhf.commands.data.source import load

    chosen = choose(load(target, settings), Wanted(table, item, family, split, limit))
    if as_json:
        from biorlhf.commands.data.export import plain

        typer.echo(json.dumps({"items": [plain(one) for one in chosen]}, ensure_ascii=False))
        return
    print_items(chosen)


@app.command()
def stats(
    target: Target,
    settings: Settings = [],  # noqa: B006
    out: Annotated[Path | None, typer.Option(help="Write the JSON here as well.")] = None,
    as_json: AsJson = False,
) -> None:
    """Count by family, tissue, direction, split, difficulty, length; the best constant answer's accuracy."""
    from biorlhf.commands.data.source import load
    from biorlhf.commands.data.stats import print_stats, statistics

    if out is not None:
        check_output("--out", out, (".json",), target)
    figures = statistics(load(target, settings))
    if out is not None:
        out.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", "utf-8")
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False))
        return
    print_stats(figures)
