"""Writes the tables of docs/results.md from docs/results/: ``python docs/results_tables.py``.

Each file there is what ``biorlhf report RUN --json`` printed, named RECIPE-seedN.json. Between the marks
``<!-- RECIPE: begin -->`` and ``<!-- RECIPE: end -->`` the page holds one table a stage, a column a seed:
before and after, with the difference paired by question, or, where nothing can be paired, the later number's
own interval. ``<!-- sweep: begin -->`` stands for the table of sweep.json.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("results.md")
RESULTS = Path(__file__).with_name("results")
MARK = re.compile(r"(<!-- (\S+): begin -->\n).*?(<!-- \2: end -->)", re.DOTALL)

Report = dict[str, Any]

#: Below ten clusters for each of two right answers, how many there are is told, and nothing is called better.
FEW_CLUSTERS = 20
SWEEP = {
    "reward": "reward",
    "right, taught": "accuracy, taught",
    "confidence, taught": "confidence, taught",
    "untaught": "confidence, untaught",
    "AUROC": "AUROC",
    "ECE": "ECE",
    "Brier": "Brier score",
}


def reports_of(recipe: str) -> list[Report]:
    """The recorded runs of a recipe, by seed."""
    found = [json.loads(path.read_text("utf-8")) for path in RESULTS.glob(f"{recipe}-seed*.json")]
    return sorted(found, key=lambda report: report["made_by"]["seed"])


def tables(recipe: str) -> Iterator[str]:
    reports = reports_of(recipe)
    if not reports:
        raise SystemExit(f"{PAGE.name} asks for {recipe}, and {RESULTS} has no {recipe}-seed*.json")
    for number, change in enumerate(reports[0]["by_stage"]):
        yield f"\n{change['after']} against {change['before']}:\n\n"
        yield _row("", *(f"seed {report['made_by']['seed']}" for report in reports))
        yield _row("---", *("---" for _ in reports))
        for metric in change["metrics"]:
            cells = [_cell(report["by_stage"][number], metric["name"]) for report in reports]
            yield _row(metric["name"], *cells)
        yield _row("chance alone: ECE", *(_null(report, change["after"]) for report in reports))
        yield _row("best constant: reward", *(_constant(report, change["after"]) for report in reports))
    yield "\n"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _cell(change: Report, name: str) -> str:
    row = next((row for row in change["metrics"] if row["name"] == name), None)
    if row is None:
        return "–"
    before, after = (f"{rate['value']:.3f}" if rate else "–" for rate in row["rates"])
    difference = row["difference"]
    if difference is None:
        last = row["rates"][-1]
        return f"{before} → {after}" + (f" [{last['low']:.3f}, {last['high']:.3f}]" if last else "")
    text = f"{difference['value']:+.3f} [{difference['low']:+.3f}, {difference['high']:+.3f}]"
    few = name == "balanced accuracy" and difference["clusters"] < FEW_CLUSTERS
    strong = "**" if row["verdict"] in ("better", "worse") and not few else ""
    return f"{before} → {after}; {strong}{text}{strong}" + (f", n = {difference['n']}" if few else "")


def _null(report: Report, when: str) -> str:
    place = [e["when"] for e in report["evaluations"]].index(when)
    key = ("calibration", "null_ece")
    row = next((r for r in report["metrics"] if (r["evaluator"], r["metric"]) == key), None)
    rate = row["rates"][place] if row else None
    return f"{rate['value']:.3f} [{rate['low']:.3f}, {rate['high']:.3f}]" if rate else "–"


def _constant(report: Report, when: str) -> str:
    constant = next(e["best_constant"] for e in report["evaluations"] if e["when"] == when)
    gap = constant.get("model_minus_constant")
    if not gap:
        return "–"
    return (
        f"{constant['reward']['value']:.3f}; the model's minus it "
        f"{gap['value']:+.3f} [{gap['low']:+.3f}, {gap['high']:+.3f}]"
    )


def sweep() -> Iterator[str]:
    """The table of the sweep: a row a cell, with the share of the groups that had no advantage."""
    yield "\n"
    yield _row("", *SWEEP, "silent", "KL")
    yield _row("---", *("---" for _ in (*SWEEP, "silent", "KL")))
    for cell in json.loads((RESULTS / "sweep.json").read_text("utf-8"))["table"]:
        steps = cell.get("steps")
        trained = (f"{steps['zero_variance_share']:.2f}", f"{steps['kl']:.4f}") if steps else ("–", "–")
        yield _row(cell["cell"], *(f"{cell[name]['value']:.2f}" for name in SWEEP.values()), *trained)
    yield "\n"


def page(text: str) -> str:
    """The page with its tables as the files give them."""

    def of(name: str) -> str:
        return "".join(sweep() if name == "sweep" else tables(name))

    return MARK.sub(lambda match: match[1] + of(match[2]) + match[3], text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
    print("written:", PAGE)
