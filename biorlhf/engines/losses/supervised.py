"""Losses over given text: SFT, and the probe that compares a policy with the one a stage started from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from biorlhf.engines.losses.contract import Sums, TokenBatch, Whole, sum_by_sequence

#: log(1/2): a token more probable than that is the greedy choice, whatever the others are.
HALF = -0.6931471805599453


def sft(batch: TokenBatch, whole: Whole, settings: Mapping[str, Any]) -> tuple[Tensor, Sums]:
    """Cross-entropy L = -(1/W) sum_t w_t log p(y_t | x, y_<t), W = sum_t w_t over the whole batch; without
    weights w_t = 1, and W is its number of tokens.

    Metrics, of tokens that count: ``nll`` (nats per token), ``token_recall`` and ``recalled`` (see
    :func:`recall`).
    """
    nll = -batch.logprobs_T
    weights_T = torch.ones_like(nll) if batch.weights_T is None else batch.weights_T
    loss = (weights_T * nll).sum() / (max(whole.tokens, 1) if whole.weight is None else whole.weight)
    counts_T = weights_T > 0
    return loss, {
        "nll": (float(nll.detach()[counts_T].sum()), int(counts_T.sum())),
        **recall(batch.logprobs_T.detach(), batch),
    }


def probe(batch: TokenBatch, whole: Whole, settings: Mapping[str, Any]) -> tuple[Tensor, Sums]:
    """SFT's loss and recall, and the same numbers under the policy that the stage started from.

    For watching knowledge that a stage might destroy: ``start_nll`` and ``start_token_recall`` need no
    memory of an earlier step, so a resumed run sees the same change.
    """
    loss, metrics = sft(batch, whole, settings)
    start = reference(batch)
    return loss, {
        **metrics,
        "start_nll": (-float(start.sum()), len(start)),
        **{f"start_{name}": pair for name, pair in recall(start, batch).items()},
    }


def recall(logprobs_T: Tensor, batch: TokenBatch) -> Sums:
    """Share of tokens, and of whole responses, of which every token has p > 1/2.

    A token with p > 1/2 is the most probable one, so these are lower bounds of the accuracy of greedy
    decoding (per token given the true text before it, and of the exact response).
    """
    counts_T = (
        torch.ones_like(logprobs_T, dtype=torch.bool) if batch.weights_T is None else batch.weights_T > 0
    )
    missed_T = ((logprobs_T <= HALF) & counts_T).to(logprobs_T.dtype)
    missed_N = sum_by_sequence(missed_T, batch)
    tokens = int(counts_T.sum())
    return {
        "token_recall": (tokens - float(missed_T.sum()), tokens),
        "recalled": (float((missed_N == 0).sum()), len(missed_N)),
    }


def reference(batch: TokenBatch) -> Tensor:
    """Log-probabilities of the stage's first policy; ``ValueError`` where the learner gave none."""
    if batch.reference_logprobs_T is None:
        raise ValueError("this loss needs the reference policy's log-probabilities, and none were computed")
    return batch.reference_logprobs_T.detach()
