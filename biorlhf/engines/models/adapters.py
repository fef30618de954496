"""LoRA adapters as files: reading them, adding two into one, and writing the plain PEFT format.

Two adapters on one base add up to one whose rank is the sum of theirs:
s1 B1 A1 + s2 B2 A2 = [s1 B1, s2 B2] [A1; A2], exactly. So what a run gives out always fits the base model
that its recipe names, whatever was merged on the way.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import ConfigDict, Field, PositiveFloat, PositiveInt
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from biorlhf.engines.models import integrity
from biorlhf.engines.models.load import base_name
from biorlhf.errors import InputError
from biorlhf.inputs.validation import Settings, validate_model
from biorlhf.recipe import Lora
from biorlhf.stage import Adapter
from biorlhf.types import AdapterRef

#: PEFT's portable names -> tensors: ``base_model.model.….lora_A.weight`` (r x in), ``….lora_B…`` (out x r).
Tensors = Mapping[str, Tensor]
# Each is more than W + s B A with one r and one alpha: read as plain LoRA it would be another policy,
# silently.
REFUSED = ("use_dora", "modules_to_save", "rank_pattern", "alpha_pattern", "layer_replication")


CONFIG = "adapter_config.json"


class _Config(Settings):
    """What is read of PEFT's settings."""

    model_config = ConfigDict(extra="allow")

    r: PositiveInt
    lora_alpha: PositiveFloat
    lora_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    use_rslora: bool = False
    bias: str = "none"
    base_model_name_or_path: str | None = None
    target_modules: str | list[str] | None = None


def find_adapter(folder: str) -> Path:
    """The PEFT folder that a recipe's ``model.adapter`` means: itself, or a run's last adapter.

    Raises:
        InputError: there is none.
    """
    path = Path(folder).expanduser()
    for place in (path, path / "adapter"):
        if (place / "adapter_config.json").is_file() and (place / "adapter_model.safetensors").is_file():
            return place
    names = sorted(p.name for p in path.iterdir())[:10] if path.is_dir() else []
    raise InputError(
        "model.adapter",
        f"no adapter in {folder}" if path.is_dir() else f"no such folder: {folder}",
        "adapter_config.json and adapter_model.safetensors, in it or in its folder 'adapter'",
        hint=f"it holds: {', '.join(names)}" if names else "",
    )


def read_adapter(folder: str, base: str) -> tuple[Tensors, Lora]:
    """An adapter's tensors and settings, checked to be plain LoRA made for ``base``.

    Raises:
        InputError: it is missing, malformed, of another kind than LoRA, or of another base model.
    """
    place = find_adapter(folder)
    try:
        config = json.loads((place / "adapter_config.json").read_text(encoding="utf-8"))
        tensors = load_tensors((place / "adapter_model.safetensors").read_bytes())
    except (OSError, ValueError, RecursionError, SafetensorError) as error:
        raise InputError("model.adapter", f"{folder} cannot be read: {error}") from error
    kind = config.get("peft_type") if isinstance(config, dict) else type(config).__name__
    if kind != "LORA":
        raise InputError("model.adapter", f"{folder} is of type {kind}", "LORA")
    config = validate_model(_Config, config, where=f"model.adapter: {place / CONFIG}").model_dump()
    other = [key for key in REFUSED if config.get(key)]
    other += ["bias"] if config.get("bias", "none") != "none" else []
    if other:
        raise InputError("model.adapter", f"{folder} uses {', '.join(other)}", "plain LoRA")
    made_for = base_name(str(config.get("base_model_name_or_path") or ""))
    # By the last name: a local copy of a hub model has another owner, or none.
    if made_for and made_for.rpartition("/")[2].lower() != base_name(base).rpartition("/")[2].lower():
        raise InputError(
            "model.adapter",
            f"{folder} was trained on {made_for}, not on {base_name(base)}",
            hint=f"set model.base: {made_for}; if the two are the same, correct base_model_name_or_path",
        )
    integrity.check_adapter(tensors, config["r"], f"model.adapter: {folder}")
    targets: Any = config.get("target_modules") or "all-linear"
    section = Lora(
        r=config["r"],
        alpha=config["lora_alpha"],
        dropout=config.get("lora_dropout", 0.0),
        rslora=config.get("use_rslora", False),
        # PEFT holds targets as a set and writes them in any order.
        targets=tuple(sorted(targets)) if isinstance(targets, list) else targets,
    )
    return tensors, section


def scale(section: Lora) -> float:
    """What B A is multiplied by: alpha / r, or alpha / sqrt(r) for rsLoRA."""
    return section.alpha / (math.sqrt(section.r) if section.rslora else section.r)


def folded(tensors: Tensors, factor: float) -> dict[str, Tensor]:
    """The same adapter in fp32 with its scale multiplied into B, so that its own scale is one."""
    return {
        name: tensor.detach().to("cpu", torch.float32) * (factor if ".lora_B." in name else 1.0)
        for name, tensor in tensors.items()
    }


def added(first: Tensors, second: Tensors) -> dict[str, Tensor]:
    """Two folded adapters as one; a layer that only one of them has is filled with zeros.

    Their ranks add up, so that the first's share of the memory stays as it was.
    """
    if not first:
        return dict(second)
    ranks = [rank_of(first), rank_of(second)]
    result = {}
    for name in sorted({*first, *second}):
        # Rank is A's first axis and B's second.
        axis = 0 if ".lora_A." in name else 1
        like = first[name] if name in first else second[name]
        parts = []
        for tensors, rank in zip((first, second), ranks, strict=True):
            shape = (rank, like.shape[1]) if axis == 0 else (like.shape[0], rank)
            parts.append(tensors[name] if name in tensors else like.new_zeros(shape))
        result[name] = torch.cat(parts, dim=axis).contiguous()
    return result


def rank_of(tensors: Tensors) -> int:
    return next(t.shape[0] for name, t in tensors.items() if ".lora_A." in name)


def target_names(tensors: Tensors) -> list[str]:
    """The layers' own names (``q_proj``, …), as PEFT and vLLM want them."""
    return sorted({name.split(".lora_")[0].rpartition(".")[2] for name in tensors})


def export(
    tensors: Tensors, section: Lora, base: str, version: int, dtype: torch.dtype = torch.float32
) -> Adapter:
    """An adapter in PEFT's plain format and in ``dtype``, with the same bytes for the same tensors."""
    # Sorted, for the bytes are hashed: that hash is how a sampler knows what arrived. Rounded before they
    # leave a GPU, so that half as many do.
    plain = {name: tensors[name].detach().to(dtype).to("cpu").contiguous() for name in sorted(tensors)}
    data = save_tensors(plain, metadata={"format": "pt"})
    config: dict[str, Any] = {
        "base_model_name_or_path": base_name(base),
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        # Whole where it can be: PEFT declares it as an int.
        "lora_alpha": int(section.alpha) if section.alpha == int(section.alpha) else section.alpha,
        "lora_dropout": section.dropout,
        "modules_to_save": None,
        "peft_type": "LORA",
        "r": section.r,
        "target_modules": target_names(plain),
        "task_type": "CAUSAL_LM",
        "use_dora": False,
        "use_rslora": section.rslora,
    }
    text = json.dumps(config, indent=2, sort_keys=True) + "\n"
    ref = AdapterRef(version, hashlib.sha256(data).hexdigest())
    return Adapter(ref, data, text.encode())


def copy_into(parameters: Mapping[str, Tensor], tensors: Tensors, where: str) -> None:
    """Load tensors into a model's LoRA parameters of the same names and shapes.

    Raises:
        InputError: names or shapes differ, that is, the adapter belongs to another model or to other layers.
    """
    check_fit(parameters, tensors, where)
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(tensors[name])


def check_fit(parameters: Mapping[str, Tensor], tensors: Tensors, where: str) -> None:
    """Raise ``InputError`` unless both have the same names and shapes."""
    missing, unknown = sorted({*parameters} - {*tensors}), sorted({*tensors} - {*parameters})
    if missing or unknown:
        names = [f"lacks {missing[0]}"] if missing else []
        names += [f"has {unknown[0]}, which the model lacks"] if unknown else []
        raise InputError(where, f"it does not fit the base model: it {' and '.join(names)}")
    for name, parameter in parameters.items():
        if parameter.shape != tensors[name].shape:
            shapes = f"{tuple(tensors[name].shape)} against {tuple(parameter.shape)}"
            raise InputError(where, f"it does not fit the base model: {name} is {shapes}")


def merge_into(model: torch.nn.Module, tensors: Tensors, where: str) -> None:
    """Add a folded adapter to a model's weights, W + B A in fp32.

    Raises:
        InputError: it does not fit the model.
    """
    weights = dict(model.named_parameters())
    linear = (name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear))
    integrity.check_cover(tensors, linear, where)
    with torch.no_grad():
        for name, a in tensors.items():
            if ".lora_A." not in name:
                continue
            stem = name.split(".lora_A.")[0]
            target = stem.removeprefix("base_model.model.") + ".weight"
            b = tensors[f"{stem}.lora_B.weight"]
            if target not in weights or weights[target].shape != (b.shape[0], a.shape[1]):
                raise InputError(where, f"it does not fit the base model: no such layer as {name} there")
            weights[target].add_((b @ a).to(weights[target].device))
