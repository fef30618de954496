"""``biorlhf evaluate`` and ``evaluate()``: the same policy, the same questions, written whole."""

from __future__ import annotations

import json
import shutil

import pytest

from biorlhf import api
from biorlhf.errors import InputError
from biorlhf.runs.store import RunStore
from biorlhf.serving import policy


def test_evaluating_a_run_again_asks_the_very_policy_that_it_ended_with(done):
    again = api.evaluate(done, quiet=True).report
    last = done.evaluations["after-grpo"]
    assert again["adapter"]["sha256"] == done.summary["adapter"]["sha256"]
    assert again["questions"] == last["questions"]
    assert again["evaluators"] == last["evaluators"]


def test_the_command_writes_reports_and_answers_and_takes_no_name_twice(biorlhf, done):
    args = ["evaluate", str(done.folder), "--questions", "2", "--temperature", "0", "--name", "greedy"]
    written = json.loads(biorlhf(*args, "--json").stdout)
    assert written["sampling"]["temperature"] == 0
    assert written["questions"] == 2
    stored = json.loads((done.folder / "evaluations/greedy.json").read_text())
    assert written == {"file": str(done.folder / "evaluations/greedy.json"), **stored}
    assert (done.folder / "evaluations/greedy.parquet").is_file()
    with pytest.raises(InputError, match="exists"):
        biorlhf(*args)
    for name in ("after-x", "start", "../up"):
        with pytest.raises(InputError, match="--name"):
            biorlhf("evaluate", str(done.folder), "--name", name)


def test_without_a_run_a_recipes_untrained_model_is_asked(tiny_recipe, base, done, tmp_path):
    recipe = tiny_recipe(base, tmp_path)
    found = api.evaluate(recipe, quiet=True).report
    assert found["policy"] == "the base model, untrained"
    assert found["evaluators"] == done.evaluations["start"]["evaluators"]


def test_an_interrupted_run_is_asked_at_its_newest_point(done, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(done.folder, copy)
    shutil.rmtree(copy / "adapter")
    (copy / "summary.json").unlink()
    assert "after grpo" in policy.of_run(copy).origin
    shutil.rmtree(copy / "adapters")
    chosen = policy.of_run(copy)  # the checkpoint after the last step holds what the final adapter holds
    assert "checkpoint after step 1 of grpo" in chosen.origin
    final = (done.folder / "adapter/adapter_model.safetensors").read_bytes()
    assert (chosen.adapter / "adapter_model.safetensors").read_bytes() == final
    shutil.rmtree(copy / "checkpoints")
    shutil.rmtree(copy / "adapters")
    with pytest.raises(InputError, match="no adapter yet"):
        policy.of_run(copy)


def test_what_cannot_be_asked_is_refused_by_name(done, tmp_path):
    with pytest.raises(InputError, match="no run here"):
        policy.of_run(tmp_path / "nothing")
    other = tmp_path / "other"
    shutil.copytree(done.folder / "adapter", other)
    config = json.loads((other / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = "someone/else-7b"
    (other / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="else-7b"):
        policy.of_run(done.folder, adapter=other)
    with pytest.raises(InputError, match=r"evaluation\.questions"):
        api.evaluate(done, {"evaluation.questions": 0}, quiet=True)
    with pytest.raises(InputError, match=r"evaluation\.split"):
        api.evaluate(done, {"evaluation.split": "tset"}, quiet=True)


def test_a_run_record_tells_what_its_folder_holds(done):
    assert list(done.evaluations)[:3] == ["start", "after-sft", "after-grpo"]
    assert [row["stage"] for row in done.metrics] == ["sft", "sft", "grpo"]
    assert done.adapter == done.folder / "adapter"
    assert done.recipe == RunStore(done.folder).recipe
    assert api.read_run(done.folder).summary == done.summary
