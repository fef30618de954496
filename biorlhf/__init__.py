"""biorlhf trains language models on facts that a biology lab can check."""

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
    PluginConfig,
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

__all__ = [
    "BiorlhfError",
    "Completion",
    "DataError",
    "Dataset",
    "DatasetPlugin",
    "EvaluatorPlugin",
    "Example",
    "Group",
    "InputError",
    "PluginConfig",
    "PluginError",
    "Preference",
    "Question",
    "RecipeError",
    "ResourceError",
    "Reward",
    "RewardComposer",
    "RunFailure",
    "Score",
    "Split",
    "Status",
    "TrainerPlugin",
    "VerifierPlugin",
    "hookimpl",
]
