"""GRPO with verifiers by its names in BioRLHF 0.3."""

from biorlhf.compat.training import BioGRPOConfig, GRPOConfig, run_grpo_training

__all__ = ["BioGRPOConfig", "GRPOConfig", "run_grpo_training"]
