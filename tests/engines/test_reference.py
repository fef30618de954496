"""The reference is the policy that a stage started from, whichever way its adapter was started."""

from __future__ import annotations

import pytest
import torch

from biorlhf.engines.learning.learner import build_learner
from biorlhf.errors import InputError
from biorlhf.recipe import Recipe
from biorlhf.types import TrainCompletion, TrainGroup
from tiny_model import write_tiny_model

KL = {"name": "grpo", "clip_low": 0.2, "clip_high": 0.2, "beta": 0.1, "kl": "k3", "importance_cap": None}
PROBE = [TrainGroup((1, 2, 3, 4), (TrainCompletion((5, 6, 7, 8), 1.0), TrainCompletion((9, 10), -1.0)))]


def learner_for(base, stages, *, dtype="fp32", model=None, lora=None):
    recipe = Recipe.model_validate(
        {
            "name": "tiny",
            "model": {"base": str(base), "dtype": dtype, **(model or {})},
            "lora": lora or {"r": 4, "alpha": 8},
            "data": [{"dataset": "kmp"}],
            "stages": [
                {"trainer": "sft", "name": f"s{n}", "optimizer": {"learning_rate": 3e-2}, **stage}
                for n, stage in enumerate(stages)
            ],
        }
    )
    return build_learner(recipe, threads=1, on_gpu=False)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("tiny"))


def train(learner, steps=3):
    texts = learner.tokenize([("What is it?", "A gene."), ("Where?", "In soleus.")])
    for step in range(steps):
        learner.step(texts, {"name": "sft"}, seed=step)


def policy_logprobs(learner):
    return torch.tensor(learner.logprobs(PROBE[0].prompt_ids, PROBE[0].completions[0].token_ids))


def save(adapter, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_model.safetensors").write_bytes(adapter.tensors)
    (folder / "adapter_config.json").write_bytes(adapter.config)
    return folder


@pytest.mark.parametrize("dtype", ["fp32", "bf16", "nf4"])
@pytest.mark.parametrize("way", ["continue", "merge"])
def test_kl_is_zero_at_the_start_of_every_stage_and_grows(base, dtype, way):
    learner = learner_for(base, [{}, {"adapter": way}, {"adapter": way}], dtype=dtype)
    for stage in range(3):
        learner.begin_stage(stage, 3)
        assert learner.evaluate(PROBE, KL)["kl"] < 1e-5
        before = policy_logprobs(learner)
        train(learner)
        assert (policy_logprobs(learner) - before).abs().max() > 0.05
        assert learner.evaluate(PROBE, KL)["kl"] > 1e-4


@pytest.mark.parametrize("use", ["merge", "train"])
def test_kl_is_zero_when_starting_from_a_given_adapter(base, tmp_path, use):
    first = learner_for(base, [{}])
    first.begin_stage(0, 3)
    train(first)
    folder = save(first.adapter(), tmp_path / "run" / "adapter")
    for given in (folder, folder.parent):  # a PEFT folder, and a run's
        second = learner_for(base, [{}], model={"adapter": str(given), "adapter_use": use})
        second.begin_stage(0, 3)
        assert (policy_logprobs(second) - policy_logprobs(first)).abs().max() < 1e-4
        assert second.evaluate(PROBE, KL)["kl"] < 1e-5
        train(second)
        assert second.evaluate(PROBE, KL)["kl"] > 1e-4


@pytest.mark.parametrize("way", ["continue", "merge"])
def test_the_exported_adapter_fits_the_original_base(base, tmp_path, way):
    """Through three stages with ranks and scales of their own, read by PEFT as it comes."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    lora = [{}, {"r": 2, "alpha": 3, "rslora": True}, {"r": 3, "alpha": 9, "targets": ["q_proj", "up_proj"]}]
    stages = [{"adapter": way, **({"lora": lora[n]} if n and way == "merge" else {})} for n in range(3)]
    learner = learner_for(base, stages)
    for stage in range(3):
        learner.begin_stage(stage, 3)
        train(learner)
    folder = save(learner.adapter(), tmp_path)
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), folder)
    ids = torch.tensor([[1, 2, 3, 4, 5, 6, 7, 8]])
    for served in (model, model.merge_and_unload()):
        with torch.no_grad():
            values = torch.log_softmax(served(ids).logits[0, 3:-1], -1).gather(-1, ids[0, 4:, None])[:, 0]
        assert (values - policy_logprobs(learner)).abs().max() < 1e-3


def test_the_samplers_merge_gives_the_learners_policy(base):
    from biorlhf.engines.models.load import load_base
    from biorlhf.engines.models.merging import merged_tensors
    from biorlhf.recipe import Model

    learner = learner_for(base, [{}, {"adapter": "merge"}])
    for stage in range(2):
        learner.begin_stage(stage, 3)
        train(learner)
    model = load_base(Model(base=str(base), dtype="fp32"), device="cpu")
    model.load_state_dict(dict(merged_tensors(base, learner.adapter())))
    ids = torch.tensor([[1, 2, 3, 4, 5, 6, 7, 8]])
    with torch.no_grad():
        values = torch.log_softmax(model(ids).logits[0, 3:-1], -1).gather(-1, ids[0, 4:, None])[:, 0]
    assert (values - policy_logprobs(learner)).abs().max() < 1e-3


def test_the_base_weights_are_held_once(base):
    learner = learner_for(base, [{}, {"adapter": "merge"}])
    for stage in range(2):
        learner.begin_stage(stage, 3)
        learner.evaluate(PROBE, KL)
    sizes = [p.numel() for n, p in learner.policy.model.named_parameters() if "lora_" not in n]
    plain = learner_for(base, [{}])
    plain.begin_stage(0, 3)
    assert sum(sizes) == sum(p.numel() for n, p in plain.policy.model.named_parameters() if "lora_" not in n)
    assert not any(p.requires_grad for n, p in learner.policy.model.named_parameters() if "lora_" not in n)


def test_continuing_with_another_rank_is_refused(base):
    learner = learner_for(base, [{}, {"adapter": "continue", "lora": {"r": 8, "alpha": 8}}])
    learner.begin_stage(0, 3)
    with pytest.raises(InputError, match=r"stages\[1\]\.lora: r is 8, but the adapter .* has 4"):
        learner.begin_stage(1, 3)


def test_an_adapter_of_another_base_is_refused(base, tmp_path):
    learner = learner_for(base, [{}])
    learner.begin_stage(0, 3)
    adapter = learner.adapter()
    folder = save(adapter, tmp_path / "a")
    text = adapter.config.decode().replace(base.name, "another-model")
    (folder / "adapter_config.json").write_text(text)
    other = learner_for(base, [{}], model={"adapter": str(folder)})
    with pytest.raises(InputError, match="was trained on another-model, not on"):
        other.begin_stage(0, 3)


@pytest.mark.parametrize("use", ["merge", "train"])
def test_an_adapter_of_another_shape_is_refused(base, tmp_path, use):
    learner = learner_for(base, [{}])
    learner.begin_stage(0, 3)
    folder = save(learner.adapter(), tmp_path / "a")
    wide = write_tiny_model(tmp_path / base.name, hidden_size=32)
    other = learner_for(wide, [{}], model={"adapter": str(folder), "adapter_use": use})
    with pytest.raises(InputError, match="does not fit the base model"):
        other.begin_stage(0, 3)


def test_a_folder_without_an_adapter_is_refused(base, tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    learner = learner_for(base, [{}], model={"adapter": str(tmp_path)})
    with pytest.raises(InputError, match=r"(?s)model\.adapter: no adapter in .*it holds: notes\.txt"):
        learner.begin_stage(0, 3)


def test_no_path_of_this_machine_leaves_with_the_adapter(base):
    learner = learner_for(base, [{}])
    learner.begin_stage(0, 3)
    assert str(base.parent) not in learner.adapter().config.decode()


def test_the_highest_rank_is_the_exported_one(base, tmp_path):
    from biorlhf.workers.crew import highest_rank

    first = learner_for(base, [{}], lora={"r": 5, "alpha": 8})
    first.begin_stage(0, 3)
    given = {"adapter": str(save(first.adapter(), tmp_path)), "adapter_use": "merge"}
    learner = learner_for(base, [{}, {"adapter": "merge", "lora": {"r": 3, "alpha": 3}}, {}], model=given)
    for stage in range(3):
        learner.begin_stage(stage, 3)
    assert highest_rank(learner.recipe) == 5 + 4 + 3
    assert f'"r": {5 + 4 + 3},' in learner.adapter().config.decode()
