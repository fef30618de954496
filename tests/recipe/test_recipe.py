"""Recipes: strict, with errors that say where, what was found, what is allowed, and the nearest match."""

from __future__ import annotations

from pathlib import Path

import pytest

from biorlhf import plugins, recipe
from biorlhf.errors import InputError, PluginError, RecipeError
from biorlhf.hookspecs import (
    DatasetPlugin,
    EvaluatorPlugin,
    PluginConfig,
    TrainerPlugin,
    VerifierPlugin,
    hookimpl,
)
from biorlhf.recipe import yaml12

GOOD = """\
name: small
model:
  base: somewhere
data:
  - dataset: facts
verifiers:
  - verifier: tissue
    weight: 1
stages:
  - trainer: steps
    epochs: 2
    optimizer:
      learning_rate: 1e-5
evaluation:
  evaluators:
    - evaluator: mean
"""


class Steps(PluginConfig):
    epochs: int


class Plugins:
    __name__ = "doubles"

    @hookimpl
    def biorlhf_verifiers(self):
        yield VerifierPlugin(name="tissue", aliases=("T1",), build=lambda config: None)

    @hookimpl
    def biorlhf_datasets(self):
        yield DatasetPlugin(name="facts", build=lambda config: None)

    @hookimpl
    def biorlhf_trainers(self):
        yield TrainerPlugin(name="steps", config=Steps, build=lambda config: None)

    @hookimpl
    def biorlhf_evaluators(self):
        yield EvaluatorPlugin(name="mean", build=lambda config: None)


@pytest.fixture(scope="module")
def catalogue() -> plugins.Catalogue:
    return plugins.load(entry_points=False, extra=(Plugins(),))


def load(tmp_path: Path, text: str, catalogue: plugins.Catalogue, *overrides: str) -> recipe.Recipe:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    return recipe.load(path, overrides, catalogue=catalogue)


def test_a_recipe_survives_being_saved_and_read_again(tmp_path, catalogue):
    first = load(tmp_path, GOOD, catalogue)
    again = load(tmp_path, yaml12.dump(first.to_json()), catalogue)
    assert again == first
    assert first.stages[0].settings == {"epochs": 2}


def test_json_is_accepted_as_well(tmp_path, catalogue):
    import json

    data, _ = yaml12.load(GOOD, "x")
    assert load(tmp_path, json.dumps(data), catalogue) == load(tmp_path, GOOD, catalogue)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-5", 1e-5), ("no", "no"), ("on", "on"), ("0x10", 16), ("0o17", 15), ("~", None), ("1_000", "1_000")],
)
def test_scalars_follow_yaml_1_2(text, value):
    assert yaml12.load(f"a: {text}", "x")[0] == {"a": value}


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        (
            ("base: somewhere", "bse: somewhere"),
            "a.yaml:3: model.bse",
            ["unknown key 'bse'", "did you mean: base"],
        ),
        (("base: somewhere", "dtype: bf16"), "a.yaml:2: model.base", ["missing"]),
        (("epochs: 2", "epoch: 2"), "a.yaml:11: stages[0].epoch", ["unknown key 'epoch'", "mean: epochs"]),
        (("epochs: 2", "epochs: two"), "a.yaml:11: stages[0].epochs", ["'two'", "integer"]),
        (("1e-5", "fast"), "a.yaml:13: stages[0].optimizer.learning_rate", ["'fast'", "number"]),
        (("1e-5", "-1"), "a.yaml:13: stages[0].optimizer.learning_rate", ["-1", "greater than 0"]),
        (("1e-5", ".inf"), "a.yaml:13: stages[0].optimizer.learning_rate", ["inf", "a finite number"]),
        (("1e-5", "true"), "a.yaml:13: stages[0].optimizer.learning_rate", ["True", "a finite number"]),
        (("1e-5", "'1e-5'"), "a.yaml:13: stages[0].optimizer.learning_rate", ["'1e-5'", "a finite number"]),
        (("weight: 1", "weight: true"), "a.yaml:8: verifiers[0].weight", ["True", "a finite number"]),
        (("epochs: 2", "epochs: true"), "a.yaml:11: stages[0].epochs", ["True", "a finite number"]),
        (("weight: 1", "weight: -1"), "a.yaml:8: verifiers[0].weight", ["-1", "greater than or equal to 0"]),
        (("weight: 1", "weight: 0"), "a.yaml", ["all weights are zero"]),
        (
            ("verifier: tissue", "verifier: tisue"),
            "a.yaml:7: verifiers[0].verifier",
            ["did you mean: tissue"],
        ),
        (("dataset: facts", "dataset: fact"), "a.yaml:5: data[0].dataset", ["did you mean: facts"]),
        (("trainer: steps", "trainer: step"), "a.yaml:10: stages[0].trainer", ["did you mean: steps"]),
        (
            ("evaluator: mean", "evaluator: meen"),
            "a.yaml:16: evaluation.evaluators[0].evaluator",
            ["mean: mean"],
        ),
        (("base: somewhere", "base: x\n  dtype: fp8"), "a.yaml:4: model.dtype", ["'fp8'", "available: bf16"]),
        (("name: small", "name: small\nname: b"), "a.yaml:2", ["stands twice"]),
    ],
)
def test_a_wrong_recipe_says_where_what_and_what_is_allowed(tmp_path, catalogue, change, place, words):
    with pytest.raises(InputError) as caught:
        load(tmp_path, GOOD.replace(*change), catalogue)
    message = str(caught.value)
    assert place in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("text", ["a: [1", "- 1", "", "just words", "!!python/object:os.system {}"])
def test_what_is_no_recipe_is_refused(tmp_path, catalogue, text):
    with pytest.raises(InputError):
        load(tmp_path, text, catalogue)


def test_a_missing_file_names_its_neighbour(tmp_path):
    (tmp_path / "grpo.yaml").write_text(GOOD)
    with pytest.raises(RecipeError, match=r"did you mean: grpo\.yaml"):
        recipe.load(tmp_path / "gpro.yaml")


def test_set_overrides_a_nested_key_and_is_named_in_its_error(tmp_path, catalogue):
    changed = load(tmp_path, GOOD, catalogue, "stages.0.epochs=7", "lora.r=8")
    assert changed.stages[0].settings["epochs"] == 7
    assert changed.lora.r == 8
    with pytest.raises(RecipeError, match=r"--set: lora\.rank: unknown key 'rank'"):
        load(tmp_path, GOOD, catalogue, "lora.rank=8")
    with pytest.raises(RecipeError, match="no item '3'"):
        load(tmp_path, GOOD, catalogue, "stages.3.epochs=7")


def test_a_verifier_named_twice_by_its_alias_is_refused(tmp_path, catalogue):
    text = GOOD.replace("stages:", "  - verifier: T1\n    weight: 1\nstages:")
    with pytest.raises(RecipeError, match="stands twice"):
        load(tmp_path, text, catalogue)


def test_two_stages_of_one_name_are_refused(tmp_path, catalogue):
    stage = GOOD[GOOD.index("  - trainer") : GOOD.index("evaluation")]
    with pytest.raises(RecipeError, match="two stages are named 'steps'"):
        load(tmp_path, GOOD.replace("evaluation:", stage + "evaluation:"), catalogue)


def test_plugin_errors_survive_pickling():
    import pickle

    error = PluginError("here", "no verifier named 'a'", choices=["ab"], name="a")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert str(again) == str(error)
    assert again.nearest == error.nearest
