"""V1, factual: are the figures, classes and short answers right, for the asked tissue and condition?

Per gold slot: exact 1; within 1 % 0.9; within 5 % and marked as approximate 0.6; else 0; zero and sign
must be exact. k rival candidates in one slot: divided by k. Recall is the mean over gold slots, precision
that over the claims that the fact table can check, and the score is F1. Declining to answer an answerable
question is worth a guess: 1/k of k classes, 0.2 where the answer is open.
"""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf import Question, Score, VerifierPlugin, hookimpl
from biorlhf_plugins.language import Additions
from biorlhf_plugins.truth.judged import judge
from biorlhf_plugins.verifiers._report import scored
from biorlhf_plugins.verifiers._settings import LexiconSettings


class Factual:
    """Judges by the keys ``facts``, ``answer`` and ``ranking`` of the ground truth."""

    def __init__(self, additions: Additions) -> None:
        self.additions = additions

    def score(self, question: Question, completion_text: str) -> Score:
        judged = judge(question, completion_text, self.additions)
        missing = "the ground truth states no fact, answer or ranking"
        return scored(judged, judged.factual, lambda graded: graded.f1, missing)


@hookimpl
def biorlhf_verifiers() -> Iterator[VerifierPlugin]:
    yield VerifierPlugin(
        name="factual",
        aliases=("V1",),
        summary="figures, classes and short answers against the fact table",
        config=LexiconSettings,
        build=lambda config: Factual(config.additions()),
    )
