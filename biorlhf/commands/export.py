"""``biorlhf export``: give a trained model away, as an adapter or as merged weights, with a card."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biorlhf.errors import InputError

if TYPE_CHECKING:
    from biorlhf.recipe.policy import Trained

MARK = "biorlhf_export.json"
DTYPES = ("bf16", "fp32")


def export(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    to: Annotated[Path, typer.Option(help="The folder to write.")],
    merged: Annotated[bool, typer.Option("--merged", help="Whole weights instead of the adapter.")] = False,
    dtype: Annotated[str | None, typer.Option(help="Of merged weights: bf16 or fp32.")] = None,
    adapter: Annotated[Path | None, typer.Option(help="Another adapter than the run's last.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export at --to.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Write a run's adapter, or merged weights, with a card that states data, recipe and results.

    What was written is loaded again, and its log-probabilities are compared with those of the trained
    policy; a folder that fails this never appears under its name.
    """
    from biorlhf.serving import policy

    if dtype is not None and not merged:
        raise InputError("--dtype", "given without --merged", "an adapter is written as it was trained")
    if dtype is not None and dtype not in DTYPES:
        raise InputError("--dtype", repr(dtype), choices=DTYPES, name=dtype)
    _check_target(to, force)
    chosen = policy.of_run(run, adapter=adapter)
    written = export_to(to, chosen, merged=merged, dtype=dtype)
    if as_json:
        typer.echo(json.dumps({"folder": str(to), **written}))
    else:
        typer.echo(f"checked: {written['check']}\nwritten: {to} ({written['kind']})")


def export_to(to: Path, chosen: Trained, *, merged: bool, dtype: str | None) -> dict[str, Any]:
    """Write the folder as a whole, replacing what is there; returns what its ``biorlhf_export.json`` says.

    ``dtype`` is that of merged weights, and of the check:
    fp32 by default where the run's base was fp32, bf16 otherwise.
    """
    from biorlhf import api
    from biorlhf.engines.models import export as engine
    from biorlhf.engines.models.base_files import PACKAGED
    from biorlhf.engines.models.load import base_name
    from biorlhf.plugins import own_version
    from biorlhf.reports import card
    from biorlhf.reports import run as report

    kind = "merged" if merged else "adapter"
    used = dtype or ("fp32" if chosen.recipe.model.dtype == "fp32" else "bf16")
    # What cannot be checked must not lie under the name that was asked for.
    partial = to.with_name(f".{to.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        if merged:
            engine.write_merged(partial, chosen, used)
        else:
            engine.write_adapter(partial, chosen)
        checked = engine.check(partial, chosen, used, merged=merged)
        sha256 = engine.adapter_of(chosen).ref.sha256
        base = base_name(chosen.recipe.model.base)
        written = {"kind": kind, "base": base, "dtype": used, "adapter_sha256": sha256, "check": checked}
        assert chosen.run is not None
        run, evaluations = report.load_run(chosen.run), api.read_run(chosen.run).evaluations
        own = tuple(when for when, contents in evaluations.items() if contents["adapter"]["sha256"] == sha256)
        export = card.Given(kind, base, used, sha256, chosen.origin, checked, own, base in PACKAGED)
        (partial / "README.md").write_text(card.card(export, run, own_version()), encoding="utf-8")
        (partial / MARK).write_text(json.dumps({"biorlhf": own_version(), **written}, indent=2) + "\n")
        if to.exists():
            shutil.rmtree(to)
        partial.rename(to)
    except OSError as error:
        raise InputError("--to", f"{to} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return written


def _check_target(to: Path, force: bool) -> None:
    """Only an empty folder or an earlier export is ever replaced."""
    if not to.exists():
        return
    if not to.is_dir():
        raise InputError("--to", f"{to} is a file", "a folder that does not exist yet")
    if any(to.iterdir()):
        if not (to / MARK).is_file():
            raise InputError("--to", f"{to} exists and is no earlier export", "a folder that is new or empty")
        if not force:
            raise InputError("--to", f"{to} exists", "another folder, or --force to replace the export")
