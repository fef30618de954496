"""``python -m biorlhf.data [FOLDER]``: write the KMP study's SFT texts and test questions anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from biorlhf.cli import main
from biorlhf.compat.study import write_files


def write(
    folder: Annotated[Path, typer.Argument(help="Where; its MANIFEST.json is kept right.")] = Path("data"),
) -> None:
    """Write kmp_sft_final.json and kmp_test_set.json from the figures that ship."""
    for path, rows in write_files(folder).items():
        typer.echo(f"{path}: {rows} rows")


if __name__ == "__main__":
    main(lambda: typer.run(write))
