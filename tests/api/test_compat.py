"""The names of BioRLHF 0.3: typical calls work, and no option is ignored in silence."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import pytest

import biorlhf
from biorlhf import recipe as recipes
from biorlhf.compat.models import _questions
from biorlhf.compat.options import Options
from biorlhf.compat.training import recipe_of
from biorlhf.errors import DataError, InputError
from biorlhf.recipe import shipped as resources
from biorlhf.runs import pipeline

FULL_V2 = {
    "model_name": "mistralai/Mistral-7B-v0.3",
    "sft_model_path": None,
    "output_dir": "./biogrpo_full_v2_model",
    "num_generations": 16,
    "beta": 0.02,
    "num_iterations": 2,
    "scale_rewards": "group",
    "loss_type": "grpo",
    "num_epochs": 1,
    "batch_size": 1,
    "eval_batch_size": 16,
    "gradient_accumulation_steps": 8,
    "learning_rate": 5e-7,
    "max_completion_length": 1024,
    "max_prompt_length": 512,
    "warmup_ratio": 0.1,
    "lora_r": 32,
    "lora_alpha": 64,
    "lora_dropout": 0.05,
    "use_multi_reward": True,
    "active_verifiers": ["V1", "V2", "V3", "V4"],
    "verifier_weights": {"V1": 0.35, "V2": 0.30, "V3": 0.15, "V4": 0.20},
    "pathway_db": "hallmark",
    "hold_out_tissues": ["eye", "thymus"],
    "seed": 42,
    "use_4bit": True,
    "use_wandb": True,
    "logging_steps": 10,
    "save_steps": 50,
    "save_total_limit": 3,
    "log_completions": True,
    "use_vllm": False,
    "gradient_checkpointing": True,
    "bf16": True,
}


def test_a_grpo_file_of_the_ancestor_gives_the_published_recipe(tmp_path):
    path = tmp_path / "grpo_full_v2.json"
    path.write_text(json.dumps(FULL_V2))
    made = recipe_of(biorlhf.GRPOConfig.from_json(path))
    shipped = recipes.load(resources.shipped("recipes") / "grpo_full_v2.yaml")
    for part in ("model", "lora", "prompt", "data", "verifiers", "stages", "seed"):
        assert getattr(made, part) == getattr(shipped, part), part
    assert made.rollout.max_completion_tokens == 1024


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_generation": 4}, "did you mean: num_generations"),
        ({"learning_rate": "fast"}, r"GRPOConfig\.learning_rate"),
        ({"loss_type": "ppo"}, r"GRPOConfig\.loss_type"),
    ],
)
def test_an_unknown_option_or_value_is_refused_with_the_nearest_name(options, message):
    with pytest.raises(InputError, match=message):
        biorlhf.GRPOConfig(**options)
    config = biorlhf.GRPOConfig()
    (name, value), *_ = options.items()
    with pytest.raises(InputError, match=message):
        setattr(config, name, value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pathway_db": "kegg"}, "hallmark"),
        ({"active_verifiers": ["V1"], "verifier_weights": {"V1": 0.5, "V4": 0.5}}, "not active"),
        ({"active_verifiers": ["V1", "V2"], "verifier_weights": {"V1": 1}}, "no weight for 'pathway'"),
        ({"active_verifiers": ["V1", "V9"]}, "V9"),
        ({"sft_model_path": "nowhere"}, "no such folder"),
        ({"hold_out_tissues": ["eyes"]}, "eye"),
        ({"warmup_ratio": 7}, "warmup"),
    ],
)
def test_options_that_cannot_be_kept_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        pipeline.prepare(recipe_of(biorlhf.GRPOConfig(**options)))


@pytest.mark.parametrize("config", [biorlhf.SFTTrainingConfig, biorlhf.DPOTrainingConfig, biorlhf.GRPOConfig])
def test_every_option_changes_the_recipe_or_is_named_as_without_effect(config, tmp_path, monkeypatch):
    from biorlhf.compat.training import WITHOUT_EFFECT

    (tmp_path / "some.json").write_text("[]")
    (tmp_path / "other.json").write_text("[]")
    (tmp_path / "model").mkdir()
    (tmp_path / "model/config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    start = {"dataset_path": "some.json"} if "dataset_path" in config.model_fields else {}
    start |= {"sft_model_path": None} if "sft_model_path" in config.model_fields else {}
    other = {
        "dataset_path": "other.json", "sft_model_path": "model", "scale_rewards": "batch",
        "loss_type": "dapo", "hold_out_tissues": ["eye"], "active_verifiers": ["V1"],
        "verifier_weights": {"V4": 1.0}, "use_vllm": True,
        "test_size": 0.4, "warmup_ratio": 0.4, "lora_dropout": 0.4, "base_model": "a/b", "model_name": "a/b",
        "output_dir": "there", "bf16": False, "use_4bit": False, "gradient_checkpointing": False,
        "use_multi_reward": True, "wandb_project": "mine", "wandb_run_name": "third",
    }  # fmt: skip
    # What is told to a tracker changes nothing where there is none, as bf16 does under NF4.
    needs = {"bf16": {"use_4bit": False}, "wandb_project": {"use_wandb": True}}
    needs["wandb_run_name"] = needs["wandb_project"]
    for name, field in config.model_fields.items():
        if name in WITHOUT_EFFECT or name == "pathway_db":  # the one database that ships
            continue
        with_it = {**start, **needs.get(name, {})}
        before = recipe_of(config(**with_it))
        value = other[name] if name in other else (field.default or 0) * 2 + 1
        after = recipe_of(config(**{**with_it, name: value}))
        assert before != after, name


def test_options_without_effect_are_named_when_they_are_set():
    options = {"logging_steps": 5, "eval_steps": 7, "save_steps": 3, "dataset_path": "nowhere.json"}
    config = biorlhf.SFTTrainingConfig(**options)
    with pytest.warns(UserWarning, match=r"eval_steps.*logging_steps"), pytest.raises(InputError):
        biorlhf.run_sft_training(config)


def test_texts_are_made_trained_on_asked_and_loaded(base, tmp_path):
    texts = biorlhf.create_sft_dataset(tmp_path / "all.json")
    assert all(set(row) == {"text"} and "### Response:\n" in row["text"] for row in texts)
    fewer = biorlhf.create_sft_dataset(tmp_path / "few.json", False, False)
    assert {row["text"] for row in fewer} < {row["text"] for row in texts}
    (tmp_path / "ten.json").write_text(json.dumps(texts[:10]))
    config = biorlhf.SFTTrainingConfig(
        model_name=str(base),
        dataset_path=str(tmp_path / "ten.json"),
        output_dir=str(tmp_path / "sft"),
        num_epochs=1,
        lora_r=4,
        use_4bit=False,
        test_size=0.3,
    )
    folder = biorlhf.run_sft_training(config, quiet=True)
    assert folder == str(tmp_path / "sft")
    model, tokenizer = biorlhf.load_model_for_inference(folder, base_model=str(base), use_4bit=False)
    prompt = "### Instruction:\nWhich tissue?\n\n### Response:\n"
    said = [
        biorlhf.generate_response(model, tokenizer, prompt, max_new_tokens=8, do_sample=False) for _ in "ab"
    ]
    assert said[0] == said[1]
    assert not said[0].startswith("### Instruction")
    (tmp_path / "test.json").write_text(
        json.dumps(
            [
                {"question": "How many DEGs has soleus?", "expected": "6,425", "category": "factual"},
                {
                    "question": "What dose?",
                    "answer": "Cannot determine",
                    "type": "calibration",
                },
            ]
        )
    )
    result = biorlhf.evaluate_model(
        folder, str(tmp_path / "test.json"), base_model=str(base), use_4bit=False, max_new_tokens=4
    )
    assert result.total_questions == 2
    assert result.overall_accuracy == result.correct_answers / 2
    assert math.isnan(result.reasoning_accuracy)
    assert [row["category"] for row in result.detailed_results] == ["factual", "calibration"]


def test_expected_answers_become_what_verifiers_can_judge(tmp_path):
    path = tmp_path / "q.json"
    rows = [
        {"question": "How many DEGs does HU cause in soleus?", "expected": "6,425"},
        {"question": "Is heart Type A, B, or C?", "expected_answer": "type a", "category": "factual"},
        {"question": "What dose?", "answer": "cannot", "category": "reasoning"},
        {"question": "Own?", "ground_truth": {"answer": "yes"}},
    ]
    path.write_text(json.dumps(rows))
    truths = [row["question"]["ground_truth"] for row in _questions(path)]
    assert truths[0] == {"facts": [{"entity": "soleus", "quantity": "DEG count", "value": 6425.0}]}
    assert truths[1:] == [{"answer": "type a"}, {"answerable": False}, {"answer": "yes"}]
    for bad, message in (
        ({"question": "x", "keywords": ["a"]}, "keywords"),
        ({"question": "x", "expectd": "a"}, "did you mean: expected"),
        ({"question": "x"}, "no expected answer"),
    ):
        path.write_text(json.dumps([bad]))
        with pytest.raises(DataError, match=message):
            _questions(path)


def test_importing_biorlhf_and_these_names_loads_nothing_heavy():
    code = (
        "import sys, biorlhf\n"
        "light = set(sys.modules)\n"
        "assert 'biorlhf.api' not in light and 'biorlhf.compat.training' not in light\n"
        "biorlhf.recipe_names = [getattr(biorlhf, name) for name in biorlhf.__all__]\n"
        "print([m for m in ('torch', 'ray', 'vllm', 'transformers', 'peft') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="no attribute 'evalute'"):
        _ = biorlhf.evalute


def test_options_are_read_from_json_only(tmp_path):
    (tmp_path / "a.json").write_text("[1]")
    for path, message in ((tmp_path / "a.json", "a list"), (tmp_path / "b.json", "cannot be read")):
        with pytest.raises(InputError, match=message):
            Options.from_json(path)
