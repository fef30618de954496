"""What a run has trained so far: its final adapter, or the newest one that it left."""

from __future__ import annotations

from pathlib import Path

from biorlhf import recipe as recipes
from biorlhf.errors import InputError
from biorlhf.recipe import Recipe
from biorlhf.recipe.policy import Trained, serving
from biorlhf.runs.store import RunStore


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
    own = store.folder / "recipe.yaml"
    chosen = recipes.load(recipe or own, overrides, resolved=recipe is None)
    if adapter is not None:
        return _checked(chosen, Path(adapter), f"the adapter {adapter}", store.folder)
    path, origin = _newest(store)
    return _checked(chosen, path, origin, store.folder)


def of_recipe(recipe: Recipe) -> Trained:
    """What a recipe starts from: its base model, with ``model.adapter`` where it names one."""
    adapter = recipe.model.adapter
    if adapter is None:
        return Trained(recipe, None, "the base model, untrained")
    return _checked(recipe, Path(adapter), f"the adapter {adapter}", None)


def _checked(recipe: Recipe, adapter: Path, origin: str, run: Path | None) -> Trained:
    """With the PEFT folder itself as the adapter; refuses one that does not fit the base model."""
    from biorlhf.engines.models.adapters import find_adapter, read_adapter

    place = find_adapter(str(adapter))
    _, lora = read_adapter(str(place), recipe.model.base)
    return Trained(recipe, place, origin, run, lora)


def _newest(store: RunStore) -> tuple[Path, str]:
    if _is_adapter(store.folder / "adapter"):
        return store.folder / "adapter", "the final adapter"
    recipe, checkpoint = store.recipe, store.last_checkpoint()
    done = [
        (index, store.folder / "adapters" / f"{index:02d}-{recipe.stage_name(index)}")
        for index in range(len(recipe.stages))
    ]
    finished = [(index, path) for index, path in done if _is_adapter(path)]
    # A stage's adapter is newer than a checkpoint of that stage: it is written after the last step.
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
    # Samplers take PEFT's files; a checkpoint holds the learner's tensors.
    adapter, place = adapter_of_checkpoint(files, recipe.model.base), store.folder / name
    if not _is_adapter(place) or (place / "adapter_model.safetensors").read_bytes() != adapter.tensors:
        store.write_adapter(name, adapter)
    origin = f"the checkpoint after step {state['step']} of {state['stage']} (the run is not complete)"
    return store.folder / name, origin


def _is_adapter(path: Path) -> bool:
    return (path / "adapter_config.json").is_file() and (path / "adapter_model.safetensors").is_file()


__all__ = ["Trained", "of_recipe", "of_run", "serving"]
