"""The four verifiers, built with their default settings."""

from __future__ import annotations

import pytest

from biorlhf.plugins import load

NAMES = ("factual", "pathway", "consistency", "uncertainty")


@pytest.fixture(scope="session")
def verifiers():
    catalogue = load(entry_points=False)
    return {name: catalogue.build("verifier", name, {}) for name in NAMES}
