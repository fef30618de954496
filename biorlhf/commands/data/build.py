"""``biorlhf data build``: a lab's tables, or any dataset, as a folder of Parquet."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from biorlhf.errors import DataError, InputError


def build(
    target: Annotated[str, typer.Argument(help="A lab's YAML (see docs/datasets.md), or a dataset's name.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The folder; <name>_data by default.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask whether UP means the right thing.")
    ] = False,
    settings: Annotated[list[str], typer.Option("--set", help="A setting of the dataset, key=value.")] = [],  # noqa: B006
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write questions, SFT texts, preference pairs and splits as Parquet."""
    from biorlhf.commands.data.source import LAB_SUFFIXES, load

    if Path(target).suffix.lower() not in LAB_SUFFIXES:
        from biorlhf_plugins.making.parquet import to_parquet

        dataset = load(target, settings)
        folder = out or Path(f"{dataset.name}_data")
        paths = to_parquet(dataset, folder)
        counts = {t: len(getattr(dataset, t)) for t in ("questions", "examples", "preferences")}
        _report(folder, {"counts": counts, "files": [path.name for path in paths]}, as_json)
        return
    if settings:
        raise InputError("--set", settings[0], "settings in the lab's file itself")
    _build_lab(Path(target), out, yes, as_json)


def _build_lab(path: Path, out: Path | None, yes: bool, as_json: bool) -> None:
    from biorlhf_plugins.datasets import tables
    from biorlhf_plugins.datasets.tables.config import load_lab
    from biorlhf_plugins.datasets.tables.files import write_folder
    from biorlhf_plugins.datasets.tables.items import is_control, items
    from biorlhf_plugins.datasets.tables.slots import arrange, load_tables

    config = load_lab(path)
    loaded = load_tables(config)
    for headline, up, down in tables.orientation(loaded):
        typer.echo(headline, err=as_json)
        for label, top in (("highest", up), ("lowest", down)):
            shown = ", ".join(f"{name} ({effect:+.2f})" for name, effect in top) or "none is significant"
            typer.echo(f"  {label}: {shown}", err=as_json)
    for one in loaded:
        if one.audit:
            typer.echo(
                f"{one.spec.file}: {one.audit.agreement:.1%} of {one.audit.compared:,} signs agree with "
                f"{one.audit.file} (rank correlation {one.audit.spearman:+.2f})",
                err=as_json,
            )
        if is_control(one.spec.contrast.numerator):
            typer.echo(
                f"warning: {one.spec.file}: the numerator, {one.spec.contrast.numerator!r}, is a control; "
                "flip: true asks the questions the other way round",
                err=True,
            )
        for warning in one.results.warnings:
            typer.echo(f"warning: {warning}", err=True)
    # Only a person at a terminal can confirm; a script has said what it means in the lab's file.
    if not yes and _at_a_terminal() and not typer.confirm("Is that what UP should mean?"):
        raise DataError(
            str(path), "UP does not mean what it should", "numerator and denominator the other way round",
            hint="swap them in the contrast, and build again",
        )  # fmt: skip
    slots = arrange(config, loaded)
    folder = out or path.parent / f"{config.name}_data"
    record = write_folder(
        folder, items(config, slots), {"name": config.name, **tables.provenance(config, slots)}
    )
    for exception in slots.exceptions:
        typer.echo(f"not balanced: {exception}", err=True)
    _report(folder, record, as_json)


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()


def _report(folder: Path, record: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), **record}, ensure_ascii=False))
        return
    for name, count in record["counts"].items():
        typer.echo(f"  {name}: {count:,}")
    typer.echo(f"written: {folder}")
