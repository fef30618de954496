"""``biorlhf data check``: an audit of training text against a fact table, and against itself."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from biorlhf.inputs.rows import check_output


def check(
    file: Annotated[
        Path,
        typer.Argument(
            help="SFT texts, pairs or questions (JSONL, JSON, Parquet), or a folder of `data build`."
        ),
    ],
    facts: Annotated[
        str,
        typer.Option(help="kmp, a lab's YAML, or a CSV with the columns entity, condition, quantity, value."),
    ] = "",
    against: Annotated[
        Path | None, typer.Option(help="A second file (the test set) that must share nothing with the first.")
    ] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the findings here as JSON.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only the counts.")] = False,
) -> None:
    """Find contradictions, leaks, duplicates and give-aways in training text. Exit code 1 on errors."""
    from biorlhf.plugins import builtin_part

    checks = builtin_part("check")
    if json_out is not None:
        check_output("--json", json_out, (".json",), file, *([against] if against else []))
    facts_table = checks.load_facts(facts) if facts else None
    findings = [finding.to_json() for finding in checks.audit_path(file, facts_table, against)]
    counts = Counter(finding["severity"] for finding in findings)
    if json_out is not None:
        json_out.write_text(json.dumps({"findings": findings}, indent=1, ensure_ascii=False) + "\n", "utf-8")
    if not quiet:
        for finding in findings:
            _print(file, finding)
    totals = ", ".join(f"{counts[severity]} {severity}" for severity in ("error", "warning", "info"))
    typer.echo(f"{file}: {totals}")
    if not facts:
        typer.echo("no fact table was given (--facts): figures were not checked against one", err=True)
    if counts["error"]:
        raise typer.Exit(1)


def _print(file: Path, finding: dict[str, Any]) -> None:
    typer.echo(
        f"{finding['severity']}: {finding.get('file', file.name)}[{finding['index']}]: "
        f"{finding['kind']}: {finding['message']}"
    )
    if finding["quote"]:
        typer.echo(f"    says: {finding['quote']}")
    if finding["expected"]:
        typer.echo(f"    expected: {finding['expected']}")
