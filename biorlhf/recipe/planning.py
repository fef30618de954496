"""Parts of a recipe that a cluster is planned with: a pace for scripted engines, and a forecast."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from biorlhf.inputs.validation import Settings

Point = tuple[PositiveInt, PositiveFloat]


class Simulation(Settings):
    """A pace for the scripted engine, so that a cluster's plan can be tried on a laptop: answers are as
    long and take as long as is said here, and nothing is computed. ``token_s`` holds pairs of (sequences
    that run side by side, seconds of one more token of each); between two pairs, and beyond the last, along
    a straight line. ``mean_tokens`` is an answer's mean length and ``spread`` the deviation of its
    logarithm; what is longer than ``rollout.max_completion_tokens`` is cut off."""

    token_s: Annotated[tuple[Point, ...], Field(min_length=1)] = ((1, 0.01), (64, 0.015), (256, 0.035))
    mean_tokens: PositiveFloat = 350
    spread: Annotated[float, Field(ge=0, le=3)] = 0.6

    @model_validator(mode="after")
    def _rises(self) -> Simulation:
        counts = [running for running, _ in self.token_s]
        batches = [running / seconds for running, seconds in self.token_s]
        if sorted(set(counts)) != counts or sorted(batches) != batches:
            raise ValueError("token_s: both the sequences and what they give a second have to rise")
        return self


class Forecast(Settings):
    """What ``--dry-run`` assumes of GPUs where it works out how a run would scale: nothing here changes a
    run.

    The speeds are of one GPU of the H100's kind with a model of 7 billion weights, in tokens a second;
    other sizes are scaled by their weights. ``learnt_tokens_s`` is what an H100 showed in GRPO steps over
    NF4 with checkpointing (docs/results.md); the others are assumed. ``answer_share`` is the mean length of
    an answer as a share of ``rollout.max_completion_tokens``, ``token_s`` what one token takes where few
    sequences are left, and ``fixed_s`` what a step takes beside sampling and learning: arithmetic for the
    export, hash and canary of an adapter of 168 MB, and a checkpoint's copy. Files are written beside the
    steps, and with a ``lag`` engines load beside them; with ``lag: 0`` their loading comes on top.
    """

    gpus: tuple[PositiveInt, ...] = (1, 2, 4, 8, 64)
    sampled_tokens_s: PositiveFloat = 7700
    learnt_tokens_s: PositiveFloat = 8700
    answer_share: Annotated[float, Field(gt=0, le=1)] = 0.35
    token_s: NonNegativeFloat = 0.01
    fixed_s: NonNegativeFloat = 0.8
