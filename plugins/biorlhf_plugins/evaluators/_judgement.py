"""What the evaluators know of one completion: is it right, how sure does it say it is, what is it about.

Right or wrong comes from the gold answer alone, never from the composed reward: a reward that pays
for confidence would make the label depend on the forecast that it is to judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from biorlhf import Group, PluginConfig, Question, Reward
from biorlhf.statistics.assessment import cluster_of
from biorlhf_plugins.language import Additions, additions_of_names
from biorlhf_plugins.truth.grading import correctness

Groups = Sequence[tuple[Group, Sequence[Reward]]]


@dataclass(frozen=True, slots=True)
class Judged:
    """One completion. ``correct`` is None where nothing is known to judge it by, or where reading it
    failed (``problem`` says how); ``confidence`` is None where none is stated, and never imputed."""

    question: Question
    cluster: str
    correct: int | None
    abstained: bool
    confidence: float | None
    problem: str = ""


class NamesSettings(PluginConfig):
    """``names`` are those of the run's datasets, as the verifiers have them; a run fills them in itself."""

    names: dict[str, dict[str, Any]] = Field(default_factory=dict)


def judge(question: Question, text: str, names: Additions | None = None) -> Judged:
    """Read one answer, as the verifiers read it."""
    cluster = cluster_of(question)
    try:
        grade = correctness(question, text, names)
    except Exception as error:  # counted and reported as not judged; never taken for a wrong answer
        return Judged(question, cluster, None, False, None, f"{type(error).__name__}: {error}")
    return Judged(question, cluster, grade.correct, grade.abstained, grade.confidence)


def judged(groups: Groups, names: Mapping[str, Mapping[str, Any]]) -> Iterator[Judged]:
    """Every completion of an evaluation, in order, with the names of its data."""
    known = additions_of_names(names)
    for group, _ in groups:
        for completion in group.completions:
            yield judge(group.question, completion.text, known)


def answers(rows: Sequence[Judged], columns: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """The report's table of single answers, by which two evaluations are compared question by question."""
    table = {"question": [row.question.id for row in rows], "cluster": [row.cluster for row in rows]}
    return {**table, **{name: list(values) for name, values in columns.items()}}
