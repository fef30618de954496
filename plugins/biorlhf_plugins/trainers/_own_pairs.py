"""Preference pairs from the policy's own answers: the same answer twice, of which the better is as sure as it
should be.

How sure it should be is what the group says: of G answers to one question the share that is right estimates
the probability of being right, p. Of two texts that give one and the same answer, the one whose stated
confidence lies nearer to p is chosen. So a pair says nothing of what is true, and everything of how sure to
be: a question that is always answered wrongly teaches doubt, one that is known certainty.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from biorlhf.ground_truth.forms import last_answer
from biorlhf.types import Completion, ScoredGroup, TrainCompletion, TrainGroup
from biorlhf_plugins.trainers._own_texts import judged_answers

#: The chosen confidence lies at least so much nearer to p: of eight answers, p is no surer than that.
LEAST = 0.1


def own_pairs(groups: Iterable[ScoredGroup]) -> list[TrainGroup]:
    """At most one pair (chosen, rejected) a group: that of the largest difference in their distance to p.

    A group gives none where fewer than two answers state a confidence, or all state the same.
    """
    pairs = []
    for scored in groups:
        pair = _pair(scored)
        if pair is not None:
            texts = tuple(TrainCompletion(c.token_ids, sampler_logprobs=c.logprobs or None) for c in pair)
            pairs.append(TrainGroup(scored.group.prompt_ids, texts))
    return pairs


def _pair(scored: ScoredGroup) -> tuple[Completion, Completion] | None:
    judged = judged_answers(scored)
    if not judged:
        return None
    p = math.fsum(one.correct for one in judged) / len(judged)
    by_answer: dict[str, list[tuple[float, Completion]]] = defaultdict(list)
    for one in judged:
        if one.confidence is not None:
            answer = last_answer(one.completion.text).lower()
            by_answer[answer].append((abs(one.confidence - p), one.completion))
    ends = [_ends(members) for members in by_answer.values()]
    widest = max(ends, key=lambda pair: pair[1][0] - pair[0][0], default=None)
    if widest is None or widest[1][0] - widest[0][0] < LEAST:
        return None
    return widest[0][1], widest[1][1]


def _ends(members: Sequence[tuple[float, Completion]]) -> tuple[tuple[float, Completion], ...]:
    """The nearest and the farthest."""
    return min(members, key=lambda one: one[0]), max(members, key=lambda one: one[0])
