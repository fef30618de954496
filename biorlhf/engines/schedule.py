"""Learning-rate schedules over a stage, as a pure function."""

from __future__ import annotations

import math

from biorlhf.recipe import Optimizer


def learning_rate(section: Optimizer, done: float, total: float) -> float:
    """The learning rate of the update that follows ``done`` of ``total`` steps (fractions are allowed).

    Warm-up rises linearly to the full rate over the first ``warmup`` share of the steps; then ``constant``
    stays, ``linear`` falls to zero at ``total``, and ``cosine`` falls to zero along half a cosine.
    """
    warm = section.warmup * total
    if done < warm:
        return section.learning_rate * min(1.0, (done + 1) / (warm + 1))
    share = min(1.0, (done - warm) / max(total - warm, 1e-9))
    if section.schedule == "linear":
        return section.learning_rate * (1 - share)
    if section.schedule == "cosine":
        return section.learning_rate * 0.5 * (1 + math.cos(math.pi * share))
    return section.learning_rate
