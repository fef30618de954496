"""Pre-commit, the hosted CI and .ci/run call the commands of the Makefile, and no others."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from biorlhf.recipe import yaml12

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"^([a-z][\w-]*):", MAKEFILE, re.MULTILINE))
CI = (ROOT / ".ci" / "run").read_text("utf-8")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FILES = [ROOT / ".pre-commit-config.yaml", ROOT / ".ci" / "run", *WORKFLOWS]


def commands_of(target: str) -> list[str]:
    """The lines that a target of the Makefile runs, in this checkout's environment."""
    [lines] = re.findall(rf"^{target}:[^\n]*\n((?:\t[^\n]*\n)+)", MAKEFILE, re.MULTILINE)
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in lines.splitlines()]


def read(path: Path) -> dict:
    return yaml12.load(path.read_text("utf-8"), path.name)[0]


def test_a_commit_is_checked_by_the_commands_of_make_lint():
    [repository] = read(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    assert [hook["entry"] for hook in repository["hooks"]] == commands_of("lint")
    assert all(hook["language"] == "system" for hook in repository["hooks"])
    assert all(hook["pass_filenames"] is False for hook in repository["hooks"])


def test_ci_runs_make_targets_that_exist():
    called = re.findall(r"^make (.+)$", CI, re.MULTILINE)
    assert called == ["lint", "wheel-check", "audit", "test"]
    assert set(called) <= TARGETS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_hosted_ci_runs_the_same(path):
    steps = [step for job in read(path)["jobs"].values() for step in job["steps"]]
    commands = [step["run"] for step in steps if "run" in step]
    assert "bash .ci/run" in commands
    for command in commands:
        make = re.fullmatch(r"make ([\w-]+)", command)
        assert command == "bash .ci/run" or (make and make[1] in TARGETS), command


def test_the_script_of_ci_is_sound_shell():
    assert subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=False).returncode == 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_host_is_named(path):
    text = path.read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"\b[\w-]+\.(?:org|com|io|net)\b", text)


def test_what_is_checked_is_in_contributing():
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for target in TARGETS - {"help", "clean", "run"}:
        assert f"`make {target}`" in page, target
    assert ".ci/run" in page
