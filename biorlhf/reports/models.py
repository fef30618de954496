"""Several models on the same questions: accuracy side by side, and every two of them paired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import comb
from typing import Any

from biorlhf.reports.page import template_of
from biorlhf.statistics.paired import Row, compare

ACCURACIES = {
    "overall": "overall.accuracy",
    "factual": "categories.factual.accuracy",
    "reasoning": "categories.reasoning.accuracy",
    "calibration": "categories.calibration.accuracy",
}
EVALUATOR = "question_answering"
NOTE = (
    "95 % intervals: Wilson's for each accuracy; for a difference a bootstrap over clusters of questions, "
    "paired by question. p is McNemar's exact test of the questions that one of two models alone gets right. "
    "With several pairs, one in twenty that does not differ looks as if it did."
)


def comparison(reports: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Args: ``reports``: model -> what its evaluation's file holds.

    Returns:
        ``accuracy``: per row of the table and model a rate (None where no such question was asked);
        ``pairs``: for every two models, per row: the difference (second minus first), its verdict, and p.
    """
    names = list(reports)
    evaluators = {
        name: {EVALUATOR: report["evaluators"].get(EVALUATOR, {})} for name, report in reports.items()
    }
    side_by_side = {row.metric: row for row in compare(list(evaluators.values()), differences=False)}
    accuracy = {
        label: {
            name: _json(side_by_side[metric], place) if metric in side_by_side else None
            for place, name in enumerate(names)
        }
        for label, metric in ACCURACIES.items()
    }
    pairs = [_pair(one, two, evaluators) for one, two in combinations(names, 2)]
    return {"models": names, "accuracy": accuracy, "pairs": pairs}


def _json(row: Row, place: int) -> dict[str, Any] | None:
    rate = row.rates[place]
    return rate.to_json() if rate else None


def _pair(one: str, two: str, evaluators: Mapping[str, Any]) -> dict[str, Any]:
    rows = {row.metric: row for row in compare([evaluators[one], evaluators[two]])}
    tables = [evaluators[name][EVALUATOR].get("answers", {}) for name in (one, two)]
    differences = {}
    for label, metric in ACCURACIES.items():
        row = rows.get(metric)
        if row is not None and row.difference is not None:
            differences[label] = {
                **row.difference.to_json(), "verdict": row.verdict, "p": _mcnemar(tables, metric),
            }  # fmt: skip
    return {"first": one, "second": two, "differences": differences}


def _mcnemar(tables: Sequence[Mapping[str, Any]], column: str) -> float | None:
    """Two-sided exact p that as many questions turn right as turn wrong; None with several answers each."""
    sides = []
    for table in tables:
        questions, values = table.get("question", ()), table.get(column, ())
        if len(set(questions)) < len(questions):
            return None
        sides.append({q: v for q, v in zip(questions, values, strict=True) if v is not None})
    shared = sides[0].keys() & sides[1].keys()
    gained = sum(sides[1][q] > sides[0][q] for q in shared)
    lost = sum(sides[1][q] < sides[0][q] for q in shared)
    n = gained + lost
    tail: float = sum(comb(n, k) for k in range(min(gained, lost) + 1)) / 2**n
    return min(1.0, 2 * tail)


def table_rows(compared: Mapping[str, Any]) -> Iterator[list[str]]:
    """The table of accuracies as text: a heading, then one row per category."""
    yield ["accuracy", *compared["models"]]
    for label, rates in compared["accuracy"].items():
        yield [label, *(_shown(rates[name]) for name in compared["models"])]


def pair_rows(compared: Mapping[str, Any]) -> Iterator[list[str]]:
    """The table of pairs as text: a heading, then one row per pair and category."""
    yield ["second minus first", "category", "difference", "p", ""]
    for pair in compared["pairs"]:
        for label, found in pair["differences"].items():
            shown = f"{found['value']:+.3f} [{found['low']:+.3f}, {found['high']:+.3f}]"
            p = "" if found["p"] is None else f"{found['p']:.2g}"
            yield [f"{pair['second']} - {pair['first']}", label, shown, p, found["verdict"]]


def _shown(rate: Mapping[str, Any] | None) -> str:
    if rate is None:
        return "no question"
    return f"{rate['value']:.3f} [{rate['low']:.3f}, {rate['high']:.3f}] n={rate['n']}"


def page(compared: Mapping[str, Any]) -> str:
    """The comparison as one HTML page.

    Raises:
        ResourceError: Jinja2 is not installed.
    """
    tables = [(rows[0], rows[1:]) for rows in (list(table_rows(compared)), list(pair_rows(compared)))]
    text: str = template_of("models.html.j2").render(tables=tables, note=NOTE)
    return text
