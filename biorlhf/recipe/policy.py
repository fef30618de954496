"""A policy that was trained, as plain data, and the recipe under which it is asked again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biorlhf.recipe.schema import Lora, Recipe


@dataclass(frozen=True, slots=True)
class Trained:
    """A policy to load: a recipe's base model with an adapter, or alone.

    ``adapter`` is a PEFT folder and ``lora`` what its files state; both or neither. ``origin`` says in words
    which adapter it is; ``run`` is the folder of the run that it comes from, None where it comes from none.
    """

    recipe: Recipe
    adapter: Path | None
    origin: str
    run: Path | None = None
    lora: Lora | None = None

    def __post_init__(self) -> None:
        if (self.adapter is None) != (self.lora is None):
            raise ValueError("an adapter and its settings belong together")

    @property
    def untrained(self) -> Trained:
        """The base model alone."""
        return Trained(self.recipe, None, "the base model, untrained", self.run)


def serving(trained: Trained) -> Recipe:
    """The recipe with this adapter as its policy: what its first stage would start from, exactly."""
    recipe = trained.recipe
    # A stage's own LoRA has a shape of its own, and the adapter is to be loaded as it is.
    first = recipe.stages[0].model_copy(update={"lora": None})
    model: dict[str, Any] = {"adapter": None}
    update: dict[str, Any] = {"stages": (first,)}
    if trained.adapter is not None:
        # An actor has another working folder, so the path is absolute. "train" takes the adapter as it is;
        # "merge" would put a fresh one on top of it.
        model = {"adapter": str(trained.adapter.resolve()), "adapter_use": "train"}
        update["lora"] = trained.lora
    return recipe.model_copy(update={**update, "model": recipe.model.model_copy(update=model)})
