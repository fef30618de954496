"""Recipes: the schema, reading and checking, the recipes that are shipped, and the policy of a recipe."""

from biorlhf.errors import InputError, RecipeError
from biorlhf.inputs import yaml12
from biorlhf.recipe.loading import from_data, load
from biorlhf.recipe.schema import (
    Cluster,
    Data,
    Evaluation,
    Evaluator,
    Learner,
    Lora,
    Model,
    Optimizer,
    PluginSection,
    Prompt,
    Recipe,
    Rollout,
    Scorer,
    Section,
    Stage,
    Store,
    Verifier,
)

__all__ = [
    "Cluster",
    "Data",
    "Evaluation",
    "Evaluator",
    "InputError",
    "Learner",
    "Lora",
    "Model",
    "Optimizer",
    "PluginSection",
    "Prompt",
    "Recipe",
    "RecipeError",
    "Rollout",
    "Scorer",
    "Section",
    "Stage",
    "Store",
    "Verifier",
    "from_data",
    "load",
    "yaml12",
]
