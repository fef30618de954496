"""What a recipe takes of memory, against numbers that are counted elsewhere or by hand."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from biorlhf import recipe as recipes
from biorlhf.commands import dryrun
from biorlhf.commands.gpu_plan import gpu_lines, gpu_plan
from biorlhf.runs import launch
from biorlhf.runs.forecast import forecast
from biorlhf.runs.preparing import prepare
from biorlhf.scoring.cores import cores
from biorlhf.workers import cards, memory
from biorlhf.workers.plan import requests

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
LARGE = sorted(p.name for p in RECIPES.glob("*.yaml") if "Mistral-7B" in p.read_text())


@pytest.fixture
def full():
    return recipes.load(RECIPES / "grpo_full_v2.yaml")


def test_the_parts_of_mistral_7b_are_those_that_its_paper_and_gpu_runs_name(full):
    shape = memory.shape_of(full)
    assert shape.linear_weights + shape.other_weights == 7_248_023_552  # of the published v0.3
    assert shape.cache_bytes == 131_072
    # A LoRA of rank 32 on all linear layers: 83.9 million weights, 336 MB in fp32.
    assert shape.lora_weights(full.lora, 32) == 83_886_080


def test_the_object_store_holds_a_checkpoint_and_adapters_of_a_large_model(full):
    shape = memory.shape_of(full)
    assert memory.checkpoint_bytes(full, shape) > 1.6e9
    assert memory.object_store_bytes(full) > memory.checkpoint_bytes(full, shape) + 2 * 336e6
    quick = recipes.load(RECIPES / "quickstart.yaml")
    assert memory.object_store_bytes(quick) == memory.SMALLEST_STORE


def test_the_plan_says_how_large_an_object_store_is_needed_and_which_cluster_has_less(full, monkeypatch):
    needed = memory.object_store_bytes(full)
    for sizes, said in (((needed - 1, 9e9), True), ((needed, 9e9), False)):
        nodes = [{"CPU": 16, "GPU": 1, "object_store_memory": float(size)} for size in sizes]
        monkeypatch.setattr(launch, "machines", lambda _, nodes=nodes: ("the cluster at HEAD", nodes))
        seen = dryrun.outlook(prepare(full), "HEAD")
        assert seen["object_store"] == {"needed": needed, "smallest": sizes[0]}
        lines = "\n".join(dryrun.outlook_lines(seen))
        assert (f"ray start --object-store-memory={needed}" in lines) is said
    # One that is started here is as large as it has to be.
    monkeypatch.undo()
    seen = dryrun.outlook(prepare(full), None)
    assert seen["object_store"]["smallest"] is None
    assert "object store" not in "\n".join(dryrun.outlook_lines(seen))


def test_the_size_is_told_where_the_hub_s_package_is_not_installed(full, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)  # an import of it fails
    assert memory.config_of(full) == memory.KNOWN[full.model.base.lower()]


def test_a_base_of_unknown_size_gets_a_store_of_several_gigabytes(full):
    unknown = full.model_copy(update={"model": full.model.model_copy(update={"base": "owner/unknown"})})
    assert memory.shape_of(unknown) is None
    assert memory.object_store_bytes(unknown) == memory.STORE_OF_UNKNOWN


def test_a_learner_takes_what_an_h100_showed_and_at_most_a_tenth_more_is_expected(full):
    calls = json.loads((RECIPES.parent / "docs" / "results" / "gpu-h100.json").read_text())["calls"]
    rows = [row for row in calls[1]["rows"] if "peak_gb" in row and "by trl" not in row["part"]]
    assert len(rows) == 9
    for row in rows:
        passes = next((n for budget, n in (("4,096", 4), ("2,048", 8)) if budget in row["part"]), 2)
        tokens = int(row["fed_tokens"] / passes)
        kept = False if "nothing computed again" in row["part"] else None
        need = cards.learner_need(_as_measured(full, kept), memory.shape_of(full), tokens)
        seen = need.total - need.parts["context"]  # what torch allocates is without it
        assert 1.0 <= seen / row["peak_gb"] <= 1.1, row["part"]


def _as_measured(full, checkpointing):
    """The check's settings: rank 32, AdamW in fp32."""
    plain = tuple(
        stage.model_copy(
            update={"lora": None, "optimizer": stage.optimizer.model_copy(update={"eight_bit": False})}
        )
        for stage in full.stages
    )
    learner = full.learner.model_copy(update={"gradient_checkpointing": checkpointing})
    return full.model_copy(update={"stages": plain, "learner": learner})


@pytest.mark.parametrize("name", LARGE)
def test_every_large_recipe_fits_the_card_that_it_names_and_says_what_fits_others(name, monkeypatch):
    from biorlhf.engines.samplers import validated

    monkeypatch.setattr(validated, "check", lambda engines: None)  # tests/engines/test_engine_args.py asks it
    made = recipes.load(RECIPES / name)
    plan = gpu_plan(made, samples=True)
    small, named, large = plan["cards"]
    assert not small["engine_fits"]
    assert named["engine_fits"]
    assert named["learner_fits"]
    assert named["largest_token_budget"] >= made.learner.token_budget
    assert 16 <= named["answers_at_once"] < large["answers_at_once"]
    text = "\n".join(gpu_lines(plan))
    assert "on 48 GB: a cache of" in text
    assert "rollout.dtype: nf4" in text


@pytest.mark.parametrize("name", [name for name in LARGE if "gpu" in name])
def test_a_recipe_for_several_gpus_asks_for_as_many_as_its_name_says_and_splits_them_best(name):
    made = recipes.load(RECIPES / name, ("forecast.gpus=[4, 8]",))
    prepared = prepare(made)
    asked = requests(made, samples=prepared.samples)
    gpus = int(name.removesuffix("gpu.yaml").rpartition("_")[2])
    assert sum(request.gpus for request in asked) == gpus
    assert all(request.gpus in (0, 1) for request in asked)
    [stage] = forecast(prepared)
    [best] = [row for row in stage["by_gpus"] if row["gpus"] == gpus]
    assert stage["recipe"]["step_s"] == best["step_s"]


def test_a_recipe_without_a_gpu_has_no_such_plan():
    assert gpu_plan(recipes.load(RECIPES / "quickstart.yaml"), samples=True) == {}


def test_a_larger_budget_takes_more_and_checkpointing_less(full):
    shape = memory.shape_of(full)
    plain = full.model_copy(
        update={"learner": full.learner.model_copy(update={"gradient_checkpointing": False})}
    )
    sizes = [cards.learner_need(full, shape, budget).total for budget in (4096, 16384)]
    assert sizes[0] < sizes[1] < cards.learner_need(plain, shape, 16384).total


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "150000 100000"}, 1),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "max 100000"}, 1000),
        ({"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 1000),
        ({}, 1000),
    ],
)
def test_a_containers_limit_bounds_the_cores(tmp_path, monkeypatch, files, expected):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(1000)))
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert cores(tmp_path) == expected
