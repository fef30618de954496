"""The composer where BioRLHF 0.3 has it; the verifiers themselves are plugins (``biorlhf plugins``)."""

from biorlhf.reward import RewardComposer

__all__ = ["RewardComposer"]
