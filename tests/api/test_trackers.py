"""Trackers: three at once on one real run of a tiny model, read back with each package's own reader."""

from __future__ import annotations

import json
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from biorlhf import TrackerPlugin, api, hookimpl, plugins
from biorlhf.compat.options import GRPOConfig, SFTTrainingConfig
from biorlhf.compat.recipes import recipe_of
from biorlhf.errors import ResourceError
from biorlhf.runs.folder import Run
from biorlhf.runs.listener import Silence
from biorlhf.runs.store import RunStore
from biorlhf.runs.watching.tracking import Tracking
from biorlhf.stage import StepResult
from biorlhf.statistics.paired import rates_of
from biorlhf.types import StepMetrics

Numbers = dict[tuple[int, str], float]


class Lines(Silence):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def phase(self, text: str) -> None:
        self.lines.append(text)


class Fails:
    """Works until ``at`` is called for."""

    def __init__(self, at: str) -> None:
        self.at, self.told = at, []

    def _now(self, what: str) -> None:
        self.told.append(what)
        if what == self.at:
            raise OSError("the service\nis down")

    def start(self, run) -> None:
        self._now("start")

    def log(self, step, values) -> None:
        self._now("log")

    def finish(self, completed) -> None:
        self._now("finish")


def step(number: int) -> StepResult:
    return StepResult(StepMetrics("sft", number, {"loss": 1 / number}))


@pytest.fixture
def store(tiny_recipe, tmp_path) -> RunStore:
    return RunStore.create(api.load_recipe(tiny_recipe("nowhere", tmp_path)))


@pytest.mark.parametrize("at", ["start", "log", "finish"])
def test_a_tracker_that_fails_is_said_once_and_the_others_go_on(store, at):
    broken, whole, said = Fails(at), Fails("never"), Lines()
    with Tracking({"broken": broken, "whole": whole}, said) as trackers:
        trackers.begin(store.recipe, store)
        for number in (1, 2, 3):
            trackers.step(step(number))
    assert said.lines == ["warning: the tracker broken failed and is off from here: OSError: the service"]
    assert broken.told.count(at) == 1
    assert whole.told == ["start", "log", "log", "log", "finish"]


def test_a_run_that_fails_is_finished_as_not_complete_and_one_that_never_began_not_at_all(store):
    class Ended(Fails):
        def finish(self, completed) -> None:
            self.told.append(completed)

    ended, never = Ended("never"), Ended("never")
    with pytest.raises(KeyboardInterrupt), Tracking({"one": ended}, Silence()) as trackers:  # noqa: PT012
        trackers.begin(store.recipe, store)
        raise KeyboardInterrupt
    with pytest.raises(ZeroDivisionError), Tracking({"one": never}, Silence()):
        raise ZeroDivisionError
    assert ended.told == ["start", False]
    assert never.told == []


def test_a_tracker_of_another_package_is_told_every_row_of_the_run(base, tmp_path, tiny_recipe, monkeypatch):
    told: Numbers = {}

    class Mine(Fails):
        def log(self, step, values) -> None:
            told.update({(step, name): value for name, value in values.items()})

    class Lab:
        @hookimpl
        def biorlhf_trackers(self):
            yield TrackerPlugin(name="mine", build=lambda config: Mine("finish"))

    known = plugins.load(entry_points=False, extra=(Lab(),))
    monkeypatch.setattr(plugins, "catalogue", lambda: known)
    done = api.run(tiny_recipe(base, tmp_path, trackers=[{"tracker": "mine"}]), quiet=True)
    assert done.finished
    assert told == expected(done)


def expected(done: Run) -> Numbers:
    """(step of the run, name) -> value, from metrics.jsonl and the evaluations' files."""
    numbers: Numbers = {}
    ends = {"start": 0}
    for place, row in enumerate(done.metrics, 1):
        ends[f"after-{row['stage']}"] = place
        for name, value in row.items():
            if isinstance(value, int | float) and name not in ("step", "adapter_version"):
                numbers[place, f"{row['stage']}/{name}"] = float(value)
    for when, contents in done.evaluations.items():
        for evaluator, report in contents["evaluators"].items():
            for metric, rate in rates_of(report).items():
                numbers[ends[when], f"evaluation/{evaluator}.{metric}"] = rate.value
    return numbers


@pytest.fixture(scope="module")
def tracked(base, tiny_recipe, tmp_path_factory) -> Run:
    """One run with all three trackers on."""
    for module in ("tensorboard.summary.writer.event_file_writer", "wandb", "mlflow"):
        pytest.importorskip(module, reason=f"{module.partition('.')[0]} is not installed")
    folder = tmp_path_factory.mktemp("tracked")
    chosen = [
        {"tracker": "tensorboard"},
        {"tracker": "wandb", "mode": "offline", "project": "lab"},
        {"tracker": "mlflow", "uri": f"sqlite:///{folder / 'mlflow.db'}"},
    ]
    said = Lines()
    from biorlhf.runs import pipeline

    recipe = api.load_recipe(tiny_recipe(base, folder / "runs", trackers=chosen))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what these packages use of each other is not ours to mend
        made = pipeline.run(recipe, said)
    assert [line for line in said.lines if "tracker" in line] == []
    return api.read_run(made)


def test_tensorboards_reader_reads_back_what_metrics_jsonl_holds(tracked):
    from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

    reader = EventAccumulator(str(tracked.folder / "tensorboard"), size_guidance={SCALARS: 0}).Reload()
    read = {(e.step, tag): e.value for tag in reader.Tags()["scalars"] for e in reader.Scalars(tag)}
    assert read == {key: float(np.float32(value)) for key, value in expected(tracked).items()}


def leveldb_records(content: bytes) -> Iterator[bytes]:
    """The records of a file in LevelDB's log format, which W&B reads in Go alone: after a header
    of seven bytes, blocks of 32 KiB with pieces (checksum, length, type) that make up records."""
    place, record = 7, b""
    while place + 7 <= len(content):
        if 32768 - place % 32768 < 7:  # too little is left of a block for another piece
            place += 32768 - place % 32768
            continue
        _, length, kind = struct.unpack_from("<IHB", content, place)
        record += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # a whole record, or the last piece of one
            yield record
            record = b""


def test_an_offline_wandb_file_holds_what_metrics_jsonl_holds(tracked):
    from wandb.proto.wandb_internal_pb2 import Record

    [file] = (tracked.folder / "wandb").glob("offline-run-*/run-*.wandb")
    read: Numbers = {}
    for data in leveldb_records(file.read_bytes()):
        record = Record.FromString(data)
        items = {
            "/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in record.history.item
        }
        at = items.pop("_step", None)
        read.update({(at, key): value for key, value in items.items() if not key.startswith("_")})
    assert read == expected(tracked)


def test_an_mlflow_store_in_sqlite_holds_what_metrics_jsonl_holds(tracked):
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{tracked.folder.parent.parent / 'mlflow.db'}")
    [experiment] = client.search_experiments(filter_string="name = 'biorlhf'")
    [run] = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params["lora.r"] == "4"
    read = {
        (metric.step, metric.key): metric.value
        for key in run.data.metrics
        for metric in client.get_metric_history(run.info.run_id, key)
    }
    assert read == expected(tracked)


def test_a_tracker_whose_package_is_absent_is_refused_before_anything_starts(
    base, tmp_path, tiny_recipe, monkeypatch
):
    import sys

    monkeypatch.setitem(sys.modules, "mlflow", None)
    recipe = tiny_recipe(base, tmp_path, trackers=[{"tracker": "mlflow"}])
    with pytest.raises(
        ResourceError, match=r"package mlflow is not installed: pip install 'biorlhf\[mlflow\]'"
    ):
        api.run(recipe, quiet=True)
    assert list(tmp_path.iterdir()) == []


def test_the_options_of_the_ancestor_turn_wandb_on():
    config = GRPOConfig(use_wandb=True, wandb_project="mice", wandb_run_name="third")
    [section] = recipe_of(config).trackers
    assert (section.tracker, section.settings["project"], section.settings["run_name"]) == (
        "wandb",
        "mice",
        "third",
    )
    assert recipe_of(GRPOConfig(wandb_project="mice")).trackers == ()
    assert SFTTrainingConfig(use_wandb=True).wandb_project == "biorlhf"


def test_event_files_lie_in_the_runs_folder(tracked):
    assert [path for path in Path(tracked.folder, "tensorboard").iterdir() if "tfevents" in path.name]
