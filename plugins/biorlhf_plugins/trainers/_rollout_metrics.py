"""What a person needs to trust a step of training on sampled answers: named numbers, all finite."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from biorlhf.reward.advantages import Credit, Rewards
from biorlhf.types import Completion, Reward, ScoredGroup, Status


@dataclass(frozen=True, slots=True)
class Judged:
    """All that one step sampled, with its rewards as arrays and the credit given for them.

    ``silent_P`` says which groups have no advantage at all.
    """

    groups_P: tuple[ScoredGroup, ...]
    rewards: Rewards
    credit: Credit
    silent_P: tuple[bool, ...]


def metrics_of(judged: Judged) -> dict[str, float]:
    """Reward, verifiers, lengths and confidence. A number that is not defined on this step is left out."""
    completions = [c for scored in judged.groups_P for c in scored.group.completions]
    rewards = [reward for scored in judged.groups_P for reward in scored.rewards]
    values = dict(_rewards(judged))
    values.update(_verifiers(rewards))
    values.update(_lengths(completions))
    values.update(_confidence(rewards))
    values.update(_blocks(judged, rewards))
    values.update(_parts(judged))
    values.update({f"advantage_share.{name}": share for name, share in judged.credit.shares().items()})
    return {name: value for name, value in values.items() if math.isfinite(value)}


def _rewards(judged: Judged) -> Iterator[tuple[str, float]]:
    totals_P_G = judged.rewards.totals_P_G
    scored_P_G = judged.rewards.scored_P_G
    # Counted by groups: the arrays are filled up to the largest one.
    count = sum(len(scored.rewards) for scored in judged.groups_P)
    if scored_P_G.any():
        yield "reward", float(totals_P_G[scored_P_G].mean())
        yield "reward_std", float(totals_P_G[scored_P_G].std())
    yield "unscored_share", 1 - float(scored_P_G.sum()) / max(count, 1)
    yield "groups", float(len(judged.groups_P))
    # It rises where a question is known, and where one thing is answered whatever is asked.
    yield "zero_variance_share", sum(judged.silent_P) / max(len(judged.groups_P), 1)


def _verifiers(rewards: Sequence[Reward]) -> Iterator[tuple[str, float]]:
    """Per verifier: its mean; the shares of completions that it judged, failed on, had nothing to say of."""
    for name in dict.fromkeys(name for reward in rewards for name in reward.scores):
        scores = [reward.scores[name] for reward in rewards if name in reward.scores]
        values = [score.value for score in scores if score.value is not None]
        if values:
            yield f"score.{name}", math.fsum(values) / len(values)
        yield f"applied.{name}", len(values) / len(scores)
        yield f"failed.{name}", _share(score.status is Status.FAILED for score in scores)
        yield f"not_applicable.{name}", _share(score.status is Status.NOT_APPLICABLE for score in scores)


def _lengths(completions: Sequence[Completion]) -> Iterator[tuple[str, float]]:
    lengths = [len(completion.token_ids) for completion in completions]
    if lengths:
        yield "completion_tokens_mean", math.fsum(lengths) / len(lengths)
        yield "completion_tokens_max", float(max(lengths))
        yield "truncated_share", _share(completion.truncated for completion in completions)


def _confidence(rewards: Sequence[Reward]) -> Iterator[tuple[str, float]]:
    """Stated confidence against correctness, from a verifier whose details hold both (uncertainty does).

    ``confidence_std`` near 0 means that one number is stated whatever the question.
    """
    stated = [stated_and_correct(reward) for reward in rewards]
    known = [pair for pair in stated if pair is not None]
    if not known:
        return
    # Never imputed: an answer without a stated confidence is in the share above, and in no mean.
    pairs = [(q, c) for q, c in known if q is not None]
    yield "confidence_stated_share", len(pairs) / len(known)
    if not pairs:
        return
    mean_q, mean_c = (math.fsum(column) / len(pairs) for column in zip(*pairs, strict=True))
    yield "confidence", mean_q
    yield "correct", mean_c
    yield "confidence_minus_correct", mean_q - mean_c
    yield "brier", math.fsum((q - c) ** 2 for q, c in pairs) / len(pairs)
    yield "confidence_std", math.sqrt(math.fsum((q - mean_q) ** 2 for q, _ in pairs) / len(pairs))


def _blocks(judged: Judged, rewards: Sequence[Reward]) -> Iterator[tuple[str, float]]:
    """Share of the completions with a readable answer block, of those that were asked for one."""
    asked = [bool(s.group.question.instruction) for s in judged.groups_P for _ in s.rewards]
    read = [
        any(score.details.get("reading") == "block" for score in reward.scores.values())
        for reward, wanted in zip(rewards, asked, strict=True)
        if wanted
    ]
    if read:
        yield "block_read_share", sum(read) / len(read)


def _parts(judged: Judged) -> Iterator[tuple[str, float]]:
    """Reward, correctness and confidence on taught facts and on the others, where questions say which."""
    for part, taught in (("taught", True), ("untaught", False)):
        kept_P = np.array([scored.group.question.taught is taught for scored in judged.groups_P], dtype=bool)
        totals = judged.rewards.totals_P_G[kept_P][judged.rewards.scored_P_G[kept_P]]
        if totals.size:
            yield f"reward.{part}", float(totals.mean())
        rewards = [r for s in judged.groups_P if s.group.question.taught is taught for r in s.rewards]
        values = dict(_confidence(rewards))
        yield from ((f"{name}.{part}", values[name]) for name in ("correct", "confidence") if name in values)


def stated_and_correct(reward: Reward) -> tuple[float | None, float] | None:
    """The confidence that an answer states (None: none) and whether it is right, from the first verifier
    whose details hold both; None where no verifier judged it so."""
    for score in reward.scores.values():
        details: Mapping[str, object] = score.details
        confidence, correct = details.get("confidence"), details.get("correct")
        if isinstance(correct, int | float):
            return (float(confidence) if isinstance(confidence, int | float) else None), float(correct)
    return None


def _share(flags: Iterator[bool]) -> float:
    values = list(flags)
    return sum(values) / len(values)
