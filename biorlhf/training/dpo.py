"""Preference optimisation by its names in BioRLHF 0.3."""

from biorlhf.compat.training import DPOTrainingConfig, run_dpo_training

__all__ = ["DPOTrainingConfig", "run_dpo_training"]
