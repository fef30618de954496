"""What attacks need: hostile packages that are installed for one test."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def install(tmp_path, monkeypatch):
    """A function that installs a distribution with one module, as an entry point of biorlhf."""

    def installed(name: str, source: str) -> Path:
        site = tmp_path / "site"
        info = site / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (site / f"{name}.py").write_text(source)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[biorlhf]\n{name} = {name}\n")
        monkeypatch.syspath_prepend(str(site))
        return site

    return installed


@pytest.fixture
def hostile(install):
    """The verifiers of hostile_verifiers.py, installed."""
    return install("hostile_verifiers", Path(__file__).with_name("hostile_verifiers.py").read_text())
