"""A run's numbers on their way to trackers: several at once, and none of them can stop the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from biorlhf.hookspecs import TrackedRun, Tracker
from biorlhf.plugins import Catalogue
from biorlhf.recipe import Recipe
from biorlhf.runs.listener import Listener
from biorlhf.runs.store import RunStore
from biorlhf.stage import StepResult
from biorlhf.statistics.paired import rates_of


def build(recipe: Recipe, catalogue: Catalogue) -> dict[str, Tracker]:
    """The trackers of a recipe by name, not started.

    Raises:
        ResourceError: the package of one is not installed.
    """
    trackers: dict[str, Tracker] = {}
    for index, section in enumerate(recipe.trackers):
        # Two of one kind may stand side by side, with other settings.
        name = f"{section.tracker} {index + 1}" if section.tracker in trackers else section.tracker
        where = f"trackers[{index}]"
        trackers[name] = catalogue.build("tracker", section.tracker, section.settings, where=where)
    return trackers


class Tracking:
    """Passes numbers on. A tracker that raises is said once and told nothing more."""

    def __init__(self, trackers: Mapping[str, Tracker], listener: Listener) -> None:
        self._trackers, self._listener = dict(trackers), listener
        self._done = 0
        self._started = False

    def begin(self, recipe: Recipe, store: RunStore) -> None:
        """Before the first number, and before one that is made again; rows that a resume drops are gone from
        ``store`` by now. Trackers are started once."""
        again, self._started = self._started, True
        self._done = len(store.metrics())
        if again:
            return
        run = TrackedRun(recipe.name, store.folder, recipe.to_json(), self._done)
        self._each(lambda tracker: tracker.start(run))

    def step(self, result: StepResult) -> None:
        self._done += 1
        stage = result.metrics.stage
        values = {f"{stage}/{name}": float(value) for name, value in result.metrics.values.items()}
        self._each(lambda tracker: tracker.log(self._done, values))

    def evaluation(self, contents: Mapping[str, Any]) -> None:
        """The value of every rate, under ``evaluation/<evaluator>.<rate>``."""
        values = {
            f"evaluation/{name}.{metric}": rate.value
            for name, report in contents["evaluators"].items()
            for metric, rate in rates_of(report).items()
        }
        self._each(lambda tracker: tracker.log(self._done, values))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._started:
            self._each(lambda tracker: tracker.finish(error is None))

    def _each(self, told: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._trackers.items()):
            try:
                told(tracker)
            except Exception as error:  # a service that is down, a full disk: the run goes on without it
                del self._trackers[name]
                reason = f"{type(error).__name__}: {error}".splitlines()[0]
                self._listener.phase(f"warning: the tracker {name} failed and is off from here: {reason}")
