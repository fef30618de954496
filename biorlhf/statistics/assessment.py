"""All calibration numbers of a set of answers at once, with intervals, and reasons for what is missing."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biorlhf.statistics import calibration as cal
from biorlhf.statistics.intervals import (
    Floats,
    Rate,
    Statistic,
    bootstrap,
    cluster_index,
    share,
    weighted_mean,
)
from biorlhf.types import Question

BIASED = ("ece", "mce", "reliability")  # sums of deviations: resampling biases them upwards
# A skill has no lower bound: a model can be worse than any constant.
LIMITS = {"brier_skill": (-np.inf, 1.0), "within_bins": (-1.0, 1.0), "confidence_gap": (-1.0, 1.0)}


def cluster_of(question: Question) -> str:
    """What a question is about: its split group, else its (tissue, pathway), else the question itself.

    Answers about one thing are not independent, so intervals draw them together.
    """
    if question.split_group:
        return question.split_group
    pathway = question.ground_truth.get("pathway")
    tissue = question.tissue or question.ground_truth.get("tissue")
    return f"{tissue}/{pathway}" if tissue and pathway else f"question/{question.id}"


def statistics(q_N: Floats, c_N: Floats) -> dict[str, Statistic]:
    """Every number of ``calibration`` by its name in a report, as functions of weights. Bins are
    those of all the answers and stay as they are in a resample."""
    functions: dict[str, Statistic] = {
        "accuracy_clustered": weighted_mean(c_N),
        "mean_confidence": weighted_mean(q_N),
        "confidence_gap": weighted_mean(q_N - c_N),
        "brier": lambda w: cal.brier(q_N, c_N, w),
        "brier_skill": lambda w: cal.brier_skill(q_N, c_N, w),
        "auroc": lambda w: cal.auroc(q_N, c_N, w),
        "aurc": lambda w: cal.aurc(q_N, c_N, w),
        "surest_half_wrong": lambda w: cal.surest_half(q_N, c_N, w),
        "overconfidence": lambda w: cal.overconfidence(q_N, c_N, w),
        "underconfidence": lambda w: cal.underconfidence(q_N, c_N, w),
    }
    bins_N = cal.bin_index(q_N)
    if bins_N is None:
        return functions

    def binned(measure: Any) -> Statistic:
        return lambda w: measure(cal.bin_sums(q_N, c_N, bins_N, w))

    def within(w: Floats) -> Floats:
        s = cal.bin_sums(q_N, c_N, bins_N, w)
        return cal.brier(q_N, c_N, w) - (cal.reliability(s) - cal.resolution(s) + cal.uncertainty(s))

    for measure in (
        cal.ece,
        cal.mce,
        cal.debiased_l2,
        cal.reliability,
        cal.resolution,
        cal.uncertainty,
    ):
        functions[measure.__name__] = binned(measure)
    functions["within_bins"] = within
    return functions


@dataclass(frozen=True, slots=True)
class Assessment:
    """All calibration numbers of one set of answers, and the reason for each that is left out."""

    rates: dict[str, Rate]
    left_out: dict[str, str]
    distinct_confidences: int
    null: dict[str, Any] | None = None
    diagram: list[dict[str, Any]] = field(default_factory=list)
    curve: list[dict[str, float]] = field(default_factory=list)


NAMES = (
    *("accuracy", "accuracy_clustered", "mean_confidence", "confidence_gap", "brier", "brier_skill"),
    *("reliability", "resolution", "uncertainty", "within_bins", "ece", "debiased_l2", "mce"),
    *("auroc", "aurc", "surest_half_wrong", "overconfidence", "underconfidence"),
)


def assess(
    confidences: Sequence[float], correct: Sequence[float], clusters: Sequence[Hashable], *, seed: int = 0
) -> Assessment:
    """Every number with its 95 % cluster bootstrap interval (accuracy: Wilson's as well).

    Args:
        confidences: stated, in [0, 1]; answers without one are not to be imputed but left out.
        correct: 1 or 0.
        clusters: what each answer is about; answers about one thing are drawn together.
    """
    if not len(confidences) == len(correct) == len(clusters):
        raise ValueError(f"{len(confidences)} confidences, {len(correct)} labels, {len(clusters)} clusters")
    q_N, c_N = np.asarray(confidences, dtype=float), np.asarray(correct, dtype=float)
    if len(q_N) == 0:
        return Assessment({}, dict.fromkeys(NAMES, "no answer states a confidence"), 0)
    functions = statistics(q_N, c_N)
    counts = dict.fromkeys(functions, len(q_N))
    counts |= {
        "overconfidence": int((q_N >= cal.SURE).sum()),
        "underconfidence": int((q_N <= cal.UNSURE).sum()),
    }
    rates = bootstrap(functions, cluster_index(clusters), counts, limits=LIMITS, reflected=BIASED, seed=seed)
    # Wilson's takes the answers as independent; accuracy_clustered is the same number with clusters drawn.
    rates["accuracy"] = share(int(c_N.sum()), len(c_N)) or rates["accuracy_clustered"]
    left_out = {name: _why_left_out(name, q_N, c_N) for name in NAMES if name not in rates}
    bins_N = cal.bin_index(q_N)
    coverage, risk = cal.risk_coverage(q_N, c_N)
    return Assessment(
        rates={name: rates[name] for name in NAMES if name in rates},
        left_out=left_out,
        distinct_confidences=len(np.unique(q_N)),
        null=None if bins_N is None else _null_summary(q_N, c_N, bins_N, seed),
        diagram=[] if bins_N is None else cal.reliability_diagram(q_N, c_N, bins_N),
        curve=[{"coverage": float(x), "risk": float(y)} for x, y in zip(coverage, risk, strict=True)],
    )


def apart(confidences: Sequence[float], taught: Sequence[bool], clusters: Sequence[Hashable]) -> Rate | None:
    """Mean stated confidence on taught facts minus that on facts that were never taught, in [-1, 1], with its
    cluster bootstrap interval. None where one kind is missing."""
    q_N, t_N = np.asarray(confidences, dtype=float), np.asarray(taught, dtype=float)
    sides = [weighted_mean(np.where(t_N == kind, q_N, np.nan)) for kind in (1.0, 0.0)]
    name = "taught_minus_untaught"
    functions: dict[str, Statistic] = {name: lambda w: sides[0](w) - sides[1](w)}
    return bootstrap(functions, cluster_index(clusters), {name: len(q_N)}, limits={name: (-1.0, 1.0)}).get(
        name
    )


def _null_summary(q_N: Floats, c_N: Floats, bins_N: NDArray[np.int64], seed: int) -> dict[str, Any]:
    drawn = cal.null_ece(q_N, bins_N, seed=seed)
    low, high = np.quantile(drawn, [0.025, 0.975])
    # Within 1e-12 it is the same ECE, summed in another order.
    at_least = int((drawn >= float(cal.ece(cal.bin_sums(q_N, c_N, bins_N))) - 1e-12).sum())
    expected = Rate(float(drawn.mean()), float(low), float(high), len(q_N)).to_json()
    # The observed answers count as one draw: no finite number of draws shows that something never happens.
    return {**expected, "p_value": (1 + at_least) / (1 + len(drawn))}


def _why_left_out(name: str, q_N: Floats, c_N: Floats) -> str:
    if name == "overconfidence" and not (q_N >= cal.SURE).any():
        return f"no answer states a confidence of {cal.SURE} or more"
    if name == "underconfidence" and not (q_N <= cal.UNSURE).any():
        return f"no answer states a confidence of {cal.UNSURE} or less"
    if name in ("brier_skill", "auroc") and c_N.min() == c_N.max():
        return "every answer is right" if c_N[0] else "every answer is wrong"
    # Fewer than ten values are bins of their own, and one answer has no variance.
    if name == "debiased_l2" and len(np.unique(q_N)) == len(q_N) < 10:
        return "no two answers state the same confidence"
    if cal.bin_index(q_N) is None:
        return f"{len(q_N)} answers with {len(np.unique(q_N))} distinct confidences are too few to bin"
    return "too few answers: half of the resamples do not define it"
