"""``biorlhf plugins``: what is installed, where it comes from, and what failed to load."""

from __future__ import annotations

import json

import typer


def print_plugins(as_json: bool) -> None:
    """Print every plugin with its distribution, and why one failed to load (without JSON: as an error)."""
    from biorlhf.plugins import catalogue

    plugins = catalogue()
    broken = [
        {"entry_point": b.entry_point, "from": str(b.provenance), "reason": b.reason} for b in plugins.broken
    ]
    if as_json:
        typer.echo(json.dumps({"plugins": [e.to_json() for e in plugins.entries], "broken": broken}))
        return
    from rich.table import Table

    from biorlhf.runs.watching.terminal import Terminal

    table = Table("kind", "name", "aliases", "distribution", "version", "summary", box=None, pad_edge=False)
    for entry in plugins.entries:
        record, source = entry.record, entry.provenance
        aliases = ", ".join(record.aliases)
        table.add_row(record.kind, record.name, aliases, source.distribution, source.version, record.summary)
    console = Terminal()
    if not console.is_terminal:  # a pipe has no width: rich would squeeze the table into 80 columns
        console = Terminal(width=200)
    console.print(table, markup=False, highlight=False)
    for item in broken:
        typer.echo(f"failed to load: {item['entry_point']} of {item['from']}: {item['reason']}", err=True)
