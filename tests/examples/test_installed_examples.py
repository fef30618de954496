"""The packages in examples/: built, installed beside biorlhf, and used from the command line."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PACKAGES = sorted(path.parent for path in EXAMPLES.glob("*/pyproject.toml"))
PATH = os.environ.get("PYTHONPATH", "")


def python(*args: str, site: Path | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{PATH}" if site else PATH}
    return subprocess.run(
        [sys.executable, "-m", *args], env=environment, cwd=cwd, capture_output=True, text=True, check=False
    )


def biorlhf(site: Path, *args: str) -> str:
    done = python("biorlhf", *args, site=site)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder into which every example is installed as a wheel, without its tests."""
    target = tmp_path_factory.mktemp("site")
    pip = ["pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", str(target)]
    done = python(*pip, *map(str, PACKAGES))
    assert done.returncode == 0, done.stderr
    return target


def test_there_is_a_verifier_and_a_dataset(site):
    rows = json.loads(biorlhf(site, "plugins", "--json"))["plugins"]
    found = {row["distribution"]: (row["kind"], row["name"]) for row in rows}
    assert found["biorlhf-units"] == ("verifier", "units")
    assert found["biorlhf-qpcr"] == ("dataset", "qpcr")
    assert len(PACKAGES) == 2


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_the_tests_of_an_example_pass(package):
    done = python("pytest", "-p", "no:cacheprovider", cwd=package)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_an_example_imports_the_public_names_alone(package):
    """``from biorlhf import …`` in the package; its tests may use the public doubles as well."""
    for path in package.rglob("*.py"):
        allowed = {"biorlhf", "biorlhf.testing"} if "tests" in path.parts else {"biorlhf"}
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                if name.partition(".")[0] in ("biorlhf", "biorlhf_plugins"):
                    assert name in allowed, f"{path.name} imports {name}"


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_an_example_says_what_it_is_and_how_it_is_installed(package):
    project = tomllib.loads((package / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["name"] == package.name
    readme = (package / "README.md").read_text("utf-8")
    assert readme.startswith(f"# {package.name}\n")
    assert "pip install -e" in readme


def test_the_verifier_scores_a_file_of_answers(site, tmp_path):
    fact = {"entity": "imatinib", "condition": "K562", "quantity": "IC50 (nM)", "value": 20}
    rows = [
        {"id": text, "prompt": "What is the IC50?", "response": text, "ground_truth": {"facts": [fact]}}
        for text in ("0.02 µM", "20 µM", "20")
    ]
    rows.append({"id": "none", "prompt": "Is it up?", "response": "yes", "ground_truth": {"answer": "yes"}})
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    biorlhf(site, "score", str(source), "--out", str(out), "--verifiers", "units")
    found = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["reward"] for row in found] == [1.0, 0.0, 0.0, None]
    assert [row["scores"]["units"]["status"] for row in found] == ["scored"] * 3 + ["not_applicable"]


def test_the_dataset_is_shown_and_counted(site):
    shown = json.loads(biorlhf(site, "data", "show", "qpcr", "--split", "test", "--json"))["items"]
    assert shown
    assert all("HeLa" in item["prompt"] for item in shown)
    table = EXAMPLES / "biorlhf-qpcr" / "biorlhf_qpcr" / "results.tsv"
    rows = len(table.read_text("utf-8").splitlines()) - 1
    counted = json.loads(biorlhf(site, "data", "stats", "qpcr", "--json"))
    assert counted["questions"]["total"] == 2 * rows


def test_the_dataset_reads_a_table_of_ones_own(site, tmp_path):
    lines = (EXAMPLES / "biorlhf-qpcr" / "biorlhf_qpcr" / "results.tsv").read_text("utf-8").splitlines()
    (tmp_path / "mine.tsv").write_text("\n".join(lines[:4]) + "\n")
    own = ["--set", f"file={tmp_path / 'mine.tsv'}", "--set", "held_out=[THP-1]"]
    shown = json.loads(biorlhf(site, "data", "show", "qpcr", *own, "--json"))["items"]
    assert {item["split"] for item in shown} == {"test"}


def test_gold_answers_of_the_dataset_earn_full_marks_from_the_command_line(site, tmp_path):
    source, answers, out = (tmp_path / name for name in ("questions.jsonl", "answers.jsonl", "scores.jsonl"))
    biorlhf(site, "data", "export", "qpcr", "--format", "questions", "--out", str(source))
    rows = [json.loads(line) for line in source.read_text().splitlines()]
    keys = ("id", "prompt", "ground_truth")
    lines = [json.dumps({**{key: row[key] for key in keys}, "response": row["answer"]}) for row in rows]
    answers.write_text("\n".join(lines) + "\n")
    biorlhf(site, "score", str(answers), "--out", str(out))
    for line in out.read_text().splitlines():
        scores = json.loads(line)["scores"]
        assert scores["factual"]["value"] >= 0.95, line
        assert all(score["value"] is None or score["value"] >= 0.95 for score in scores.values()), line
