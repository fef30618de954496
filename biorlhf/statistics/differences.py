"""Paired differences: two sides answered the same questions, and are resampled together. Pure NumPy.

Shapes: ``_Q`` questions that both sides answered, ``_K`` their clusters, ``_R`` resamples.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biorlhf.statistics.intervals import RESAMPLES, Floats, Statistic, bounds, cluster_index, draw, z_score

POWER = 0.8


@dataclass(frozen=True, slots=True)
class Difference:
    """A paired difference, second minus first, with its 95 % interval.

    ``questions`` counts the questions that both sides answered, ``clusters`` what they are about.
    ``detectable`` is the smallest true difference that this many questions would show four times out
    of five.
    """

    value: float
    low: float
    high: float
    questions: int
    clusters: int
    detectable: float

    @property
    def is_too_few(self) -> bool:
        """Below six clusters even a unanimous change comes up by chance more often than one time in
        twenty (sign test: 2 x 0.5 ^ 5 = 0.06), whatever the bootstrap says."""
        return self.clusters < 6

    @property
    def is_noise(self) -> bool:
        """Whether the interval holds zero, or there is too little to tell."""
        return self.low <= 0.0 <= self.high or self.is_too_few

    def to_json(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n": self.questions,
            "clusters": self.clusters,
            "detectable": self.detectable,
            "inside_noise": self.is_noise,
        }


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: statistics by name, and the question of each answer they weigh (``_N``).

    ``biased`` names those that resampling biases upwards.
    """

    statistics: Mapping[str, Statistic]
    questions: Sequence[str]
    biased: Collection[str] = ()


def paired_differences(
    first: Side, second: Side, cluster_of: Mapping[str, Hashable], *, seed: int = 0
) -> dict[str, Difference]:
    """Second minus first over the questions that both answered, drawn together by cluster.

    Both sides of a resample hold the same questions, so what makes a question hard or easy cancels
    (Efron & Tibshirani 1993, chapter 8; Berg-Kirkpatrick et al. 2012 for model comparisons). The
    detectable difference is (z of the interval + z of the power) x the difference's standard error.
    For a biased statistic the interval spans the percentile and the reflected one: the biases of the
    two sides cancel where both are alike, and only then.

    Args:
        cluster_of: question -> its cluster; a question that it lacks stands for itself.

    Returns:
        name -> difference, for the statistics that both sides hold and define; empty where no question
        is shared.
    """
    both = set(second.questions)
    shared = [question for question in dict.fromkeys(first.questions) if question in both]
    if not shared:
        return {}
    clusters = cluster_index([cluster_of.get(question, question) for question in shared])
    number = {question: index for index, question in enumerate(shared)}
    # One draw for both sides: that is what makes the difference a paired one.
    drawn_RK = draw(int(clusters.max()) + 1, RESAMPLES, seed)
    before, after = (_resampled(side, number, clusters, drawn_RK) for side in (first, second))
    differences = {}
    for name in first.statistics:
        if name not in second.statistics:
            continue
        value = float(after[name][0] - before[name][0])
        # The first row is the answers as they are.
        values_R = (after[name] - before[name])[1:]
        if not math.isfinite(value):
            continue
        interval = bounds(values_R, value)
        if interval is not None and name in first.biased:
            mirrored = bounds(values_R, value, reflected=True) or interval
            interval = min(interval[0], mirrored[0]), max(interval[1], mirrored[1])
        if interval is not None:
            detectable = (z_score() + NormalDist().inv_cdf(POWER)) * float(np.nanstd(values_R))
            differences[name] = Difference(value, *interval, len(shared), drawn_RK.shape[1], detectable)
    return differences


def _resampled(
    side: Side, number: Mapping[str, int], clusters_Q: NDArray[np.int64], drawn_RK: Floats
) -> dict[str, Floats]:
    """Each statistic on the shared questions as they are (first), then on every resample."""
    shared_N = np.array([question in number for question in side.questions])
    place = [number[question] for question in side.questions if question in number]
    rows = np.vstack([np.ones((1, drawn_RK.shape[1])), drawn_RK])
    weights = np.zeros((len(rows), len(shared_N)))
    # Answers to questions that the other side lacks stay, with no weight: bins are those of all answers.
    weights[:, shared_N] = rows[:, clusters_Q[place]]
    return {name: statistic(weights) for name, statistic in side.statistics.items()}
