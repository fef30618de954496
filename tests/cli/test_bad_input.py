"""Wrong input: exit 2, one clear message with the place, what was found and what is allowed, no traceback."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from biorlhf import cli
from biorlhf.recipe import yaml12
from tiny_model import write_tiny_model


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    write_tiny_model(folder / "model")
    (folder / "hollow").mkdir()
    (folder / "hollow/config.json").write_text("{}")
    (folder / "empty.jsonl").write_text("")
    (folder / "foreign").mkdir()
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj"]}
    config["base_model_name_or_path"] = "another-lab/another-model"
    (folder / "foreign/adapter_config.json").write_text(json.dumps(config))
    (folder / "foreign/adapter_model.safetensors").write_bytes(
        (8).to_bytes(8, "little") + b"{}      "  # a safetensors file without tensors
    )
    return folder


def good(place: Path) -> dict:
    return {
        "name": "bad",
        "model": {"base": str(place / "model"), "dtype": "fp32"},
        "prompt": {"template": "plain"},
        "data": [{"dataset": "kmp", "split": "paraphrase", "max_questions": 4}],
        "verifiers": [{"verifier": "factual", "weight": 1.0}],
        "stages": [{"trainer": "sft", "optimizer": {"learning_rate": 1e-3}}],
        "rollout": {"engine": "transformers"},
        "evaluation": {"questions": 4},
        "store": {"folder": str(place / "runs")},
        "cluster": {"backend": "inline"},
    }


@pytest.fixture
def run(place, monkeypatch, capsys):
    """``biorlhf run`` in this process, which need not import torch again for each case."""

    def ran(data: object) -> subprocess.CompletedProcess:
        path = place / "r.yaml"
        path.write_text(data if isinstance(data, str) else yaml12.dump(data))
        monkeypatch.setattr(sys, "argv", ["biorlhf", "run", str(path)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return subprocess.CompletedProcess(sys.argv, end.value.code, *capsys.readouterr())

    return ran


CASES = {
    "an unknown key": (("lora", "rank"), 8, ["r.yaml:", "lora.rank", "unknown key 'rank'"]),
    "a wrong type": (("seed",), "lots", ["r.yaml:", "seed", "'lots'", "integer"]),
    "an unknown verifier": (
        ("verifiers", 0, "verifier"),
        "factal",
        ["verifiers[0].verifier", "mean: factual"],
    ),
    "an unknown dataset": (("data", 0, "dataset"), "kpm", ["data[0].dataset", "did you mean: kmp"]),
    "an unknown trainer": (("stages", 0, "trainer"), "sfd", ["stages[0].trainer", "did you mean: sft"]),
    "an unknown evaluator": (
        ("evaluation", "evaluators"),
        [{"evaluator": "calibraton"}],
        ["evaluation.evaluators[0].evaluator", "did you mean: calibration"],
    ),
    "a negative weight": (("verifiers", 0, "weight"), -0.5, ["verifiers[0].weight", "-0.5", "equal to 0"]),
    "weights that are all zero": (("verifiers", 0, "weight"), 0, ["all weights are zero"]),
    "a plugin's wrong setting": (("data", 0, "split"), "facts", ["data[0].split", "did you mean: fact"]),
    "a model that is not there": (("model", "base"), "./nowhere/model", ["model.base", "no such folder"]),
    "a model's name misspelt": (("model", "base"), "smollm2-135m-instuct", ["mean: smollm2-135m-instruct"]),
    "a split without questions": (
        ("evaluation", "split"),
        "validation",
        ["evaluation.split", "'validation'"],
    ),
    "no verifier for a run that samples": (("verifiers",), [], ["verifiers", "available", "factual"]),
}


@pytest.mark.parametrize("case", CASES)
def test_wrong_input_ends_with_2_and_says_what_is_allowed(place, run, case):
    keys, value, words = CASES[case]
    data = copy.deepcopy(good(place))
    at = data
    for key in keys[:-1]:
        at = at[key] if isinstance(at, list) else at.setdefault(key, {})
    at[keys[-1]] = value
    check(run(data), words)


def check(done: subprocess.CompletedProcess, words: list[str]) -> None:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error: ") == 1
    for word in words:
        assert word in done.stderr


def test_a_recipe_that_is_no_yaml(run):
    check(run("name: [1, 2\nb: }"), ["r.yaml:2", "not valid YAML"])


def test_a_recipe_that_is_not_there(place):
    done = subprocess.run(
        [sys.executable, "-m", "biorlhf", "run", str(place / "q.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    check(done, ["no such file"])


def test_an_empty_dataset(place, run):
    data = good(place)
    data["data"] = [{"dataset": "jsonl", "file": str(place / "empty.jsonl")}]
    check(run(data), ["empty.jsonl"])


def test_a_model_folder_without_weights(place, run):
    data = good(place)
    data["model"]["base"] = str(place / "hollow")
    check(run(data), ["model.base", "hollow", "weights"])


def test_an_adapter_of_another_base_model(place, run):
    data = good(place)
    data["model"]["adapter"] = str(place / "foreign")
    check(run(data), ["model.adapter", "another-lab/another-model"])


def test_a_gpu_where_there_is_none(place, run):
    if os.path.exists("/dev/nvidia0"):
        pytest.skip("this machine has a GPU")
    data = good(place)
    data["cluster"] = {"backend": "ray"}
    data["learner"] = {"gpus": 2}
    check(run(data), ["2 GPU", "this machine has no NVIDIA GPU", "--dry-run"])


def test_a_resume_of_what_is_no_run(place):
    done = subprocess.run(
        [sys.executable, "-m", "biorlhf", "run", "--resume", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    check(done, ["no run here"])
