"""One undisturbed run for all: what every attacked one has to come to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from biorlhf import recipe as recipes
from biorlhf.runs import pipeline
from biorlhf.runs.listener import Silence
from biorlhf.runs.store import RunStore
from tiny_run import write_tiny_run


class Interrupted(Exception):
    """Raised by a listener in the middle of a run, as a crash of the process would come."""


class StopAfter(Silence):
    """Crashes a run after some steps, and keeps what it was told."""

    def __init__(self, steps: int = 10**6) -> None:
        self.left, self.said = steps, []

    def phase(self, text: str) -> None:
        self.said.append(text)

    def step(self, result) -> None:
        self.left -= 1
        if self.left == 0:
            raise Interrupted


@pytest.fixture(scope="session")
def recipe_file(tmp_path_factory) -> Path:
    return write_tiny_run(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def whole(recipe_file) -> Path:
    """The folder of a run that nobody disturbed."""
    return pipeline.run(recipes.load(recipe_file), Silence())


@pytest.fixture(scope="session")
def _cut(recipe_file) -> Path:
    with pytest.raises(Interrupted):
        pipeline.run(recipes.load(recipe_file), StopAfter(5))
    runs = recipe_file.parent / "runs"
    [folder] = [path for path in runs.iterdir() if not (path / "summary.json").exists()]
    return folder.rename(recipe_file.parent / "cut")


@pytest.fixture
def cut(_cut, tmp_path) -> Path:
    """A copy of a run that was killed after its fifth step of six; its last checkpoint is the fourth's."""
    return Path(shutil.copytree(_cut, tmp_path / "cut"))


@pytest.fixture
def resumed():
    """Go on with a folder in this process; gives what the listener was told."""

    def go_on(folder: Path, **options) -> list[str]:
        store, listener = RunStore.open(folder), StopAfter()
        pipeline.run(store.recipe, listener, resume=store, **options)
        return listener.said

    return go_on
