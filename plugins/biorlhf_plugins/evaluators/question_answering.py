"""Accuracy per category of question, beside what a constant answer would reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from biorlhf import EvaluatorPlugin, Group, Question, Reward, hookimpl
from biorlhf.statistics.intervals import (
    Floats,
    Statistic,
    bootstrap,
    cluster_index,
    divide,
    share,
    weighted_mean,
)
from biorlhf_plugins.evaluators import _judgement
from biorlhf_plugins.evaluators._judgement import Judged

CATEGORIES = ("factual", "reasoning", "calibration")


class QuestionAnswering:
    """Accuracy (Wilson 1927, and by cluster), balanced accuracy (Brodersen et al. 2010), and the best
    constant answer, for each category (the question's kind) and overall."""

    def __init__(self, names: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.names = names or {}

    def evaluate(self, groups: Sequence[tuple[Group, Sequence[Reward]]]) -> Mapping[str, Any]:
        rows = list(_judgement.judged(groups, self.names))
        # The usual three always, so that a category without a question shows as empty, not as forgotten.
        kinds = [*CATEGORIES, *sorted({row.question.kind for row in rows} - {*CATEGORIES, ""})]
        categories = {kind: [row for row in rows if row.question.kind == kind] for kind in kinds}
        columns: dict[str, list[float | None]] = {}
        parts = {"overall": rows, **{f"categories.{kind}": members for kind, members in categories.items()}}
        for path, members in parts.items():
            # By identity: two answers may be equal in all that they hold.
            inside = {id(row) for row in members}
            columns[f"{path}.accuracy"] = [row.correct if id(row) in inside else None for row in rows]
            columns[f"{path}.balanced_accuracy"] = _balanced_column(rows, inside)
            columns[f"{path}.abstained"] = [int(row.abstained) if id(row) in inside else None for row in rows]
        return {
            "overall": _summary(rows),
            "categories": {kind: _summary(members) for kind, members in categories.items()},
            "answers": _judgement.answers(rows, columns),
        }


def gold_answer(question: Question) -> tuple[str, str] | None:
    """(form of the question, its right answer) where the answer is one of a few; None for a number,
    a ranking or a list, which no constant answer would hit."""
    truth = question.ground_truth
    if truth.get("answerable") is False:
        return "answerable", "cannot be answered"
    if isinstance(truth.get("direction"), str):
        return "direction", truth["direction"].upper()
    if isinstance(truth.get("answer"), str):
        answer = truth["answer"].strip().lower()
        return ("yes or no" if answer in ("yes", "no") else "answer"), answer
    if isinstance(truth.get("is_consistent"), bool):
        return "is_consistent", "yes" if truth["is_consistent"] else "no"
    facts = truth.get("facts")
    only: Any = facts[0] if isinstance(facts, list | tuple) and len(facts) == 1 else None
    if isinstance(only, Mapping) and isinstance(only.get("value"), str):
        # "KMP response type" and "Adipogenesis pattern": what is asked for stands last.
        return (str(only.get("quantity", "")).split() or ["fact"])[-1], only["value"].strip()
    return None


def _summary(rows: Sequence[Judged]) -> dict[str, Any]:
    known = [row for row in rows if row.correct is not None]
    report: dict[str, Any] = {
        "completions": len(rows),
        "judged": len(known),
        "not_judged": len(rows) - len(known),
        "left_out": {},
    }
    problems = sorted({row.problem for row in rows if row.problem})
    if problems:
        report["problems"] = problems[:5]
    if not known:
        reason = "no answer could be judged" if rows else "no question of this category"
        report["left_out"] = dict.fromkeys(("accuracy", "balanced_accuracy", "best_constant"), reason)
        return report
    right = [int(row.correct or 0) for row in known]
    closed = [(gold, row) for row in known if (gold := gold_answer(row.question))]
    statistics: dict[str, Statistic] = {"accuracy_clustered": weighted_mean(np.array(right, dtype=float))}
    if len({gold for gold, _ in closed}) > 1:
        statistics["balanced_accuracy"] = _balanced(known)
    else:
        report["left_out"]["balanced_accuracy"] = (
            "every question has the same right answer" if closed else "no question has one of a few answers"
        )
    counts = {"accuracy_clustered": len(known), "balanced_accuracy": len(closed)}
    # By cluster: answers about one slot are not independent of each other.
    rates = bootstrap(statistics, cluster_index([row.cluster for row in known]), counts)
    shares = {"accuracy": share(sum(right), len(right)), **rates}
    shares["abstained"] = share(sum(row.abstained for row in rows), len(rows))
    report |= {name: rate.to_json() for name, rate in shares.items() if rate}
    if closed:
        report["best_constant"] = _best_constant([gold for gold, _ in closed], len(known))
    else:
        report["left_out"]["best_constant"] = "no question has one of a few answers"
    return report


def _best_constant(gold: Sequence[tuple[str, str]], n: int) -> dict[str, Any]:
    """What someone reaches on all ``n`` answers who knows each form's most frequent right answer and
    nothing else, and so gets no figure right."""
    counts: dict[str, Counter[str]] = {}
    for form, label in gold:
        counts.setdefault(form, Counter())[label] += 1
    best = {form: counter.most_common(1)[0] for form, counter in sorted(counts.items())}
    accuracy = share(sum(count for _, count in best.values()), n)
    return {
        "answers": {form: label for form, (label, _) in best.items()},
        "one_of_few": len(gold),
        **({"accuracy": accuracy.to_json()} if accuracy else {}),
    }


def _balanced(rows: Sequence[Judged]) -> Statistic:
    """Mean over the right answers of the share of their questions that are answered rightly."""
    gold = [gold_answer(row.question) for row in rows]
    classes = sorted({label for label in gold if label})
    member_NC = np.array([[label == one for one in classes] for label in gold], dtype=float)
    right_NC = member_NC * np.array([row.correct or 0 for row in rows], dtype=float)[:, None]

    def statistic(weights: Floats) -> Floats:
        recall = divide(weights @ right_NC, weights @ member_NC)
        # A class that a resample missed has no recall (NaN), which is not a recall of 0.
        return divide(np.nansum(recall, axis=-1), np.isfinite(recall).sum(-1))

    return statistic


def _balanced_column(rows: Sequence[Judged], inside: set[int]) -> list[float | None]:
    """Values whose mean is the balanced accuracy: a right answer counts the more, the rarer its class."""
    gold = {
        id(row): label
        for row in rows
        if id(row) in inside and row.correct is not None and (label := gold_answer(row.question))
    }
    counts = Counter(gold.values())
    # Of one class, balanced accuracy would be plain accuracy under another name.
    if len(counts) < 2:
        return [None] * len(rows)
    scale = len(gold) / len(counts)
    return [scale * (row.correct or 0) / counts[gold[id(row)]] if id(row) in gold else None for row in rows]


@hookimpl
def biorlhf_evaluators():
    yield EvaluatorPlugin(
        name="question_answering",
        aliases=("qa",),
        summary="accuracy per category with intervals, balanced accuracy, best constant answer",
        config=_judgement.NamesSettings,
        build=lambda config: QuestionAnswering(config.names),
    )
