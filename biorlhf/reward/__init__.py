"""Rewards: from scores to one number, from numbers to advantages, and the explanation of both."""

from biorlhf.reward.composer import FailureBudget, RewardComposer, compose

__all__ = ["FailureBudget", "RewardComposer", "compose"]
