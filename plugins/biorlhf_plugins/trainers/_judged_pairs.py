"""The dataset's preference pairs as verdicts: by these a confidence learns to look at how an answer was come to.

A policy that is nearly always right learns from its own answers that it is nearly always right. Beside the same
prompt a response that reads its table rightly and one that does not leave it the reading to go by.
"""

from __future__ import annotations

from collections.abc import Iterable

from biorlhf.errors import InputError
from biorlhf.stage import Learner
from biorlhf.types import Preference, TrainGroup
from biorlhf_plugins.trainers._stated import (
    EMPHASIS,
    SURE,
    UNSURE,
    StatedText,
    before_confidence,
    completions,
)


def judged_pairs(learner: Learner, preferences: Iterable[Preference]) -> list[TrainGroup]:
    """A group for each pair whose responses state a confidence: the chosen one, words and all, and the rejected.

    The words of a chosen response count 1, each of the two confidences ``EMPHASIS``.

    Raises:
        InputError: no pair states a confidence, so that nothing would be learnt of them.
    """
    cut = [(p, before_confidence(p.chosen), before_confidence(p.rejected)) for p in preferences]
    stated = [(p.asked, chosen, rejected) for p, chosen, rejected in cut if chosen and rejected]
    if not stated:
        raise InputError("preferences", "no preference pair of the data states a confidence", "preferences: 0")
    prompts = [group.prompt_ids for group in learner.tokenize([(asked, "") for asked, _, _ in stated])]
    learnt = iter(completions(learner, [text for _, *pair in stated for text in _verdicts(*pair)]))
    return [TrainGroup(ids, (next(learnt), next(learnt))) for ids in prompts]


def _verdicts(chosen: str, rejected: str) -> list[StatedText]:
    return [
        StatedText(chosen, SURE, words=1.0, sure=EMPHASIS),
        StatedText(rejected, UNSURE, sure=EMPHASIS),
    ]
