"""Loading tokenizers and base models, in the precision that the recipe asks for."""

from __future__ import annotations

import importlib.util
from typing import Any

import torch

from biorlhf.engines.cpu import first_calls
from biorlhf.engines.models import integrity
from biorlhf.engines.models.base_files import resolve_base
from biorlhf.engines.models.lora import expand_scales
from biorlhf.errors import InputError, ResourceError
from biorlhf.recipe import Model

__all__ = ["base_name", "load_base", "load_tokenizer", "resolve_base"]

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "nf4": torch.bfloat16}


def base_name(base: str) -> str:
    """The base model's name as adapters record it: the last part of a path, never a path of this machine."""
    is_path = base.startswith((".", "~", "/")) or base.count("/") > 1
    return base.rstrip("/").rpartition("/")[2] if is_path else base


def load_tokenizer(section: Model) -> Any:
    """The base model's tokenizer.

    Raises:
        InputError: the folder has none, or it needs code that the recipe does not trust.
    """
    from transformers import AutoTokenizer

    folder = resolve_base(section.base, section.revision)
    try:
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=section.trust_remote_code)
    except Exception as error:  # whatever a damaged file makes transformers and its parsers raise
        raise InputError("model.base", f"{section.base}: no tokenizer can be loaded: {error}") from error


def load_base(section: Model, *, device: str | None = None) -> Any:
    """The base model with frozen weights in ``section.dtype``, on ``device`` (a GPU where there is one).

    NF4 (with double quantisation) is that of QLoRA, arXiv 2305.14314; embeddings, norms and the output layer
    stay in 16 bits on a GPU, in 32 bits on a CPU.

    Raises:
        InputError: the folder's model is unknown, broken, or needs code that the recipe does not trust.
        ResourceError: nf4 without bitsandbytes.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    first_calls.settle()
    disable_progress_bar()
    place = device or ("cuda" if torch.cuda.is_available() else "cpu")
    arguments: dict[str, Any] = {"dtype": DTYPES[section.dtype], "attn_implementation": "sdpa"}
    if section.dtype == "nf4":
        arguments |= _nf4(place)
    folder = resolve_base(section.base, section.revision)
    try:
        # transformers' types know of a model alone.
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            # Never a pickle, which can run code when it is read.
            folder,
            trust_remote_code=section.trust_remote_code,
            use_safetensors=True,
            output_loading_info=True,
            # Reported, with their names, instead of raised without.
            ignore_mismatched_sizes=True,
            **arguments,
        )
    except Exception as error:  # whatever a damaged file makes transformers and its parsers raise
        hint = (
            "set model.trust_remote_code: true if you trust its code" if "remote_code" in str(error) else ""
        )
        raise InputError("model.base", f"{section.base} cannot be loaded: {error}", hint=hint) from error
    model, report = loaded
    integrity.check_loaded(report, section.base)
    # bitsandbytes quantises while it places (device_map); its layers are not moved afterwards.
    if section.dtype != "nf4":
        model = model.to(place)
    expand_scales(model)
    return model.requires_grad_(False)


def _nf4(place: str) -> dict[str, Any]:
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ResourceError(
            "model.dtype",
            "nf4 needs the package bitsandbytes, which is not installed",
            hint="pip install bitsandbytes, or set model.dtype: bf16",
        )
    from transformers import BitsAndBytesConfig

    compute = torch.bfloat16 if place.startswith("cuda") else torch.float32
    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute,
    )
    return {"quantization_config": config, "dtype": compute, "device_map": {"": place}}
