"""Two evaluations of the same questions, compared by every rate that their reports hold.

A report is an evaluator's JSON. Every object with ``value``, ``low``, ``high`` and ``n`` in it is a
rate, named by its dotted path. Its table ``answers`` holds one entry per completion: ``question``,
``cluster``, and columns of numbers (or null), each named by the path of the rate that is its mean.
The columns ``confidence`` and ``correct`` stand for all numbers of calibration at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from biorlhf.statistics import differences as pairing
from biorlhf.statistics.assessment import BIASED, statistics
from biorlhf.statistics.differences import Difference, Side
from biorlhf.statistics.intervals import Floats, Rate, weighted_mean

Report = Mapping[str, Any]

LESS_IS_BETTER = frozenset(
    [
        *("brier", "ece", "mce", "debiased_l2", "reliability", "aurc", "surest_half_wrong"),
        *("overconfidence", "underconfidence", "truncated"),
    ]
)
MORE_IS_BETTER = frozenset(
    [
        *("reward", "accuracy", "balanced_accuracy", "brier_skill", "resolution", "auroc"),
        *("coverage", "verifiers", "kinds"),
    ]
)
# What an answer earns: a gain in one of these may come from giving no answer.
EARNED = frozenset(["reward", "accuracy", "balanced_accuracy", "verifiers", "kinds"])
BY_ABSTAINING, NONE_RIGHT = "by abstaining", "with no right answer"


@dataclass(frozen=True, slots=True)
class Row:
    """One rate through several evaluations (None where one lacks it), and last minus first.

    ``caveat`` says where a gain comes from if not from right answers: ``BY_ABSTAINING`` or ``NONE_RIGHT``.
    """

    evaluator: str
    metric: str
    rates: tuple[Rate | None, ...]
    difference: Difference | None = None
    caveat: str = ""

    @property
    def verdict(self) -> str:
        """In plain words; empty where there is nothing to compare."""
        if self.difference is None:
            return ""
        if self.difference.is_too_few:
            return "too few questions"
        if self.difference.is_noise:
            return "inside noise"
        name = _kind_of(self.metric)
        more = self.difference.value > 0
        if more and self.caveat:
            return f"higher {self.caveat}"
        if name in LESS_IS_BETTER:
            return "worse" if more else "better"
        if name in MORE_IS_BETTER:
            return "better" if more else "worse"
        return "higher" if more else "lower"

    def to_json(self) -> dict[str, Any]:
        return {
            "evaluator": self.evaluator,
            "metric": self.metric,
            "rates": [rate.to_json() if rate else None for rate in self.rates],
            "difference": self.difference.to_json() if self.difference else None,
            "verdict": self.verdict,
        }


def _kind_of(metric: str) -> str:
    """The word of a rate's path that says whether more is better."""
    # Under these two the last part is a plugin's or a lab's own word, which may mean anything.
    return metric.split(".")[0 if metric.startswith(("verifiers.", "kinds.")) else -1]


def rates_of(report: Report) -> dict[str, Rate]:
    """Dotted path -> rate, in the order of the report."""
    return dict(_walk(report, ""))


def _walk(node: Mapping[str, Any], path: str) -> Iterator[tuple[str, Rate]]:
    if path and (rate := rate_in(node)) is not None:
        yield path, rate
    for key, child in node.items():
        # Answers are columns, and left_out holds reasons: neither is a rate.
        if isinstance(child, Mapping) and not (path == "" and key in ("answers", "left_out")):
            yield from _walk(child, f"{path}.{key}" if path else key)


def rate_in(node: Any) -> Rate | None:
    """The rate that an object of a report states, None where it is none."""
    keys = ("value", "low", "high", "n")
    if not isinstance(node, Mapping) or not all(_is_number(node.get(key)) for key in keys):
        return None
    return Rate(float(node["value"]), float(node["low"]), float(node["high"]), int(node["n"]))


def _is_number(value: Any) -> bool:
    # A bool is an int to Python.
    return isinstance(value, int | float) and not isinstance(value, bool)


def compare(evaluations: Sequence[Mapping[str, Report]], *, differences: bool = True) -> list[Row]:
    """Every rate of every evaluator through the evaluations, with last minus first, paired by question.

    Args:
        evaluations: evaluator's name -> its report, for each evaluation in order.
        differences: whether to compare the first and the last (a bootstrap a column).
    """
    rows: list[Row] = []
    caveats = Caveats(evaluations[0], evaluations[-1]) if differences and len(evaluations) > 1 else None
    for evaluator in dict.fromkeys(name for evaluation in evaluations for name in evaluation):
        reports = [evaluation.get(evaluator) or {} for evaluation in evaluations]
        rates_of_each = [rates_of(report) for report in reports]
        paired = paired_differences(reports[0], reports[-1]) if differences and len(reports) > 1 else {}
        for metric in dict.fromkeys(name for rates in rates_of_each for name in rates):
            of_each = tuple(rates.get(metric) for rates in rates_of_each)
            row = Row(evaluator, metric, of_each, paired.get(metric))
            rows.append(replace(row, caveat=caveats.of(row)) if caveats else row)
    return rows


def paired_differences(first: Report, second: Report) -> dict[str, Difference]:
    """Path -> second minus first, for every rate that both tables of single answers allow to compare."""
    before, after = _table(first), _table(second)
    if before is None or after is None:
        return {}
    cluster_of = {**_clusters(before), **_clusters(after)}
    columns = [_columns(answers) for answers in (before, after)]
    questions = [[str(question) for question in answers["question"]] for answers in (before, after)]
    differences: dict[str, Difference] = {}
    for names in _alike(*columns):
        sides = [_side(names, numbers, asked) for numbers, asked in zip(columns, questions, strict=True)]
        differences |= pairing.paired_differences(sides[0], sides[1], cluster_of)
    return differences


def shared_questions(first: Mapping[str, Report], second: Mapping[str, Report]) -> tuple[int, int, int]:
    """How many questions (both answered, only the first, only the second), over all evaluators."""
    asked = [
        {q for report in side.values() if (answers := _table(report)) for q in answers["question"]}
        for side in (first, second)
    ]
    return len(asked[0] & asked[1]), len(asked[0] - asked[1]), len(asked[1] - asked[0])


def without(reports: Mapping[str, Report], questions: Collection[str]) -> dict[str, Report]:
    """The same reports with these questions taken out of the tables of single answers."""
    changed: dict[str, Report] = {}
    for name, report in reports.items():
        answers = _table(report)
        # The rates stay as they were reported; only what is paired loses these questions.
        if answers is not None and questions:
            keep = [question not in questions for question in answers["question"]]
            cut = {
                column: [v for v, k in zip(values, keep, strict=True) if k]
                for column, values in answers.items()
            }
            report = {**report, "answers": cut}
        changed[name] = report
    return changed


def _table(report: Report) -> Mapping[str, Sequence[Any]] | None:
    answers = report.get("answers")
    if not isinstance(answers, Mapping) or not isinstance(answers.get("question"), Sequence):
        return None
    length = len(answers["question"])
    # A ragged table would pair the wrong answers.
    whole = all(isinstance(column, Sequence) and len(column) == length for column in answers.values())
    return answers if whole and length else None


def _clusters(answers: Mapping[str, Sequence[Any]]) -> dict[str, str]:
    clusters = answers.get("cluster", answers["question"])
    return dict(zip(map(str, answers["question"]), map(str, clusters), strict=True))


def _columns(answers: Mapping[str, Sequence[Any]]) -> dict[str, Floats]:
    return {
        name: np.array([np.nan if value is None else float(value) for value in column])
        for name, column in answers.items()
        if name not in ("question", "cluster") and all(v is None or _is_number(v) for v in column)
    }


FORECASTS = ("confidence", "correct")


def _alike(first: Mapping[str, Floats], second: Mapping[str, Floats]) -> list[list[str]]:
    """Columns that hold a number for the same answers, and so can be resampled together; the two of
    calibration always stand together."""
    groups: dict[Any, list[str]] = {}
    for name in first:
        if name in second:
            masks = tuple(np.isfinite(columns[name]).tobytes() for columns in (first, second))
            groups.setdefault(FORECASTS if name in FORECASTS else masks, []).append(name)
    return [names for key, names in groups.items() if key != FORECASTS or len(names) == 2]


def _side(names: Sequence[str], columns: Mapping[str, Floats], questions: Sequence[str]) -> Side:
    """Statistics of these columns over the answers for which all of them hold a number."""
    complete_N = np.all([np.isfinite(columns[name]) for name in names], axis=0)
    asked = [question for question, keep in zip(questions, complete_N, strict=True) if keep]
    if set(names) != set(FORECASTS):
        return Side({name: weighted_mean(columns[name][complete_N]) for name in names}, asked)
    if not asked:
        return Side({}, [])
    numbers = statistics(columns["confidence"][complete_N], columns["correct"][complete_N])
    # A report's accuracy is one number with two intervals; its difference can be clustered only.
    numbers["accuracy"] = numbers.pop("accuracy_clustered")
    return Side(numbers, asked, BIASED)


@dataclass(frozen=True, slots=True)
class Answered:
    """What is known of each answer of an evaluation: its question, whether it declined, whether it is right.

    ``correct`` is NaN where nothing is known to judge an answer by; all arrays have shape ``_N``.
    """

    questions: tuple[str, ...]
    clusters: tuple[str, ...]
    abstained: Floats
    correct: Floats

    @property
    def given(self) -> Floats:
        """1 or 0 for an answer that was given and judged, NaN for the others."""
        return np.where(self.abstained > 0, np.nan, self.correct)


def answered(reports: Mapping[str, Report]) -> Answered | None:
    """The answers of an evaluation, from the first report whose table tells right from wrong."""
    for correct, abstained in (("overall.accuracy", "overall.abstained"), ("correct", "abstained")):
        for report in reports.values():
            table = _table(report)
            if table is not None and correct in table:
                columns = _columns(table)
                asked = tuple(map(str, table["question"]))
                declined = columns.get(abstained, np.zeros(len(asked)))
                cluster_of = _clusters(table)
                return Answered(
                    asked, tuple(cluster_of[q] for q in asked), np.nan_to_num(declined), columns[correct]
                )
    return None


class Caveats:
    """Where the gain from one evaluation to another comes from, rate by rate."""

    def __init__(self, first: Mapping[str, Report], second: Mapping[str, Report]) -> None:
        self._sides, self._answered = (first, second), (answered(first), answered(second))
        self._given: dict[str, dict[str, Difference]] = {}

    def of(self, row: Row) -> str:
        """The caveat of a row, "" where it has none."""
        gain, known = row.difference, self._answered[1]
        if gain is None or gain.is_noise or gain.value <= 0 or _kind_of(row.metric) not in EARNED:
            return ""
        if known is None or self._answered[0] is None:
            return ""
        if self._part_of_given(row.evaluator, row.metric) < gain.value / 2:
            return BY_ABSTAINING
        given = known.given[np.isfinite(known.given)]
        return NONE_RIGHT if len(given) and not given.any() else ""

    def _part_of_given(self, evaluator: str, metric: str) -> float:
        """How much of a mean's gain comes from answers that were given; all of it where no table tells."""
        if evaluator not in self._given:
            # What an abstention earned counts as nothing; the number of answers stays the same.
            sides = [
                _earned_by_answers(side.get(evaluator) or {}, known)
                for side, known in zip(self._sides, self._answered, strict=True)
            ]
            self._given[evaluator] = paired_differences(sides[0], sides[1])
        part = self._given[evaluator].get(metric)
        return part.value if part is not None else float("inf")


def _earned_by_answers(report: Report, known: Answered | None) -> Report:
    table = _table(report)
    if table is None or known is None:
        return {}
    declined: dict[str, list[float]] = {}
    for question, flag in zip(known.questions, known.abstained, strict=True):
        declined.setdefault(question, []).append(float(flag))
    asked = [str(question) for question in table["question"]]
    if any(len(declined.get(question, ())) != count for question, count in Counter(asked).items()):
        return {}  # another selection of answers: which of them declined is not known
    flags = [declined[question].pop(0) for question in asked]
    columns = {
        name: [
            None if not np.isfinite(value) else value * (1 - flag)
            for value, flag in zip(column, flags, strict=True)
        ]
        for name, column in _columns(table).items()
        if name not in FORECASTS
    }
    return {"answers": {"question": asked, "cluster": table.get("cluster", asked), **columns}}
