"""What a loss is given and what it gives back. The rules of summing are in ``registry``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

#: Metric sums of one micro-batch: name -> (sum, count); for a name that begins with ``max_``: (maximum, 1).
Sums = dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """One micro-batch, flat over completion tokens (``_T``) of ``_N`` completions, prompts left out.

    Attributes:
        logprobs_T: log-probabilities under the policy being trained, with gradient, in nats.
        sequence_T: which completion (0 … N-1) a token belongs to; in order, whole completions only.
        advantages_N: one advantage per completion.
        group_tokens_N: tokens of all completions of its prompt; a micro-batch may lack some of these.
        old_logprobs_T: under the policy at the start of this batch's first iteration; equal to
            ``logprobs_T.detach()`` on the first one (None says the same).
        sampler_logprobs_T: as the sampler reported them; None for text that nobody sampled.
        reference_logprobs_T: under the policy that the stage started from; None where it is not needed.
        weights_T: how much each token counts in SFT's loss; None: each counts 1.
        entropy_T: entropy of the next-token distribution, without gradient; None where not asked for.
    """

    logprobs_T: Tensor
    sequence_T: Tensor
    advantages_N: Tensor
    group_tokens_N: Tensor
    old_logprobs_T: Tensor | None = None
    sampler_logprobs_T: Tensor | None = None
    reference_logprobs_T: Tensor | None = None
    weights_T: Tensor | None = None
    entropy_T: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """Counts over the whole optimizer batch, of which a micro-batch is a part.

    ``max_completion_tokens`` is the sampling limit (the constant denominator of Dr. GRPO). ``weight`` is the
    sum of the tokens' weights, None where each counts 1.
    """

    tokens: int
    sequences: int
    groups: int
    max_completion_tokens: int
    weight: float | None = None


class Loss(Protocol):
    """Gives (loss, metric sums); ``losses.combine`` joins the sums of all micro-batches."""

    def __call__(
        self, batch: TokenBatch, whole: Whole, settings: Mapping[str, Any]
    ) -> tuple[Tensor, Sums]: ...


def sum_by_sequence(values_T: Tensor, batch: TokenBatch) -> Tensor:
    """``_T`` values summed over the tokens of each completion: ``_N``."""
    return values_T.new_zeros(len(batch.advantages_N)).index_add(0, batch.sequence_T, values_T)


def tokens_by_sequence(batch: TokenBatch) -> Tensor:
    """Number of tokens of each completion: ``_N``, at least 1."""
    # An empty completion has a sum of zero; divided by one it stays zero and not NaN.
    return sum_by_sequence(batch.logprobs_T.detach().new_ones(len(batch.sequence_T)), batch).clamp(min=1.0)
