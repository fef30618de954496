"""The training names that users of BioRLHF 0.3 know; each builds a recipe and runs it.

Every option is either part of the recipe, or has no effect here and is then named in a warning; an unknown
one is an error. ``docs/notebooks.md`` has the table. ``recipe_of(config)`` shows the recipe that is run.
"""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

from biorlhf import api
from biorlhf.api import Overrides
from biorlhf.compat.installed import MODELS, require
from biorlhf.compat.models import (
    EvaluationResult,
    create_sft_dataset,
    evaluate_model,
    generate_response,
    load_model_for_inference,
)
from biorlhf.compat.options import (
    WITHOUT_EFFECT,
    BioGRPOConfig,
    DPOTrainingConfig,
    GRPOConfig,
    SFTTrainingConfig,
)
from biorlhf.compat.recipes import recipe_of
from biorlhf.errors import InputError

__all__ = [
    "BioGRPOConfig",
    "DPOTrainingConfig",
    "EvaluationResult",
    "GRPOConfig",
    "SFTTrainingConfig",
    "create_sft_dataset",
    "evaluate_model",
    "generate_response",
    "load_model_for_inference",
    "recipe_of",
    "run_dpo_training",
    "run_grpo_training",
    "run_sft_training",
]


def run_sft_training(
    config: SFTTrainingConfig | None = None, *, overrides: Overrides = (), quiet: bool = False
) -> str:
    """Fine-tune on texts; returns ``config.output_dir``, which then holds adapter, tokenizer and the run.

    ``overrides`` change the recipe in what the options cannot say: ``{"lora.rslora": True}``.
    """
    return _train(config or SFTTrainingConfig(), overrides, quiet)


def run_dpo_training(
    config: DPOTrainingConfig | None = None, *, overrides: Overrides = (), quiet: bool = False
) -> str:
    """Optimise for preferences; see :func:`run_sft_training`."""
    return _train(config or DPOTrainingConfig(), overrides, quiet)


def run_grpo_training(
    config: GRPOConfig | None = None, *, overrides: Overrides = (), quiet: bool = False
) -> str:
    """Train with verifiers; see :func:`run_sft_training`."""
    return _train(config or GRPOConfig(), overrides, quiet)


def _train(config: Any, overrides: Overrides, quiet: bool) -> str:
    ineffective = sorted(config.model_fields_set & WITHOUT_EFFECT.keys())
    loud = [f"{name} ({WITHOUT_EFFECT[name]})" for name in ineffective if getattr(config, name)]
    if loud:
        # Three levels up stands the user's own call.
        warnings.warn(f"without effect: {'; '.join(loud)}", stacklevel=3)
    recipe = recipe_of(config, overrides)
    require(*MODELS, *(["ray"] if recipe.cluster.backend == "ray" else []))
    done = api.run(recipe, quiet=quiet)
    if done.adapter is None:
        raise InputError(str(done.folder), "the run wrote no adapter")
    from biorlhf.engines.models.load import load_tokenizer

    out = Path(config.output_dir)
    for path in done.adapter.iterdir():
        shutil.copy(path, out / path.name)
    # Scripts load tokenizer and adapter from this one folder.
    load_tokenizer(recipe.model).save_pretrained(out)
    return str(config.output_dir)
