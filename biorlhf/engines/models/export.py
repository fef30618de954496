"""Giving a trained policy away: its adapter, or merged weights, and a check of what was written."""

from __future__ import annotations

import gc
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as save_tensors
from safetensors.torch import save_file
from torch import Tensor

from biorlhf.engines.learning import checkpoint
from biorlhf.engines.learning.learner import build_learner
from biorlhf.engines.models import adapters, gguf_file
from biorlhf.engines.models.base_files import resolve_base
from biorlhf.engines.models.hub import HUB_FILES
from biorlhf.engines.models.load import DTYPES, base_name, load_base, load_tokenizer
from biorlhf.engines.models.lora import dense_weight, is_quantised
from biorlhf.engines.models.merging import base_tensors, lora_deltas
from biorlhf.errors import RunFailure
from biorlhf.recipe import Lora, Recipe
from biorlhf.recipe.policy import Trained, serving
from biorlhf.stage import CANARY_ANSWER, CANARY_PROMPT, Adapter
from biorlhf.types import AdapterRef

SHARD_BYTES = 4 * 2**30
#: dtype -> how far a token's log-probability may move, in nats: at most; on average for the ``ROUNDED``.
TOLERANCE = {"fp32": 1e-3, "f32": 1e-3, "f16": 4e-3, "bf16": 0.05, "q8_0": 0.1}
ROUNDED = ("f16", "bf16", "q8_0")
#: What a GGUF file is compared with: it holds what fp32 gave, rounded.
LEARNER_DTYPES = {"f32": "fp32", "f16": "fp32", "q8_0": "fp32"}


def adapter_of(chosen: Trained) -> Adapter:
    """The adapter of a policy as a sampler takes it; for the base model alone, one that holds nothing."""
    if chosen.adapter is None:
        return Adapter(AdapterRef(0, "base"), save_tensors({}), b"{}")
    tensors = (chosen.adapter / "adapter_model.safetensors").read_bytes()
    config = (chosen.adapter / "adapter_config.json").read_bytes()
    return Adapter(AdapterRef(0, hashlib.sha256(tensors).hexdigest()), tensors, config)


def adapter_of_checkpoint(files: Mapping[str, bytes], base: str) -> Adapter:
    """The adapter, with what earlier stages merged, that a learner's checkpoint holds."""
    tables, state = checkpoint.from_files(files)
    section = Lora.model_validate(state["lora"])
    if not tables["prior"]:
        return adapters.export(tables["policy"], section, base, state["version"])
    trained = adapters.folded(tables["policy"], adapters.scale(section))
    whole = adapters.added(tables["prior"], trained)
    rank = adapters.rank_of(whole)
    return adapters.export(whole, Lora(r=rank, alpha=rank), base, state["version"])


def write_adapter(folder: Path, chosen: Trained) -> None:
    """The adapter's two files, which name the base model and no path of this machine."""
    adapter = adapter_of(chosen)
    config = json.loads(adapter.config)
    config["base_model_name_or_path"] = base_name(chosen.recipe.model.base)
    (folder / "adapter_model.safetensors").write_bytes(adapter.tensors)
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def write_merged(folder: Path, chosen: Trained, dtype: str) -> None:
    """Base and adapter as one model folder: safetensors in ``dtype`` (4 GiB a file), config and tokenizer.

    W + s B A in fp32, then rounded to ``dtype``. For a base that was trained in NF4, W is what NF4 holds,
    since that is the policy that was trained.
    """
    base = resolve_base(chosen.recipe.model.base, chosen.recipe.model.revision)
    for pattern in HUB_FILES:
        for path in base.glob(pattern):
            shutil.copy(path, folder / path.name)
    # "*.json" has copied the base's index, which names the base's shards.
    (folder / "model.safetensors.index.json").unlink(missing_ok=True)
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    # It may be a path of this machine.
    config.pop("_name_or_path", None)
    # The key's older name; transformers would meet two dtypes.
    config.pop("torch_dtype", None)
    config["dtype"] = str(DTYPES[dtype]).removeprefix("torch.")
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    _write_shards(folder, _merged(chosen, base), DTYPES[dtype])


def _merged(chosen: Trained, base: Path) -> Iterator[tuple[str, Tensor]]:
    deltas = lora_deltas(adapter_of(chosen))
    layers = _quantised_layers(chosen.recipe) if chosen.recipe.model.dtype == "nf4" else {}
    for name, tensor in base_tensors(base):
        if name in layers:
            tensor = dense_weight(layers[name], torch.float32).cpu()
        if name in deltas:
            a, b, scale = deltas.pop(name)
            tensor = torch.addmm(tensor.float(), b.float(), a.float(), alpha=scale)
        yield name, tensor
    if deltas:
        raise RunFailure(f"the base model's files hold no {next(iter(deltas))}, which the adapter changes")


def _quantised_layers(recipe: Recipe) -> dict[str, Any]:
    """Parameter name -> the NF4 layer that holds it in training."""
    model = load_base(recipe.model, device="cuda" if _on_gpu(recipe) else "cpu")
    return {f"{name}.weight": module for name, module in model.named_modules() if is_quantised(module)}


def _write_shards(folder: Path, tensors: Iterator[tuple[str, Tensor]], dtype: torch.dtype) -> None:
    shards: list[dict[str, Tensor]] = [{}]
    names: list[list[str]] = []
    size = total = 0

    def close() -> None:
        save_file(shards[-1], folder / f"shard-{len(names) + 1}", metadata={"format": "pt"})
        names.append(list(shards[-1]))
        shards[-1] = {}

    for name, tensor in tensors:
        made = tensor.to(dtype).contiguous() if tensor.is_floating_point() else tensor.contiguous()
        if size + made.nbytes > SHARD_BYTES and shards[-1]:
            close()
            size = 0
        shards[-1][name] = made
        size += made.nbytes
        total += made.nbytes
    close()
    if len(names) == 1:
        (folder / "shard-1").chmod(0o644)
        (folder / "shard-1").rename(folder / "model.safetensors")
        return
    places: dict[str, str] = {}
    # A shard's final name tells how many there are, which is known only now.
    for number, members in enumerate(names, 1):
        file = f"model-{number:05d}-of-{len(names):05d}.safetensors"
        (folder / f"shard-{number}").chmod(0o644)
        (folder / f"shard-{number}").rename(folder / file)
        places |= dict.fromkeys(members, file)
    index = {"metadata": {"total_size": total}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


def write_gguf(folder: Path, chosen: Trained, dtype: str) -> None:
    """Base and adapter as one GGUF file, ``model.gguf``: the weights of :func:`write_merged`."""
    base = resolve_base(chosen.recipe.model.base, chosen.recipe.model.revision)
    gguf_file.write(folder / gguf_file.FILE, base, _merged(chosen, base), dtype)


def chat_template(chosen: Trained) -> str:
    """The chat template of the base's tokenizer, "" where it has none."""
    return str(load_tokenizer(chosen.recipe.model).chat_template or "")


def check(folder: Path, chosen: Trained, dtype: str, *, merged: bool) -> str:
    """Reload what was written, compare a fixed text's log-probabilities with the learner's policy.

    Returns a sentence that says what was compared and how far the two lie apart.

    Raises:
        RunFailure: further apart than ``TOLERANCE``.
    """
    recipe = serving(chosen)
    # Merged files hold what NF4 holds of the base, so they are compared with a learner in NF4.
    learner_dtype = "nf4" if merged and recipe.model.dtype == "nf4" else LEARNER_DTYPES.get(dtype, dtype)
    prompt_ids, token_ids, own = _own_logprobs(recipe, learner_dtype)
    ids = torch.tensor([[*prompt_ids, *token_ids]])
    model = _reloaded(folder, recipe, dtype, merged=merged)
    with torch.no_grad():
        logits = model(ids.to(model.device)).logits[0, len(prompt_ids) - 1 : -1].float().cpu()
    there = logits.log_softmax(-1).gather(-1, torch.tensor(token_ids).unsqueeze(-1)).squeeze(-1)
    apart = (there - torch.tensor(own)).abs()
    highest, mean = apart.max().item(), apart.mean().item()
    gap = mean if dtype in ROUNDED else highest
    text = (
        f"reloaded in {dtype}, it gives the log-probabilities of the trained policy on a fixed text of "
        f"{len(token_ids)} tokens: {mean:.1e} nats apart on average, {highest:.1e} at most"
    )
    # "not <=": a NaN has to fail.
    if not gap <= TOLERANCE[dtype]:
        raise RunFailure(
            f"the exported files are not the trained policy: {text}; allowed: {TOLERANCE[dtype]}"
        )
    return text


def _own_logprobs(recipe: Recipe, dtype: str) -> tuple[list[int], list[int], list[float]]:
    """Prompt ids, answer ids, and their log-probabilities under the policy as a learner holds it."""
    model = recipe.model.model_copy(update={"dtype": dtype})
    recipe = recipe.model_copy(update={"model": model})
    learner = build_learner(recipe, threads=torch.get_num_threads(), on_gpu=_on_gpu(recipe))
    learner.begin_stage(0, 1)
    probe = learner.tokenize([(CANARY_PROMPT, CANARY_ANSWER)])[0]
    ids = list(probe.prompt_ids), list(probe.completions[0].token_ids)
    own = learner.logprobs(*ids)
    # Before the reload, or two models lie in memory. Its patched layers refer to themselves: only the
    # collector frees them.
    del learner
    gc.collect()
    return *ids, own


def _reloaded(folder: Path, recipe: Recipe, dtype: str, *, merged: bool) -> Any:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if (folder / gguf_file.FILE).is_file():
        return _reloaded_gguf(folder, recipe)
    if merged:
        trust = recipe.model.trust_remote_code
        # Only to see that it loads from what was written.
        AutoTokenizer.from_pretrained(folder, trust_remote_code=trust)
        return AutoModelForCausalLM.from_pretrained(
            folder, dtype=DTYPES[dtype], trust_remote_code=trust
        ).eval()
    from peft import PeftModel

    base = load_base(recipe.model.model_copy(update={"dtype": dtype}), device="cpu")
    return PeftModel.from_pretrained(base, str(folder)).eval()


def _reloaded_gguf(folder: Path, recipe: Recipe) -> Any:
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    place = {"pretrained_model_name_or_path": str(folder), "gguf_file": gguf_file.FILE}
    there = AutoTokenizer.from_pretrained(**place)
    own = load_tokenizer(recipe.model)
    for text in (CANARY_PROMPT, CANARY_ANSWER):
        if there(text, add_special_tokens=False) != own(text, add_special_tokens=False):
            raise RunFailure("the exported file's tokenizer cuts a text into other tokens than the base's")
    model = AutoModelForCausalLM.from_pretrained(
        **place, quantization_config=GgufConfig(dequantize=True), dtype=torch.float32
    )
    return model.eval()


def _on_gpu(recipe: Recipe) -> bool:
    return recipe.learner.gpus > 0 and torch.cuda.is_available()
