"""``biorlhf export``: what is given away is the trained policy, and its card tells no place or person."""

from __future__ import annotations

import json
import os

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
    written = export_to(tmp_path / "nf4", chosen, form="merged", dtype="fp32")
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


def test_an_export_is_its_owners_alone_until_it_is_checked(biorlhf, done, tmp_path, monkeypatch):
    from biorlhf.engines.models import export

    modes = []

    def watched(folder, *args, **options):
        modes.append(folder.stat().st_mode & 0o777)
        return right(folder, *args, **options)

    right = export.check
    monkeypatch.setattr(export, "check", watched)
    before = os.umask(0o022)
    try:
        biorlhf("export", str(done.folder), "--to", str(tmp_path / "x"))
    finally:
        os.umask(before)
    assert modes == [0o700]
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o755


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


@pytest.mark.parametrize("dtype", ["f32", "f16", "q8_0"])
@pytest.mark.parametrize("architecture", ["llama", "mistral", "qwen2", "qwen3"])
def test_a_gguf_file_of_each_architecture_is_the_policy_again(architecture, dtype, tmp_path):
    """Random weights and shared heads: read back by transformers, they give the same logits."""
    pytest.importorskip("gguf", reason="gguf is not installed")
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    from biorlhf.engines.models import gguf_file
    from biorlhf.engines.models.merging import base_tensors
    from tiny_model import write_tiny_model

    # transformers takes Qwen3's head for 128 wide, as it is in every published one.
    head = {"head_dim": 128} if architecture == "qwen3" else {}
    base = write_tiny_model(tmp_path / "base", architecture, rope_theta=50000.0, **head)
    gguf_file.write(tmp_path / "model.gguf", base, base_tensors(base), dtype)
    place = {"pretrained_model_name_or_path": str(tmp_path), "gguf_file": "model.gguf"}
    text = "Soleus has 6,425 DEGs — under HU.<|end|>"
    ids = AutoTokenizer.from_pretrained(base)(text, return_tensors="pt")["input_ids"]
    assert AutoTokenizer.from_pretrained(**place)(text)["input_ids"] == ids[0].tolist()
    there = AutoModelForCausalLM.from_pretrained(
        **place, quantization_config=GgufConfig(dequantize=True), dtype=torch.float32
    )
    own = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    with torch.no_grad():
        apart = (there(ids).logits.log_softmax(-1) - own(ids).logits.log_softmax(-1)).abs().max()
    assert apart < {"f32": 1e-5, "f16": 1e-2, "q8_0": 0.2}[dtype]


def test_an_architecture_that_gguf_export_does_not_know_is_refused_with_those_it_does(tmp_path):
    from biorlhf.engines.models import gguf_file

    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(InputError, match="available: llama, mistral, qwen2, qwen3"):
        gguf_file.write(tmp_path / "x.gguf", tmp_path, iter(()), "f16")
    (tmp_path / "config.json").write_text(
        '{"model_type": "llama", "rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4}}'
    )
    with pytest.raises(InputError, match="rotary positions of type 'yarn'"):
        gguf_file.write(tmp_path / "x.gguf", tmp_path, iter(()), "f16")


def test_an_ollama_export_holds_a_checked_gguf_file_and_the_template_of_training(biorlhf, done, tmp_path):
    to = tmp_path / "ollama"
    said = json.loads(
        biorlhf("export", str(done.folder), "--to", str(to), "--format", "ollama", "--json").stdout
    )
    assert said["use"] == f"ollama create tiny -f {to}/Modelfile"
    assert "reloaded in f16" in said["check"]
    assert said["check"].endswith("Ollama itself was not run")
    modelfile = (to / "Modelfile").read_text()
    assert modelfile.startswith("FROM ./model.gguf\nTEMPLATE ")
    assert "### Instruction:\n{{ .Prompt }}\n\n### Response:\n" in modelfile
    assert (to / "model.gguf").stat().st_size > 100_000


def test_an_export_for_vllm_prints_the_command_with_the_adapters_rank(biorlhf, done, base, tmp_path):
    to = tmp_path / "a b"
    out = biorlhf("export", str(done.folder), "--to", str(to), "--format", "vllm").stdout
    assert f"vllm serve {base} --enable-lora --max-lora-rank 4 --lora-modules tiny='{to}'" in out
    assert (to / "adapter_model.safetensors").is_file()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--format", "ggml"], "did you mean: gguf"),
        (["--merged", "--format", "gguf"], "one or the other"),
        (["--format", "gguf", "--dtype", "fp32"], "did you mean: f32"),
        (["--push", "no-owner"], "owner/name"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_loaded(biorlhf, tmp_path, options, words):
    with pytest.raises(InputError, match=words):
        biorlhf("export", "no-run", "--to", str(tmp_path / "x"), *options)


def test_a_folder_is_pushed_whole_to_a_hub_with_its_card(tmp_path, monkeypatch, hub_stand_in):
    from biorlhf.serving.hub import push

    (tmp_path / "README.md").write_text("---\nlibrary_name: peft\n---\n# mine\n")
    (tmp_path / "adapter_model.safetensors").write_bytes(b"weights")
    where = push(tmp_path, "lab/mine")
    assert where.endswith("/lab/mine/commit/abc")
    assert hub_stand_in.made == {"name": "mine", "organization": "lab", "visibility": "private"}
    assert hub_stand_in.files == {
        "README.md": (tmp_path / "README.md").read_bytes(),
        "adapter_model.safetensors": b"weights",
    }


def test_a_hub_that_refuses_ends_in_one_message_that_says_where_the_files_are(tmp_path, hub_stand_in):
    from biorlhf.serving.hub import push

    hub_stand_in.refuses = True
    (tmp_path / "README.md").write_text("# mine\n")
    with pytest.raises(RunFailure, match=f"lies in {tmp_path}"):
        push(tmp_path, "lab/mine")


@pytest.fixture
def hub_stand_in(monkeypatch):
    """A hub on loopback that takes one commit of small files."""
    pytest.importorskip("huggingface_hub")
    from hub_double import Hub

    with Hub() as hub:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.address)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_TOKEN", "of-a-test")
        yield hub
