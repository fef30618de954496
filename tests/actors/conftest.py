"""Runs that nobody disturbs, for those that are disturbed to be held against."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from lag_run import STEPS, one_core, written
from tiny_run import run, write_vowels


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    return write_vowels(tmp_path_factory.mktemp("verifier"))


@pytest.fixture(scope="session")
def whole(tmp_path_factory, environment):
    """Lag and steps -> the folder of a run in one process that nothing disturbs."""

    @functools.cache
    def made(lag: int, steps: int = STEPS) -> Path:
        place = tmp_path_factory.mktemp(f"lag{lag}-{steps}-")
        recipe = str(written(place, lag, steps))
        code, said = run(recipe, timeout_s=900, env=environment, preexec_fn=one_core)
        assert code == 0, said
        [folder] = (place / "runs").iterdir()
        return folder

    return made
