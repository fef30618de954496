"""Every snippet and command of the README of BioRLHF 0.3 runs as it stands there.

A tiny random model lies in a hub cache under the name of Mistral-7B, and the recipes that the options make
are cut to a few steps without Ray: nothing in the snippets is changed.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import math
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from biorlhf.errors import ResourceError

ROOT = Path(__file__).resolve().parents[2]
README = ROOT.parent / "shared/data/seed/ancestor_readme.txt"
SFT = """
from biorlhf import SFTTrainingConfig, run_sft_training

config = SFTTrainingConfig(
    model_name="mistralai/Mistral-7B-v0.3",
    dataset_path="data/kmp_sft_final.json",
    output_dir="./my_sft_model",
    num_epochs=10,
    learning_rate=1e-4,
)
model_path = run_sft_training(config)
"""
GRPO = """
from biorlhf.training.grpo import GRPOConfig, run_grpo_training

config = GRPOConfig.from_json("configs/grpo_full_v2.json")
run_grpo_training(config)
"""
DATASET = """
from biorlhf.data import create_sft_dataset

dataset = create_sft_dataset(
    output_path="my_dataset.json",
    include_calibration=True,
    include_chain_of_thought=True,
)
print(f"Created {len(dataset)} training examples")
"""
EVALUATION = """
from biorlhf import evaluate_model

result = evaluate_model(
    model_path="./my_sft_model",
    test_questions_path="data/kmp_test_set.json",
)
print(f"Overall Accuracy: {result.overall_accuracy:.1%}")
print(f"Factual: {result.factual_accuracy:.1%}")
print(f"Reasoning: {result.reasoning_accuracy:.1%}")
print(f"Calibration: {result.calibration_accuracy:.1%}")
"""
INFERENCE = r"""
from biorlhf.utils import load_model_for_inference, generate_response

model, tokenizer = load_model_for_inference(
    model_path="./my_sft_model",
    base_model="mistralai/Mistral-7B-v0.3",
)
prompt = "### Instruction:\nWhich tissue is most sensitive to ionizing radiation?\n\n### Response:\n"
response = generate_response(model, tokenizer, prompt)
print(response)
"""
COMPOSER = """
from biorlhf.verifiers import RewardComposer

composer = RewardComposer(
    active_verifiers=["V1", "V2", "V3", "V4"],
    weights={"V1": 0.35, "V2": 0.30, "V3": 0.15, "V4": 0.20},
)
reward = composer.score(question, response, ground_truth)
"""
CONSTANTS = """
from biorlhf.data import (
    STRESSOR_EFFECTS,
    KMP_EFFECTS,
    INTERACTIONS,
    TISSUE_TYPES,
    OXPHOS_PATTERNS,
)
print(STRESSOR_EFFECTS["Hippocampus"])
"""
PYTHON = [SFT, GRPO, DATASET, EVALUATION, INFERENCE, COMPOSER, CONSTANTS]
COMMAND = "biorlhf-grpo --config configs/grpo_full_v2.json"
EXTRAS = 'pip install -e ".[dev]"'
FEW_STEPS = {
    "sft": {"stages.0.epochs": 1, "data.0.validation_fraction": 0.9, "lora.r": 4},
    "grpo": {
        "stages.0.steps": 1,
        "stages.0.prompts_per_step": 2,
        "stages.0.generations": 2,
        "stages.0.iterations": 1,
        "rollout.engine": "transformers",
        "rollout.max_completion_tokens": 8,
        "evaluation.questions": 4,
        "cluster.backend": "inline",
    },
}


def published_blocks(language: str) -> list[str]:
    """The fenced blocks of one language, each on one line, as the README's text has them here."""
    return re.findall(rf"```{language} (.*?) ```", README.read_text("utf-8"))


def restored(line: str) -> str:
    """A block's statements, whose line breaks are lost, one a line and without its comments.

    A statement is what parses as an import, an assignment or a call; a comment takes as few words as leave
    the rest readable.
    """
    words = line.split(" ")

    def read(start: int) -> list[str] | None:
        if start == len(words):
            return []
        if words[start] == "#":
            rests = (read(end) for end in range(start + 1, len(words) + 1))
            return next((rest for rest in rests if rest is not None), None)
        for end in range(words.index("#", start) if "#" in words[start:] else len(words), start, -1):
            statement = " ".join(words[start:end])
            if _is_statement(statement) and (rest := read(end)) is not None:
                return [statement, *rest]
        return None

    statements = read(0)
    assert statements is not None, line
    return "\n".join(statements)


def _is_statement(text: str) -> bool:
    try:
        body = ast.parse(text).body
    except SyntaxError:
        return False
    return len(body) == 1 and (
        isinstance(body[0], ast.Import | ast.ImportFrom | ast.Assign)
        or (isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Call))
    )


def run(snippet: str, **names: object) -> dict[str, object]:
    exec(compile(snippet, "README", "exec", dont_inherit=True), names)
    return names


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The working folder: configs/ and data/ as they ship, a hub cache, and short recipes."""
    from huggingface_hub import constants

    from biorlhf.compat import models, training
    from tiny_model import write_tiny_model

    folder = tmp_path_factory.mktemp("checkout")
    for name in ("configs", "data"):
        shutil.copytree(ROOT / name, folder / name)
    model = folder / "hub/models--mistralai--Mistral-7B-v0.3"
    write_tiny_model(model / "snapshots/0", "mistral", max_position_embeddings=2048)
    (model / "refs").mkdir()
    (model / "refs/main").write_text("0")
    whole, evaluate = training.recipe_of, models.api.evaluate

    def short(config, overrides=()):
        recipe = whole(config, overrides)
        return whole(config, FEW_STEPS[recipe.name])

    def brief(recipe, **settings):
        return evaluate(recipe, {"rollout.max_completion_tokens": 16}, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(constants, "HF_HUB_CACHE", str(folder / "hub"))
        patch.setattr(constants, "HF_HUB_OFFLINE", True)
        patch.setattr(training, "recipe_of", short)
        patch.setattr(models.api, "evaluate", brief)
        yield folder


@pytest.fixture(scope="module")
def trained(place):
    """What the SFT snippet leaves behind; the later snippets ask that model."""
    return run(SFT)["model_path"]


@pytest.mark.skipif(not README.is_file(), reason="the README of BioRLHF 0.3 does not lie beside")
def test_the_snippets_here_are_those_of_the_readme():
    blocks = published_blocks("python")
    assert [ast.dump(ast.parse(restored(text))) for text in blocks] == [
        ast.dump(ast.parse(text)) for text in PYTHON
    ]
    shell = published_blocks("bash")
    assert any(text.endswith(COMMAND) for text in shell)
    assert EXTRAS in shell


def test_sft_trains_on_the_shipped_texts(trained, place):
    assert Path(trained, "adapter_config.json").is_file()
    [folder] = Path(trained, "runs").iterdir()
    steps = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert steps
    assert all(math.isfinite(step["loss"]) for step in steps)


def test_grpo_trains_from_the_shipped_options(place):
    run(GRPO)
    assert (place / "biogrpo_full_v2_model/adapter_config.json").is_file()
    [folder] = (place / "biogrpo_full_v2_model/runs").iterdir()
    recipe = (folder / "recipe.yaml").read_text()
    assert "beta: 0.02" in recipe


def test_the_command_trains_as_the_function_does(place, monkeypatch, capsys):
    from biorlhf.cli import grpo_main

    shutil.rmtree(place / "biogrpo_full_v2_model", ignore_errors=True)
    monkeypatch.setattr(sys, "argv", COMMAND.split())
    with pytest.raises(SystemExit) as ended:
        grpo_main()
    assert ended.value.code in (0, None)
    assert capsys.readouterr().out.endswith("adapter: ./biogrpo_full_v2_model\n")
    assert (place / "biogrpo_full_v2_model/adapter_config.json").is_file()


def test_a_dataset_is_made(place, capsys):
    dataset = run(DATASET)["dataset"]
    assert json.loads((place / "my_dataset.json").read_text()) == dataset
    assert capsys.readouterr().out == f"Created {len(dataset)} training examples\n"


def test_a_model_is_asked_the_twenty_questions(trained, capsys):
    result = run(EVALUATION)["result"]
    assert result.total_questions == 20
    assert result.not_judged == 0
    parts = (result.factual_accuracy, result.reasoning_accuracy, result.calibration_accuracy)
    assert not any(math.isnan(part) for part in parts)
    assert result.overall_accuracy * 20 == pytest.approx(10 * parts[0] + 5 * parts[1] + 5 * parts[2])
    shown = capsys.readouterr().out
    for name in ("Overall Accuracy", "Factual", "Reasoning", "Calibration"):
        assert re.search(rf"^{name}: \d+\.\d%$", shown, re.MULTILINE)


def test_a_model_is_loaded_and_asked(trained):
    names = run(INFERENCE)
    assert isinstance(names["response"], str)
    assert not names["response"].startswith("### Instruction")


def test_an_answer_is_scored_by_the_composer():
    truth = {"facts": [{"entity": "soleus", "condition": "HU", "quantity": "DEG count", "value": 6425}]}
    question = "How many DEGs does HU cause in soleus?"
    right, wrong = (
        run(COMPOSER, question=question, response=f"{count} DEGs. Confidence: 90%", ground_truth=truth)
        for count in ("6,425", "1,273")
    )
    assert float(right["reward"]) > 0.9 > 0.5 > float(wrong["reward"])


def test_the_figures_are_there(capsys):
    names = run(CONSTANTS)
    assert capsys.readouterr().out == "{'HU': 1555, 'IR': 5477, 'HU_IR': 5510}\n"
    assert names["KMP_EFFECTS"]["Heart"]["HU_IR"] == 2110
    assert names["INTERACTIONS"]["Soleus"]["KMP_x_HU"] == 8484
    assert names["TISSUE_TYPES"]["Liver"][0] == "C"
    assert names["OXPHOS_PATTERNS"]["Liver"]["pattern"] == "SUPPRESSION"


def test_the_extra_for_development_has_what_the_pinned_list_has():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    pinned = (ROOT / "cluster/requirements-dev.txt").read_text().splitlines()
    names = {line.partition("==")[0] for line in pinned if line and not line.startswith("#")}
    assert set(extras["dev"]) == names


def test_the_command_is_installed_under_its_name():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts["biorlhf-grpo"] == "biorlhf.cli:grpo_main"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"num_generation": 4}', "did you mean: num_generations"),
        ('{"beta": "much"}', r"GRPOConfig\.beta"),
        ("[]", "a JSON object of options"),
        (None, "did you mean: grpo_mve.json"),
    ],
)
def test_wrong_options_exit_with_2_and_one_message(text, message, tmp_path):
    if text is None:
        shutil.copy(ROOT / "configs/grpo_mve.json", tmp_path)
    else:
        (tmp_path / "grpo_mv.json").write_text(text)
    program = "import sys; from biorlhf.cli import grpo_main; sys.argv[0] = 'biorlhf-grpo'; grpo_main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "--config", str(tmp_path / "grpo_mv.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert re.search(message, done.stderr)
    assert "grpo_mv.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_light_install_says_what_training_needs(place, monkeypatch):
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "peft" else there(name))
    for snippet in (SFT, GRPO, EVALUATION, INFERENCE):
        with pytest.raises(ResourceError, match=r"not installed: peft\n.*\[cpu\]"):
            run(snippet)


def test_these_modules_load_nothing_heavy():
    code = (
        "import sys\n"
        "import biorlhf.data, biorlhf.training.grpo, biorlhf.training.sft, biorlhf.training.dpo\n"
        "import biorlhf.utils, biorlhf.verifiers\n"
        "assert 'biorlhf_plugins.datasets.kmp' not in sys.modules\n"
        "biorlhf.data.STRESSOR_EFFECTS\n"
        "print([m for m in ('torch', 'ray', 'vllm', 'transformers', 'peft') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_name_is_refused():
    import biorlhf.data

    with pytest.raises(AttributeError, match="STRESSOR_EFFECT"):
        _ = biorlhf.data.STRESSOR_EFFECT
    assert "KMP_EFFECTS" in dir(biorlhf.data)
