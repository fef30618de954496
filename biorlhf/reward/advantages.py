"""Credit assignment: from the rewards of a step to one advantage per completion. Pure NumPy.

Arrays are ``_P_G`` (prompts x completions of one prompt). NaN marks what is missing: a verifier that did not
apply or failed, a completion that no verifier scored. What is missing takes part in no mean and no deviation,
and a completion without any score has an advantage of zero.

Every normalisation here is linear in the verifiers' contributions, so an advantage is the sum of its parts:
that is what makes a verifier's share of it well defined (:meth:`Credit.shares`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from biorlhf.types import Reward

Array = NDArray[np.float64]

#: Added to every deviation that something is divided by, as in the reference implementations of GRPO.
EPSILON = 1e-4
#: Rewards of one group that lie closer together than this are the same number seen through rounding.
TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Rewards:
    """The rewards of a step.

    Attributes:
        values_V: verifier name -> its value in [0, 1] per completion (``_P_G``), NaN where it gave none.
        weights_V: verifier name -> its renormalised weight there (``_P_G``), 0 where it gave no value.
        factor_P_G: what the composed reward is multiplied by, in [0, 1] (overlong shaping); 1 by default.
    """

    values_V: Mapping[str, Array]
    weights_V: Mapping[str, Array]
    factor_P_G: Array

    @property
    def contributions_V(self) -> dict[str, Array]:
        """Verifier name -> factor x weight x value, 0 where it gave none; they add up to ``totals_P_G``."""
        return {
            name: np.nan_to_num(self.factor_P_G * self.weights_V[name] * values)
            for name, values in self.values_V.items()
        }

    @property
    def totals_P_G(self) -> Array:
        """Composed rewards in [0, 1], NaN where no verifier scored."""
        total_P_G = np.sum([np.zeros_like(self.factor_P_G), *self.contributions_V.values()], axis=0)
        return np.where(self.scored_P_G, total_P_G, np.nan)

    def without(self, groups_P: NDArray[np.bool_]) -> Rewards:
        """These rewards with some groups taken out: they take part in no deviation and get no advantage."""
        # NaN and not zero: a zero would take part in the means of those that stay.
        gone_P_1 = groups_P[:, None]
        return Rewards(
            {name: np.where(gone_P_1, np.nan, values) for name, values in self.values_V.items()},
            {name: np.where(gone_P_1, 0.0, weights) for name, weights in self.weights_V.items()},
            self.factor_P_G,
        )

    @property
    def scored_P_G(self) -> NDArray[np.bool_]:
        """Whether any verifier with a weight scored the completion."""
        scored: NDArray[np.bool_] = (
            np.sum([np.zeros_like(self.factor_P_G), *self.weights_V.values()], axis=0) > 0
        )
        return scored


@dataclass(frozen=True, slots=True)
class Credit:
    """Advantages and the parts that they are the sum of.

    Attributes:
        advantages_P_G: finite, 0 for a completion without a reward.
        parts_V: verifier name -> its part of each advantage (``_P_G``).
    """

    advantages_P_G: Array
    parts_V: Mapping[str, Array] = field(default_factory=dict)

    @property
    def silent_P(self) -> NDArray[np.bool_]:
        """Groups without any advantage: nothing can be learnt from them."""
        silent: NDArray[np.bool_] = np.all(self.advantages_P_G == 0, axis=1)
        return silent

    def rows_P(self, lengths_P: Iterable[int]) -> tuple[tuple[float, ...], ...]:
        """The advantages as nested tuples, each group cut to its own number of completions."""
        return tuple(
            tuple(float(a) for a in row[:length])
            for row, length in zip(self.advantages_P_G, lengths_P, strict=True)
        )

    def shares(self) -> dict[str, float]:
        """Each verifier's share of the advantage: cov(part, advantage) / var(advantage).

        They add up to 1; a share below 0 belongs to a verifier that the others outvoted. Empty where every
        advantage is zero. Advantages are centred in each group, so no mean is subtracted here.
        """
        whole = float(np.sum(self.advantages_P_G**2))
        if whole == 0:
            return {}
        return {
            name: float(np.sum(part_P_G * self.advantages_P_G)) / whole
            for name, part_P_G in self.parts_V.items()
        }


def collect(
    rewards_P: Sequence[Sequence[Reward]], factors_P: Sequence[Sequence[float]] | None = None
) -> Rewards:
    """Reward records as arrays. A group with fewer completions than the largest is filled up with NaN.

    Args:
        rewards_P: for each prompt, its completions' rewards.
        factors_P: for each reward a factor in [0, 1]; None: all 1.
    """
    shape = (len(rewards_P), max((len(rewards) for rewards in rewards_P), default=0))
    names = list(dict.fromkeys(n for rewards in rewards_P for reward in rewards for n in reward.scores))
    # Groups may differ in size; what fills the smaller ones up must take part in nothing.
    values_V = {name: np.full(shape, np.nan) for name in names}
    weights_V = {name: np.zeros(shape) for name in names}
    factor_P_G = np.ones(shape)
    for p, rewards in enumerate(rewards_P):
        for g, reward in enumerate(rewards):
            if factors_P is not None:
                factor_P_G[p, g] = factors_P[p][g]
            for name, weight in reward.weights.items():
                weights_V[name][p, g] = weight
            for name, score in reward.scores.items():
                if score.value is not None:
                    values_V[name][p, g] = score.value
    return Rewards(values_V, weights_V, factor_P_G)


def by_group(rewards: Rewards, floor: float = 0.0) -> Credit:
    """(r - mean of group) / (deviation of group + 1e-4). GRPO, arXiv 2402.03300 section 4.1.2.

    ``floor``: a smaller deviation counts as this one, so that tiny differences stay tiny.
    """
    spread_P_1 = deviation(rewards.totals_P_G, axis=1)
    return _centred(rewards, 1 / (np.maximum(spread_P_1, floor) + EPSILON))


def by_batch(rewards: Rewards, floor: float = 0.0) -> Credit:
    """(r - mean of group) / (deviation of the batch + 1e-4). REINFORCE++-baseline, arXiv 2501.03262."""
    spread = deviation(rewards.totals_P_G, axis=None)
    return _centred(rewards, 1 / (np.maximum(spread, floor) + EPSILON))


def without_deviation(rewards: Rewards, floor: float = 0.0) -> Credit:
    """r - mean of group. Dr. GRPO, arXiv 2503.20783: no bias to questions that are nearly always right."""
    return _centred(rewards, np.ones((1, 1)))


def leave_one_out(rewards: Rewards, floor: float = 0.0) -> Credit:
    """r - mean of the group's *other* rewards = n/(n - 1) (r - mean). RLOO, arXiv 2402.14740."""
    count_P_1 = np.sum(rewards.scored_P_G, axis=1, keepdims=True)
    # A completion that is alone has no others to be compared with; centred, it is zero already.
    return _centred(rewards, count_P_1 / np.maximum(count_P_1 - 1, 1))


def by_verifier(rewards: Rewards, floor: float = 0.0) -> Credit:
    """Each verifier normalised by its own group, then weighted, added and divided by the batch's deviation.

    In each group z_v = (x_v - mean_v) / (max(deviation_v, floor) + 1e-4), then s = sum_v w_v z_v, then
    A = s / (deviation of s over the batch + 1e-4). GDPO, arXiv 2601.05242.

    Different from the paper: the floor (without one, a verifier that varies by a hundredth is made as loud as
    one that varies from 0 to 1; the batch's deviation is taken without it, or it would undo it), and s is
    centred in each group, not in the batch, which is the same where no value is missing.
    """
    scored_P_G = rewards.scored_P_G
    unfloored = _sum(_normalised_parts(rewards, 0.0), scored_P_G).advantages_P_G
    scale = deviation(np.where(scored_P_G, unfloored, np.nan), axis=None) + EPSILON
    parts_V = _normalised_parts(rewards, floor)
    return _sum({name: part_P_G / scale for name, part_P_G in parts_V.items()}, scored_P_G)


def _normalised_parts(rewards: Rewards, floor: float) -> dict[str, Array]:
    parts_V = {}
    for name, values_P_G in rewards.values_V.items():
        weight_P_G = rewards.weights_V[name]
        # The length factor goes in before the deviation is taken: it is a part of what the verifier pays.
        shaped_P_G = np.where(weight_P_G > 0, rewards.factor_P_G * values_P_G, np.nan)
        scale_P_1 = np.maximum(deviation(shaped_P_G, axis=1), floor) + EPSILON
        part_P_G = weight_P_G * np.nan_to_num(centre(shaped_P_G) / scale_P_1)
        # Once more: where a value is missing, weights differ within the group and w z no longer adds up to
        # zero.
        parts_V[name] = np.nan_to_num(centre(np.where(rewards.scored_P_G, part_P_G, np.nan)))
    return parts_V


NORMALISATIONS: Mapping[str, Callable[..., Credit]] = {
    "group": by_group,
    "batch": by_batch,
    "none": without_deviation,
    "leave_one_out": leave_one_out,
    "gdpo": by_verifier,
}


def overlong_factor(length: int, limit: int, soft: int) -> float:
    """What a reward in [0, 1] is multiplied by for its length in tokens: 1, falling to 0 at the limit.

    1 up to ``limit - soft``, then linear, 0 from ``limit`` on. DAPO's soft overlong punishment (arXiv
    2503.14476 equation 13) is added to a reward in [-1, 1]; as a factor it keeps the reward in [0, 1].
    """
    if soft <= 0:
        return 1.0
    return min(1.0, max(0.0, (limit - length) / soft))


def deviation(values: Array, axis: int | None) -> Array:
    """Standard deviation (divisor n - 1) of what is not NaN, dimensions kept; 0 where fewer than two are."""
    present = ~np.isnan(values)
    count = np.sum(present, axis=axis, keepdims=True)
    mean = np.sum(np.where(present, values, 0), axis=axis, keepdims=True) / np.maximum(count, 1)
    squares = np.sum(np.where(present, values - mean, 0) ** 2, axis=axis, keepdims=True)
    return np.asarray(np.sqrt(squares / np.maximum(count - 1, 1)))


def centre(values_P_G: Array) -> Array:
    """Minus the mean of each group, over what is not NaN; exactly 0 in a group of equal values."""
    present = ~np.isnan(values_P_G)
    count_P_1 = np.maximum(np.sum(present, axis=1, keepdims=True), 1)
    mean_P_1 = np.sum(np.where(present, values_P_G, 0), axis=1, keepdims=True) / count_P_1
    centred_P_G = values_P_G - mean_P_1
    tied_P_1 = np.all(~present | (np.abs(centred_P_G) < TIE), axis=1, keepdims=True)
    return np.where(present & tied_P_1, 0.0, centred_P_G)


def _centred(rewards: Rewards, scale: Array) -> Credit:
    scored_P_G = rewards.scored_P_G
    # Equal totals of unequal parts leave rounding, which the division by EPSILON would turn into an
    # advantage.
    tied_P_1 = np.all(np.nan_to_num(centre(rewards.totals_P_G)) == 0, axis=1, keepdims=True)
    parts_V = {
        name: np.where(tied_P_1, 0.0, np.nan_to_num(centre(np.where(scored_P_G, part_P_G, np.nan)) * scale))
        for name, part_P_G in rewards.contributions_V.items()
    }
    return _sum(parts_V, scored_P_G)


def _sum(parts_V: Mapping[str, Array], scored_P_G: NDArray[np.bool_]) -> Credit:
    advantages_P_G = np.sum([np.zeros(scored_P_G.shape), *parts_V.values()], axis=0)
    return Credit(advantages_P_G, parts_V)
