"""The dataset plugin of docs/datasets.md, installed as a distribution of another lab."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs" / "datasets.md"


@pytest.fixture
def site(tmp_path) -> Path:
    """A folder as an installer leaves it: the module, and its metadata with the entry point."""
    text = DOCS.read_text("utf-8")
    [module] = re.findall(r"```python\n# lab_growth\.py\n(.*?)```", text, re.DOTALL)
    [entry] = re.findall(r"\[project\.entry-points\.biorlhf\]\n(.*?)\n```", text, re.DOTALL)
    (tmp_path / "lab_growth.py").write_text(module)
    info = tmp_path / "lab_growth-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-growth\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[biorlhf]\n" + entry.replace('"', "") + "\n")
    return tmp_path


def biorlhf(site: Path, *args: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, "-m", "biorlhf", *args], env=environment, capture_output=True, text=True, check=False
    )


def test_the_documented_plugin_is_listed_counted_and_shown(site):
    done = biorlhf(site, "data", "list", "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in json.loads(done.stdout)["datasets"]}
    assert rows["lab_growth"]["from"] == "lab-growth 1.2"
    assert rows["lab_growth"]["counts"]["questions"] == 2
    shown = biorlhf(site, "data", "show", "lab_growth", "--set", "above=2", "--json")
    assert [item["id"] for item in json.loads(shown.stdout)["items"]] == ["growth:strain_a"]


def test_its_settings_are_checked_and_its_errors_are_messages(site):
    unknown = biorlhf(site, "data", "stats", "lab_growth", "--set", "abov=2")
    assert unknown.returncode == 2
    assert "did you mean: above" in unknown.stderr
    empty = biorlhf(site, "data", "stats", "lab_growth", "--set", "above=9")
    assert empty.returncode == 2
    assert "less than 3" in empty.stderr


def test_the_documented_lab_file_is_valid(tmp_path):
    from biorlhf_plugins.datasets.tables.config import load_lab

    [text] = re.findall(r"```yaml\n# lab\.yaml\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    (tmp_path / "lab.yaml").write_text(text)
    config = load_lab(tmp_path / "lab.yaml")
    assert [table.tool for table in config.tables] == ["fgsea", "deseq2"]
    assert config.tables[1].expression is not None
