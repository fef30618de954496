"""MLflow: a tracking server, or a store in a SQLite file; a run that is resumed goes on as the same run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from biorlhf import PluginConfig, TrackedRun, TrackerPlugin, hookimpl
from biorlhf.inputs.extras import need

TAG = "biorlhf.folder"
PARAMS_AT_ONCE, LONGEST_PARAM = 100, 500


class Settings(PluginConfig):
    """``uri`` is a server's, or ``sqlite:///runs/mlflow.db``; without it, MLflow's own settings decide."""

    uri: str | None = None
    experiment: str = "biorlhf"


class MLflow:
    """One MLflow run for one run, found again by its folder's name."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._mlflow = settings, need("mlflow", "tracker mlflow")
        self._entities = need("mlflow.entities", "tracker mlflow")
        self._client: Any = None
        self._id = ""

    def start(self, run: TrackedRun) -> None:
        self._client = self._mlflow.MlflowClient(tracking_uri=self._settings.uri)
        known = self._client.get_experiment_by_name(self._settings.experiment)
        place = known.experiment_id if known else self._client.create_experiment(self._settings.experiment)
        earlier = self._client.search_runs([place], f"tags.`{TAG}` = '{run.folder.name}'")
        if earlier:
            self._id = earlier[0].info.run_id
            return
        made = self._client.create_run(place, run_name=run.folder.name, tags={TAG: run.folder.name})
        self._id = made.info.run_id
        params = [self._entities.Param(*pair) for pair in _flat(run.recipe, "")]
        for first in range(0, len(params), PARAMS_AT_ONCE):
            self._client.log_batch(self._id, params=params[first : first + PARAMS_AT_ONCE])

    def log(self, step: int, values: Mapping[str, float]) -> None:
        now = int(time.time() * 1000)
        numbers = [self._entities.Metric(name, value, now, step) for name, value in values.items()]
        self._client.log_batch(self._id, metrics=numbers)

    def finish(self, completed: bool) -> None:
        self._client.set_terminated(self._id, "FINISHED" if completed else "FAILED")


def _flat(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """A recipe's values by dotted path, as texts that MLflow takes."""
    if isinstance(node, Mapping):
        for key, child in node.items():
            yield from _flat(child, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from _flat(child, f"{path}.{index}")
    else:
        yield path, str(node)[:LONGEST_PARAM]


@hookimpl
def biorlhf_trackers():
    yield TrackerPlugin(
        name="mlflow",
        summary="an MLflow server, or a store in a SQLite file",
        config=Settings,
        build=MLflow,
    )
