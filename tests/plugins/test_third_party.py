"""Another lab's verifier, as a wheel of its own, installed beside biorlhf."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

MODULE = """
from biorlhf import Score, VerifierPlugin, hookimpl


class NamesTissue:
    def score(self, question, completion_text):
        tissue = question.ground_truth.get("tissue")
        if tissue is None:
            return Score.not_applicable("no tissue is asked for")
        return Score.scored(float(tissue in completion_text.lower()))


@hookimpl
def biorlhf_verifiers():
    yield VerifierPlugin(name="names_tissue", build=lambda config: NamesTissue())
"""
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "lab-tissue"
version = "3.1"
[project.entry-points.biorlhf]
names_tissue = "lab_tissue"
[tool.hatch.build.targets.wheel]
include = ["lab_tissue.py"]
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder with the built and unpacked wheel, to be put on the path."""
    source = tmp_path_factory.mktemp("lab")
    (source / "lab_tissue.py").write_text(MODULE)
    (source / "pyproject.toml").write_text(PROJECT)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(source / "dist")]
    subprocess.run([*command, str(source)], check=True, capture_output=True)
    [wheel] = (source / "dist").glob("*.whl")
    target = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(target)
    return target


def biorlhf(site: Path, *args: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, "-m", "biorlhf", *args], env=environment, capture_output=True, text=True, check=False
    )


def test_it_is_listed_with_its_distribution_and_version(site):
    rows = json.loads(biorlhf(site, "plugins", "--json").stdout)["plugins"]
    [row] = [row for row in rows if row["name"] == "names_tissue"]
    assert (row["distribution"], row["version"], row["kind"]) == ("lab-tissue", "3.1", "verifier")


def test_it_scores_from_the_command_line(site, tmp_path):
    row = {"id": "a", "prompt": "?", "response": "In soleus.", "ground_truth": {"tissue": "soleus"}}
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps(row) + "\n")
    done = biorlhf(site, "score", str(source), "--out", str(out), "--verifiers", "names_tissue")
    assert done.returncode == 0, done.stderr
    scored = json.loads(out.read_text())
    assert scored["reward"] == 1.0
    assert scored["scores"]["names_tissue"]["status"] == "scored"
