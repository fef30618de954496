"""What a scorer is built from, as plain data that crosses to its process."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from biorlhf.plugins import catalogue
from biorlhf.recipe import Recipe
from biorlhf.types import Names

#: What every verifier may see of the environment: how this system is set up, and no key to anything.
ENVIRONMENT = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LANGUAGE", "LD_LIBRARY_PATH"),
    *("VIRTUAL_ENV", "CONDA_PREFIX", "XDG_CACHE_HOME", "HF_HOME", "HF_HUB_OFFLINE", "CUDA_VISIBLE_DEVICES"),
)
_PREFIXES, _SUFFIXES = ("LC_", "PYTHON"), ("_NUM_THREADS",)


def child_environment(environment: Mapping[str, str], allowed: Collection[str]) -> dict[str, str]:
    """The part of an environment that verifiers see: what is harmless, and what was allowed by name."""
    kept = {
        name: value
        for name, value in environment.items()
        if name in ENVIRONMENT or name in allowed or name.startswith(_PREFIXES) or name.endswith(_SUFFIXES)
    }
    # The order of a set of words would otherwise be another in each process, and with it a careless score.
    return {"PYTHONHASHSEED": "0", **kept}


@dataclass(frozen=True, slots=True)
class ScorerSpec:
    """What a scorer process has to know, in plain data.

    Args:
        active: names or aliases of the verifiers; None: all that are installed.
        weights: name or alias -> weight; None: equal weights.
        configs: name or alias -> a verifier's own settings.
        timeout_s: seconds that one verifier may take on one completion (wall clock).
        memory_mb: MiB of address space that verifiers may use beyond what they hold once built.
        environment: variables of the environment that verifiers see beyond :data:`ENVIRONMENT`.
    """

    active: Sequence[str] | None = None
    weights: Mapping[str, float] | None = None
    configs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    timeout_s: float = 5.0
    memory_mb: int = 1024
    environment: Sequence[str] = ()

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> ScorerSpec:
        """The verifiers, weights and settings of a recipe, and the limits of its ``scorer`` section."""
        return cls(
            active=tuple(v.verifier for v in recipe.verifiers),
            weights={v.verifier: v.weight for v in recipe.verifiers},
            configs={v.verifier: v.settings for v in recipe.verifiers},
            timeout_s=recipe.scorer.timeout_s,
            memory_mb=recipe.scorer.memory_mb,
            environment=recipe.scorer.environment,
        )

    def with_names(self, names: Names) -> ScorerSpec:
        """The same, with the names of the data for every verifier that has a setting for them."""
        plugins, known = catalogue(), names.to_json()
        listed = [entry.record.name for entry in plugins.of_kind("verifier")]
        asked = (
            listed if self.active is None else [plugins.get("verifier", n).record.name for n in self.active]
        )
        own = {
            plugins.get("verifier", name).record.name: dict(settings)
            for name, settings in self.configs.items()
        }
        for name in asked:
            if "names" in plugins.get("verifier", name).record.config.model_fields:
                # Names that were given as a setting stand before those of the data.
                own[name] = {"names": known, **own.get(name, {})}
        return replace(self, configs=own)

    def to_json(self) -> dict[str, Any]:
        return {
            "active": None if self.active is None else list(self.active),
            "weights": None if self.weights is None else dict(self.weights),
            "configs": {name: dict(config) for name, config in self.configs.items()},
            "timeout_s": self.timeout_s,
            "memory_mb": self.memory_mb,
            "environment": list(self.environment),
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> ScorerSpec:
        return cls(**{**row, "environment": tuple(row.get("environment", ()))})
