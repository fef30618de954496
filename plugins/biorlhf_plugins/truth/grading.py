"""Is an answer right? The one grading, for whoever needs no more than that."""

from __future__ import annotations

from dataclasses import dataclass

from biorlhf import Question
from biorlhf_plugins.language.extract import extract
from biorlhf_plugins.language.words.lexicon import Additions
from biorlhf_plugins.truth.judged import judge


@dataclass(frozen=True, slots=True)
class Correctness:
    """Is an answer right? ``correct`` is 1 or 0, None where the question has no gold to grade by.

    ``abstained`` is true where the text declines to answer (``correct`` is then 0, or None);
    ``confidence`` is the stated one in [0, 1], None where none or an invalid one is stated.
    """

    correct: int | None
    abstained: bool
    confidence: float | None


def correctness(question: Question, text: str, additions: Additions | None = None) -> Correctness:
    """Grade one completion: right where every gold figure, class and answer, and the overall direction
    (each direction, where none is overall), is stated and nothing in their slots contradicts it; where the
    data cannot answer, right is to say so."""
    judged = judge(question, text, additions)
    correct = None if judged.correct is None else int(judged.correct)
    return Correctness(correct, judged.abstained, judged.confidence.value)


def stated_confidence(text: str) -> float | None:
    """The confidence that a text states about its answer, in [0, 1]; None where there is no valid one."""
    return extract(text).confidence.value
