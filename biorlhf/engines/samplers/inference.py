"""A model with its adapter as transformers and PEFT objects, for whoever wants to hold them."""

from __future__ import annotations

import json
from typing import Any

import torch

from biorlhf.engines.models.adapters import find_adapter, read_adapter
from biorlhf.engines.models.load import load_base, load_tokenizer
from biorlhf.errors import InputError
from biorlhf.recipe import Model


def base_of(folder: str) -> str:
    """The base model's name that an adapter records. Raises ``InputError`` where it records none."""
    config = json.loads((find_adapter(folder) / "adapter_config.json").read_text(encoding="utf-8"))
    name = config.get("base_model_name_or_path")
    if not name:
        raise InputError(
            "base_model", f"the adapter in {folder} does not say its base model", "a name or folder"
        )
    return str(name)


def load_with_adapter(section: Model, *, device: str | None, merge: bool) -> tuple[Any, Any]:
    """(model, tokenizer) of ``section``, whose adapter stands beside the weights or is merged into them."""
    from peft import PeftModel

    assert section.adapter is not None
    # For its refusals only: PEFT would put an adapter of another base in place without a word where the
    # shapes fit.
    read_adapter(section.adapter, section.base)
    model: Any = load_base(section, device=device)
    model = PeftModel.from_pretrained(model, str(find_adapter(section.adapter))).eval()
    tokenizer = load_tokenizer(section)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model.merge_and_unload() if merge else model, tokenizer


@torch.no_grad()
def respond(model: Any, tokenizer: Any, prompt: str, *, max_tokens: int, temperature: float) -> str:
    """The answer to a prompt that is given as it is, in no template; greedy at temperature 0."""
    inputs = tokenizer(prompt, return_tensors="pt").to(model.device)
    drawn = {"do_sample": True, "temperature": temperature} if temperature > 0 else {"do_sample": False}
    output = model.generate(
        **{name: inputs[name] for name in ("input_ids", "attention_mask")},
        max_new_tokens=max_tokens,
        pad_token_id=tokenizer.pad_token_id,
        **drawn,
    )
    return tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True).strip()
