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
from biorlhf_plugins.trainers._rollout_metrics import stated_and_correct

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
    judged = [
        (completion, *pair)
        for completion, reward in zip(scored.group.completions, scored.rewards, strict=True)
        # A cut answer is no example of a good one, whatever it states.
        if (pair := stated_and_correct(reward)) and completion.token_ids and not completion.truncated
    ]
    if not judged:
        return None
    p = math.fsum(correct for _, _, correct in judged) / len(judged)
    by_answer: dict[str, list[tuple[float, Completion]]] = defaultdict(list)
    for completion, confidence, _ in judged:
        if confidence is not None:
            by_answer[last_answer(completion.text).lower()].append((abs(confidence - p), completion))
    ends = [_ends(members) for members in by_answer.values()]
    widest = max(ends, key=lambda pair: pair[1][0] - pair[0][0], default=None)
    if widest is None or widest[1][0] - widest[0][0] < LEAST:
        return None
    return widest[0][1], widest[1][1]


def _ends(members: Sequence[tuple[float, Completion]]) -> tuple[tuple[float, Completion], ...]:
    """The nearest and the farthest."""
    return min(members, key=lambda one: one[0]), max(members, key=lambda one: one[0])
