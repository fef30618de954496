"""Supervised fine-tuning by its names in BioRLHF 0.3."""

from biorlhf.compat.training import SFTTrainingConfig, run_sft_training

__all__ = ["SFTTrainingConfig", "run_sft_training"]
