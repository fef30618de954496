"""A real learner over a tiny model, and batches for it."""

from __future__ import annotations

import random

from biorlhf.engines.learning.learner import build_learner
from biorlhf.recipe import Recipe
from biorlhf.types import TrainCompletion, TrainGroup

GRPO = {"name": "dapo", "clip_low": 0.2, "clip_high": 0.28, "beta": 0.0, "kl": "k3", "importance_cap": 2.0}
DPO = {"name": "dpo_sigmoid", "beta": 0.1, "label_smoothing": 0.0, "sft_term": 0.0}


def recipe_of(base, *, stages=1, model=None, lora=None, learner=None, optimizer=None, seed=42):
    """A recipe over a tiny model."""
    return Recipe.model_validate(
        {
            "name": "tiny",
            "seed": seed,
            "model": {"base": str(base), "dtype": "fp32", **(model or {})},
            "lora": {"r": 4, "alpha": 8, **(lora or {})},
            "data": [{"dataset": "kmp"}],
            "stages": [
                {"trainer": "sft", "name": f"s{n}", "optimizer": {"learning_rate": 1e-2, **(optimizer or {})}}
                for n in range(stages)
            ],
            "learner": learner or {},
        }
    )


def make(base, *, ranks=None, **sections):
    """A learner in its first stage of such a recipe; with ``ranks``, one of several."""
    learner = build_learner(recipe_of(base, **sections), threads=1, on_gpu=False)
    if ranks is not None:
        learner.join_ranks(ranks)
    learner.begin_stage(0, 10)
    return learner


def groups(count=4, completions=3, seed=0, advantage=None):
    draw = random.Random(seed)

    def ids(longest):
        return tuple(draw.randrange(250) for _ in range(draw.randrange(2, longest)))

    def completion():
        tokens = ids(20)
        value = draw.gauss(0, 1) if advantage is None else advantage
        return TrainCompletion(tokens, value, tuple(-draw.random() * 5 for _ in tokens))

    return [TrainGroup(ids(30), tuple(completion() for _ in range(completions))) for _ in range(count)]


def weights(learner):
    return {name: tensor.detach().clone() for name, tensor in learner.policy.parameters.items()}


def largest_difference(a, b):
    return max((a[name] - b[name]).abs().max().item() for name in a)


def gradients(learner):
    """Those of the last update. AdamW's first update is the gradient's sign, which would hide its size."""
    return {name: tensor.grad.clone() for name, tensor in learner.policy.parameters.items()}


def watched(learner):
    """A list that gets the gradients of each update from now on; a restored learner is watched anew."""
    updates = []
    learner.optimizer.register_step_pre_hook(lambda *_: updates.append(gradients(learner)))
    return updates
