"""The learner that the pipeline drives, from a recipe."""

from __future__ import annotations

from biorlhf.engines.learning.learner import Learner, LearnerSpec
from biorlhf.recipe import Recipe


def build_learner(recipe: Recipe, *, threads: int, on_gpu: bool) -> Learner:
    """A learner that has no stage yet: call ``begin_stage`` or ``restore``."""
    return Learner(LearnerSpec(recipe, threads, on_gpu))
