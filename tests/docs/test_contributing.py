"""CONTRIBUTING.md, word for word: its two plugins are written, edited, installed and used as it says."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHIMS = {
    "biorlhf": 'exec "$INTERPRETER" -m biorlhf "$@"',
    "python": 'exec "$INTERPRETER" "$@"',
    # Into a folder on the path instead of into the environment of the tests.
    "pip": '[ "$1 $2" = "install -e" ] || exit 64\n'
    'exec "$INTERPRETER" -m pip install -q --no-deps --no-build-isolation --target "$SITE" "./$3"',
}


@pytest.fixture
def shell(tmp_path):
    """Runs commands in a folder of its own, in which ``pip install -e`` puts things on the path."""
    for name, body in SHIMS.items():
        shim = tmp_path / "bin" / name
        shim.parent.mkdir(exist_ok=True)
        shim.write_text(f"#!/bin/sh\n{body}\n")
        shim.chmod(0o755)
    work, site = tmp_path / "work", tmp_path / "site"
    work.mkdir()
    environment = {
        **os.environ,
        "INTERPRETER": sys.executable,
        "SITE": str(site),
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{site}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
    }

    def run(commands: str) -> str:
        line = ["bash", "-euo", "pipefail", "-c", commands]
        done = subprocess.run(line, cwd=work, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run.folder = work
    return run


def blocks(name: str) -> tuple[str, list[str], str]:
    """The page's way to one plugin: the command that writes it, the code that it gives, what uses it."""
    found = FENCE.findall(PAGE)
    [first] = [i for i, (_, text) in enumerate(found) if re.match(rf"biorlhf plugins new \w+ {name}\n", text)]
    code = []
    for language, text in found[first + 1 :]:
        if language != "python":
            return found[first][1], code, text
        code.append(text)
    raise AssertionError(f"nothing uses {name}")


def replace_function(module: Path, function: str) -> None:
    """Put a function of the page in the place of the one with its name, at that one's indentation."""
    text = module.read_text("utf-8")
    name = ast.parse(function).body[0].name
    [old] = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef) and n.name == name]
    lines = text.splitlines(keepends=True)
    lines[old.lineno - 1 : old.end_lineno] = [textwrap.indent(function, " " * old.col_offset)]
    module.write_text("".join(lines), "utf-8")


def test_the_verifier_of_the_page_scores_an_answer(shell):
    new, (function, test), use = blocks("states_n")
    shell(new)
    replace_function(shell.folder / "states_n" / "states_n.py", function)
    (shell.folder / "states_n" / "tests" / "test_states_n.py").write_text(test, "utf-8")
    printed = shell(use)
    assert "1 passed" in printed
    scored = json.loads(printed.splitlines()[-1])
    assert scored["reward"] == 1.0
    assert scored["scores"]["states_n"]["details"] == {"found": "n = 6"}


def test_the_dataset_of_the_page_is_shown_and_passes_its_tests(shell):
    new, [function], use = blocks("doubling")
    shell(new)
    replace_function(shell.folder / "doubling" / "doubling.py", function)
    printed = shell(use)
    assert "delta_recA" in printed
    assert "3 passed" in printed


def test_the_notation_is_that_of_the_records():
    legend = (ROOT / "biorlhf" / "types.py").read_text("utf-8").partition('"""')[2].partition('"""')[0]
    axes = set(re.findall(r"(?<!\w)(_[A-Z])\b", legend))
    assert axes
    assert set(re.findall(r"^\| `(_[A-Z])` \|", PAGE, re.MULTILINE)) == axes
