"""Losses as pure functions: a record of one micro-batch in, (loss, metric sums) out.

A loss is a sum over the micro-batch divided by counts of the *whole* optimizer batch (:class:`Whole`), so
that micro-batches add up to what one pass over everything would give, however they are packed.

``LOSSES`` is looked up by ``settings["name"]``. The other settings are plain data without defaults:

- ``sft``, ``probe``: none.
- ``dpo_sigmoid``, ``dpo_ipo``, ``dpo_hinge``: ``beta`` > 0, ``label_smoothing``, ``sft_term``.
- ``grpo``, ``dr_grpo``, ``dapo``, ``bnpo``, ``gspo``: ``clip_low``, ``clip_high``, ``beta``, ``kl`` (k1, k2,
  k3), ``importance_cap`` (None: no correction).
- ``cispo``: the same without ``clip_low``.

A trainer adds keys that are for the learner alone (``iterations``, ``entropy``); a loss ignores them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from biorlhf.engines.losses import policy, preference, supervised
from biorlhf.engines.losses.contract import Loss, Sums, TokenBatch, Whole
from biorlhf.errors import InputError

__all__ = [
    "LOSSES",
    "POLICY_LOSSES",
    "PREFERENCE_LOSSES",
    "Loss",
    "Sums",
    "TokenBatch",
    "Whole",
    "check",
    "combine",
    "mean_of",
    "needs_reference",
]

#: Losses in which a completion counts by its advantage alone.
POLICY_LOSSES: dict[str, Loss] = {
    "grpo": policy.grpo,
    "dr_grpo": policy.dr_grpo,
    "dapo": policy.dapo,
    "bnpo": policy.bnpo,
    "gspo": policy.gspo,
    "cispo": policy.cispo,
}
#: Losses that compare the completions of a group with each other.
PREFERENCE_LOSSES: dict[str, Loss] = {
    "dpo_sigmoid": preference.dpo_sigmoid,
    "dpo_ipo": preference.dpo_ipo,
    "dpo_hinge": preference.dpo_hinge,
}
LOSSES: dict[str, Loss] = {
    "sft": supervised.sft,
    "probe": supervised.probe,
    **PREFERENCE_LOSSES,
    **POLICY_LOSSES,
}


def needs_reference(settings: Mapping[str, Any]) -> bool:
    """Whether a loss reads ``reference_logprobs_T``; where not, the learner makes no reference pass."""
    return settings["name"] == "probe" or settings.get("beta", 0.0) > 0


def combine(parts: Iterable[Sums]) -> dict[str, float]:
    """Metrics of a whole batch from those of its micro-batches: sum / count; the maximum for ``max_...``.

    A metric that nothing was counted for is left out.
    """
    totals: dict[str, tuple[float, float]] = {}
    for part in parts:
        for name, (value, count) in part.items():
            # A loss cannot know whether another micro-batch has what it lacks; an entry of none must not
            # become 0/0.
            if count <= 0:
                continue
            total = totals.get(name)
            if total is None:
                totals[name] = (value, count)
            elif name.startswith("max_"):
                totals[name] = (max(total[0], value), 1.0)
            else:
                totals[name] = (total[0] + value, total[1] + count)
    return {name: value / count for name, (value, count) in totals.items()}


def mean_of(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of the updates of one step, number by number."""
    if not rows:
        # A step of which no group had an effect still has its row in the metrics.
        return {"loss": 0.0, "grad_norm": 0.0}
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


def check(loss: Mapping[str, Any]) -> None:
    """Raise ``InputError`` unless the settings name a loss."""
    name = str(loss.get("name", ""))
    if name not in LOSSES:
        raise InputError("loss.name", f"no loss named {name!r}", choices=LOSSES, name=name)
