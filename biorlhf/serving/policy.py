"""What a run has trained so far, and the recipe under which it is asked again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biorlhf import recipe as recipes
from biorlhf.errors import InputError
from biorlhf.recipe import Recipe
from biorlhf.runs.store import RunStore


@dataclass(frozen=True, slots=True)
class Trained:
    """A policy to load: a recipe's base model with an adapter, or alone.

    ``origin`` says in words which adapter it is; ``store`` is None where it does not come from a run.
    """

    recipe: Recipe
    adapter: Path | None
    origin: str
    store: RunStore | None = None

    @property
    def untrained(self) -> Trained:
        """The base model alone."""
        return Trained(self.recipe, None, "the base model, untrained", self.store)


def of_run(
    folder: str | Path,
    *,
    adapter: str | Path | None = None,
    recipe: str | Path | None = None,
    overrides: tuple[str, ...] = (),
) -> Trained:
    """A run's final adapter, or the newest one that it left where it did not finish.

    Args:
        folder: a run's folder.
        adapter: another adapter's folder (or run) to use instead.
        recipe: another recipe to use instead of the run's own.
        overrides: as in :func:`biorlhf.recipe.load`.

    Raises:
        InputError: no run there, a run without an adapter, or an adapter of another base model.
    """
    store = RunStore.open(folder)
    chosen = recipes.load(recipe or store.folder / "recipe.yaml", overrides)
    if adapter is not None:
        return _checked(Trained(chosen, Path(adapter), f"the adapter {adapter}", store))
    path, origin = _newest(store)
    return _checked(Trained(chosen, path, origin, store))


def of_recipe(recipe: Recipe) -> Trained:
    """What a recipe starts from: its base model, with ``model.adapter`` where it names one."""
    given = recipe.model.adapter
    if given is None:
        return Trained(recipe, None, "the base model, untrained")
    return _checked(Trained(recipe, Path(given), f"the adapter {given}"))


def serving(trained: Trained) -> Recipe:
    """The recipe with this adapter as its policy: what its first stage would start from, exactly."""
    recipe = trained.recipe
    first = recipe.stages[0].model_copy(update={"lora": None})
    model: dict[str, Any] = {"adapter": None}
    update: dict[str, Any] = {"stages": (first,)}
    if trained.adapter is not None:
        from biorlhf.engines.models.adapters import read_adapter

        model = {"adapter": str(trained.adapter.resolve()), "adapter_use": "train"}
        update["lora"] = read_adapter(str(trained.adapter), recipe.model.base)[1]
    return recipe.model_copy(update={**update, "model": recipe.model.model_copy(update=model)})


def _checked(trained: Trained) -> Trained:
    """With the PEFT folder itself as the adapter; refuses one that does not fit the base model."""
    from biorlhf.engines.models.adapters import find_adapter, read_adapter

    place = find_adapter(str(trained.adapter))
    read_adapter(str(place), trained.recipe.model.base)
    return Trained(trained.recipe, place, trained.origin, trained.store)


def _newest(store: RunStore) -> tuple[Path, str]:
    if _is_adapter(store.folder / "adapter"):
        return store.folder / "adapter", "the final adapter"
    recipe, checkpoint = store.recipe, store.last_checkpoint()
    done = [
        (index, store.folder / "adapters" / f"{index:02d}-{recipe.stage_name(index)}")
        for index in range(len(recipe.stages))
    ]
    finished = [(index, path) for index, path in done if _is_adapter(path)]
    if finished and (checkpoint is None or checkpoint[0]["stage_index"] <= finished[-1][0]):
        index, path = finished[-1]
        return path, f"the adapter after {recipe.stage_name(index)} (the run is not complete)"
    if checkpoint is None:
        raise InputError(
            str(store.folder),
            "this run has no adapter yet: it stopped before its first checkpoint",
            hint=f"go on with it: biorlhf run --resume {store.folder}",
        )
    state, files = checkpoint
    from biorlhf.engines.models.export import adapter_of_checkpoint

    name = f"adapters/{state['stage_index']:02d}-{state['stage']}-{state['step']:05d}"
    store.write_adapter(name, adapter_of_checkpoint(files, recipe.model.base))
    origin = f"the checkpoint after step {state['step']} of {state['stage']} (the run is not complete)"
    return store.folder / name, origin


def _is_adapter(path: Path) -> bool:
    return (path / "adapter_config.json").is_file() and (path / "adapter_model.safetensors").is_file()
