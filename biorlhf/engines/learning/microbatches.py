"""A batch of groups cut into micro-batches of at most a token budget; a larger group by completions."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from biorlhf.engines.learning.packing import (
    PackedRow,
    PaddedBatch,
    fed_tokens,
    fill,
    pack,
    pad,
    predicted,
)
from biorlhf.engines.losses.registry import POLICY_LOSSES, Whole
from biorlhf.types import TrainGroup


@dataclass(slots=True)
class MicroBatch:
    """Tensors for one pass, in the layout that the recipe asks for.

    ``old_T`` and ``reference_T`` are filled in by the learner. ``padded_tokens`` is what the same groups
    would cost padded in one batch; ``fed_tokens`` is what they cost as they are. One that does not count adds
    nothing to a loss.
    """

    tensors: PackedRow | PaddedBatch
    advantages_N: Tensor
    group_tokens_N: Tensor
    sampler_T: Tensor | None
    weights_T: Tensor | None
    fed_tokens: int
    padded_tokens: int
    old_T: Tensor | None = None
    reference_T: Tensor | None = None
    counts: bool = True

    def to(self, device: torch.device) -> MicroBatch:
        return replace(
            self,
            tensors=self.tensors.to(device),
            advantages_N=self.advantages_N.to(device),
            group_tokens_N=self.group_tokens_N.to(device),
            sampler_T=None if self.sampler_T is None else self.sampler_T.to(device),
            weights_T=None if self.weights_T is None else self.weights_T.to(device),
        )


@dataclass(frozen=True, slots=True)
class Part:
    """One learner's micro-batches of an optimizer batch, by their number among all ``of`` them."""

    whole: Whole
    own: Mapping[int, MicroBatch]
    of: int


def count(groups: Sequence[TrainGroup], max_completion_tokens: int) -> Whole:
    """Counts over a whole optimizer batch; only tokens that have a log-probability count."""
    return Whole(
        tokens=sum(sum(predicted(group)) for group in groups),
        sequences=sum(len(group.completions) for group in groups),
        groups=len(groups),
        max_completion_tokens=max_completion_tokens,
        weight=_weight(groups),
    )


def _weight(groups: Sequence[TrainGroup]) -> float | None:
    weights = weights_of(groups)
    if weights is None:
        return None
    total = math.fsum(weights)
    if total <= 0:
        raise ValueError("no token of the batch counts: every weight is 0")
    return total


def without_effect(group: TrainGroup, loss: Mapping[str, Any]) -> bool:
    """Whether a group has neither gradient nor KL term: all its advantages are zero, and beta is."""
    if loss["name"] not in POLICY_LOSSES or loss.get("beta", 0.0) > 0:
        return False
    return all(completion.advantage == 0 for completion in group.completions)


def split(groups: Sequence[TrainGroup], parts: int, seed: int) -> list[list[TrainGroup]]:
    """The batch in its order; or, for more than one part, shuffled and cut into parts of like size."""
    if parts == 1:
        return [list(groups)]
    order = list(groups)
    random.Random(seed).shuffle(order)
    return [part for part in (order[n::parts] for n in range(parts)) if part]


def build(
    groups: Sequence[TrainGroup], budget: int, *, packed: bool, whole: bool = False
) -> list[MicroBatch]:
    """Micro-batches of at most ``budget`` tokens; a single completion larger than that has one of its own.

    A larger group is cut between its completions, each part with the prompt once: losses add up over
    completions. ``whole`` keeps groups together for those that compare a group's completions.
    """
    widest = max((len(g.prompt_ids) + len(c.token_ids) for g in groups for c in g.completions), default=0)

    def size(group: TrainGroup) -> int:
        # Padded, every row of a pass is as long as its longest.
        return fed_tokens(group) if packed else widest * len(group.completions)

    parts = [
        (part, sum(predicted(group)))
        for group in groups
        for part in ([group] if whole or size(group) <= budget else _parts(group, budget, widest, packed))
    ]
    bins = fill([size(part) for part, _ in parts], budget)
    return [_micro([parts[i] for i in members], packed) for members in bins]


def _parts(group: TrainGroup, budget: int, widest: int, packed: bool) -> list[TrainGroup]:
    """As few parts of a group as keep the budget, filled alike; at least one completion in each."""
    if packed:
        sizes = [max(len(c.token_ids) - 1, 0) for c in group.completions]
        bins = fill(sizes, max(budget - len(group.prompt_ids), 1))
    else:
        bins = fill([1] * len(group.completions), max(budget // widest, 1))
    return [replace(group, completions=tuple(group.completions[i] for i in members)) for members in bins]


def _micro(parts: Sequence[tuple[TrainGroup, int]], packed: bool) -> MicroBatch:
    """Of (parts of) groups, each with the number of its whole group's tokens."""
    groups = [group for group, _ in parts]
    completions = [c for group in groups for c in group.completions]
    longest = max((len(g.prompt_ids) + len(c.token_ids) for g in groups for c in g.completions), default=0)
    padded = longest * len(completions)
    return MicroBatch(
        tensors=pack(groups) if packed else pad(groups),
        advantages_N=torch.tensor([c.advantage for c in completions], dtype=torch.float32),
        group_tokens_N=torch.tensor([n for g, n in parts for _ in g.completions], dtype=torch.long),
        sampler_T=_sampler_logprobs(groups),
        weights_T=None if (weights := weights_of(groups)) is None else torch.tensor(weights),
        fed_tokens=sum(fed_tokens(g) for g in groups) if packed else padded,
        padded_tokens=padded,
    )


def weights_of(groups: Sequence[TrainGroup]) -> list[float] | None:
    """Weights of the tokens that are predicted, flat; None where no completion has any."""
    if all(c.weights is None for g in groups for c in g.completions):
        return None
    values: list[float] = []
    for group in groups:
        for completion in group.completions:
            weights = [1.0] * len(completion.token_ids) if completion.weights is None else completion.weights
            if len(weights) != len(completion.token_ids):
                raise ValueError(f"{len(completion.token_ids)} tokens, but {len(weights)} weights")
            if any(weight < 0 for weight in weights):
                raise ValueError(f"the weight of a token is {min(weights)}; 0 or more")
            values.extend(weights[0 if group.prompt_ids else 1 :])
    return values


def _sampler_logprobs(groups: Sequence[TrainGroup]) -> Tensor | None:
    """Of the tokens that are predicted, flat; None where nobody sampled them."""
    values: list[float] = []
    if all(c.sampler_logprobs is None for g in groups for c in g.completions):
        return None
    for group in groups:
        # Nothing predicts the first token of a completion that has no prompt.
        skip = 0 if group.prompt_ids else 1
        for completion in group.completions:
            logprobs = completion.sampler_logprobs
            if logprobs is None or len(logprobs) != len(completion.token_ids):
                number = "no" if logprobs is None else str(len(logprobs))
                raise ValueError(
                    f"{len(completion.token_ids)} tokens, but {number} sampler log-probabilities"
                )
            values.extend(logprobs[skip:])
    return torch.tensor(values, dtype=torch.float32)
