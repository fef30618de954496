"""V3, consistency: does the answer agree with itself?

Two values or directions for one slot; a class, a ranking, a "yes" or an "all" against the text's own
figures; arithmetic, ratios, parts and whole; significance against the p value; two confidences. The
score is 1 − (weight that failed) / (weight that applied). ``is_consistent`` in the ground truth is judged
too: do the tissues agree? Nothing to check: not applicable. Empty, echoed or repetitive text: 0.
"""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf import Question, Score, VerifierPlugin, hookimpl
from biorlhf_plugins.language import Additions
from biorlhf_plugins.language.records import Extraction
from biorlhf_plugins.truth.gold import read
from biorlhf_plugins.verifiers._settings import LexiconSettings
from biorlhf_plugins.verifiers.consistency.checks import ENUMERATION, checks
from biorlhf_plugins.verifiers.consistency.figures import Check

SHOWN = 40


class Consistency:
    """Applies where the ground truth has ``check`` or ``is_consistent``."""

    def __init__(self, additions: Additions) -> None:
        self.additions = additions

    def score(self, question: Question, completion_text: str) -> Score:
        truth = question.ground_truth
        if truth.get("check") != "internal_consistency" and "is_consistent" not in truth:
            return Score.not_applicable("the ground truth asks for no check of consistency")
        _, said = read(question, completion_text, self.additions)
        if said.degenerate:
            return Score.scored(0.0, note=said.degenerate, failed=[], passed=[], spans=[])
        found = list(checks(said, question.prompt, truth.get("is_consistent")))
        if not found:
            return Score.not_applicable("the text says nothing that can be checked against itself")
        if any(check.name == ENUMERATION for check in found):
            return Score.scored(0.0, note="every direction is listed", failed=[], passed=[], spans=[])
        found += _confidence(said)
        failed = [check for check in found if not check.passed]
        whole = sum(check.severity for check in found)
        return Score.scored(
            1.0 - sum(check.severity for check in failed) / whole,
            failed=[_line(check) for check in failed[:SHOWN]],
            passed=[_line(check) for check in found if check.passed][:SHOWN],
            spans=[list(span) for check in failed[:SHOWN] for span in check.spans],
        )


def _confidence(said: Extraction) -> list[Check]:
    stated = said.confidence
    found = []
    if stated.stated:
        says = stated.problem or f"{stated.value:g}"
        found.append(
            Check("one stated confidence", not stated.problem, says, (stated.span,) if stated.span else ())
        )
    if said.abstains and said.claims and stated.value is not None and stated.value >= 0.8:
        claims = any(c.asserted for c in said.claims)
        clash = claims and not stated.problem
        found.append(
            Check("confident and unable to tell", not clash, "claims, and declines", said.abstains[:2], 0.5)
        )
    return found


def _line(check: Check) -> dict[str, object]:
    return {"check": check.name, "found": check.says, "where": [list(span) for span in check.spans]}


@hookimpl
def biorlhf_verifiers() -> Iterator[VerifierPlugin]:
    yield VerifierPlugin(
        name="consistency",
        aliases=("V3",),
        summary="what the answer says against what it says elsewhere",
        config=LexiconSettings,
        build=lambda config: Consistency(config.additions()),
    )
