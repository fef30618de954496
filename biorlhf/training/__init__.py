"""Training by its names in BioRLHF 0.3."""

from biorlhf.compat.training import (
    BioGRPOConfig,
    DPOTrainingConfig,
    GRPOConfig,
    SFTTrainingConfig,
    run_dpo_training,
    run_grpo_training,
    run_sft_training,
)

__all__ = [
    "BioGRPOConfig",
    "DPOTrainingConfig",
    "GRPOConfig",
    "SFTTrainingConfig",
    "run_dpo_training",
    "run_grpo_training",
    "run_sft_training",
]
