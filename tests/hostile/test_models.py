"""Templates that raise, settings of adapters that are none, and files that are cut off: the user's input."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save

from biorlhf.engines.models.adapters import read_adapter
from biorlhf.engines.models.load import load_base, load_tokenizer
from biorlhf.engines.samplers.prompts import encode_prompt
from biorlhf.errors import InputError
from biorlhf.recipe import Model, Prompt, from_data
from biorlhf.workers.crew import highest_rank
from tiny_model import byte_tokenizer, write_tiny_model

CONFIG = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj"], "bias": "none"}


@pytest.mark.parametrize(
    "template",
    ["{{ raise_exception('no system') }}", "{{ 1 / 0 }}", "{{ none.x.y }}", "{% if %}", "{{ messages() }}",
     "{{ ''.__class__.__mro__ }}", "{% include 'x' %}", "{{ messages | nofilter }}"],
)  # fmt: skip
def test_a_chat_template_that_fails_is_named_with_another_to_take(template):
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = template
    with pytest.raises(InputError, match=r"prompt\.system: the chat template of model\.base fails"):
        encode_prompt(tokenizer, Prompt(system="Be brief."), "How many?")


@pytest.mark.parametrize(
    ("change", "words"),
    [({"r": "x"}, "r: 'x'"), ({"r": 0}, "r: 0"), ({"r": True}, "r: True"), ({"lora_alpha": 1e999}, "alpha"),
     ({"lora_alpha": None}, "lora_alpha"), ({"target_modules": {"a": 1}}, "target_modules"),
     ({"lora_dropout": 2}, "lora_dropout"), ({"peft_type": 5}, "of type 5"), ({"r": [4]}, "r: ")],
)  # fmt: skip
def test_an_adapters_settings_are_checked_key_by_key(tmp_path, change, words):
    (tmp_path / "adapter_config.json").write_text(json.dumps({**CONFIG, **change}))
    (tmp_path / "adapter_model.safetensors").write_bytes(save({"x.lora_A.weight": torch.zeros(4, 8)}))
    with pytest.raises(InputError) as caught:
        read_adapter(str(tmp_path), "x")
    assert words in str(caught.value)
    assert "model.adapter" in str(caught.value)


@pytest.mark.parametrize("config", ["[]", "5", "{", '{"r": "x"}', "{}", "[" * 9000])
def test_an_adapter_whose_rank_cannot_be_read_is_refused_before_anything_starts(tmp_path, config):
    (tmp_path / "adapter_config.json").write_text(config)
    recipe = from_data(
        {
            "name": "r",
            "model": {"base": "x", "adapter": str(tmp_path)},
            "data": [{"dataset": "kmp"}],
            "stages": [{"trainer": "sft", "optimizer": {"learning_rate": 1e-3}}],
        }
    )
    with pytest.raises(InputError, match=r"model\.adapter: .*adapter_config\.json"):
        highest_rank(recipe)


def test_a_base_that_is_cut_off_or_no_model_is_refused(tmp_path):
    base = write_tiny_model(tmp_path / "base")
    section = Model(base=str(base), dtype="fp32")
    weights, config = base / "model.safetensors", base / "config.json"
    whole = weights.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:5], b"", b"\xff" * 8 + whole[8:], bytes(300)):
        weights.write_bytes(damaged)
        with pytest.raises(InputError, match=r"model\.base: "):
            load_base(section)
    weights.write_bytes(whole)
    known = json.loads(config.read_text())
    for key, junk in (
        ("hidden_size", "x"),
        ("num_attention_heads", 0),
        ("model_type", {}),
        ("vocab_size", []),
    ):
        config.write_text(json.dumps({**known, key: junk}))
        with pytest.raises(InputError, match=r"model\.base: "):
            load_base(section)
    for text in ("5", "{}", '{"model": {"type": "BPE"}}', ""):
        (base / "tokenizer.json").write_text(text)
        with pytest.raises(InputError, match=r"model\.base: "):
            load_tokenizer(section)
