"""SFT texts from the policy's own answers: how sure to be, and what was right.

G answers to one question are sampled. Each different one is learnt from its confidence on, with another
figure in place of what it states: a wrong answer becomes a text that says how little it is worth, and teaches
no error. A right one is learnt up to its confidence besides, so that what is known stays known. What is to be
stated is one of two:

    group:  the share of the G answers that is right, which estimates p, the probability of being right
    answer: 95 % where this answer is right, 5 % where it is not

``group`` is calibrated by question and teaches nothing that a question alone does not tell; ``answer`` is the
sharper signal, of which a policy learns to state one of the two ends by what it answered.

The confidences of a group count 1 together (as verdicts ``EMPHASIS``), and so do its right answers where it
has any, or the few tokens of a confidence would hardly be learnt beside forty. Answers of a group share their
prompt's computation, and equal ones their own.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from biorlhf.stage import Learner
from biorlhf.types import Completion, ScoredGroup, TrainGroup
from biorlhf_plugins.trainers._rollout_metrics import stated_and_correct
from biorlhf_plugins.trainers._stated import (
    EMPHASIS,
    SURE,
    UNSURE,
    StatedText,
    before_confidence,
    completions,
    nearest,
)

#: What an own answer is to state.
Confidence = Literal["group", "answer"]


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """A whole answer that can be judged: what it states, and whether it is right (1 or 0)."""

    completion: Completion
    confidence: float | None
    correct: int


def judged_answers(scored: ScoredGroup) -> list[JudgedAnswer]:
    """The answers of a group that are whole and can be judged; one that was cut is no example of anything."""
    return [
        JudgedAnswer(completion, pair[0], int(pair[1]))
        for completion, reward in zip(scored.group.completions, scored.rewards, strict=True)
        if (pair := stated_and_correct(reward)) and completion.token_ids and not completion.truncated
    ]


def expected(answers: Sequence[JudgedAnswer]) -> float:
    """p as so few answers allow to expect it: (k + 1/2) / (G + 1) of k right ones, the mean under Jeffreys'
    prior. Two of two make no 100 %."""
    return (math.fsum(answer.correct for answer in answers) + 0.5) / (len(answers) + 1)


@dataclass(frozen=True, slots=True)
class OwnText:
    """A different answer of a group up to its confidence, and how often it was given."""

    text: str
    right: bool
    given: int


def own_texts(answers: Iterable[JudgedAnswer]) -> list[OwnText]:
    """The different answers that have a line for the confidence."""
    cut = ((before_confidence(answer.completion.text), answer.correct == 1) for answer in answers)
    given = Counter((text, right) for text, right in cut if text)
    return [OwnText(text, right, n) for (text, right), n in given.items()]


def train_groups(learner: Learner, groups: Iterable[ScoredGroup], confidence: Confidence) -> list[TrainGroup]:
    """The answers of each group as the learner trains on them; a group without any is left out."""
    judged = [(scored.group.prompt_ids, judged_answers(scored)) for scored in groups]
    own = [(ids, answers, made) for ids, answers in judged if (made := own_texts(answers))]
    texts = [_stated(made, confidence, expected(answers)) for _, answers, made in own]
    learnt = iter(completions(learner, [one for group in texts for one in group]))
    return [
        TrainGroup(ids, tuple(next(learnt) for _ in group))
        for (ids, _, _), group in zip(own, texts, strict=True)
    ]


def _stated(texts: Sequence[OwnText], confidence: Confidence, p: float) -> list[StatedText]:
    given, right = sum(text.given for text in texts), sum(text.given for text in texts if text.right)
    each = 1.0 if confidence == "group" else EMPHASIS
    return [
        StatedText(
            text.text,
            nearest(p) if confidence == "group" else SURE if text.right else UNSURE,
            words=text.given / right if text.right else 0.0,
            sure=each * text.given / given,
        )
        for text in texts
    ]
