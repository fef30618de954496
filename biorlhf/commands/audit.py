"""``biorlhf audit``: attack the verifiers, and show which attacks pay."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biorlhf.errors import InputError
from biorlhf.types import Dataset

if TYPE_CHECKING:
    from biorlhf.audit.board import AuditReport, Cell
    from biorlhf.scoring.isolated import ScorerSpec

DATASETS = ("kmp", "genelab")


class Answer(StrEnum):
    BLOCK = "block"
    FREE = "free"
    BOTH = "both"


def audit(
    dataset: Annotated[
        list[str] | None,
        typer.Option(help="A dataset's name, a lab's YAML, a file or a built folder. The shipped ones else."),
    ] = None,
    recipe: Annotated[Path | None, typer.Option(help="Its data, verifiers and weights.")] = None,
    questions: Annotated[Path | None, typer.Option(help="Questions of your own: .jsonl.")] = None,
    verifier: Annotated[list[str] | None, typer.Option(help="A verifier's name. All by default.")] = None,
    attacks: Annotated[Path | None, typer.Option(help="A file of more attacks: .yaml.")] = None,
    answer: Annotated[
        Answer, typer.Option(help="How items are asked: for a block, freely, or both.")
    ] = Answer.BOTH,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many items of each.")] = None,
    seed: Annotated[int, typer.Option(help="Which items the limit draws.")] = 0,
    jobs: Annotated[int | None, typer.Option(min=1, help="Scorer processes. One per core else.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Attack the verifiers, and show which attacks pay.

    Every item meets its gold answer (which must score 0.95 or more) and every attack (which must not score
    more than an abstention, or must stay below the gold answer). Exits with 1 where one does better.
    """
    from biorlhf.audit import attacks as library
    from biorlhf.audit.board import AuditOptions
    from biorlhf.audit.board import audit as run_audit
    from biorlhf.commands.score import verifier_name
    from biorlhf.commands.score_view import RowProgress
    from biorlhf.ground_truth import names_of
    from biorlhf.scoring.cores import cores
    from biorlhf.scoring.pool import ScorerPool

    spec, sources = _sources(dataset, recipe, questions, verifier)
    file = library.load(attacks, verifier_name)
    forms = ("free", "block") if answer is Answer.BOTH else (answer.value,)
    reports = {}
    for name, source in sources.items():
        items = source.questions
        options = AuditOptions(limit, seed, judge_reward=recipe is not None, forms=forms)
        names = names_of(question.ground_truth for question in items) | source.names
        with ScorerPool(spec.with_names(names), jobs or cores()) as pool:
            progress = RowProgress(sys.stderr, "items")
            progress.start(min(limit or len(items), len(items)))
            try:
                reports[name] = run_audit(items, pool, file, options, partial(progress.advance, 1))
            finally:
                progress.stop()
    ok = all(report.ok for report in reports.values())
    if as_json:
        rows = {name: report.to_json() for name, report in reports.items()}
        typer.echo(json.dumps({"ok": ok, "datasets": rows}, allow_nan=False))
    else:
        for name, report in reports.items():
            print_report(name, report)
    if not ok:
        raise typer.Exit(1)


def _sources(
    dataset: Sequence[str] | None, recipe: Path | None, questions: Path | None, verifier: Sequence[str] | None
) -> tuple[ScorerSpec, dict[str, Dataset]]:
    from biorlhf.commands.data.source import load
    from biorlhf.plugins import catalogue
    from biorlhf.scoring.isolated import ScorerSpec

    if sum(bool(given) for given in (dataset, recipe, questions)) > 1:
        raise InputError("audit", "more than one of --dataset, --recipe and --questions", "one of them")
    spec = ScorerSpec(active=verifier or None, timeout_s=10)
    plugins = catalogue()
    if recipe is not None:
        from biorlhf import recipe as recipes
        from biorlhf.runs import data

        if verifier:
            raise InputError("--verifier", "stands beside --recipe, which names its own", "one or the other")
        loaded = recipes.load(recipe)
        return ScorerSpec.from_recipe(loaded), {loaded.name: data.build(loaded, plugins)}
    if questions is not None:
        built = plugins.build("dataset", "jsonl", {"file": str(questions)}, where="--questions")
        return spec, {questions.name: built}
    return spec, {name: load(name) for name in dataset or DATASETS}


def print_report(name: str, report: AuditReport) -> None:
    """The scoreboard, attack by verifier, and an example of each attack that pays."""
    from rich.table import Table

    from biorlhf.runs.watching.terminal import Terminal

    # A pipe has no width, and rich would take 80 columns.
    console = Terminal(highlight=False, emoji=False, width=None if sys.stdout.isatty() else 140)
    verifiers = list(dict.fromkeys(cell.verifier for cell in report.cells))
    by_key: dict[tuple[str, str], Any] = {(cell.attack, cell.verifier): cell for cell in report.cells}
    table = Table(title=f"{name}: {report.items} items (mean / max, !n: n texts broke their bound)")
    for column in ("attack", *verifiers):
        table.add_column(column)
    for attack in dict.fromkeys(cell.attack for cell in report.cells):
        shown = (_shown(by_key.get((attack, verifier)), report) for verifier in verifiers)
        table.add_row(attack, *shown)
    console.print(table)
    if report.without_gold:
        console.print(f"{report.without_gold} items have no gold answer: near misses of it were not tried.")
    for cell in report.beaten:
        bound = "at least" if cell.attack == "gold answer" else "at most"
        count = f"{cell.beaten} of {cell.held or cell.failed}"
        console.print(f"\n{cell.verifier}: {cell.attack}, {count}", style="bold")
        for finding in cell.findings:
            value = f"failed: {finding.reason}" if finding.value is None else f"scored {finding.value:.3f}"
            console.print(f"  {finding.id}: {value}, allowed is {bound} {finding.bound:.3f}", markup=False)
            console.print(f"    {finding.text!r}", markup=False)
    _print_constants(console, report)
    if report.ok:
        console.print(f"{name}: no attack beats its bound, and every gold answer scores 0.95 or more.")


def _print_constants(console: Any, report: AuditReport) -> None:
    """The best constant of each form of question, beside the honest guess and an abstention."""
    from rich.table import Table

    if not report.constants:
        return
    table = Table(title="the best constant answer, against an honest guess that knows the shares alone")
    for column in (
        "question form",
        "n",
        "verifier",
        "constant",
        "right",
        "earns",
        "honest guess",
        "abstaining",
    ):
        table.add_column(column)
    for one in report.constants:
        answer = f"{one.answer}, {one.confidence}%"
        earned = f"[red]{one.mean:.3f} pays[/red]" if one.pays else f"{one.mean:.3f}"
        figures = (f"{one.share:.0%}", earned, f"{one.bound:.3f}", f"{one.abstention:.3f}")
        table.add_row(one.form, str(one.questions), one.verifier, answer, *figures)
    console.print(table)


def _shown(cell: Cell | None, report: AuditReport) -> str:
    if cell is None or (cell.mean is None and not cell.failed):
        return "-"
    text = (
        "failed"
        if cell.mean is None
        else f"{cell.mean:.3f} / {cell.least if _is_gold(cell) else cell.most:.3f}"
    )
    beaten = f" !{cell.beaten}" if cell.beaten else ""
    return f"[red]{text}{beaten}[/red]" if cell in report.beaten else text + beaten


def _is_gold(cell: Cell) -> bool:
    return cell.attack == "gold answer"
