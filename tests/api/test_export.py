"""``biorlhf export``: what is given away is the trained policy, and its card tells no place or person."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

from biorlhf.engines.models.adapters import read_adapter, scale
from biorlhf.errors import InputError, RunFailure
from biorlhf.reports import card as model_card


def test_the_adapter_is_given_away_with_a_card_of_data_recipe_and_results(biorlhf, done, tmp_path):
    to = tmp_path / "adapter"
    said = json.loads(biorlhf("export", str(done.folder), "--to", str(to), "--json").stdout)
    assert said["adapter_sha256"] == done.summary["adapter"]["sha256"]
    own, given = (folder / "adapter_model.safetensors" for folder in (done.adapter, to))
    assert own.read_bytes() == given.read_bytes()
    card = (to / "README.md").read_text()
    figures = json.loads((done.folder / "manifest.json").read_text())["data"]["kmp"]["files"][0]
    for part in (
        figures["sha256"],
        figures["licence"],
        "after-grpo",
        "tiny-llama",
        "learning rate 0.01",
        "verifier: factual",
    ):
        assert part in card
    accuracy = done.evaluations["after-grpo"]["evaluators"]["question_answering"]["overall"]["accuracy"]
    assert f"{accuracy['value']:.3f} [{accuracy['low']:.3f}, {accuracy['high']:.3f}]" in card
    for path in to.iterdir():
        assert str(tmp_path.parent) not in path.read_bytes().decode(errors="ignore")


def test_merged_weights_are_the_base_plus_the_scaled_product(biorlhf, done, base, tmp_path):
    to = tmp_path / "merged"
    biorlhf("export", str(done.folder), "--to", str(to), "--merged", "--dtype", "fp32")
    before, after = load_file(base / "model.safetensors"), load_file(to / "model.safetensors")
    tensors, section = read_adapter(str(done.adapter), str(base))
    assert before.keys() == after.keys()
    for name, weight in before.items():
        stem = f"base_model.model.{name.removesuffix('.weight')}"
        if f"{stem}.lora_A.weight" in tensors:
            product = tensors[f"{stem}.lora_B.weight"] @ tensors[f"{stem}.lora_A.weight"]
            weight = weight + scale(section) * product
        torch.testing.assert_close(after[name], weight)


def test_merged_weights_of_an_nf4_run_are_those_that_it_was_trained_on(done, base, tmp_path):
    pytest.importorskip("bitsandbytes")
    from biorlhf.commands.export import export_to
    from biorlhf.serving import policy

    chosen = policy.of_run(done.folder, overrides=("model.dtype=nf4",))
    written = export_to(tmp_path / "nf4", chosen, merged=True, dtype="fp32")
    assert "reloaded in fp32" in written["check"]
    plain, held = load_file(base / "model.safetensors"), load_file(tmp_path / "nf4/model.safetensors")
    name = "model.layers.0.mlp.up_proj.weight"
    assert (plain[name] - held[name]).abs().mean() > 1e-3  # what NF4 rounded away stays away


def test_files_that_are_not_the_policy_never_appear(biorlhf, done, tmp_path, monkeypatch):
    from biorlhf.engines.models import export

    def spoilt(folder, chosen, dtype):
        right(folder, chosen.untrained, dtype)

    right = export.write_merged
    monkeypatch.setattr(export, "write_merged", spoilt)
    with pytest.raises(RunFailure, match="not the trained policy"):
        biorlhf("export", str(done.folder), "--to", str(tmp_path / "x"), "--merged")
    assert list(tmp_path.iterdir()) == []


def test_large_models_are_cut_into_files_that_load_as_one(biorlhf, done, base, tmp_path, monkeypatch):
    from biorlhf.engines.models import export

    monkeypatch.setattr(export, "SHARD_BYTES", 100_000)
    biorlhf("export", str(done.folder), "--to", str(tmp_path / "x"), "--merged")  # reloaded by its check
    shards = sorted((tmp_path / "x").glob("model-*.safetensors"))
    assert len(shards) > 1
    index = json.loads((tmp_path / "x/model.safetensors.index.json").read_text())
    assert index["weight_map"].keys() == load_file(base / "model.safetensors").keys()


def test_only_an_earlier_export_is_ever_replaced(biorlhf, done, tmp_path):
    full = tmp_path / "mine"
    full.mkdir()
    (full / "thesis.tex").write_text("years of work")
    for force in ([], ["--force"]):
        with pytest.raises(InputError, match="no earlier export"):
            biorlhf("export", str(done.folder), "--to", str(full), *force)
    to = tmp_path / "out"
    biorlhf("export", str(done.folder), "--to", str(to))
    with pytest.raises(InputError, match="--force"):
        biorlhf("export", str(done.folder), "--to", str(to))
    biorlhf("export", str(done.folder), "--to", str(to), "--force")
    with pytest.raises(InputError, match="without --merged"):
        biorlhf("export", str(done.folder), "--to", str(tmp_path / "y"), "--dtype", "fp32")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/home/someone/lab/table.csv", "table.csv"),
        ("~/models/mine/", "mine"),
        ("../data/x.csv", "x.csv"),
        ("read from /mnt/a b/c.csv, twice", "read from a b/c.csv, twice"),
        ("mistralai/Mistral-7B-v0.3", "mistralai/Mistral-7B-v0.3"),
        ("https://github.com/a/b", "https://github.com/a/b"),
        ("data/kmp/figures.csv", "data/kmp/figures.csv"),
    ],
)
def test_a_card_carries_names_of_files_and_not_where_they_lay(text, left):
    assert model_card.without_paths({"a": [text]}) == {"a": [left]}
