"""How well a stated confidence matches being right: small pure functions over NumPy arrays.

Shapes: ``_N`` answers, ``_B`` bins, ``_R`` resamples; ``q_N`` is the stated confidence and ``c_N`` 1
where the answer is right, 0 where it is wrong. ``weights`` (``(N,)``, or ``(R, N)`` for resamples)
counts each answer; the result has its leading shape, so one function serves the estimate and its
bootstrap. Where a number is undefined the functions give NaN; ``assessment.assess``, which
reports use, leaves such a number out and says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biorlhf.statistics.intervals import RESAMPLES, Floats, Rate, divide, wilson

BIN_OF_AT_LEAST = 20
MOST_BINS = 10
SURE = 0.8
UNSURE = 0.3


def bin_index(q_N: ArrayLike) -> NDArray[np.int64] | None:
    """Each answer's bin. Below 10 distinct confidences every one is a bin of its own; otherwise
    B = min(10, n // 20) bins of equal mass (Nguyen & O'Connor 2015; Nixon et al. 2019).

    Answers of equal confidence share a bin, whatever their order. None where there is no answer, or
    fewer than 20 with 10 or more distinct confidences: a bin would hold too few to mean anything.
    """
    q_N = np.asarray(q_N, dtype=float)
    distinct, of_N, counts = np.unique(q_N, return_inverse=True, return_counts=True)
    if len(distinct) == 0:
        return None
    if len(distinct) < MOST_BINS:
        return of_N.astype(np.int64)
    bins = min(MOST_BINS, len(q_N) // BIN_OF_AT_LEAST)
    if bins == 0:
        return None
    # A value's answers go together by their middle: by their first or last, a large tie would pull its bin to
    # one side.
    middle_rank = np.cumsum(counts) - counts / 2
    bin_of_value = np.minimum((middle_rank * bins / len(q_N)).astype(np.int64), bins - 1)
    # Numbered anew: a large tie can leave bins empty.
    return np.unique(bin_of_value[of_N], return_inverse=True)[1].astype(np.int64)


@dataclass(frozen=True, slots=True)
class BinSums:
    """Per bin (last axis ``_B``): how many answers, the sum of their confidences, how many are right."""

    n: Floats
    confidence: Floats
    right: Floats

    @property
    def gap(self) -> Floats:
        """Mean confidence minus accuracy; NaN in an empty bin."""
        return divide(self.confidence - self.right, self.n)

    @property
    def share(self) -> Floats:
        return divide(self.n, self.n.sum(-1, keepdims=True))


def bin_sums(q_N: Floats, c_N: Floats, bins_N: NDArray[np.int64], weights: Floats | None = None) -> BinSums:
    """Sums per bin. ``c_N`` may have leading axes too (labels drawn many times), without ``weights``."""
    # A product with membership sums thousands of resamples at once.
    member_NB = np.eye(int(bins_N.max()) + 1)[bins_N]
    weights = np.ones(len(q_N)) if weights is None else weights
    return BinSums(weights @ member_NB, (weights * q_N) @ member_NB, (weights * c_N) @ member_NB)


def ece(s: BinSums) -> Floats:
    """Expected calibration error: mean absolute gap, weighted by bin (Naeini et al. 2015)."""
    return _whole(s, np.nansum(s.share * np.abs(s.gap), axis=-1))


def mce(s: BinSums) -> Floats:
    """Maximum calibration error: the largest absolute gap of a bin (Naeini et al. 2015)."""
    return _whole(s, np.max(np.nan_to_num(np.abs(s.gap)), axis=-1))


def debiased_l2(s: BinSums) -> Floats:
    """L2 calibration error without the plug-in's upward bias (Kumar, Liang & Ma 2019):
    the root of sum_b share_b [gap_b^2 - p_b (1 - p_b) / (n_b - 1)], at least 0. Bins of one answer,
    whose variance is unknown, are left out.
    """
    p = divide(s.right, s.n)
    variance = divide(p * (1 - p), np.maximum(s.n - 1, 0))
    # A resample draws other counts, so which bins have a variance is asked each time.
    used = s.n > 1
    total = np.where(used, s.n * np.nan_to_num(s.gap**2 - variance), 0.0).sum(-1)
    error: Floats = np.sqrt(np.maximum(divide(total, np.where(used, s.n, 0.0).sum(-1)), 0.0))
    return error


def reliability(s: BinSums) -> Floats:
    """Murphy's (1973) reliability: mean squared gap; 0 is best."""
    return _whole(s, np.nansum(s.share * s.gap**2, axis=-1))


def resolution(s: BinSums) -> Floats:
    """Murphy's (1973) resolution: how far the bins' accuracies lie from the overall one; more is better."""
    base = divide(s.right.sum(-1), s.n.sum(-1))[..., None]
    return _whole(s, np.nansum(s.share * (divide(s.right, s.n) - base) ** 2, axis=-1))


def uncertainty(s: BinSums) -> Floats:
    """Murphy's (1973) uncertainty: a (1 - a) for the accuracy a, the Brier score of always saying a."""
    base = divide(s.right.sum(-1), s.n.sum(-1))
    return base * (1 - base)


def _whole(s: BinSums, value: Floats) -> Floats:
    return np.where(s.n.sum(-1) > 0, value, np.nan)


def brier(q_N: Floats, c_N: Floats, weights: Floats | None = None) -> Floats:
    """Mean squared difference of confidence and outcome (Brier 1950); 0 is best."""
    weights = np.ones(len(q_N)) if weights is None else weights
    return divide(weights @ ((q_N - c_N) ** 2), weights.sum(-1))


def brier_skill(q_N: Floats, c_N: Floats, weights: Floats | None = None) -> Floats:
    """1 - Brier / (a (1 - a)): above 0 is better than always stating the accuracy a (Murphy 1973)."""
    weights = np.ones(len(q_N)) if weights is None else weights
    base = divide(weights @ c_N, weights.sum(-1))
    spread = base * (1 - base)
    # All right or all wrong: a (1 - a) is zero, but for rounding, and there is nothing to be better than.
    return 1 - divide(brier(q_N, c_N, weights), np.where(spread > 1e-12, spread, 0.0))


def auroc(q_N: Floats, c_N: Floats, weights: Floats | None = None) -> Floats:
    """The chance that a right answer is stated with more confidence than a wrong one, ties counting
    half (Hanley & McNeil 1982). 0.5: the confidence does not tell them apart."""
    weights = np.ones(len(q_N)) if weights is None else weights
    member_NV = _by_value(q_N)
    right, wrong = (weights * c_N) @ member_NV, (weights * (1 - c_N)) @ member_NV
    # Half of a value's own wrong answers: the ties.
    below = np.cumsum(wrong, axis=-1) - wrong / 2
    return divide((right * below).sum(-1), right.sum(-1) * wrong.sum(-1))


def risk_coverage(q_N: Floats, c_N: Floats, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """Keep the most confident answers: (coverage, share wrong among the kept), one point per distinct
    confidence, most confident first (Geifman & El-Yaniv 2017)."""
    weights = np.ones(len(q_N)) if weights is None else weights
    member_NV = _by_value(q_N)
    answered = np.cumsum((weights @ member_NV)[..., ::-1], axis=-1)
    wrong = np.cumsum(((weights * (1 - c_N)) @ member_NV)[..., ::-1], axis=-1)
    return divide(answered, answered[..., -1:]), divide(wrong, answered)


def aurc(q_N: Floats, c_N: Floats, weights: Floats | None = None) -> Floats:
    """Area under the risk-coverage curve by trapezoids, flat before its first point; 0 is best."""
    coverage, risk = risk_coverage(q_N, c_N, weights)
    # A resample may lack the most confident answers: coverage is 0 there, and so is the step.
    risk = np.nan_to_num(risk)
    step = np.diff(coverage, axis=-1)
    area: Floats = (step * (risk[..., 1:] + risk[..., :-1]) / 2).sum(-1)
    whole: Floats = coverage[..., 0] * risk[..., 0] + area
    return whole


def surest_half(q_N: Floats, c_N: Floats, weights: Floats | None = None) -> Floats:
    """The share that is wrong among the surer half of the answers; of answers that are equally sure, so many
    count as the half takes, each alike."""
    coverage, risk = risk_coverage(q_N, c_N, weights)
    zero = np.zeros((*coverage.shape[:-1], 1))
    kept = np.concatenate([zero, coverage], axis=-1)
    wrong = np.concatenate([zero, np.nan_to_num(risk) * coverage], axis=-1)
    # The first point at or beyond a half: between it and the one before, the answers are equally sure.
    end = np.argmax(kept >= 0.5 - 1e-12, axis=-1)[..., None]
    ends = [np.take_along_axis(values, end, axis=-1)[..., 0] for values in (kept, wrong)]
    starts = [np.take_along_axis(values, end - 1, axis=-1)[..., 0] for values in (kept, wrong)]
    part = divide(0.5 - starts[0], ends[0] - starts[0])
    half: Floats = (starts[1] + part * (ends[1] - starts[1])) / 0.5
    return half


def _by_value(q_N: Floats) -> Floats:
    distinct, of_N = np.unique(q_N, return_inverse=True)
    return np.eye(len(distinct))[of_N]


def overconfidence(q_N: Floats, c_N: Floats, weights: Floats | None = None) -> Floats:
    """The share that is wrong among answers stated with at least 80 %; above 20 % is too much."""
    weights = np.ones(len(q_N)) if weights is None else weights
    return divide(weights @ ((q_N >= SURE) * (1 - c_N)), weights @ (q_N >= SURE).astype(float))


def underconfidence(q_N: Floats, c_N: Floats, weights: Floats | None = None) -> Floats:
    """The share that is right among answers stated with at most 30 %; above 30 % is too much."""
    weights = np.ones(len(q_N)) if weights is None else weights
    return divide(weights @ ((q_N <= UNSURE) * c_N), weights @ (q_N <= UNSURE).astype(float))


def null_ece(
    q_N: Floats, bins_N: NDArray[np.int64], *, draws: int = RESAMPLES, seed: int = 0
) -> NDArray[np.float64]:
    """The ECE of a perfectly calibrated model that states the same confidences: labels are drawn from
    them ``draws`` times (Bröcker & Smith 2007; Vaicenavicius et al. 2019). An observed ECE within this
    range is noise."""
    rng = np.random.default_rng(seed)
    labels_RN = (rng.random((draws, len(q_N))) < q_N).astype(float)
    return ece(bin_sums(q_N, labels_RN, bins_N))


def reliability_diagram(q_N: Floats, c_N: Floats, bins_N: NDArray[np.int64]) -> list[dict[str, Any]]:
    """One row a bin, by rising confidence: mean confidence, and accuracy with Wilson's interval."""
    s = bin_sums(q_N, c_N, bins_N)
    rows = []
    for n, confidence, right in zip(s.n, s.confidence, s.right, strict=True):
        low, high = wilson(right, n)
        accuracy = Rate(float(right / n), low, high, int(n)).to_json()
        rows.append({"confidence": float(confidence / n), "accuracy": accuracy})
    return sorted(rows, key=lambda row: row["confidence"])
