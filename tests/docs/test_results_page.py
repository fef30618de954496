"""docs/results.md holds what the files in docs/results/ give, and names each of them."""

from __future__ import annotations

import fnmatch
import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "results.md").read_text("utf-8")


@pytest.fixture(scope="module")
def tables():
    spec = importlib.util.spec_from_file_location("results_tables", DOCS / "results_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_what_the_files_give(tables):
    assert tables.MARK.findall(PAGE), "no table is marked"
    assert tables.page(PAGE) == PAGE, "write them anew: python docs/results_tables.py"


def test_every_file_is_named_on_the_page(tables):
    # By its name, by a pattern (tried-*.json), or as a seed of a recipe that has tables.
    named = set(re.findall(r"[\w*.-]+\.json", PAGE))
    named |= {f"{recipe}-seed*.json" for _, recipe, _ in tables.MARK.findall(PAGE)}
    files = sorted(path.name for path in (DOCS / "results").glob("*.json"))
    assert [name for name in files if not any(fnmatch.fnmatchcase(name, one) for one in named)] == []


def cell(tables, name, *, difference=None, verdict="", after=0.8):
    rates = [None, {"value": after, "low": after - 0.1, "high": after + 0.1, "n": 12}]
    row = {"name": name, "rates": rates, "difference": difference, "verdict": verdict}
    return tables._cell({"metrics": [row]}, name)


def test_a_number_without_a_difference_has_its_own_interval(tables):
    assert cell(tables, "AUROC") == "– → 0.800 [0.700, 0.900]"


def test_balanced_accuracy_of_few_clusters_says_how_many_and_is_called_nothing(tables):
    def told(clusters):
        gain = {"value": 0.3, "low": 0.1, "high": 0.5, "n": 12, "clusters": clusters}
        return cell(tables, "balanced accuracy", difference=gain, verdict="better")

    assert told(6) == "– → 0.800; +0.300 [+0.100, +0.500], n = 12"
    assert told(20) == "– → 0.800; **+0.300 [+0.100, +0.500]**"
