"""V2, pathway: does the answer give each gene set's direction, in the asked tissue, mission and contrast?

UP, DOWN, NS or MIXED per gold slot: a match 1; any other direction, both asserted, or none, 0. The score is
the mean over the gold slots (an overall direction and its parts weigh one half each), times the share of
checkable statements that hold: figures that are not the table's row's and, read freely, names of sets that do
not exist and an NES whose sign contradicts the stated direction, do not. Declining is worth 1/k of k choices.
"""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf import Question, Score, VerifierPlugin, hookimpl
from biorlhf_plugins.language import Additions
from biorlhf_plugins.truth.judged import judge
from biorlhf_plugins.verifiers._report import scored
from biorlhf_plugins.verifiers._settings import LexiconSettings


class Pathway:
    """Judges by ``direction``, ``pathways``, ``tissue_directions`` and ``missions``."""

    def __init__(self, additions: Additions) -> None:
        self.additions = additions

    def score(self, question: Question, completion_text: str) -> Score:
        judged = judge(question, completion_text, self.additions)
        missing = "the ground truth states no direction"
        return scored(judged, judged.directional, lambda graded: graded.recall * graded.penalty, missing)


@hookimpl
def biorlhf_verifiers() -> Iterator[VerifierPlugin]:
    yield VerifierPlugin(
        name="pathway",
        aliases=("V2",),
        summary="directions of gene sets, by tissue, mission and contrast",
        config=LexiconSettings,
        build=lambda config: Pathway(config.additions()),
    )
