"""From a file or plain data to a checked recipe: overrides, the schema, and each plugin's own settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from biorlhf import plugins
from biorlhf.errors import RecipeError
from biorlhf.inputs import yaml12
from biorlhf.inputs.validation import apply_override, locate, validate_model
from biorlhf.recipe.schema import PluginSection, Recipe
from biorlhf.recipe.shipped import shipped


def load(
    path: str | Path, overrides: tuple[str, ...] = (), *, catalogue: Any = None, resolved: bool = False
) -> Recipe:
    """Read, override and check a recipe, plugins' own settings included.

    Args:
        path: a YAML or JSON file.
        overrides: ``a.b.0.c=value`` strings, the value in YAML.
        catalogue: the plugins to check against; this process's by default.
        resolved: the recipe of a run's folder, with every key written out. One without ``prompt.answer``
            is older than answer blocks, and its run goes on as it began: free.

    Raises:
        RecipeError: with file, line, dotted path, what was found, what is allowed, the nearest match.
    """
    path = Path(path)
    plain = str(path) == path.name
    if plain and not path.exists() and (shipped("recipes") / f"{path}.yaml").is_file():
        raise RecipeError(
            str(path),
            "cannot be read: no such file, and the name of a shipped recipe",
            "a file",
            hint=f"copy it here, and run the copy: biorlhf recipes {path} --to {path}.yaml",
        )
    data, lines = yaml12.read(path, RecipeError)
    if resolved and isinstance(data, dict) and isinstance(data.get("prompt"), dict):
        data["prompt"].setdefault("answer", "free")
    return from_data(data, str(path), lines, overrides, catalogue=catalogue, folder=path.parent)


def from_data(
    data: Any,
    where: str = "recipe",
    lines: dict[yaml12.Path, int] | None = None,
    overrides: tuple[str, ...] = (),
    *,
    catalogue: Any = None,
    folder: Path | None = None,
) -> Recipe:
    """The recipe that plain data describes; see :func:`load`. Its files lie in ``folder``."""
    if not isinstance(data, dict):
        kind = "nothing" if data is None else type(data).__name__
        raise RecipeError(where, f"a recipe must be a mapping of keys, not {kind}")
    # A copy: overrides mark the lines that they replace.
    lines = dict(lines or {})
    for override in overrides:
        apply_override(data, override, lines)
    recipe = validate_model(Recipe, data, where=where, lines=lines)
    return _resolve_plugins(recipe, where, lines, catalogue, folder)


def _resolve_plugins(
    recipe: Recipe, where: str, lines: dict[yaml12.Path, int], catalogue: Any, folder: Path | None
) -> Recipe:
    """The recipe with every plugin's settings checked by its own model and its defaults written out."""
    catalogue = catalogue or plugins.catalogue()

    def resolved(kind: str, sections: Sequence[Any], place: yaml12.Path) -> tuple[Any, ...]:
        return tuple(
            _resolve(kind, section, (*place, index), (where, lines, catalogue, folder))
            for index, section in enumerate(sections)
        )

    verifiers = resolved("verifier", recipe.verifiers, ("verifiers",))
    # After the lookup: one verifier may stand under its name and under an alias.
    names = [section.verifier for section in verifiers]
    for index, name in enumerate(names):
        if name in names[:index]:
            place = locate(where, ("verifiers", index), lines)
            raise RecipeError(place, f"the verifier {name!r} stands twice")
    evaluators = resolved("evaluator", recipe.evaluation.evaluators, ("evaluation", "evaluators"))
    return recipe.model_copy(
        update={
            "data": resolved("dataset", recipe.data, ("data",)),
            "verifiers": verifiers,
            "stages": resolved("trainer", recipe.stages, ("stages",)),
            "trackers": resolved("tracker", recipe.trackers, ("trackers",)),
            "evaluation": recipe.evaluation.model_copy(update={"evaluators": evaluators}),
        }
    )


def _resolve(
    kind: str,
    section: PluginSection,
    path: yaml12.Path,
    context: tuple[str, dict[yaml12.Path, int], Any, Path | None],
) -> PluginSection:
    where, lines, catalogue, folder = context
    own = {name: getattr(section, name) for name in type(section).model_fields}
    entry = catalogue.get(kind, own[kind], where=locate(where, (*path, kind), lines))
    try:
        config = validate_model(
            entry.record.config, section.settings, where=where, lines=lines, prefix=path,
            context={"folder": folder, "given": _given(lines, path)},
        )  # fmt: skip
    except RecipeError as error:
        if error.found.startswith("unknown key"):
            # The plugin's model knows its settings alone; the section's own keys (weight, name, …) may be
            # meant as well.
            choices = [*error.choices, *own]
            raise RecipeError(error.where, error.found, choices=choices, name=error.name) from None
        raise
    # Aliases become names and defaults are written: the recipe in a run's folder means the same to a later
    # version.
    return type(section)(**{**own, kind: entry.record.name, **config.model_dump(mode="json")})


def _given(lines: dict[yaml12.Path, int], path: yaml12.Path) -> frozenset[str]:
    """The settings below a path that ``--set`` gave: their line is 0."""
    deep = len(path)
    return frozenset(
        str(place[deep])
        for place, line in lines.items()
        if line == 0 and place[:deep] == path and place[deep:]
    )
