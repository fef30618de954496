"""V4, uncertainty: is the stated confidence honest, and does the answer decline where it must?

c in {0, 1} says whether the answer is right (by V1's and V2's grading alone), q is the stated confidence.

- answered: (1 + c − (q − c)²)/2, see :func:`confidence_score`; without a valid confidence c/4
- declines, though the question can be answered: (1 + t²)/2, t = 1/k of k choices, 0.2 where it is open
- the question cannot be answered: declining 1; asserting (1 − q²)/2, or 0 without a valid confidence;
  a disclaimer followed by an answer asserts

``rule: brier`` takes 1 − (q − c)² for an answer instead. It is proper as well, but pays 1 for a wrong answer
given on purpose with q = 0: RewardComposer then refuses weights under which that pays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

from biorlhf import Question, Score, VerifierPlugin, hookimpl
from biorlhf_plugins.language import Additions
from biorlhf_plugins.truth.gold import OPEN_GUESS
from biorlhf_plugins.truth.judged import Judged, judge
from biorlhf_plugins.verifiers._settings import LexiconSettings

Rule = Callable[[int, float], float]


def confidence_score(correct: int, q: float) -> float:
    """Score in [0, 1] of an answer that is right (1) or wrong (0), given with confidence q in [0, 1].

    s(c, q) = (1 + c − (q − c)²)/2 is strictly proper: with P(c = 1) = p its expectation is

        E(q) = p (2 − (q − 1)²)/2 + (1 − p)(1 − q²)/2 = (1 + p − p(q − 1)² − (1 − p) q²)/2,
        E'(q) = p − q,   E''(q) = −1,

    so q = p is its only maximum, and E(p) = (1 + p²)/2 grows with p: being right pays. A right answer
    earns at least ½ (7/8 from q = ½ on); a wrong one at most ½, with q = 0.
    """
    return (1.0 + correct - (q - correct) ** 2) / 2.0


def brier_score(correct: int, q: float) -> float:
    """1 − (q − c)², Brier 1950, Monthly Weather Review 78:1, turned so that 1 is best."""
    return 1.0 - (q - correct) ** 2


class UncertaintySettings(LexiconSettings):
    """``rule`` scores a stated confidence; see the module."""

    rule: Literal["bounded", "brier"] = "bounded"


class Uncertainty:
    """Applies where ``answerable`` or ``false_premise`` is given, or V1 or V2 can grade."""

    # Never the composed reward: it holds this very score, so the label would depend on the forecast.
    correctness_from = ("factual", "pathway")

    def __init__(self, additions: Additions, rule: str = "bounded") -> None:
        self.additions = additions
        self.rule = confidence_score if rule == "bounded" else brier_score
        # Under Brier a wrong answer with q = 0 earns 1; only a weight on correctness that is at least as
        # large keeps that from paying.
        self.needs_correctness_weight = 0.0 if rule == "bounded" else 1.0

    def score(self, question: Question, completion_text: str) -> Score:
        judged = judge(question, completion_text, self.additions)
        if judged.unanswerable:
            return _unanswerable(judged)
        if judged.degenerate:
            return Score.scored(0.0, note=judged.degenerate, spans=[], reading=judged.reading)
        if judged.abstains and not judged.answered:
            guesses = [part.guess for part in judged.parts]
            guess = sum(guesses) / len(guesses) if guesses else OPEN_GUESS
            details = {"note": "declines to answer", "chance": guess, "spans": _spans(judged.abstains)}
            # What a guess with honest confidence would earn: neither bluffing nor declining pays more.
            return Score.scored(_honest(self.rule, guess), **details, reading=judged.reading)
        # After declining, which can be scored without anything to grade by.
        if not judged.parts:
            return Score.not_applicable("nothing in the ground truth says whether the answer is right")
        return _answered(self.rule, judged)


def _answered(rule: Rule, judged: Judged) -> Score:
    stated, correct = judged.confidence, int(bool(judged.correct))
    details: dict[str, Any] = {
        "correct": bool(correct),
        "confidence": stated.value,
        "spans": [list(stated.span)] if stated.span else [],
        "reading": judged.reading,
    }
    # Paying for confidence in nothing would make "Confidence: 0%" by itself worth writing.
    if not judged.answered:
        return Score.scored(0.0, **details, note="gives no answer to be confident about")
    if stated.value is None:
        note = stated.problem or "states no confidence"
        # Below what any stated confidence earns a right answer (at least a half), so leaving it out never
        # pays.
        return Score.scored(correct / 4, **details, note=note)
    return Score.scored(rule(correct, stated.value), **details)


def _honest(rule: Rule, p: float) -> float:
    """What an honest answer that is right with probability p earns on average: (1 + p²)/2 where bounded."""
    return p * rule(1, p) + (1 - p) * rule(0, p)


def _unanswerable(judged: Judged) -> Score:
    stated = judged.confidence
    if judged.degenerate and not judged.contradicts:
        return Score.scored(0.0, note=judged.degenerate, spans=[], reading=judged.reading)
    if judged.correct:
        return Score.scored(
            1.0, note="rightly declines", spans=_spans(judged.declines), reading=judged.reading
        )
    note = "declines, and then answers" if judged.declines else "answers what the data cannot answer"
    details: dict[str, Any] = {
        "note": note,
        "confidence": stated.value,
        "spans": _spans(judged.contradicts),
        "reading": judged.reading,
    }
    # Not c/4 as for an answer: whatever is asserted here is wrong.
    if stated.value is None:
        return Score.scored(0.0, **details, problem=stated.problem or "states no confidence")
    # The rule for a wrong answer: c is 0 for every assertion.
    return Score.scored((1 - stated.value**2) / 2, **details)


def _spans(spans: Any) -> list[list[int]]:
    return [list(span) for span in spans][:40]


@hookimpl
def biorlhf_verifiers() -> Iterator[VerifierPlugin]:
    yield VerifierPlugin(
        name="uncertainty",
        aliases=("V4",),
        summary="a proper score of the stated confidence; declining where the data cannot answer",
        config=UncertaintySettings,
        build=lambda config: Uncertainty(config.additions(), config.rule),
    )
