"""``biorlhf compare``: two runs, paired by question."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biorlhf.errors import InputError

if TYPE_CHECKING:
    from biorlhf.statistics.paired import Row

HEADLINE = {("reward", "reward"), ("question_answering", "overall.accuracy"), ("calibration", "brier")}
MOST_KEYS = 12


def compare(
    run_a: Annotated[Path, typer.Argument(help="A run's folder.")],
    run_b: Annotated[Path, typer.Argument(help="Another run's folder.")],
    when: Annotated[
        str | None, typer.Option(help="Which evaluation: start, after-<stage>; the last by default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Compare two runs' evaluations question by question, and say what is inside the noise."""
    from biorlhf.reports.answers import other_prompts, recipe_differences
    from biorlhf.reports.run import evaluation_at, load_run
    from biorlhf.statistics.paired import compare as compare_reports
    from biorlhf.statistics.paired import shared_questions, without

    runs = [load_run(run_a), load_run(run_b)]
    for loaded in runs:
        for problem in loaded.problems:
            typer.echo(f"unreadable: {loaded.folder}: {problem}", err=True)
    evaluations = [evaluation_at(run, when) for run in runs]
    reworded = other_prompts(runs[0], runs[1], [evaluation.when for evaluation in evaluations])
    # A question in other words is another question, though its id is the same.
    reports = [without(evaluation.reports, set(reworded)) for evaluation in evaluations]
    both, only_a, only_b = shared_questions(reports[0], reports[1])
    if both == 0:
        raise InputError(
            f"{run_a} and {run_b}",
            f"no question was asked in both ({only_a} in the first alone, {only_b} in the second alone, "
            f"{len(reworded)} in other words)",
            "runs that were evaluated on the same questions",
        )
    rows = compare_reports(reports)
    summary = {
        "runs": [str(run.folder) for run in runs],
        "evaluations": [evaluation.when for evaluation in evaluations],
        "questions": {
            "both": both,
            "only_first": only_a,
            "only_second": only_b,
            "reworded": len(reworded),
        },
        "recipe": [
            {"key": key, "first": a, "second": b} for key, a, b in recipe_differences(runs[0], runs[1])
        ],
        "metrics": [row.to_json() for row in rows],
        "conclusion": _conclusion(rows),
    }
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False, allow_nan=False))
        return
    _print(summary, rows)


def _conclusion(rows: list[Row]) -> str:
    compared = [row for row in rows if row.difference is not None]
    outside = [row for row in compared if row.difference is not None and not row.difference.is_noise]
    if not compared:
        return "nothing can be compared: no metric has single answers in both runs"
    if not outside:
        return f"all {len(compared)} differences are inside noise: these runs cannot be told apart"
    named = ", ".join(f"{row.evaluator} {row.metric} {row.verdict}" for row in outside[:6])
    more = f", and {len(outside) - 6} more" if len(outside) > 6 else ""
    # A 95 % interval misses zero once in twenty where nothing changed.
    chance = max(1, round(len(compared) / 20))
    return (
        f"{len(outside)} of {len(compared)} differences are outside noise (about {chance} would be by chance "
        f"alone); second run against the first: {named}{more}"
    )


def _print(summary: dict[str, Any], rows: list[Row]) -> None:
    from biorlhf.commands.report import print_rows
    from biorlhf.runs.watching.terminal import Terminal

    console = Terminal(highlight=False)
    questions = summary["questions"]
    for letter, folder, when in zip("AB", summary["runs"], summary["evaluations"], strict=True):
        console.print(f"{letter}: {folder}, {when}", markup=False, soft_wrap=True)
    console.print(
        f"{questions['both']} questions in both; difference B − A, paired by question, 95 % intervals"
    )
    if questions["only_first"] or questions["only_second"]:
        alone = f"{questions['only_first']} questions of A alone, {questions['only_second']} of B alone"
        console.print(f"not compared: {alone}")
    if questions["reworded"]:
        console.print(f"not compared: {questions['reworded']} questions that the two runs put in other words")
    for change in summary["recipe"][:MOST_KEYS]:
        text = f"recipe: {change['key']}: {change['first']!r} in A, {change['second']!r} in B"
        console.print(text, markup=False, soft_wrap=True)
    if len(summary["recipe"]) > MOST_KEYS:
        console.print(f"recipe: {len(summary['recipe']) - MOST_KEYS} more keys differ; see --json")
    print_rows(console, rows, ["A", "B"])
    for row in rows:
        if row.difference is not None and (row.evaluator, row.metric) in HEADLINE:
            seen = f"a true difference of {row.difference.detectable:.3f} would show four times out of five"
            console.print(f"{row.evaluator} {row.metric}: {seen}", markup=False, soft_wrap=True)
    console.print(summary["conclusion"], markup=False, soft_wrap=True)
    console.print("One run of each says nothing about other seeds.")
