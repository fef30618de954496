"""An NF4 base as an ordinary folder: the very weights that the learner computes with."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors import safe_open

from biorlhf.engines.models import dequantised
from biorlhf.engines.models.dequantised import dequantised_base
from biorlhf.engines.models.load import load_base
from biorlhf.recipe import Model
from tiny_model import ARCHITECTURES, write_tiny_model


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BIORLHF_CACHE", str(tmp_path / "cache"))


def tensors_of(folder):
    found = {}
    for path in folder.glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            found |= {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return found


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_its_weights_are_bitsandbytes_own_dequantisation_bit_for_bit(tmp_path, architecture):
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit

    base = write_tiny_model(tmp_path / "base", architecture, hidden_size=128, intermediate_size=256)
    made = tensors_of(dequantised_base(Model(base=str(base), dtype="nf4"), "cpu"))
    changed = 0
    for name, tensor in tensors_of(base).items():
        if "_proj.weight" in name:
            quantised, state = quantize_4bit(tensor, blocksize=64, compress_statistics=True, quant_type="nf4")
            tensor = dequantize_4bit(quantised, state)
            changed += 1
        assert torch.equal(made[name], tensor), name
    assert changed == 14


def test_a_plain_model_of_the_folder_is_the_learners_policy(tmp_path):
    base = write_tiny_model(tmp_path / "base", hidden_size=128)
    section = Model(base=str(base), dtype="nf4")
    folder = dequantised_base(section, "cpu")
    ids = torch.arange(5, 60).unsqueeze(0)
    with torch.no_grad():
        quantised = load_base(section, device="cpu")
        from biorlhf.engines.models import lora
        from biorlhf.recipe import Lora

        own = lora.attach(quantised, Lora(r=4)).eval()(ids).logits  # as the learner holds it
        plain = load_base(Model(base=str(folder), dtype="fp32"), device="cpu")(ids).logits
    assert (own - plain).abs().max() < 1e-5


def test_it_is_made_once_for_each_base_and_device(tmp_path, monkeypatch):
    base = write_tiny_model(tmp_path / "base")
    section = Model(base=str(base), dtype="nf4")
    first = dequantised_base(section, "cpu")
    monkeypatch.setattr(dequantised, "load_base", lambda *_, **__: pytest.fail("made again"))
    assert dequantised_base(section, "cpu") == first


def test_files_that_name_their_tensors_otherwise_are_refused(tmp_path):
    from safetensors.torch import load_file, save_file

    from biorlhf.errors import InputError

    base = write_tiny_model(tmp_path / "base")
    tensors = load_file(base / "model.safetensors")
    names = sorted(tensors)
    half = len(names) // 2
    index = {"metadata": {}, "weight_map": {}}
    for number, part in enumerate((names[:half], names[half:])):
        file = f"model-{number + 1:05d}-of-00002.safetensors"
        save_file({n: tensors[n] for n in part}, base / file, metadata={"format": "pt"})
        index["weight_map"] |= dict.fromkeys(part, file)
    (base / "model.safetensors").unlink()
    (base / "model.safetensors.index.json").write_text(json.dumps(index))
    section = Model(base=str(base), dtype="nf4")
    # Sharded: every file has its own.
    assert set(tensors_of(dequantised_base(section, "cpu"))) == set(names)
    left = {name: file for name, file in index["weight_map"].items() if "-00001-" in file}
    (base / "model.safetensors.index.json").write_text(json.dumps({"weight_map": left}))
    with pytest.raises(InputError):
        dequantised_base(section, "cpu")
