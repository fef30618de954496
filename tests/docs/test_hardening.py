"""The table of attacks names each kind of fault, and for each the tests that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = ROOT / "tests" / "hostile"
ROWS = re.findall(r"^\| (\d+)\. .* \| (.*) \|$", (ROOT / "docs" / "hardening.md").read_text("utf-8"), re.M)


def named(cell: str) -> set[tuple[str, str]]:
    """File and test of each test in a cell: ``file`: `test`, `test`; `file`: …``."""
    return {
        (file, test)
        for file, tests in re.findall(r"`([\w./]+\.py)`: ([^;]+)", cell)
        for test in re.findall(r"`(\w+)`", tests)
    }


def test_each_of_the_kinds_of_fault_has_its_row():
    assert [int(number) for number, _ in ROWS] == list(range(1, 24))


@pytest.mark.parametrize(("number", "cell"), ROWS, ids=[number for number, _ in ROWS])
def test_every_test_that_a_fault_names_exists(number, cell):
    tests = named(cell)
    assert tests
    assert len(re.findall(r"`test_\w+`", cell)) == len(tests), (
        "what is no test of a file that is named before it"
    )
    for file, test in tests:
        tree = ast.parse((HOSTILE / file).read_text("utf-8"))
        assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, file
