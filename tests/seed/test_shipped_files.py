"""configs/ gives the published recipes, and the two JSON files in data/ are what the templates write."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from biorlhf import GRPOConfig, RewardComposer
from biorlhf import recipe as recipes
from biorlhf.compat import recipes as compat_recipes
from biorlhf.compat.options import WITHOUT_EFFECT
from biorlhf.compat.recipes import recipe_of
from biorlhf.compat.study import write_files
from biorlhf.errors import DataError, InputError

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
NAMES = ("kmp_sft_final.json", "kmp_test_set.json")


def read(name):
    return json.loads((DATA / name).read_text("utf-8"))


@pytest.mark.parametrize("name", ["grpo_full_v2", "grpo_mve"])
def test_the_shipped_options_give_the_recipe_of_the_same_name(name):
    config = GRPOConfig.from_json(ROOT / f"configs/{name}.json")
    made, shipped = recipe_of(config), recipes.load(ROOT / f"recipes/{name}.yaml")
    for part in ("model", "lora", "data", "verifiers", "seed"):
        assert getattr(made, part) == getattr(shipped, part), part
    [one], [other] = made.stages, shipped.stages
    for setting in ("prompts_per_step", "generations", "iterations", "epochs", "loss", "beta", "optimizer"):
        assert getattr(one, setting) == getattr(other, setting), setting
    assert not config.model_fields_set & WITHOUT_EFFECT.keys()


def test_the_shipped_options_are_the_published_ones():
    config = GRPOConfig.from_json(ROOT / "configs/grpo_full_v2.json")
    assert (config.num_generations, config.beta, config.num_iterations) == (16, 0.02, 2)
    assert (config.use_multi_reward, config.scale_rewards) == (True, "group")
    assert config.verifier_weights == {"V1": 0.35, "V2": 0.30, "V3": 0.15, "V4": 0.20}
    assert config.hold_out_tissues == ["eye", "thymus"]


def test_grpo_without_a_gpu_asks_for_no_more_than_two_cores(monkeypatch):
    monkeypatch.setattr(compat_recipes, "has_gpu", lambda: False)
    made = recipe_of(GRPOConfig.from_json(ROOT / "configs/grpo_full_v2.json"))
    parts = (made.learner, made.rollout, made.scorer)
    assert sum(getattr(part, "actors", 1) * part.cpus for part in parts) <= 2


def test_the_shipped_texts_are_what_the_templates_write(tmp_path):
    """Where this fails, ``python -m biorlhf.data`` writes the files anew."""
    shutil.copy(DATA / "MANIFEST.json", tmp_path)
    write_files(tmp_path)
    for name in (*NAMES, "MANIFEST.json"):
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes(), name


def test_every_file_in_data_is_in_the_manifest_with_its_sha256():
    entries = {entry["path"]: entry for entry in read("MANIFEST.json")["files"]}
    files = {str(path.relative_to(DATA)) for path in DATA.rglob("*") if path.is_file()}
    assert set(entries) | {"MANIFEST.json"} == files
    for name, entry in entries.items():
        assert entry["sha256"] == hashlib.sha256((DATA / name).read_bytes()).hexdigest(), name
        assert entry["licence"], name
        assert entry["source"], name


def test_there_are_as_many_texts_as_were_published():
    texts = [row["text"] for row in read(NAMES[0])]
    assert len(set(texts)) == len(texts) >= 363


def test_the_twenty_questions_stand_in_no_text():
    questions = read(NAMES[1])
    assert Counter(row["category"] for row in questions) == {"factual": 10, "reasoning": 5, "calibration": 5}
    texts = "\n".join(row["text"] for row in read(NAMES[0])).lower()
    for row in questions:
        assert row["question"].lower() not in texts
        assert row["expected_answer"].partition(" Confidence")[0].lower() not in texts


def test_the_expected_answers_are_right():
    composer = RewardComposer(["V1", "V4"], {"V1": 0.5, "V4": 0.5})
    for row in read(NAMES[1]):
        reward = composer.score(row["question"], row["expected_answer"], row["ground_truth"])
        assert float(reward) >= 0.95, (row["question"], row["expected_answer"])


def test_the_command_writes_into_a_folder_that_has_no_manifest(tmp_path):
    call = [sys.executable, "-m", "biorlhf.data", str(tmp_path / "new")]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == f"{tmp_path / 'new' / NAMES[1]}: 20 rows"
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == list(NAMES)


def test_a_folder_or_manifest_that_does_not_fit_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        write_files(tmp_path / "file")
    (tmp_path / "MANIFEST.json").write_text("[]")
    with pytest.raises(DataError, match="no manifest"):
        write_files(tmp_path)


@pytest.mark.skipif(not (ROOT.parent / "shared/data/seed").is_dir(), reason="the ancestor's data is absent")
def test_no_sentence_is_taken_from_the_published_texts():
    published = json.loads((ROOT.parent / "shared/data/seed/kmp_sft_final.json").read_text("utf-8"))
    theirs = {part.strip() for row in published for part in row["text"].split("\n") if len(part) > 25}
    asked = json.loads((ROOT.parent / "shared/data/seed/kmp_questions_20.json").read_text("utf-8"))
    theirs |= {row["question"] for row in asked}
    ours = {part.strip() for row in read(NAMES[0]) for part in row["text"].split("\n")}
    ours |= {row["question"] for row in read(NAMES[1])}
    assert not ours & theirs
