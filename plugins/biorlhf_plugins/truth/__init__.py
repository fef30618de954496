"""Grading what a text says against a ground truth. It reads through ``language``, which knows no gold."""

from biorlhf_plugins.truth.grading import Correctness, correctness, stated_confidence

__all__ = ["Correctness", "correctness", "stated_confidence"]
