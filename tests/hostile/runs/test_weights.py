"""Weights that are not whole, or not what they say: refused before a step is made with them."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from biorlhf.engines.learning.learner import build_learner
from biorlhf.engines.models import base_files
from biorlhf.engines.models.adapters import read_adapter
from biorlhf.engines.models.load import load_base, resolve_base
from biorlhf.errors import InputError
from biorlhf.recipe import Model, Recipe
from tiny_model import write_tiny_model


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("model") / "lab")


@pytest.fixture
def base(made, tmp_path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "lab"))


def rewrite(base: Path, change) -> None:
    tensors = load_file(base / "model.safetensors")
    save_file(change(tensors), base / "model.safetensors", metadata={"format": "pt"})


def load(base: Path):
    return load_base(Model(base=str(base), dtype="fp32"), device="cpu")


# Fault 3: an incomplete base.


@pytest.mark.parametrize(
    "name",
    ["model.layers.1.mlp.up_proj.weight", "lm_head.weight", "model.norm.weight", "model.embed_tokens.weight"],
)
def test_a_base_that_lacks_a_tensor_is_refused_by_its_name(base, name):
    rewrite(base, lambda tensors: {key: value for key, value in tensors.items() if key != name})
    with pytest.raises(InputError, match=f"lacks .*{name.split('.')[-2]}"):
        load(base)


def test_a_base_with_fewer_layers_than_its_config_says_is_refused(base):
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(InputError, match=r"lacks model\.layers\.2\."):
        load(base)


def test_a_base_with_more_layers_than_its_config_says_is_refused(base):
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 1}))
    with pytest.raises(InputError, match=r"holds model\.layers\.1\."):
        load(base)


def test_a_base_of_another_width_than_its_config_says_is_refused(base):
    def halve(tensors):
        name = "model.layers.0.mlp.up_proj.weight"
        return {**tensors, name: tensors[name][:64].contiguous()}

    rewrite(base, halve)
    with pytest.raises(InputError, match=r"up_proj|shape"):
        load(base)


def test_a_base_that_is_cut_short_is_refused(base):
    path = base / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"model\.safetensors is damaged"):
        resolve_base(str(base))


def test_a_whole_base_loads(base):
    assert load(base).config.num_hidden_layers == 2


# Fault 6: an index that leads elsewhere.


def shard(base: Path, place: str) -> None:
    """The same model in a shard, with an index that names ``place`` for one of its tensors."""
    tensors = load_file(base / "model.safetensors")
    (base / "model.safetensors").unlink()
    save_file(tensors, base / "model-00001-of-00001.safetensors", metadata={"format": "pt"})
    places = dict.fromkeys(tensors, "model-00001-of-00001.safetensors")
    places["lm_head.weight"] = place
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    (base / "model.safetensors.index.json").write_text(json.dumps(index))


class Opened:
    def __reduce__(self):
        return os.mkdir, ("code-was-run",)


@pytest.mark.parametrize(
    "place",
    ["weights.bin", "../other/model.safetensors", "/etc/passwd", "sub/model.safetensors", "x.safetensors.pt"],
)
def test_an_index_that_names_a_pickle_or_another_folder_is_refused(base, tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    shard(base, place)
    (base / "weights.bin").write_bytes(pickle.dumps(Opened()))
    (tmp_path / "other").mkdir()
    save_file({"lm_head.weight": torch.zeros(2)}, tmp_path / "other" / "model.safetensors")
    with pytest.raises(
        InputError, match=r"index\.json names .*\n.*expected: \*\.safetensors in the same folder"
    ):
        load(base)
    assert not (tmp_path / "code-was-run").exists()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"weight_map": 3}', '{"weight_map": {"a": ["b"]}}'])
def test_an_index_that_is_none_is_refused(base, text):
    (base / "model.safetensors.index.json").write_text(text)
    with pytest.raises(InputError, match=r"index\.json"):
        resolve_base(str(base))


def test_an_index_that_names_a_missing_shard_or_tensor_is_refused(base):
    shard(base, "model-00002-of-00002.safetensors")
    with pytest.raises(InputError, match="which is missing"):
        resolve_base(str(base))
    tensors = load_file(base / "model-00001-of-00001.safetensors")
    save_file({"lm_head": tensors["lm_head.weight"]}, base / "model-00002-of-00002.safetensors")
    with pytest.raises(InputError, match=r"does not hold lm_head\.weight"):
        resolve_base(str(base))


# Fault 9: adapters.


def recipe(base: Path, **model) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "x",
            "model": {"base": str(base), "dtype": "fp32", **model},
            "lora": {"r": 4, "alpha": 8},
            "data": [{"dataset": "kmp"}],
            "stages": [{"trainer": "sft", "optimizer": {"learning_rate": 1e-3}}],
        }
    )


@pytest.fixture
def adapter(base, tmp_path) -> Path:
    learner = build_learner(recipe(base), threads=1, on_gpu=False)
    learner.begin_stage(0, 1)
    given = learner.adapter()
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_model.safetensors").write_bytes(given.tensors)
    (folder / "adapter_config.json").write_bytes(given.config)
    return folder


def without(*parts: str):
    def change(tensors):
        return {name: value for name, value in tensors.items() if not all(part in name for part in parts)}

    return change


def named(old: str, new: str):
    return lambda tensors: {name.replace(old, new): value for name, value in tensors.items()}


def narrowed(tensors):
    return {name: (t[:, :2] if "lora_B" in name else t).contiguous() for name, t in tensors.items()}


def spoiled(tensors):
    name = next(iter(tensors))
    return {**tensors, name: torch.full_like(tensors[name], float("nan"))}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without("layers.0.", "q_proj.lora_A"), "it lacks .*q_proj.lora_A.weight"),
        (without("layers.1.", "up_proj.lora_B"), "it lacks .*up_proj.lora_B.weight"),
        (without("lora_A"), "it lacks .*lora_A.weight"),
        (without("lora_"), "it holds no tensor of LoRA"),
        (named("lora_A", "lora_embedding_A"), "no part of plain LoRA"),
        (narrowed, r"has rank 4 \(A\) and 2 \(B\); its config says r 4"),
        (spoiled, "not finite"),
    ],
)
def test_an_adapter_that_is_not_whole_is_refused(base, adapter, change, words):
    path = adapter / "adapter_model.safetensors"
    save_file(change(load_file(path)), path)
    with pytest.raises(InputError, match=words):
        read_adapter(str(adapter), str(base))


def test_an_adapter_of_another_rank_than_its_config_says_is_refused(base, adapter):
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps({**config, "r": 8}))
    with pytest.raises(InputError, match=r"has rank 4 \(A\) and 4 \(B\); its config says r 8"):
        read_adapter(str(adapter), str(base))


@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_an_adapter_that_leaves_a_layer_out_is_not_merged(base, adapter, dtype):
    path = adapter / "adapter_model.safetensors"
    save_file(without("layers.1.", "q_proj")(load_file(path)), path)
    learner = build_learner(recipe(base, adapter=str(adapter), dtype=dtype), threads=1, on_gpu=False)
    with pytest.raises(
        InputError, match=r"does not fit the base model: it lacks .*layers\.1\.self_attn\.q_proj"
    ):
        learner.begin_stage(0, 1)


def test_a_whole_adapter_is_read(base, adapter):
    tensors, section = read_adapter(str(adapter), str(base))
    assert (len(tensors), section.r) == (28, 4)


# Fault 5: the cache of converted files.


@pytest.fixture
def converted(tmp_path, monkeypatch, made):
    """A GGUF file, and a conversion that writes down what it was given; the calls that were made."""
    calls: list[Path] = []

    def write(path: Path, folder: Path) -> None:
        calls.append(path)
        shutil.copytree(made, folder, dirs_exist_ok=True)
        (folder / "source.txt").write_bytes(path.read_bytes())

    monkeypatch.setenv("BIORLHF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(base_files, "_write_folder", write)
    monkeypatch.setattr(base_files, "_WHOLE", set())
    file = tmp_path / "mine.gguf"
    file.write_bytes(b"first model")
    return file, calls


def test_another_file_of_the_same_name_size_and_time_is_another_model(converted):
    file, calls = converted
    first, stamp = resolve_base(str(file)), file.stat()
    file.write_bytes(b"other model")
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    base_files._sum.cache_clear()
    second = resolve_base(str(file))
    assert (second / "source.txt").read_bytes() == b"other model"
    assert first != second
    assert len(calls) == 2


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_cache_that_was_changed_is_made_again(converted, monkeypatch, name):
    file, calls = converted
    folder = resolve_base(str(file))
    before, stamp = (folder / name).read_bytes(), (folder / name).stat()
    (folder / name).write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    os.utime(folder / name, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    monkeypatch.setattr(base_files, "_WHOLE", set())
    assert (resolve_base(str(file)) / name).read_bytes() == before
    assert len(calls) == 2
    resolve_base(str(file))
    assert len(calls) == 2


def test_a_file_that_was_put_into_the_cache_is_not_taken(converted, monkeypatch):
    file, _ = converted
    folder = resolve_base(str(file))
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../x.bin"}}')
    monkeypatch.setattr(base_files, "_WHOLE", set())
    assert not (resolve_base(str(file)) / "model.safetensors.index.json").exists()


def test_what_a_killed_conversion_left_is_gone_after_the_next(converted):
    file, _ = converted
    folder = resolve_base(str(file))
    shutil.rmtree(folder)
    left = folder.with_name(f".{folder.name}-abcd1234")
    left.mkdir()
    (left / "model.safetensors").write_text("half")
    base_files._WHOLE.clear()
    resolve_base(str(file))
    assert sorted(path.name for path in folder.parent.iterdir()) == [f".{folder.name}.lock", folder.name]
