"""Given texts as the learner trains on them."""

from __future__ import annotations

from collections.abc import Sequence

from biorlhf import InputError
from biorlhf.stage import Learner
from biorlhf.types import TrainCompletion, TrainGroup


def tokenized(learner: Learner, pairs: Sequence[tuple[str, str]], limit: int) -> list[TrainGroup]:
    """(prompt, response) texts as tokens, at most ``limit`` together: a response is cut at its end.

    Raises:
        InputError: a prompt leaves no room for a response.
    """
    groups = []
    for group, (prompt, _) in zip(learner.tokenize(pairs), pairs, strict=True):
        room = limit - len(group.prompt_ids)
        # Cutting the prompt instead would teach an answer to half a question.
        if room < 1:
            raise InputError(
                "max_tokens",
                f"a prompt alone has {len(group.prompt_ids)} tokens: {prompt[:60]!r}",
                f"room for a response within max_tokens = {limit}",
                hint="raise the stage's max_tokens, or lower prompt.max_tokens",
            )
        groups.append(
            TrainGroup(
                group.prompt_ids, tuple(TrainCompletion(c.token_ids[:room]) for c in group.completions)
            )
        )
    return groups
