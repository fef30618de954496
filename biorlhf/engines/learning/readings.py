"""What a policy gives texts, with nothing learnt from it."""

from __future__ import annotations

import torch

from biorlhf.engines.learning import microbatches
from biorlhf.engines.learning.policy import Policy
from biorlhf.types import TrainGroup


@torch.no_grad()
def token_logprobs(policy: Policy, group: TrainGroup, *, packed: bool) -> list[list[float]]:
    """Log-probabilities in nats of each completion's tokens, without dropout.

    All in one pass, whatever ``learner.token_budget`` is: for one text, or for short completions of one.
    """
    policy.wrapped.eval()
    (batch,) = microbatches.build([group], 0, packed=packed, whole=True)
    tensors = batch.to(policy.device).tensors
    values, sequences = policy.logprobs(tensors)[0], tensors.sequence_T
    return [values[sequences == n].tolist() for n in range(len(group.completions))]
