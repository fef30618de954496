"""What ``--dry-run`` says of several GPUs, against sums made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from biorlhf import recipe as recipes
from biorlhf.runs.forecast import Load, Speeds, _best, _row, forecast, forecast_lines
from biorlhf.runs.preparing import prepare

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
# 16 groups of 16 answers of 350 tokens each, which share a prompt of 300.
LOAD = {"groups": 16, "answers": 256, "sampled": 89_600.0, "learnt_group": 5900.0}
SPEEDS = Speeds(sampled_s=7700, learnt_s=3000, longest_s=10.24, fixed_s=0.8)


@pytest.mark.parametrize(
    ("gpus", "lag", "step_s", "split"),
    [
        # One learner: 16 groups of 1.967 s; with lag 0 it waits for the sampler's 11.6 s as well.
        (2, 0, 31.47 + 11.64 + 0.8, (1, 1)),
        (2, 1, 31.47 + 0.8, (1, 1)),
        (4, 1, 6 * 1.967 + 0.8, (3, 1)),
        (8, 1, (3 * 1.967 + 0.8 + 10.24) / 2, (6, 2)),
    ],
)
def test_a_step_is_as_long_as_its_parts_by_hand(gpus, lag, step_s, split):
    row = _best(Load(**LOAD, lag=lag), SPEEDS, gpus)
    assert row["step_s"] == pytest.approx(step_s, abs=0.06)
    assert (row["learners"], row["rollouts"]) == split


def test_what_bounds_a_step_is_named():
    assert _row(Load(**LOAD, lag=1), SPEEDS, 1, 4)["bound_by"] == "learning"
    assert _row(Load(**LOAD, lag=2), SPEEDS, 8, 1)["bound_by"] == "sampling"
    assert _row(Load(**LOAD, lag=0), SPEEDS, 16, 16)["bound_by"] == "the longest answer"


def test_more_gpus_never_make_a_step_longer():
    times = [_best(Load(**LOAD, lag=1), SPEEDS, gpus)["step_s"] for gpus in range(2, 40)]
    assert times == sorted(times, reverse=True)


def test_a_recipe_has_a_forecast_from_settings_that_change_it():
    plain = recipes.load(RECIPES / "grpo_full_v2.yaml")
    slow = recipes.load(RECIPES / "grpo_full_v2.yaml", ("forecast.learnt_tokens_s=300", "forecast.gpus=[3]"))
    [as_is], [slower] = forecast(prepare(plain)), forecast(prepare(slow))
    assert as_is["recipe"]["shared"]
    assert as_is["recipe"]["gpu_hours"] == pytest.approx(90 * as_is["recipe"]["step_s"] / 3600, abs=0.06)
    assert slower["recipe"]["step_s"] > 5 * as_is["recipe"]["step_s"]
    assert [row["gpus"] for row in slower["by_gpus"]] == [3]
    text = "\n".join(forecast_lines([as_is], plain.forecast.model_dump()))
    assert "arithmetic, not a measurement" in text
    assert "sampled_tokens_s: 7700" in text
    assert text.count("1 GPU (shared)") == 1


def test_a_recipe_without_gpus_has_none():
    assert forecast(prepare(recipes.load(RECIPES / "quickstart.yaml"))) == []
