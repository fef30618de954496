"""The whole of it, for real: Ray actors, a vLLM engine, the 135M model, two stages; one run, many questions.

Another lab's wheel is installed beside biorlhf, and its verifiers misbehave in every way there is.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from biorlhf.recipe import yaml12

pytestmark = pytest.mark.engine

LAB = '''
import os, time
from biorlhf import Score, VerifierPlugin, hookimpl


class Polite:
    def score(self, question, completion_text):
        vowels = sum(letter in "aeiou" for letter in completion_text)
        return Score.scored(vowels % 10 / 10)  # spread out, so that every step has something to learn


def sometimes(question, completion_text):
    """One completion in four, the same ones whenever it is asked."""
    return sum(completion_text.encode()) % 4 == 0


class Misbehaves:
    def __init__(self, how):
        self.how = how

    def score(self, question, completion_text):
        if sometimes(question, completion_text):
            self.how()
        return Score.scored(0.5)


def hang():
    while True:
        time.sleep(1)


def nan():
    return Score.scored(float("nan"))


def eat():
    hoard = []
    while True:
        hoard.append(bytearray(2**26))


@hookimpl
def biorlhf_verifiers():
    yield VerifierPlugin(name="polite", build=lambda config: Polite())
    ways = {"hangs": hang, "crashes": lambda: os._exit(3), "not_a_number": nan, "eats": eat}
    for name, how in ways.items():
        yield VerifierPlugin(name=name, build=lambda config, how=how: Misbehaves(how))
'''
RECIPE = {
    "name": "real",
    "model": {"base": "smollm2-135m-instruct", "dtype": "fp32"},
    "lora": {"r": 8, "alpha": 16},
    "prompt": {"template": "alpaca", "max_tokens": 160},
    "data": [{"dataset": "kmp", "split": "paraphrase", "max_examples": 16, "max_questions": 8}],
    "verifiers": [
        {"verifier": "factual", "weight": 0.4},
        {"verifier": "uncertainty", "weight": 0.3},
        {"verifier": "polite", "weight": 0.1},
        {"verifier": "hangs", "weight": 0.05},
        {"verifier": "crashes", "weight": 0.05},
        {"verifier": "not_a_number", "weight": 0.05},
        {"verifier": "eats", "weight": 0.05},
    ],
    "stages": [
        {"trainer": "sft", "epochs": 1, "batch_size": 8, "optimizer": {"learning_rate": 1e-3}},
        {
            "trainer": "grpo",
            "prompts_per_step": 1,
            "generations": 4,
            "steps": 2,
            "silent_groups": "keep",
            "mask_truncated": False,
            "optimizer": {"learning_rate": 1e-4},
        },
    ],
    "rollout": {"max_completion_tokens": 24, "canary_tolerance": 0.01},
    "scorer": {"cpus": 0, "timeout_s": 1.0, "memory_mb": 256, "failure_budget": 1.0},
    "evaluation": {"split": "test", "questions": 3},
}
# Every fourth completion costs each of three verifiers its process: few completions are enough.
GENERATED = 2 * 4  # completions of the two GRPO steps
EVALUATED = 3 * 3  # at the start and after each stage


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    (folder / "lab_misbehaves.py").write_text(LAB)
    info = folder / "lab_misbehaves-0.9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-misbehaves\nVersion: 0.9\n")
    (info / "entry_points.txt").write_text("[biorlhf]\nlab = lab_misbehaves\n")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory, site) -> Path:
    place = tmp_path_factory.mktemp("real")
    path = place / "real.yaml"
    path.write_text(yaml12.dump({**RECIPE, "store": {"folder": str(place / "runs")}}))
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-m", "biorlhf", "run", str(path), "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    return Path(json.loads(done.stdout.splitlines()[-1])["folder"])


def read(folder: Path, name: str) -> dict:
    return json.loads((folder / name).read_text())


def rollouts(folder: Path) -> list[dict]:
    return [
        row for path in sorted((folder / "rollouts").iterdir()) for row in pq.read_table(path).to_pylist()
    ]


def test_the_manifest_says_what_ran(folder):
    manifest = read(folder, "manifest.json")
    assert manifest["sampler"] == "vllm"
    assert {actor["name"] for actor in manifest["cluster"]["actors"]} == {"learner", "rollout 1", "scorer 1"}
    assert manifest["versions"]["ray"] == manifest["cluster"]["ray"]
    names = {(p["name"], p["distribution"], p["version"]) for p in manifest["plugins"]}
    assert ("polite", "lab-misbehaves", "0.9") in names
    assert "sha256" in json.dumps(manifest["data"])


def test_every_rollout_names_the_adapter_that_made_it(folder):
    steps = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    after_sft = (folder / "adapters" / "00-sft" / "adapter_model.safetensors").read_bytes()
    first, second = (row["adapter_sha256"] for row in steps if row["stage"] == "grpo")
    made_by = {row["step"]: row["adapter_sha256"] for row in rollouts(folder)}
    assert made_by == {1: hashlib.sha256(after_sft).hexdigest(), 2: first}
    last = (folder / "adapter" / "adapter_model.safetensors").read_bytes()
    assert second == hashlib.sha256(last).hexdigest() != first


def test_no_completion_is_lost_whatever_a_verifier_does(folder):
    rows = rollouts(folder)
    assert len(rows) == GENERATED
    for row in rows:
        assert row["status_polite"] == "scored"
        assert row["reward"] is not None
        bad = sum(row["completion"].encode()) % 4 == 0
        for name in ("hangs", "crashes", "not_a_number", "eats"):
            assert row[f"status_{name}"] == ("failed" if bad else "scored"), row
            assert (row[f"score_{name}"] is None) == bad


def test_the_summary_counts_the_failures(folder):
    verifiers = read(folder, "summary.json")["verifiers"]
    for name in ("hangs", "crashes", "not_a_number", "eats"):
        assert verifiers[name]["scored"] + verifiers[name]["failed"] == GENERATED + EVALUATED
    assert verifiers["hangs"]["failed"] > 0
    assert verifiers["polite"] == {"scored": GENERATED + EVALUATED, "failed": 0, "not_applicable": 0}


def test_the_evaluation_is_there_before_and_after_each_stage_with_intervals(folder):
    for when in ("start", "after-sft", "after-grpo"):
        report = read(folder, f"evaluations/{when}.json")
        reward = report["evaluators"]["reward"]["reward"]
        assert reward["low"] <= reward["value"] <= reward["high"]
        assert reward["n"] == 3


def test_the_final_adapter_is_one_that_peft_loads(folder):
    import torch
    from peft import PeftModel

    from biorlhf.engines.models.load import load_base
    from biorlhf.recipe import Model

    base = load_base(Model(base="smollm2-135m-instruct", dtype="fp32"))
    ids = torch.tensor([[1, 2, 3, 4]])
    with torch.no_grad():
        plain = base(ids).logits.clone()
        tuned = PeftModel.from_pretrained(base, folder / "adapter")(ids).logits
    assert (tuned - plain).abs().max() > 1e-3
