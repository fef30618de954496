"""Losses over preference pairs. Completions come in pairs: 2k is the chosen one, 2k + 1 the rejected one.

With h = log(pi(y)/ref(y)), summed over a completion's tokens, and the pair's difference
d = h(chosen) - h(rejected). All three are means over the pairs of the whole batch, plus
``sft_term`` x mean over pairs of -log pi(chosen) / |chosen| (RPO, arXiv 2404.19733).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from biorlhf.engines.losses.contract import Sums, TokenBatch, Whole, sum_by_sequence, tokens_by_sequence
from biorlhf.engines.losses.supervised import reference


def dpo_sigmoid(batch: TokenBatch, whole: Whole, settings: Mapping[str, Any]) -> tuple[Tensor, Sums]:
    """-(1 - e) log s(beta d) - e log s(-beta d), s the logistic function, e the label smoothing.

    DPO, arXiv 2305.18290 equation 7; smoothing as in conservative DPO (Mitchell 2023).
    """
    scaled_P = settings["beta"] * difference(log_ratios(batch))
    smoothing = settings["label_smoothing"]
    losses_P = -(1 - smoothing) * logsigmoid(scaled_P) - smoothing * logsigmoid(-scaled_P)
    return finish(losses_P, batch, whole, settings)


def dpo_ipo(batch: TokenBatch, whole: Whole, settings: Mapping[str, Any]) -> tuple[Tensor, Sums]:
    """(d' - 1/(2 beta))^2, with d' from log-ratios divided by each completion's length in tokens.

    IPO, arXiv 2310.12036 equation 17; the mean over tokens is the form that its authors report results for.
    With smoothing e: (1 - e) (d' - t)^2 + e (d' + t)^2, t = 1/(2 beta).
    """
    delta_P = difference(log_ratios(batch) / tokens_by_sequence(batch))
    target, smoothing = 1 / (2 * settings["beta"]), settings["label_smoothing"]
    losses_P = (1 - smoothing) * (delta_P - target) ** 2 + smoothing * (delta_P + target) ** 2
    return finish(losses_P, batch, whole, settings)


def dpo_hinge(batch: TokenBatch, whole: Whole, settings: Mapping[str, Any]) -> tuple[Tensor, Sums]:
    """(1 - e) max(0, 1 - beta d) + e max(0, 1 + beta d). As in RSO, arXiv 2309.06657."""
    scaled_P = settings["beta"] * difference(log_ratios(batch))
    smoothing = settings["label_smoothing"]
    losses_P = (1 - smoothing) * torch.relu(1 - scaled_P) + smoothing * torch.relu(1 + scaled_P)
    return finish(losses_P, batch, whole, settings)


def log_ratios(batch: TokenBatch) -> Tensor:
    """h = sum over tokens of log pi - log ref: ``_N``, with gradient."""
    return sum_by_sequence(batch.logprobs_T - reference(batch), batch)


def difference(values_N: Tensor) -> Tensor:
    """Chosen minus rejected: ``_N`` completions in order become ``_P`` pairs."""
    if len(values_N) % 2:
        raise ValueError(f"preference pairs need an even number of completions, not {len(values_N)}")
    return values_N[0::2] - values_N[1::2]


def finish(
    losses_P: Tensor, batch: TokenBatch, whole: Whole, settings: Mapping[str, Any]
) -> tuple[Tensor, Sums]:
    """Mean over the whole batch's pairs, the SFT term, and what every preference loss logs.

    ``chosen_change`` is (log pi - log ref) of the chosen side in nats per token: how far the text that
    should be kept has moved since the stage began; below zero it became less probable.
    """
    per_token_N = sum_by_sequence(batch.logprobs_T, batch) / tokens_by_sequence(batch)
    # DPO may lower both sides while the rejected one falls faster; the SFT term holds the chosen one up.
    total = losses_P.sum() - settings["sft_term"] * per_token_N[0::2].sum()
    with torch.no_grad():
        ratios_N, lengths_N = log_ratios(batch), tokens_by_sequence(batch)
        logprobs_N, pairs = sum_by_sequence(batch.logprobs_T, batch), len(losses_P)
        margin_P = settings["beta"] * difference(ratios_N)
        sums = {
            "margin": margin_P,
            "accuracy": (margin_P > 0).float(),
            "prefers_chosen": (difference(per_token_N) > 0).float(),
            "chosen_reward": settings["beta"] * ratios_N[0::2],
            "rejected_reward": settings["beta"] * ratios_N[1::2],
            "chosen_logprob": logprobs_N[0::2],
            "rejected_logprob": logprobs_N[1::2],
            "chosen_change": ratios_N[0::2] / lengths_N[0::2],
        }
        metrics: Sums = {name: (float(values_P.sum()), pairs) for name, values_P in sums.items()}
    return total / max(whole.groups, 1), metrics
