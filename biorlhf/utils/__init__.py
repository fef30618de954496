"""Asking a trained model, where BioRLHF 0.3 has it: the name is that system's, and nothing is added."""

from biorlhf.compat.models import generate_response, load_model_for_inference

__all__ = ["generate_response", "load_model_for_inference"]
