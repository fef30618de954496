"""Texts up to the confidence that they state, what is to be stated there, and how much each part counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from biorlhf.stage import Learner
from biorlhf.types import TrainCompletion

#: Confidences are stated in steps of five per cent, as SFT texts do.
STEP = 5
#: What is right is stated as the one, what is wrong as the other: nothing is certain.
SURE, UNSURE = 100 - STEP, STEP
#: A verdict on one answer counts as much as the words of three texts: learning to look at what was answered
#: takes longer than keeping what the words say (docs/results.md).
EMPHASIS = 3.0

_CONFIDENCE = re.compile(r"^confidence:[ \t]*", re.IGNORECASE | re.MULTILINE)


def before_confidence(text: str) -> str | None:
    """A text up to the figure of its last line for the confidence; None where it has no such line."""
    found = list(_CONFIDENCE.finditer(text))
    return text[: found[-1].end()] if found else None


@dataclass(frozen=True, slots=True)
class StatedText:
    """A text up to its confidence, and the confidence to state in per cent (None: not learnt).

    ``words`` and ``sure``: how much the text and its confidence count, each as a whole.
    """

    text: str
    confidence: int | None
    words: float = 0.0
    sure: float = 0.0


def completions(learner: Learner, texts: Sequence[StatedText]) -> list[TrainCompletion]:
    """The texts as the learner trains on them, with the end token where a confidence is learnt."""
    whole, ends = _tokens_and_ends(learner, [(t.text, _figure(t.confidence)) for t in texts])
    made = []
    for text, ids, end in zip(texts, whole, ends, strict=True):
        weights = [text.words / end] * end
        if text.confidence is not None:
            weights += [text.sure / (len(ids) - end)] * (len(ids) - end)
        made.append(TrainCompletion(ids[: len(weights)], weights=weights))
    return made


def nearest(probability: float) -> int:
    """The confidence in per cent that is stated for a probability from 0 to 1."""
    return min(max(STEP * round(100 * probability / STEP), UNSURE), SURE)


def _figure(confidence: int | None) -> str:
    # Where none is learnt, any shows where the words before it end.
    return f"{SURE if confidence is None else confidence}%"


def _tokens_and_ends(
    learner: Learner, pairs: Sequence[tuple[str, str]]
) -> tuple[list[tuple[int, ...]], list[int]]:
    """Of each text with its figure the token ids, and how many of them come before the figure."""
    # Tokens may reach over the place where the figure begins: what another ending shares is before it.
    responses = [text + figure for text, figure in pairs] + [text + "x" for text, _ in pairs]
    ids = [tuple(g.completions[0].token_ids) for g in learner.tokenize([("", text) for text in responses])]
    whole, other = ids[: len(pairs)], ids[len(pairs) :]
    return whole, [_shared(a, b) for a, b in zip(whole, other, strict=True)]


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    return next(n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
