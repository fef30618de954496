"""What else a lab's tissues and the sides of its contrasts are called: from lab.yaml to the verifiers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from biorlhf import DataError, Dataset, RecipeError, RewardComposer
from biorlhf.plugins import catalogue
from biorlhf.recipe import load
from biorlhf.runs.pipeline import composer_of, with_names
from biorlhf.types import Names
from biorlhf_plugins.datasets import tables
from biorlhf_plugins.datasets.jsonl import JsonlConfig
from biorlhf_plugins.datasets.jsonl import build as read_built
from biorlhf_plugins.datasets.tables.config import load_lab

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "grpo_full_v2.yaml"
ROWS = ("pathway,pval,padj,ES,NES,size\n" + "".join(
    f"LAB_SET_{n},{p},{p},{sign}0.5,{sign}1.5,100\n"
    for n, (p, sign) in enumerate([(0.001, ""), (0.001, "-"), (0.5, "")] * 12)
))  # fmt: skip


NAMED = """\
name: mylab
names:
  entities: {heart: [left ventricle]}
tables:
  - file: heart.csv
    tool: fgsea
    tissue: heart
    condition: long flight
    contrast:
      numerator: exposed
      denominator: naive
      denominator_synonyms: [bench mice]
    thresholds: {padj: 0.05}
"""


@pytest.fixture
def named(tmp_path) -> Path:
    (tmp_path / "heart.csv").write_text(ROWS)
    (tmp_path / "lab.yaml").write_text(NAMED)
    return tmp_path / "lab.yaml"


def build(path: Path) -> Dataset:
    return tables.build(load_lab(path))


def told(dataset: Dataset) -> RewardComposer:
    """The verifiers of a recipe, with the names that the dataset gives, as a run hands them over."""
    found = catalogue()
    return composer_of(with_names(load(RECIPE), dataset.names, found), found)


@pytest.mark.parametrize("answer", ["Answer: higher in bench mice\nConfidence: 90%", "free"])
def test_higher_in_a_synonym_of_the_denominator_is_down(named, answer):
    dataset = build(named)
    composer, unaware = told(dataset), RewardComposer(["V2"])
    question = next(q for q in dataset.questions if q.ground_truth.get("direction") == "DOWN")
    if answer == "free":
        question = replace(question, instruction="")
        answer = f"{question.ground_truth['pathway']} is higher in bench mice."
    assert composer.score(question, answer).scores["pathway"].value == 1.0
    assert unaware.score(question, answer).scores["pathway"].value == 0.0
    other = replace(question, ground_truth={**question.ground_truth, "direction": "UP", "figures": None})
    assert composer.score(other, answer).scores["pathway"].value == 0.0


def test_a_synonym_of_the_tissue_may_stand_beside_the_direction(named):
    dataset = build(named)
    question = next(q for q in dataset.questions if q.ground_truth.get("direction") == "UP")
    for place, value in (("left ventricle", 1.0), ("heart", 1.0), ("soleus", 0.0)):
        answer = f"Answer: UP in the {place}\nConfidence: 90%"
        assert told(dataset).score(question, answer).scores["pathway"].value == value


def test_a_flipped_table_exchanges_the_synonyms_of_its_sides(named):
    named.write_text(NAMED.replace("    thresholds", "    flip: true\n    thresholds"))
    assert build(named).names.contrasts == {"naive_vs_exposed": (("bench mice",), ())}


def test_a_name_of_both_sides_is_refused(named):
    named.write_text(NAMED.replace("[bench mice]", "[Exposed]"))
    with pytest.raises(RecipeError, match="'exposed' names the numerator and the denominator"):
        load_lab(named)


def test_a_built_folder_keeps_the_names(named, tmp_path):
    stream = catalogue().stream("tables", {"lab": str(named)})
    stream.write(tmp_path / "out")
    back = read_built(JsonlConfig(file=str(tmp_path / "out")))
    assert back.names == build(named).names
    assert back.names.entities == {"heart": ("left ventricle",)}
    bare = NAMED.replace("names:\n  entities: {heart: [left ventricle]}\n", "")
    named.write_text(bare.replace("      denominator_synonyms: [bench mice]\n", ""))
    catalogue().stream("tables", {"lab": str(named)}).write(tmp_path / "out")
    own = Names(conditions={"long flight": ()})
    assert read_built(JsonlConfig(file=str(tmp_path / "out"))).names == own


def test_damaged_names_of_a_folder_are_an_error(named, tmp_path):
    catalogue().stream("tables", {"lab": str(named)}).write(tmp_path / "out")
    file = tmp_path / "out" / "names.json"
    for text, message in (
        ("{", "is not JSON"),
        ('{"entitys": {}}', "entities"),
        ('{"contrasts": {"a_vs_b": [["c"]]}}', "not a mapping of names"),
    ):
        file.write_text(text)
        with pytest.raises(DataError, match=message):
            read_built(JsonlConfig(file=str(tmp_path / "out")))
