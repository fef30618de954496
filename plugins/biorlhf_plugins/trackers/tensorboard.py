"""TensorBoard: event files in the run's folder. Scalars in its format are 32-bit floats."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from biorlhf import PluginConfig, TrackedRun, TrackerPlugin, hookimpl
from biorlhf.inputs.extras import need


class Settings(PluginConfig):
    """``folder`` is where the event files go, relative to the run's folder."""

    folder: str = "tensorboard"


class TensorBoard:
    """Writes events with TensorBoard's own writer: no TensorFlow, no torch."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._files = need("tensorboard.summary.writer.event_file_writer", "tracker tensorboard")
        self._events = need("tensorboard.compat.proto.event_pb2", "tracker tensorboard")
        self._summaries = need("tensorboard.compat.proto.summary_pb2", "tracker tensorboard")
        self._writer: Any = None

    def start(self, run: TrackedRun) -> None:
        self._writer = self._files.EventFileWriter(str(run.folder / self._settings.folder))
        if run.done_steps:
            # Readers drop what an interrupted run had written of the steps that are now made again.
            log = self._events.SessionLog(status=self._events.SessionLog.START)
            self._add(run.done_steps + 1, session_log=log)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        scalars = [self._summaries.Summary.Value(tag=name, simple_value=v) for name, v in values.items()]
        self._add(step, summary=self._summaries.Summary(value=scalars))
        # Someone watches while the run goes on.
        self._writer.flush()

    def finish(self, completed: bool) -> None:
        self._writer.close()

    def _add(self, step: int, **content: Any) -> None:
        self._writer.add_event(self._events.Event(wall_time=time.time(), step=step, **content))


@hookimpl
def biorlhf_trackers():
    yield TrackerPlugin(
        name="tensorboard",
        summary="event files in the run's folder, for tensorboard --logdir",
        config=Settings,
        build=TensorBoard,
    )
