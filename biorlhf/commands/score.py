"""``biorlhf score``: judge answers in a file, without a model."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from biorlhf.commands.score_view import RowProgress, print_explanation, print_summary
from biorlhf.errors import InputError
from biorlhf.inputs.rows import JSON_LINES, PARQUET, check_output
from biorlhf.scoring.isolated import ScorerSpec


def score(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Answers: .jsonl or .parquet.")],
    out: Annotated[Path | None, typer.Option(help="Where to write scores: .jsonl or .parquet.")] = None,
    verifiers: Annotated[str | None, typer.Option(help="As in V1,V4. All by default.")] = None,
    weights: Annotated[str | None, typer.Option(help="As in V1=0.6,V4=0.4. Equal by default.")] = None,
    recipe: Annotated[Path | None, typer.Option(help="Take verifiers, weights and limits from it.")] = None,
    explain: Annotated[str | None, typer.Option(metavar="ID", help="Show how its reward arose.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    jobs: Annotated[int | None, typer.Option(help="Scorer processes. One per core by default.")] = None,
) -> None:
    """Score answers in a file, without a model.

    A line of IN is {"id", "prompt", "response", "ground_truth", "kind"?, "verifiers"?, "instruction"?}, a
    line of OUT {"id", "reward", "scores"}, in the same order. Where its instruction asks for an answer block,
    a response without one is no answer. With --explain and no --out, only that row is scored.
    """
    from biorlhf.scoring.pool import FileJob, score_file
    from biorlhf.scoring.rows import output_row

    if out is None and explain is None:
        raise InputError(
            "score", "nowhere to write the scores", "--out FILE, or --explain ID to look at one row"
        )
    if out is not None:
        check_output("--out", out, JSON_LINES + PARQUET, source)
    spec = spec_of(verifiers, weights, recipe)
    progress = RowProgress(sys.stderr)
    try:
        job = FileJob(source, out, spec, verifier_name, jobs, explain)
        summary, explained = score_file(job, progress.start, progress.advance)
    finally:
        progress.stop()
    if as_json:
        row = {"out": str(out) if out else None, **summary.to_json()}
        if explained:
            row["explained"] = output_row(*explained)
        typer.echo(json.dumps(row, allow_nan=False))
        return
    if explained:
        print_explanation(*explained, summary.weights)
    if out is not None:
        print_summary(summary, out)


def spec_of(verifiers: str | None, weights: str | None, recipe: Path | None) -> ScorerSpec:
    """The scorer that the options ask for; raises ``InputError`` where they contradict each other."""
    if recipe is not None:
        if verifiers or weights:
            raise InputError("--recipe", "stands beside --verifiers or --weights", "one or the other")
        from biorlhf import recipe as recipes

        return ScorerSpec.from_recipe(recipes.load(recipe))
    weight_of = _weights(weights) if weights else None
    active: list[str] | None = list(weight_of) if weight_of else None
    if verifiers:
        active = [name.strip() for name in verifiers.split(",") if name.strip()]
    return ScorerSpec(active=active, weights=weight_of)


def _weights(text: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if name.strip() in weights:
            raise InputError("--weights", f"{name.strip()!r} stands twice", "each name once")
        try:
            weights[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals or not name.strip():
            raise InputError("--weights", f"{part!r}", "NAME=NUMBER, with commas between: V1=0.6,V4=0.4")
    return weights


def verifier_name(name: str) -> str:
    """The name of the verifier that a name or alias stands for."""
    from biorlhf.plugins import catalogue

    return catalogue().get("verifier", name).record.name
