"""Policy-gradient losses over sampled completions: GRPO and the family that grew from it.

Notation: r_t = pi(y_t)/pi_old(y_t); A the completion's advantage; w_t = min(pi_old(y_t)/pi_sampler(y_t), C),
a constant that corrects for a sampler whose arithmetic is not the learner's (truncated importance sampling:
Yao et al. 2025, "On the Rollout-Training Mismatch in Modern RL Systems"). Every loss here has, per token,

    l_t = w_t * policy_t + beta * kl_t

and they differ in ``policy_t`` and in how tokens are averaged. The KL term is averaged as the rest is and
is not weighted by w. N completions of P prompts have T tokens in the whole batch, |i| tokens in completion i.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from biorlhf.engines.losses.contract import Sums, TokenBatch, Whole, sum_by_sequence, tokens_by_sequence
from biorlhf.engines.losses.supervised import reference


def grpo(batch: TokenBatch, whole: Whole, settings: Mapping[str, Any]) -> tuple[Tensor, Sums]:
    """(1/N) sum_i (1/|i|) sum_t l_t, policy_t = -min(r_t A, clip(r_t, 1 - low, 1 + high) A).

    GRPO: DeepSeekMath, arXiv 2402.03300 equation 3. Short answers weigh more per token than long ones.
    """
    losses_T, metrics = clipped_surrogate(token_ratio(batch), batch, settings)
    return mean_of_completions(losses_T, batch, whole), metrics


def dr_grpo(batch: TokenBatch, whole: Whole, settings: Mapping[str, Any]) -> tuple[Tensor, Sums]:
    """(1/(N L)) sum_i sum_t l_t with L the sampling limit, a constant; policy_t as in :func:`grpo`.

    Dr. GRPO, arXiv 2503.20783: no length bias. Goes with advantages that are not divided by a deviation.
    """
    losses_T, metrics = clipped_surrogate(token_ratio(batch), batch, settings)
    return losses_T.sum() / max(whole.sequences * whole.max_completion_tokens, 1), metrics


def dapo(batch: TokenBatch, whole: Whole, settings: Mapping[str, Any]) -> tuple[Tensor, Sums]:
    """(1/T) sum over all tokens of the batch of l_t; policy_t as in :func:`grpo`, usually with high > low.

    Token-level loss of DAPO, arXiv 2503.14476 equation 8.
    """
    losses_T, metrics = clipped_surrogate(token_ratio(batch), batch, settings)
    return losses_T.sum() / max(whole.tokens, 1), metrics


def bnpo(batch: TokenBatch, whole: Whole, settings: Mapping[str, Any]) -> tuple[Tensor, Sums]:
    """(1/P) sum over prompts of (sum of l_t over the prompt's tokens) / (number of those tokens).

    The token mean over a *local* batch, with the local batch fixed as one prompt's group: elsewhere it is
    whatever one device holds, and the loss then depends on how the batch is cut.
    """
    losses_T, metrics = clipped_surrogate(token_ratio(batch), batch, settings)
    tokens_T = batch.group_tokens_N[batch.sequence_T].to(losses_T.dtype)
    return (losses_T / tokens_T).sum() / max(whole.groups, 1), metrics


def gspo(batch: TokenBatch, whole: Whole, settings: Mapping[str, Any]) -> tuple[Tensor, Sums]:
    """(1/N) sum_i (1/|i|) sum_t l_t with one ratio per completion: s_i = exp((1/|i|) sum_t log r_t).

    GSPO, arXiv 2507.18071 equations 5 to 7. Its clip range is two to three orders below GRPO's (3e-4, 4e-4).
    """
    losses_T, metrics = clipped_surrogate(sequence_ratio(batch), batch, settings)
    return mean_of_completions(losses_T, batch, whole), metrics


def cispo(batch: TokenBatch, whole: Whole, settings: Mapping[str, Any]) -> tuple[Tensor, Sums]:
    """(1/T) sum of l_t, policy_t = -min(r_t, 1 + high) A log pi(y_t), with the factor before log constant.

    CISPO: MiniMax-M1, arXiv 2506.13585 equations 4 and 5, without a lower bound as there. No token loses its
    gradient; ``clip_share`` counts those whose weight was capped.
    """
    ratio_T = token_ratio(batch).detach()
    cap = 1 + settings["clip_high"]
    policy_T = -ratio_T.clamp(max=cap) * advantage_by_token(batch) * batch.logprobs_T
    losses_T, metrics = with_corrections(policy_T, batch, settings)
    metrics["clip_share"] = (float((ratio_T > cap).sum()), len(ratio_T))
    return losses_T.sum() / max(whole.tokens, 1), metrics


def advantage_by_token(batch: TokenBatch) -> Tensor:
    return batch.advantages_N[batch.sequence_T]


def old_logprobs(batch: TokenBatch) -> Tensor:
    """Of the policy that this batch's first update started from, without gradient."""
    return (batch.logprobs_T if batch.old_logprobs_T is None else batch.old_logprobs_T).detach()


def token_ratio(batch: TokenBatch) -> Tensor:
    """r_t = pi(y_t)/pi_old(y_t): ``_T``, with gradient; 1 where the batch is on policy."""
    return torch.exp(batch.logprobs_T - old_logprobs(batch))


def sequence_ratio(batch: TokenBatch) -> Tensor:
    """Geometric mean of the token ratios of each completion, repeated for its tokens: ``_T``."""
    mean_N = sum_by_sequence(batch.logprobs_T - old_logprobs(batch), batch) / tokens_by_sequence(batch)
    return torch.exp(mean_N)[batch.sequence_T]


def clipped_surrogate(ratio_T: Tensor, batch: TokenBatch, settings: Mapping[str, Any]) -> tuple[Tensor, Sums]:
    """l_t with policy_t = -min(r A, clip(r, 1 - low, 1 + high) A): ``_T``, and the metrics."""
    low, high = 1 - settings["clip_low"], 1 + settings["clip_high"]
    advantage_T = advantage_by_token(batch)
    policy_T = -torch.minimum(ratio_T * advantage_T, ratio_T.clamp(low, high) * advantage_T)
    losses_T, metrics = with_corrections(policy_T, batch, settings)
    # The minimum cuts a ratio only where the advantage pushes it further out; the other side keeps its
    # gradient.
    clipped_low = float(((ratio_T < low) & (advantage_T < 0)).sum())
    clipped_high = float(((ratio_T > high) & (advantage_T > 0)).sum())
    metrics["clip_share"] = (clipped_low + clipped_high, len(ratio_T))
    metrics["clip_share_low"] = (clipped_low, len(ratio_T))
    metrics["clip_share_high"] = (clipped_high, len(ratio_T))
    return losses_T, metrics


def with_corrections(policy_T: Tensor, batch: TokenBatch, settings: Mapping[str, Any]) -> tuple[Tensor, Sums]:
    """w_t * policy_t + beta * kl_t: ``_T``, and the metrics that do not depend on the loss."""
    count, metrics = len(policy_T), Sums()
    if batch.sampler_logprobs_T is not None:
        log_weight_T = old_logprobs(batch) - batch.sampler_logprobs_T
        weight_T = torch.exp(log_weight_T)
        # k3 with the sampler's distribution in front. expm1, because the two differ by rounding: exp(x) - 1
        # would leave no digit of it.
        metrics["mismatch_kl"] = (float((torch.expm1(log_weight_T) - log_weight_T).sum()), count)
        metrics["max_importance_ratio"] = (float(weight_T.max()) if count else 0.0, float(count > 0))
        cap = settings["importance_cap"]
        if cap is not None:
            metrics["importance_capped_share"] = (float((weight_T > cap).sum()), count)
            policy_T = policy_T * weight_T.clamp(max=cap)
    if settings["beta"] > 0:
        kl_T = KL[settings["kl"]](batch.logprobs_T - reference(batch))
        metrics["kl"] = (float(kl_T.detach().sum()), count)
        policy_T = policy_T + settings["beta"] * kl_T
    if batch.entropy_T is not None:
        metrics["entropy"] = (float(batch.entropy_T.sum()), count)
    return policy_T, metrics


def mean_of_completions(losses_T: Tensor, batch: TokenBatch, whole: Whole) -> Tensor:
    """(1/N) sum_i (1/|i|) sum_t l_t."""
    return (sum_by_sequence(losses_T, batch) / tokens_by_sequence(batch)).sum() / max(whole.sequences, 1)


def kl_k1(log_ratio_T: Tensor) -> Tensor:
    """k1 = log(pi/ref): unbiased, high variance (Schulman 2020, "Approximating KL divergence").

    Its own gradient, grad log pi, has an expectation of zero and would restrain nothing; the gradient given
    here is k2's, log(pi/ref) grad log pi, which is that of the KL divergence on policy.
    """
    k2_T = kl_k2(log_ratio_T)
    return k2_T + (log_ratio_T - k2_T).detach()


def kl_k2(log_ratio_T: Tensor) -> Tensor:
    """k2 = (log(pi/ref))^2 / 2: biased, low variance, its gradient is unbiased on policy (same source)."""
    return log_ratio_T**2 / 2


def kl_k3(log_ratio_T: Tensor) -> Tensor:
    """k3 = ref/pi - 1 - log(ref/pi): unbiased, never negative (same source); GRPO's own, equation 4."""
    # expm1: exp(x) - 1 has lost its digits where policy and reference are all but equal.
    return torch.expm1(-log_ratio_T) + log_ratio_T


KL = {"k1": kl_k1, "k2": kl_k2, "k3": kl_k3}
