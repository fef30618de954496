"""Malformed input of every kind ends with exit code 2 and one message: no traceback, no hang, no flood."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
from pathlib import Path

import pytest

from biorlhf.errors import InputError, RecipeError, visible
from biorlhf.inputs import yaml12
from biorlhf.inputs.rows import read_rows
from biorlhf.inputs.validation import apply_override
from biorlhf.recipe import Scorer, from_data

ATTACK = Path(__file__).with_name("attack.py")


def got_through(seed: int, count: int, *options: str) -> str:
    command = [sys.executable, str(ATTACK), str(seed), str(count), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout or done.stderr


def test_a_malformed_input_of_each_kind_is_refused():
    said = got_through(1, 60)
    assert said.splitlines()[-1].startswith("0 of 60 inputs"), said


@pytest.mark.hostile
def test_three_hundred_malformed_inputs_are_refused():
    said = got_through(2, 300)
    assert said.splitlines()[-1].startswith("0 of 300 inputs of 6"), said


@pytest.mark.hostile
@pytest.mark.engine
def test_damaged_models_and_adapters_are_refused():
    said = got_through(3, 42, "--engines")
    assert said.splitlines()[-1].startswith("0 of 42 inputs of 7 kinds"), said


BOMB = "x: &x [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in itertools.pairwise("xabcdefg")
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &a [*a]", "nested more than 50 deep, by its aliases"),
        (BOMB, "more than 100,000 values, by its aliases"),
        ("[" * 5000, "nested more than 50 deep"),
        ("a: 1\nb: \x1b", "r.yaml:2: not valid YAML: the character '\\x1b'"),
        ('a: "x\\0"', "the character '\\x00'"),
        ("a: " + "9" * 5000, "a number of 5,000 digits"),
        ("? [a]\n: b", "a key that is no text"),
        ("a: !!int x", "a value that its tag does not allow"),
        ("a: !!binary aGk=", "not valid YAML"),
    ],
)  # fmt: skip
def test_yaml_that_nobody_wrote_is_refused_at_once(text, words):
    with pytest.raises(InputError) as caught:
        yaml12.load(text, "r.yaml")
    assert words in str(caught.value)


def test_a_file_larger_than_any_recipe_is_not_read(tmp_path):
    (tmp_path / "r.yaml").write_text("a: 1\n" * 300_000)
    with pytest.raises(RecipeError, match="more than 1,000,000 bytes"):
        yaml12.read(tmp_path / "r.yaml", RecipeError)
    with pytest.raises(InputError, match="no regular file"):
        yaml12.read(Path("/dev/zero"))


@pytest.mark.parametrize(
    "key", ["...", "stages.²", "stages.-1.x", "stages.0..x", ".a", "a.", "[]", "stages[0"]
)
def test_an_override_of_no_key_is_refused(key):
    with pytest.raises(RecipeError, match="--set"):
        apply_override({"stages": [{"x": 1}], "a": {}}, f"{key}=5", {})


NUMBERS = ["scorer.timeout_s", "scorer.cpus", "rollout.temperature", "rollout.timeout_s", "lora.alpha",
           "stages.0.optimizer.learning_rate", "stages.0.beta", "learner.gpus", "stages.0.steps"]  # fmt: skip


@pytest.mark.parametrize("value", [".inf", ".nan", "1e999", "true"])
@pytest.mark.parametrize("key", NUMBERS)
def test_a_number_of_a_recipe_is_finite_and_no_truth_value(key, value):
    data = {
        "name": "r",
        "model": {"base": "x"},
        "data": [{"dataset": "kmp"}],
        "verifiers": [{"verifier": "factual", "weight": 1}],
        "stages": [{"trainer": "grpo", "optimizer": {"learning_rate": 1e-5}}],
    }
    from_data(data)
    with pytest.raises(RecipeError, match=key.rpartition(".")[2]):
        from_data(data, overrides=(f"{key}={value}",))


def test_the_environment_of_verifiers_is_a_list_of_names():
    assert Scorer(environment=("LAB_TABLES",)).environment == ("LAB_TABLES",)
    with pytest.raises(ValueError, match="pattern"):
        Scorer(environment=("A=B",))


def test_half_a_surrogate_pair_is_refused_with_its_line(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"prompt": "a"}\n{"prompt": {"b": "\\ud800"}}\n')
    with pytest.raises(InputError, match=r"a\.jsonl:2: '\\ud800', one half"):
        list(read_rows(tmp_path / "a.jsonl"))
    assert len(list(read_rows(tmp_path / "a.jsonl", halves=True))) == 2


@pytest.mark.parametrize("value", ["abc", "inf", "nan", "5 or 6"])
def test_a_fact_that_nothing_could_contradict_is_refused(tmp_path, value):
    from biorlhf.plugins import builtin_part

    table = tmp_path / "facts.csv"
    table.write_text(f"entity,condition,quantity,value\nlens,HU,DEG count,{value}\n")
    with pytest.raises(InputError, match=r"facts\.csv:2: value"):
        builtin_part("check").load_facts(str(table))


def test_what_is_shown_has_no_control_characters():
    draw = random.Random(0)
    text = "".join(chr(draw.randrange(0x300)) for _ in range(5000)) + "\ud800\u202e\u2028"
    shown = visible(text)
    assert not any(ord(c) < 32 and c not in "\t\n" for c in shown)
    assert not set(shown) & {"\x7f", "\x9b", "\u202e", "\u2028", "\ud800"}
    assert visible("a\tb\nµ → 5") == "a\tb\nµ → 5"
    assert visible("\x1b[2J\u202e") == r"\x1b[2J\u202e"
