"""The arguments of vLLM's engine: what a recipe asks for, held to vLLM's own validation for a CUDA card."""

from __future__ import annotations

import importlib.machinery
from pathlib import Path

import pytest

from biorlhf import recipe as recipes
from biorlhf.engines.samplers import engine_args as module
from biorlhf.engines.samplers import validated
from biorlhf.engines.samplers.contract import SamplerSpec
from biorlhf.engines.samplers.engine_args import engine_args
from biorlhf.errors import ResourceError
from biorlhf.recipe import Recipe
from biorlhf.workers.crew import highest_rank
from biorlhf.workers.memory import config_of

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
LARGE = sorted(p.name for p in RECIPES.glob("*.yaml") if "Mistral-7B" in p.read_text())
# What `make run` adds to the quickstart on a machine with a GPU (Makefile).
ON_A_GPU = ("rollout.gpus=0.5", "learner.gpus=0.5", "model.dtype=bf16", "rollout.canary_tolerance=0.1")


def spec_of(recipe: Recipe) -> SamplerSpec:
    return SamplerSpec(recipe, highest_rank(recipe), 2, on_gpu=recipe.rollout.gpus > 0)


def changed(recipe: Recipe, model=None, **rollout) -> Recipe:
    update = {"rollout": recipe.rollout.model_copy(update=rollout)}
    if model:
        update["model"] = recipe.model.model_copy(update=model)
    return recipe.model_copy(update=update)


@pytest.fixture
def plugin(monkeypatch):
    """vllm-bnb-plugin as if it were installed."""
    real = module.importlib.util.find_spec
    found = importlib.machinery.ModuleSpec(module.BNB_PLUGIN, None)
    monkeypatch.setattr(
        module.importlib.util, "find_spec", lambda name: found if name == module.BNB_PLUGIN else real(name)
    )


@pytest.mark.engine
def test_vllm_accepts_the_engine_of_every_recipe_on_a_gpu():
    shipped = [recipes.load(RECIPES / name) for name in LARGE]
    assert len(shipped) >= 4
    quick = recipes.load(RECIPES / "quickstart.yaml", ON_A_GPU)
    two = changed(shipped[0], gpus=2)
    exact = changed(quick, model={"dtype": "fp32"})
    asked = [*shipped, quick, changed(quick, sleep=1), two, exact]
    engines = [
        {
            "args": engine_args(spec_of(r), "base"),
            "config": config_of(r),
            "gpus": max(1, r.rollout.gpus),
            "card_gb": 48,
        }
        for r in asked
    ]
    # What the recipes said before this was checked: vLLM 0.32 has no bitsandbytes of its own.
    engines.append({**engines[0], "args": {**engines[0]["args"], "quantization": "bitsandbytes"}})
    *made, old = validated.check(engines)
    assert [row.get("error") for row in made] == [None] * len(asked)
    assert "Unknown quantization method: bitsandbytes" in old["error"]
    assert [row["sleeps"] for row in made] == [False] * (len(shipped) + 1) + [True, False, False]
    for row in made[: len(shipped) + 3]:
        assert (row["dtype"], row["head_dtype"], row["quantization"]) == ("bfloat16", "float32", None)
        assert (row["max_num_seqs"], row["max_num_batched_tokens"]) == (1024, 16384)
        assert row["max_lora_rank"] >= 16
    assert (made[-2]["executor"], made[-2]["tensor_parallel_size"]) == ("mp", 2)
    assert (made[-1]["dtype"], made[-1]["max_lora_rank"]) == ("float32", None)


def test_an_nf4_base_is_served_dequantised_unless_the_recipe_says_nf4(plugin):
    base = recipes.load(RECIPES / LARGE[0])
    assert base.model.dtype == "nf4"
    spec = spec_of(base)
    assert (spec.dtype, spec.dequantises, spec.merges) == ("bf16", True, False)
    assert "quantization" not in engine_args(spec, "base")
    small = spec_of(changed(base, dtype="nf4"))
    assert not small.dequantises
    assert engine_args(small, "base")["quantization"] == "bitsandbytes"
    cpu = spec_of(changed(base, gpus=0))
    assert (cpu.dtype, cpu.dequantises, cpu.merges) == ("fp32", True, True)


def test_a_quantised_engine_without_its_plugin_is_refused_with_the_way_out():
    with pytest.raises(ResourceError, match=r"(?s)vllm-bnb-plugin.*leave rollout\.dtype out"):
        engine_args(spec_of(changed(recipes.load(RECIPES / LARGE[0]), dtype="nf4")), "base")


def test_fp32_on_a_gpu_merges_and_refuses_the_kernels_that_cannot_do_it():
    exact = changed(recipes.load(RECIPES / LARGE[0]), model={"dtype": "fp32"}, dtype=None)
    assert spec_of(exact).merges
    assert "enable_lora" not in engine_args(spec_of(exact), "base")
    with pytest.raises(ResourceError, match="16 bits"):
        engine_args(spec_of(changed(exact, sync="adapter")), "base")


def test_two_gpus_are_driven_by_processes_of_this_actor():
    args = engine_args(spec_of(changed(recipes.load(RECIPES / LARGE[0]), gpus=2)), "base")
    assert (args["tensor_parallel_size"], args["distributed_executor_backend"]) == (2, "mp")


def test_the_format_that_the_learner_reads_is_what_vllm_reads():
    args = engine_args(spec_of(recipes.load(RECIPES / LARGE[0])), "base")
    assert (args["config_format"], args["tokenizer_mode"], args["load_format"]) == ("hf", "hf", "safetensors")


def test_an_engine_of_another_device_than_the_recipe_says_is_refused(monkeypatch):
    import types

    from biorlhf.engines.samplers import vllm as sampler

    base = recipes.load(RECIPES / LARGE[0])

    def built_for(device):
        platforms = types.ModuleType("vllm.platforms")
        platforms.current_platform = types.SimpleNamespace(device_type=device)
        monkeypatch.setitem(__import__("sys").modules, "vllm.platforms", platforms)

    built_for("cuda")
    sampler._check_platform(spec_of(base))
    with pytest.raises(ResourceError, match=r"(?s)rollout\.gpus is 0, but .* built for a GPU.*make run"):
        sampler._check_platform(spec_of(changed(base, gpus=0)))
    built_for("cpu")
    sampler._check_platform(spec_of(changed(base, gpus=0)))
    with pytest.raises(ResourceError, match=r"(?s)built for a CPU.*requirements-gpu\.txt"):
        sampler._check_platform(spec_of(base))
    built_for("")  # a build for GPUs that sees none
    with pytest.raises(ResourceError, match="sees none"):
        sampler._check_platform(spec_of(changed(base, gpus=0)))
