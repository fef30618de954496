"""biorlhf trains language models on facts that a biology lab can check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from biorlhf.errors import (
    BiorlhfError,
    DataError,
    InputError,
    PluginError,
    RecipeError,
    ResourceError,
    RunFailure,
)
from biorlhf.hookspecs import (
    DatasetPlugin,
    EvaluatorPlugin,
    InputPath,
    PluginConfig,
    TrackedRun,
    TrackerPlugin,
    TrainerPlugin,
    VerifierPlugin,
    hookimpl,
)
from biorlhf.reward import RewardComposer
from biorlhf.types import (
    Completion,
    Dataset,
    Example,
    Group,
    Preference,
    Question,
    Reward,
    Score,
    Split,
    Status,
)

if TYPE_CHECKING:
    from biorlhf.api import Evaluated, Run, evaluate, load_recipe, run
    from biorlhf.compat.training import (
        BioGRPOConfig,
        DPOTrainingConfig,
        EvaluationResult,
        GRPOConfig,
        SFTTrainingConfig,
        create_sft_dataset,
        evaluate_model,
        generate_response,
        load_model_for_inference,
        run_dpo_training,
        run_grpo_training,
        run_sft_training,
    )

# What is imported when it is first asked for: `import biorlhf` stays light.
_LATER = {
    "biorlhf.api": ("Evaluated", "Run", "evaluate", "load_recipe", "run"),
    "biorlhf.compat.training": (
        "BioGRPOConfig",
        "DPOTrainingConfig",
        "EvaluationResult",
        "GRPOConfig",
        "SFTTrainingConfig",
        "create_sft_dataset",
        "evaluate_model",
        "generate_response",
        "load_model_for_inference",
        "run_dpo_training",
        "run_grpo_training",
        "run_sft_training",
    ),
}


def __getattr__(name: str) -> Any:
    import importlib

    if name == "__version__":
        return importlib.import_module("biorlhf.plugins").own_version()
    for module, names in _LATER.items():
        if name in names:
            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module 'biorlhf' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *(name for names in _LATER.values() for name in names)]


__all__ = [
    "BioGRPOConfig",
    "BiorlhfError",
    "Completion",
    "DPOTrainingConfig",
    "DataError",
    "Dataset",
    "DatasetPlugin",
    "Evaluated",
    "EvaluationResult",
    "EvaluatorPlugin",
    "Example",
    "GRPOConfig",
    "Group",
    "InputError",
    "InputPath",
    "PluginConfig",
    "PluginError",
    "Preference",
    "Question",
    "RecipeError",
    "ResourceError",
    "Reward",
    "RewardComposer",
    "Run",
    "RunFailure",
    "SFTTrainingConfig",
    "Score",
    "Split",
    "Status",
    "TrackedRun",
    "TrackerPlugin",
    "TrainerPlugin",
    "VerifierPlugin",
    "create_sft_dataset",
    "evaluate",
    "evaluate_model",
    "generate_response",
    "hookimpl",
    "load_model_for_inference",
    "load_recipe",
    "run",
    "run_dpo_training",
    "run_grpo_training",
    "run_sft_training",
]
