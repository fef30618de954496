"""``biorlhf runs clean``: what goes, and what is refused."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import typer
from rich.filesize import decimal

from biorlhf.commands.runs.listing import folders, size
from biorlhf.errors import InputError
from biorlhf.runs.folder import read_run
from biorlhf.runs.keeping.lock import Lock
from biorlhf.runs.watching.progress_file import is_live


def removable(runs: Sequence[Path] | None, place: Path, *, rollouts: bool) -> dict[Path, int]:
    """Folders that can go -> their bytes.

    Raises:
        InputError: someone works on a run, or it is not complete: a resume needs its checkpoints.
    """
    chosen = list(runs) if runs else [folder for folder in folders(place) if read_run(folder).finished]
    found: dict[Path, int] = {}
    for folder in chosen:
        run = read_run(folder)
        if is_live(folder):
            raise InputError(str(folder), "a process works on this run", "a run that nobody works on")
        if not run.finished:
            raise InputError(
                str(folder),
                "this run is not complete: without its checkpoints it cannot go on",
                "a complete run",
                hint=f"go on with it: biorlhf run --resume {folder}",
            )
        parts = [folder / "checkpoints", *([folder / "rollouts"] if rollouts else [])]
        found |= {part: count for part in parts if part.is_dir() and (count := size(part))}
    return found


def remove(found: Mapping[Path, int], *, yes: bool, quiet: bool) -> dict[str, Any]:
    """Ask, and remove; what remains of each is an empty folder, as a run begins with.

    Raises:
        InputError: there is nobody to ask, or a process has taken one of the runs meanwhile.
    """
    total = sum(found.values())
    if not found:
        if not quiet:
            typer.echo("nothing to remove")
    elif not yes:
        if not sys.stdin.isatty():
            raise InputError(
                "biorlhf runs clean", f"{decimal(total)} would go", "--yes, or a terminal to ask at"
            )
        for part, count in found.items():
            typer.echo(f"  {part}  {decimal(count)}", err=quiet)
        typer.confirm(
            f"remove {decimal(total)}? Adapters, numbers and evaluations stay", abort=True, err=quiet
        )
    with ExitStack() as held:
        # While it was asked, someone may have gone on with one.
        for folder in sorted({part.parent for part in found}):
            held.callback(Lock(folder).release)
        for part in found:
            shutil.rmtree(part)
            part.mkdir()
    if found and not quiet:
        typer.echo(f"removed: {decimal(total)}")
    return {"removed": {str(part): count for part, count in found.items()}, "bytes": total}
