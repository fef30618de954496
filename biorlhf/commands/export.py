"""``biorlhf export``: give a trained model away, in the form that its user's program reads, with a card."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biorlhf.errors import InputError
from biorlhf.inputs import privacy

if TYPE_CHECKING:
    from biorlhf.recipe.policy import Trained

MARK = "biorlhf_export.json"
FORMATS = ("peft", "vllm", "merged", "gguf", "ollama")
#: Format -> dtypes that its weights may have; the first is the default where the run's base was fp32.
DTYPES = {
    "peft": (),
    "vllm": (),
    "merged": ("fp32", "bf16"),
    "gguf": ("f16", "bf16", "f32", "q8_0"),
    "ollama": ("f16", "bf16", "f32", "q8_0"),
}


def export(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    to: Annotated[Path, typer.Option(help="The folder to write.")],
    form: Annotated[str, typer.Option("--format", help="peft, vllm, merged, gguf or ollama.")] = "",
    merged: Annotated[bool, typer.Option("--merged", help="The same as --format merged.")] = False,
    dtype: Annotated[
        str | None, typer.Option(help="merged: fp32, bf16; gguf and ollama: f16, bf16, f32, q8_0.")
    ] = None,
    adapter: Annotated[Path | None, typer.Option(help="Another adapter than the run's last.")] = None,
    push: Annotated[str, typer.Option(help="Upload to this Hub repository, owner/name (private).")] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export at --to.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Write a run's adapter, merged weights, a GGUF file or an Ollama model, with a card.

    What was written is loaded again, and its log-probabilities are compared with those of the trained
    policy; a folder that fails this never appears under its name.
    """
    from biorlhf.commands.generate import hush
    from biorlhf.serving import policy

    hush()
    form = _format(form, merged)
    _check_dtype(form, dtype)
    _check_target(to, force)
    if push:
        from biorlhf.serving import hub

        hub.check_name(push)
    chosen = policy.of_run(run, adapter=adapter)
    written = export_to(to, chosen, form=form, dtype=dtype)
    if push:
        written |= {"pushed": hub.push(to, push)}
    if as_json:
        typer.echo(json.dumps({"folder": str(to), **written}))
        return
    typer.echo(f"checked: {written['check']}\nwritten: {to} ({written['kind']})")
    for label, value in (("use it", written["use"]), ("pushed", written.get("pushed"))):
        if value:
            typer.echo(f"{label}: {value}")


def _format(form: str, merged: bool) -> str:
    if merged and form not in ("", "merged"):
        raise InputError("--merged", f"given with --format {form}", "one or the other")
    chosen = form or ("merged" if merged else "peft")
    if chosen not in FORMATS:
        raise InputError("--format", repr(chosen), choices=FORMATS, name=chosen)
    return chosen


def _check_dtype(form: str, dtype: str | None) -> None:
    if dtype is None:
        return
    if not DTYPES[form]:
        raise InputError("--dtype", "given without --merged", "an adapter is written as it was trained")
    if dtype not in DTYPES[form]:
        raise InputError("--dtype", repr(dtype), choices=DTYPES[form], name=dtype)


def _dtype(form: str, dtype: str | None, chosen: Trained) -> str:
    """That of the weights that are written; for an adapter, that of the check."""
    if dtype is not None:
        return dtype
    if form in ("gguf", "ollama"):
        return "f16"
    return "fp32" if chosen.recipe.model.dtype == "fp32" else "bf16"


def export_to(to: Path, chosen: Trained, *, form: str, dtype: str | None) -> dict[str, Any]:
    """Write the folder as a whole, replacing what is there; returns what its ``biorlhf_export.json`` says.

    ``dtype`` is that of the weights, and of the check: by default fp32 where the run's base was fp32 and bf16
    otherwise, f16 in a GGUF file.
    """
    from biorlhf import api
    from biorlhf.engines.models import export as engine
    from biorlhf.engines.models.base_files import PACKAGED
    from biorlhf.engines.models.load import base_name
    from biorlhf.plugins import own_version
    from biorlhf.reports import card
    from biorlhf.reports import run as report
    from biorlhf.serving import forms

    used = _dtype(form, dtype, chosen)
    kind = "adapter" if form in ("peft", "vllm") else form
    # What cannot be checked must not lie under the name that was asked for.
    partial = to.with_name(f".{to.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir(mode=0o700)
        _write(partial, chosen, kind, used)
        checked = engine.check(partial, chosen, used, merged=kind != "adapter")
        if form == "ollama":
            checked += "; Ollama itself was not run"
        sha256 = engine.adapter_of(chosen).ref.sha256
        base = base_name(chosen.recipe.model.base)
        written = {
            "kind": kind,
            "base": base,
            "dtype": used,
            "adapter_sha256": sha256,
            "check": checked,
            "use": forms.command(form, to, chosen),
        }
        assert chosen.run is not None
        run, evaluations = report.load_run(chosen.run), api.read_run(chosen.run).evaluations
        own = tuple(when for when, contents in evaluations.items() if contents["adapter"]["sha256"] == sha256)
        export = card.Given(kind, base, used, sha256, chosen.origin, checked, own, base in PACKAGED)
        (partial / "README.md").write_text(card.card(export, run, own_version()), encoding="utf-8")
        given = {key: value for key, value in written.items() if key != "use"}  # it names a place here
        (partial / MARK).write_text(json.dumps({"biorlhf": own_version(), **given}, indent=2) + "\n")
        if to.exists():
            shutil.rmtree(to)
        privacy.publish(partial, to)
    except OSError as error:
        raise InputError("--to", f"{to} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return written


def _write(folder: Path, chosen: Trained, kind: str, dtype: str) -> None:
    from biorlhf.engines.models import export as engine
    from biorlhf.serving import forms

    if kind == "adapter":
        engine.write_adapter(folder, chosen)
    elif kind == "merged":
        engine.write_merged(folder, chosen, dtype)
    else:
        engine.write_gguf(folder, chosen, dtype)
    if kind == "ollama":
        (folder / "Modelfile").write_text(forms.modelfile(chosen, engine.chat_template(chosen)), "utf-8")


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
