"""Intervals for rates: Wilson's for a share, and the cluster bootstrap for everything else. Pure NumPy.

Shapes: ``_N`` answers, ``_K`` clusters, ``_R`` resamples. A *statistic* is a function from weights
``_RN`` (how often each answer was drawn in each resample) to values ``_R``, with NaN where a resample
leaves it undefined. Answers about one fact are not independent of each other, so whole clusters are
drawn, never single answers.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]

CONFIDENCE = 0.95
RESAMPLES = 2000
_CHUNK = 4_000_000  # weights held at once: 32 MB


@dataclass(frozen=True, slots=True)
class Rate:
    """An estimate with its 95 % interval, and the number of answers behind it."""

    value: float
    low: float
    high: float
    n: int

    def to_json(self) -> dict[str, Any]:
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n}


def z_score(confidence: float = CONFIDENCE) -> float:
    """The normal quantile of a two-sided interval: 1.96 at 95 %."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def wilson(successes: float, n: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927, JASA 22:209). ``n`` must be above 0.

    ``successes`` may be a fraction: for the mean of values in [0, 1], whose variance is at most that
    of a share, the interval is then on the wide side.
    """
    z2 = z_score(confidence) ** 2
    share = successes / n
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2) / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # The formula is exact there, but floats are not: it would say 1e-17.
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == n else min(1.0, middle + half)
    return low, high


def share(successes: int, n: int) -> Rate | None:
    """A share with Wilson's interval; None where there is nothing to divide by."""
    if n == 0:
        return None
    low, high = wilson(successes, n)
    return Rate(successes / n, low, high, n)


def cluster_index(keys: Sequence[Hashable]) -> NDArray[np.int64]:
    """A number for each distinct key, in order of first appearance: shape ``_N``."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def weighted_mean(values_N: Floats) -> Statistic:
    """The mean as a statistic. NaN entries are answers without a value: they carry no weight."""
    given_N = np.isfinite(values_N)
    # NaN times a weight of zero is NaN: a missing value would spoil every sum.
    filled_N = np.where(given_N, values_N, 0.0)

    def statistic(weights_RN: Floats) -> Floats:
        return divide(weights_RN @ filled_N, weights_RN @ given_N.astype(float))

    return statistic


def divide(above: Floats, below: Floats) -> Floats:
    """Element-wise division with NaN, not a warning, where the divisor is 0."""
    out: Floats = np.full(np.broadcast(above, below).shape, np.nan)
    return np.divide(above, below, out=out, where=below != 0)


def point(statistic: Statistic, n: int) -> float:
    """A statistic of the answers as they are; NaN where it is undefined."""
    return float(statistic(np.ones((1, n)))[0])


# Evaluators and groups of columns over the same clusters ask for the same draw.
@functools.lru_cache(maxsize=4)
def draw(clusters: int, resamples: int, seed: int) -> Floats:
    """How often each cluster is drawn in each resample (``_RK``); the same draws for every statistic."""
    rng = np.random.default_rng(seed)
    drawn_RK = rng.multinomial(clusters, np.full(clusters, 1.0 / clusters), size=resamples).astype(float)
    # The array is shared by all who ask: written to, it would change every later interval.
    drawn_RK.flags.writeable = False
    return drawn_RK


def resample(
    statistics: Mapping[str, Statistic],
    clusters_N: NDArray[np.int64],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Floats]:
    """Every statistic on the same resamples of whole clusters (Davison & Hinkley 1997, section 3.8).

    Args:
        statistics: name -> statistic over the ``_N`` answers.
        clusters_N: each answer's cluster, from :func:`cluster_index`.

    Returns:
        name -> values ``_R``, NaN where a resample leaves the statistic undefined.
    """
    drawn_RK = draw(int(clusters_N.max()) + 1, resamples, seed)
    parts: dict[str, list[Floats]] = {name: [] for name in statistics}
    at_once = max(1, _CHUNK // max(1, len(clusters_N)))
    for start in range(0, resamples, at_once):
        weights_RN = drawn_RK[start : start + at_once, clusters_N]
        for name, statistic in statistics.items():
            parts[name].append(statistic(weights_RN))
    return {name: np.concatenate(values) for name, values in parts.items()}


def bounds(
    values_R: Floats, estimate: float, *, reflected: bool = False, confidence: float = CONFIDENCE
) -> tuple[float, float] | None:
    """The percentile interval of resampled values, widened where needed to hold the estimate.

    ``reflected`` gives the basic interval, 2 x estimate - quantiles, for a statistic that resampling
    biases upwards (a mean of absolute deviations): the percentile interval of such a one hardly ever
    holds the true value. None where fewer than half of the resamples define the statistic.
    """
    defined = values_R[np.isfinite(values_R)]
    if len(defined) * 2 < len(values_R):
        return None
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    if reflected:
        # Reflected at the estimate, the upper quantile becomes the lower bound.
        low, high = 2 * estimate - high, 2 * estimate - low
    return min(float(low), estimate), max(float(high), estimate)


def bootstrap(
    statistics: Mapping[str, Statistic],
    clusters_N: NDArray[np.int64],
    counts: Mapping[str, int],
    *,
    limits: Mapping[str, tuple[float, float]] | None = None,
    reflected: Collection[str] = (),
    seed: int = 0,
) -> dict[str, Rate]:
    """Estimates with cluster bootstrap intervals; a statistic that is undefined is absent.

    Where the resamples do not vary at all (one cluster, or every answer alike) they say nothing of
    the uncertainty; the estimate then takes Wilson's interval over the clusters, stretched to its
    range, which is wide. A statistic without a finite range is then absent.

    Args:
        counts: name -> number of answers behind each statistic, for the record.
        limits: name -> the range of a statistic; [0, 1] where it is not named.
        reflected: names of the statistics that :func:`bounds` is to reflect.
    """
    if len(clusters_N) == 0:
        return {}
    drawn = resample(statistics, clusters_N, seed=seed)
    rates: dict[str, Rate] = {}
    for name, statistic in statistics.items():
        value = point(statistic, len(clusters_N))
        if not math.isfinite(value):
            continue
        interval = bounds(drawn[name], value, reflected=name in reflected)
        if interval is None:
            continue
        floor, ceiling = (limits or {}).get(name, (0.0, 1.0))
        value = min(max(value, floor), ceiling)
        low, high = interval
        if high - low < 1e-12:
            # Wilson's interval needs a range to be stretched to.
            if not math.isfinite(ceiling - floor):
                continue
            clusters, span = int(clusters_N.max()) + 1, ceiling - floor
            low, high = (floor + span * x for x in wilson((value - floor) / span * clusters, clusters))
        # Reflecting can leave the range.
        rates[name] = Rate(value, max(floor, min(low, value)), min(ceiling, max(high, value)), counts[name])
    return rates


def mean(values: Sequence[float | None], keys: Sequence[Hashable], *, seed: int = 0) -> Rate | None:
    """The mean of values in [0, 1] with its cluster bootstrap interval; None without any value."""
    pairs = [(value, key) for value, key in zip(values, keys, strict=True) if value is not None]
    if not pairs:
        return None
    values_N = np.array([value for value, _ in pairs], dtype=float)
    clusters_N = cluster_index([key for _, key in pairs])
    return bootstrap({"mean": weighted_mean(values_N)}, clusters_N, {"mean": len(pairs)}, seed=seed)["mean"]
