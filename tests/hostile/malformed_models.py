"""Base models and adapters that are damaged, or that nobody wrote for this."""

from __future__ import annotations

import functools
import json
import shutil
import sys
import tempfile
from pathlib import Path

import yaml
from malformed import ROOT, kind, several

BROKEN_TEMPLATES = [
    "{{ raise_exception('system role is not supported') }}",
    "{{ 1 / 0 }}",
    "{{ messages[5]['content'] }}",
    "{% for m in messages %}{{ m.content.nothing.at_all }}{% endfor %}",
    "{{ messages | nofilter }}",
    "{% if %}",
    "{{ 'open",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ messages() }}",
    "{% include 'other' %}",
    "{{ none.x.y }}",
    "{{ 'a' * 10 ** 10 }}",
]


@functools.cache
def base() -> Path:
    """A tiny model, made once for the process."""
    sys.path.insert(0, str(ROOT / "tests/doubles"))
    from tiny_model import write_tiny_model

    return write_tiny_model(tempfile.mkdtemp(prefix="hostile-base-"))


@functools.cache
def adapter() -> Path:
    import numpy as np
    from safetensors.numpy import save_file

    folder = Path(tempfile.mkdtemp(prefix="hostile-adapter-"))
    tensors = {}
    for layer in range(2):
        stem = f"base_model.model.model.layers.{layer}.self_attn.q_proj"
        tensors[f"{stem}.lora_A.weight"] = np.zeros((4, 64), np.float32)
        tensors[f"{stem}.lora_B.weight"] = np.zeros((64, 4), np.float32)
    save_file(tensors, str(folder / "adapter_model.safetensors"))
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj"], "bias": "none"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def train(folder: Path, **model) -> list[str]:
    settings = {
        "name": "hostile",
        "model": {"base": str(folder / "model"), "dtype": "fp32", **model},
        "prompt": {"template": "chat"},
        "data": [{"dataset": "kmp", "split": "paraphrase", "max_questions": 2, "max_examples": 2}],
        "verifiers": [{"verifier": "factual", "weight": 1.0}],
        "stages": [{"trainer": "sft", "batch_size": 2, "epochs": 1, "optimizer": {"learning_rate": 1e-3}}],
        "rollout": {"engine": "transformers", "max_completion_tokens": 4},
        "evaluation": {"questions": 0},
        "store": {"folder": str(folder / "runs")},
        "cluster": {"backend": "inline"},
    }
    (folder / "r.yaml").write_text(yaml.safe_dump(settings))
    return ["run", str(folder / "r.yaml")]


def copied(folder: Path) -> Path:
    return Path(shutil.copytree(base(), folder / "model"))


@kind
def base_weights_cut(draw, folder):
    weights = copied(folder) / "model.safetensors"
    data = weights.read_bytes()
    weights.write_bytes(
        draw.choice(
            [
                data[: draw.randrange(8, len(data) - 1)],
                data[:7],
                b"",
                b"\xff" * 8 + data[8:],
                data[:8] + b"\x00" * 60 + data[68:],
                bytes(400),
            ]
        )
    )
    return train(folder)


@kind
def base_config(draw, folder):
    path = copied(folder) / "config.json"
    config = json.loads(path.read_text())
    key = draw.choice(
        [
            "hidden_size",
            "num_hidden_layers",
            "num_attention_heads",
            "vocab_size",
            "model_type",
            "intermediate_size",
        ]
    )
    config[key] = draw.choice(["x", None, [], {}, -1, 0, 1.5, "llama2"])
    path.write_text(draw.choice([json.dumps(config)] * 3 + ["{", "[]", "5", "", "[" * 90_000]))
    return train(folder)


several("base_template", BROKEN_TEMPLATES,
        lambda folder, text: ((copied(folder) / "chat_template.jinja").write_text(text), train(folder))[1])  # fmt: skip


@kind
def base_tokenizer(draw, folder):
    place = copied(folder)
    (place / "tokenizer.json").write_bytes(
        draw.choice([b"{", b"", b"5", b"\xff\xfe", b"{}", b"[" * 90_000, b'{"model": {"type": "BPE"}}'])
    )
    return train(folder)


@kind
def adapter_config(draw, folder):
    copied(folder)
    place = Path(shutil.copytree(adapter(), folder / "adapter"))
    config = json.loads((place / "adapter_config.json").read_text())
    key = draw.choice(
        [
            "r",
            "lora_alpha",
            "target_modules",
            "use_rslora",
            "lora_dropout",
            "peft_type",
            "bias",
            "base_model_name_or_path",
        ]
    )
    config[key] = draw.choice(["x", [], {}, -1, 0, 1e999, [[5]], {"a": 1}, 10**400])
    if draw.random() < 0.4:
        config = draw.choice([[], 5, "x", None, {}, {"peft_type": "LORA"}, {"peft_type": "LORA", "r": 4}])
    (place / "adapter_config.json").write_text(
        json.dumps(config) if draw.random() < 0.9 else draw.choice(["{", "", "[" * 90_000, "\x00"])
    )
    return train(folder, adapter=str(place), adapter_use=draw.choice(["merge", "train"]))


@kind
def adapter_weights(draw, folder):
    copied(folder)
    place = Path(shutil.copytree(adapter(), folder / "adapter"))
    data = (place / "adapter_model.safetensors").read_bytes()
    cut = draw.choice(
        [
            data[: draw.randrange(8, len(data) - 1)],
            b"",
            b"\xff" * 40,
            data[:8] + b"[" * 90 + data[98:],
            (8).to_bytes(8, "little") + b"{}      ",
        ]
    )
    (place / "adapter_model.safetensors").write_bytes(cut)
    return train(folder, adapter=str(place), adapter_use=draw.choice(["merge", "train"]))


several("model_place", ["", "none", "/", ".", "a/b", "https://x.invalid/m", "~nobody/x", "x" * 300, "model/config.json", "/dev/null", "smollm2-135m-instrukt"],
        lambda folder, name: (copied(folder), train(folder, base=str(name)))[1])  # fmt: skip
