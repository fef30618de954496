"""A verifier that reads "Answer: UP" and a confidence, a question for it, and such answers."""

from __future__ import annotations

from biorlhf import Question, RewardComposer, Score, VerifierPlugin, hookimpl
from biorlhf.testing import fresh_catalogue


class Block:
    """Reads confidence and correctness of "Answer: UP" the way V4's details give them."""

    def score(self, question, completion_text):
        answer, _, confidence = completion_text.removeprefix("Answer: ").partition("\nConfidence: ")
        stated = float(confidence.rstrip("%")) / 100 if confidence else None
        right = answer == question.ground_truth["direction"]
        return Score.scored(0.5, confidence=stated, correct=int(right))


class Plugin:
    @hookimpl
    def biorlhf_verifiers(self):
        yield VerifierPlugin(name="block", build=lambda config: Block())


CATALOGUE = fresh_catalogue(Plugin())
COMPOSER = RewardComposer(["block"], {"block": 1.0}, catalogue=CATALOGUE)
UP = Question("q", "ask", {"pathway": "SET", "direction": "UP"})


def text(answer: str, confidence: int) -> str:
    return f"Answer: {answer}\nConfidence: {confidence}%"
