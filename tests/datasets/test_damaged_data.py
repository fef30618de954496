"""A shipped table that is damaged or gone is the trouble of whoever asks for it, and of nobody else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIGURES = "data/kmp/figures.csv"


@pytest.fixture
def copy(tmp_path):
    """The product in a folder of its own, whose data may be damaged."""
    for name in ("biorlhf", "plugins", "data"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def biorlhf(folder: Path, *args: str) -> subprocess.CompletedProcess:
    path = os.pathsep.join([str(folder), str(folder / "plugins")])
    return subprocess.run(
        [sys.executable, "-P", "-m", "biorlhf", *args],
        env={**os.environ, "PYTHONPATH": path},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_damaged_table_leaves_the_plugins_listed_and_fails_where_it_is_built(copy):
    with (copy / FIGURES).open("a", encoding="utf-8") as file:
        file.write("one,more,row\n")
    listed = biorlhf(copy, "plugins", "--json")
    assert listed.returncode == 0, listed.stderr
    assert {"kmp", "genelab", "factual", "grpo"} <= {
        row["name"] for row in json.loads(listed.stdout)["plugins"]
    }
    shown = biorlhf(copy, "data", "show", "kmp")
    assert shown.returncode == 2
    assert f"{FIGURES}: its sha256 is" in shown.stderr
    assert "Traceback" not in shown.stderr
    assert biorlhf(copy, "data", "show", "genelab").returncode == 0


@pytest.mark.parametrize("name", [FIGURES, "data/MANIFEST.json"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    shown = biorlhf(copy, "data", "show", "kmp")
    assert shown.returncode == 2
    assert f"{name}: cannot be read" in shown.stderr
    assert biorlhf(copy, "plugins").returncode == 0


def test_importing_every_plugin_reads_no_shipped_file():
    code = (
        "import sys\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == 'open' else None)\n"
        "from biorlhf import plugins\n"
        "plugins.load(entry_points=False)\n"
        "assert opened\n"
        f"print([path for path in opened if path.startswith({str(ROOT / 'data')!r})])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
