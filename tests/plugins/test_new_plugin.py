"""``biorlhf plugins new``: what it writes works as it is, and what it refuses is said in one message."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from biorlhf.commands.plugins.new import NewPlugin, write
from biorlhf.errors import InputError
from biorlhf.plugins import KINDS

PATH = os.environ.get("PYTHONPATH", "")


def python(*args: str, site: Path | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{PATH}" if site else PATH}
    return subprocess.run(
        [sys.executable, "-m", *args], env=environment, cwd=cwd, capture_output=True, text=True, check=False
    )


def listed(site: Path) -> dict[str, dict]:
    """The plugins that a process with this folder on its path lists, by name."""
    done = python("biorlhf", "plugins", "--json", site=site)
    assert done.returncode == 0, done.stderr
    return {row["name"]: row for row in json.loads(done.stdout)["plugins"]}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with one package of each kind, written from the command line."""
    folder = tmp_path_factory.mktemp("new")
    for kind in KINDS:
        done = python("biorlhf", "plugins", "new", kind, f"lab_{kind}", "--folder", str(folder))
        assert done.returncode == 0, done.stderr
        assert f"lab_{kind}.py, where it says EDIT HERE" in done.stdout
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_the_tests_of_a_written_package_pass_as_written(place, kind):
    done = python("pytest", "-p", "no:cacheprovider", cwd=place / f"lab_{kind}")
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_a_written_package_says_where_to_edit(place, kind):
    package = place / f"lab_{kind}"
    assert "# EDIT HERE" in (package / f"lab_{kind}.py").read_text("utf-8")
    files = sorted(str(p.relative_to(package)) for p in package.rglob("*") if "__pycache__" not in str(p))
    assert files == sorted(
        ["README.md", "pyproject.toml", f"lab_{kind}.py", "tests", f"tests/test_lab_{kind}.py"]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_an_installed_package_is_listed_with_its_distribution(place, kind, tmp_path):
    info = tmp_path / f"lab_{kind}-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: lab-{kind}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[biorlhf]\nlab_{kind} = lab_{kind}\n")
    (tmp_path / f"lab_{kind}.py").write_text((place / f"lab_{kind}" / f"lab_{kind}.py").read_text("utf-8"))
    row = listed(tmp_path)[f"lab_{kind}"]
    assert (row["kind"], row["distribution"], row["version"]) == (kind, f"lab-{kind}", "0.1.0")


def test_a_written_verifier_is_built_installed_and_scores(place, tmp_path):
    pip = ["pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", str(tmp_path / "site")]
    done = python(*pip, str(place / "lab_verifier"))
    assert done.returncode == 0, done.stderr
    assert listed(tmp_path / "site")["lab_verifier"]["distribution"] == "lab-verifier"
    assert not (tmp_path / "site" / "tests").exists()
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    row = {"id": "a", "prompt": "Which one?", "response": "The soleus.", "ground_truth": {"answer": "soleus"}}
    source.write_text(json.dumps(row) + "\n")
    score = ["biorlhf", "score", str(source), "--out", str(out), "--verifiers", "lab_verifier"]
    done = python(*score, site=tmp_path / "site")
    assert done.returncode == 0, done.stderr
    assert json.loads(out.read_text())["reward"] == 1.0


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("verifer", "mine", ["no kind of plugin 'verifer'", "did you mean: verifier", "available: dataset"]),
        ("verifier", "My-Verifier", ["'My-Verifier'", "beginning with a letter", "for example: my_verifier"]),
        ("verifier", "2fold", ["'2fold'", "for example: fold"]),
        ("verifier", "", ["the name ''"]),
        ("verifier", "../mine", ["'../mine'", "for example: mine"]),
        ("verifier", "class", ["'class'", "no word of Python"]),
        ("verifier", "factual", ["'factual' is taken", "factual of biorlhf "]),
        ("verifier", "v4", ["'v4' is taken", "uncertainty of biorlhf "]),
        ("verifier", "json", ["a module named 'json' exists already"]),
        ("dataset", "pydantic", ["a module named 'pydantic' exists already", "__init__.py"]),
    ],
)
def test_a_kind_or_name_that_cannot_be_is_refused_with_what_can(kind, name, words):
    with pytest.raises(InputError) as caught:
        NewPlugin(kind, name)
    for word in words:
        assert word in str(caught.value)


def test_a_name_that_another_labs_plugin_has_is_refused_with_its_distribution(rogue, tmp_path):
    done = python("biorlhf", "plugins", "new", "verifier", "len", "--folder", str(tmp_path), site=rogue)
    assert done.returncode == 2
    assert "'len' is taken: length of rogue 1.0 has it" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "len").exists()


def test_one_name_may_stand_for_plugins_of_different_kinds(tmp_path):
    assert NewPlugin("dataset", "factual").words["class_name"] == "FactualDataset"


def test_a_folder_that_exists_is_left_as_it_is(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("kept")
    done = python("biorlhf", "plugins", "new", "verifier", "mine", "--folder", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path / 'mine'} exists" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_a_place_that_is_no_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        write(NewPlugin("verifier", "mine"), tmp_path / "file")


def test_names_with_many_underscores_make_valid_distributions(tmp_path):
    write(NewPlugin("trainer", "a__b_"), tmp_path)
    assert 'name = "a-b"' in (tmp_path / "a__b_" / "pyproject.toml").read_text("utf-8")
    assert "class ABTrainer:" in (tmp_path / "a__b_" / "a__b_.py").read_text("utf-8")


def test_json_names_the_files_that_were_written(tmp_path):
    done = python("biorlhf", "plugins", "new", "evaluator", "mine", "--folder", str(tmp_path), "--json")
    row = json.loads(done.stdout)
    assert (row["kind"], row["name"], row["folder"]) == ("evaluator", "mine", str(tmp_path / "mine"))
    assert all(Path(path).is_file() for path in row["files"])
    assert len(row["files"]) == 4


def test_without_a_subcommand_plugins_are_listed():
    done = python("biorlhf", "plugins")
    assert done.returncode == 0, done.stderr
    assert "factual" in done.stdout
    assert "new" in python("biorlhf", "plugins", "--help").stdout
