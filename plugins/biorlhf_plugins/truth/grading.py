"""Is an answer right? V1's and V2's grading together, never the composed reward."""

from __future__ import annotations

import functools

from biorlhf import Question
from biorlhf_plugins.language.extract import extract
from biorlhf_plugins.language.records import Correctness, Extraction
from biorlhf_plugins.language.words.lexicon import Additions
from biorlhf_plugins.truth.credits import RIGHT
from biorlhf_plugins.truth.directions import grade_directions
from biorlhf_plugins.truth.facts import grade_facts
from biorlhf_plugins.truth.gold import Gold, read
from biorlhf_plugins.truth.graded import Graded


@functools.lru_cache(maxsize=16)
def factual(gold: Gold, said: Extraction, prompt: str) -> Graded | None:
    """V1's grading, or None where the gold has no fact, answer or ranking. Remembered for V4; read only."""
    if not (gold.facts or gold.answer is not None or gold.ranking):
        return None
    return grade_facts(gold, said, prompt)


@functools.lru_cache(maxsize=16)
def directional(gold: Gold, said: Extraction, prompt: str) -> Graded | None:
    """V2's grading, or None where the gold has no direction."""
    return grade_directions(gold, said, prompt) if gold.directions else None


def correctness(question: Question, text: str, additions: Additions | None = None) -> Correctness:
    """Grade one completion: right where every gold figure, class and answer, and the overall direction
    (each direction, where none is overall), is stated and nothing in their slots contradicts it."""
    gold, said = read(question, text, additions)
    return judge(question, gold, said)


def judge(question: Question, gold: Gold, said: Extraction) -> Correctness:
    """``correctness`` of a text that has been read already."""
    confidence = said.confidence.value
    parts = [p for p in (factual(gold, said, question.prompt), directional(gold, said, question.prompt)) if p]
    answered = any(p.answered for p in parts) and not said.degenerate
    abstained = bool(said.abstains) and not answered and not said.degenerate
    if question.ground_truth.get("answerable") is False or not parts:
        abstained = bool(said.abstains) and not said.contradicts and not said.degenerate
        return Correctness(None, abstained, confidence)
    return Correctness(int(not said.degenerate and all(map(right, parts))), abstained, confidence)


def right(graded: Graded) -> bool:
    """Is a graded part right as a whole?"""
    if graded.primary:
        return all(credit == 1 for credit in graded.primary)
    return bool(graded.credits) and min(graded.credits) >= RIGHT and graded.precision >= RIGHT


def stated_confidence(text: str) -> float | None:
    """The confidence that a text states about its answer, in [0, 1]; None where there is no valid one."""
    return extract(text).confidence.value
