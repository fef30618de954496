"""Recipes: the schema, reading and checking, overrides, and the recipes that are shipped."""

from biorlhf.recipe.schema import Learner, Lora, Model, Optimizer, Prompt, Recipe, Section, from_data, load

__all__ = ["Learner", "Lora", "Model", "Optimizer", "Prompt", "Recipe", "Section", "from_data", "load"]
