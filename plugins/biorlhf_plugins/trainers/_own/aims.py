"""What the policy's own answers are to state as their confidence, one of three:

    group:    the share of the G answers that is right, which estimates p, the probability of being right
    answer:   95 % where this answer is right, 5 % where it is not
    measured: what answers to the validation split that state the same are worth (``reliability``)

``group`` is calibrated by question and teaches nothing that a question alone does not tell; ``answer`` is the
sharper signal, of which a policy learns to state one of the two ends by what it answered. ``measured`` comes
after it and makes honest figures of the two ends: it changes what is stated, and not of which answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from biorlhf.stage import Stage
from biorlhf_plugins.trainers._own.reliability import reliability
from biorlhf_plugins.trainers._own.stated import EMPHASIS, SURE, UNSURE, nearest
from biorlhf_plugins.trainers._own.texts import JudgedAnswer, ToState, expected, judged_answers
from biorlhf_plugins.trainers._sampling import Clock, answers_held_out

#: What an own answer is to state.
Confidence = Literal["group", "answer", "measured"]


@dataclass(frozen=True, slots=True)
class Aims:
    """What is to be stated in a step, in per cent: of own answers, and (``ends``) of texts of the dataset and
    of those with a foreign figure. ``emphasis``: how much that counts beside the words of a text.
    ``measured``: metrics of the step."""

    to_state: ToState
    ends: tuple[int, int] = (SURE, UNSURE)
    emphasis: float = EMPHASIS
    measured: Mapping[str, float] = field(default_factory=dict)


def aims(confidence: Confidence, stage: Stage, step: int, clock: Clock) -> Aims:
    """What is to be stated in this step; ``measured`` asks the validation split for it."""
    if confidence == "group":
        return Aims(lambda _, answers: nearest(expected(answers)), emphasis=1.0)
    if confidence == "answer":
        return Aims(lambda answer, _: SURE if answer.correct else UNSURE)
    return _measured(stage, step, clock)


def _measured(stage: Stage, step: int, clock: Clock) -> Aims:
    answers = [one for group in answers_held_out(stage, step, clock) for one in judged_answers(group)]
    stated = [(one.confidence, one.correct) for one in answers if one.confidence is not None]
    worth = reliability(stated)

    def to_state(answer: JudgedAnswer, _: Sequence[JudgedAnswer]) -> int | None:
        # One that states nothing is like none of those that were measured.
        return None if answer.confidence is None else nearest(worth(answer.confidence))

    off = sum(abs(confidence - worth(confidence)) for confidence, _ in stated) / len(stated)
    measured = {"validation_answers": float(len(stated)), "validation_off": off}
    return Aims(to_state, (nearest(worth(SURE / 100)), nearest(worth(UNSURE / 100))), measured=measured)
