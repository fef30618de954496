"""Weights & Biases, online or offline; a run that is resumed goes on under the same id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from biorlhf import PluginConfig, TrackedRun, TrackerPlugin, hookimpl
from biorlhf.inputs.extras import need


class Settings(PluginConfig):
    """``run_name`` is the run's folder by default. Without ``mode``, W&B decides as its own settings say;
    ``offline`` writes into the run's folder, for ``wandb sync``."""

    project: str = "biorlhf"
    run_name: str = ""
    entity: str | None = None
    mode: Literal["online", "offline"] | None = None


class WeightsAndBiases:
    """One W&B run for one run."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._wandb, self._run = settings, need("wandb", "tracker wandb"), None

    def start(self, run: TrackedRun) -> None:
        settings = self._settings
        self._run = self._wandb.init(
            project=settings.project,
            entity=settings.entity,
            name=settings.run_name or run.folder.name,
            id=run.folder.name,
            resume="allow",
            mode=settings.mode,
            dir=str(run.folder),
            config=dict(run.recipe),
            # What the terminal shows is the run's own progress; nothing of the machine is sent along.
            settings=self._wandb.Settings(silent=True, console="off", disable_git=True, x_disable_stats=True),
        )

    def log(self, step: int, values: Mapping[str, float]) -> None:
        run: Any = self._run
        run.log(dict(values), step=step)

    def finish(self, completed: bool) -> None:
        run: Any = self._run
        run.finish(exit_code=0 if completed else 1)


@hookimpl
def biorlhf_trackers():
    yield TrackerPlugin(
        name="wandb", summary="Weights & Biases, online or offline", config=Settings, build=WeightsAndBiases
    )
