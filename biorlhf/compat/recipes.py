"""From the options of BioRLHF 0.3 to recipes; ``docs/notebooks.md`` has the same as a table."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from biorlhf import api, plugins
from biorlhf.api import Overrides
from biorlhf.compat.options import DPOTrainingConfig, GRPOConfig, SFTTrainingConfig
from biorlhf.errors import InputError
from biorlhf.recipe import Recipe

WEIGHTS = {"V1": 0.35, "V2": 0.30, "V3": 0.15, "V4": 0.20}


def recipe_of(
    config: SFTTrainingConfig | DPOTrainingConfig | GRPOConfig, overrides: Overrides = ()
) -> Recipe:
    """The recipe that a configuration stands for.

    Raises:
        InputError: a path that is not there, verifiers and weights that contradict each other, a database
            that does not ship.
    """
    if isinstance(config, GRPOConfig):
        data = _grpo(config)
    elif isinstance(config, DPOTrainingConfig):
        data = _dpo(config)
    else:
        data = _sft(config)
    return api.load_recipe(data, overrides)


def has_gpu() -> bool:
    """Whether an NVIDIA driver runs on this machine."""
    return Path("/proc/driver/nvidia/version").exists()


def _common(config: Any, name: str) -> dict[str, Any]:
    """What the three have in common."""
    on_gpu = {"gpus": 1, "token_budget": 8192, "gradient_checkpointing": True}
    return {
        "name": name,
        "seed": config.seed,
        "lora": {"r": config.lora_r, "alpha": config.lora_alpha, "dropout": config.lora_dropout},
        "learner": on_gpu if has_gpu() else {},
        "evaluation": {"questions": 0},
        "store": {
            "folder": str(Path(config.output_dir) / "runs"),
            "checkpoint_every": config.save_steps,
            "keep_checkpoints": config.save_total_limit,
        },
        "cluster": {"backend": "inline"},
        "trackers": _trackers(config),
    }


def _trackers(config: Any) -> list[dict[str, Any]]:
    if not config.use_wandb:
        return []
    return [{"tracker": "wandb", "project": config.wandb_project, "run_name": config.wandb_run_name}]


def _optimizer(config: Any, **more: Any) -> dict[str, Any]:
    return {
        "learning_rate": config.learning_rate,
        "schedule": "cosine",
        "warmup": config.warmup_ratio,
        **more,
    }


def _model(base: str, adapter: str | None, config: Any) -> dict[str, Any]:
    """The base, and under it the earlier model: an adapter is merged, a whole model stands in its place."""
    dtype = "nf4" if config.use_4bit else "bf16" if getattr(config, "bf16", True) else "fp32"
    if adapter is None:
        return {"base": base, "dtype": dtype}
    folder = Path(adapter)
    if any((place / "adapter_config.json").is_file() for place in (folder, folder / "adapter")):
        return {"base": base, "dtype": dtype, "adapter": adapter, "adapter_use": "merge"}
    if (folder / "config.json").is_file():
        return {"base": adapter, "dtype": dtype}
    problem = "holds neither an adapter nor a model" if folder.is_dir() else "no such folder"
    raise InputError(
        "sft_model_path", f"{adapter}: {problem}", hint="train it first (run_sft_training), or pass None"
    )


def _file(config: Any) -> list[dict[str, Any]]:
    if not Path(config.dataset_path).exists():
        near = [p.name for p in Path(config.dataset_path).parent.glob("*.json*")]
        raise InputError(
            "dataset_path",
            f"no such file: {config.dataset_path}",
            choices=near,
            name=Path(config.dataset_path).name,
        )
    path, share = config.dataset_path, config.test_size
    return [{"dataset": "jsonl", "file": path, "validation_fraction": share, "seed": config.seed}]


def _sft(config: SFTTrainingConfig) -> dict[str, Any]:
    stage = {
        "trainer": "sft",
        "epochs": config.num_epochs,
        "batch_size": config.batch_size * config.gradient_accumulation_steps,
        "max_tokens": config.max_length,
        "optimizer": _optimizer(config, weight_decay=config.weight_decay),
    }
    return {
        **_common(config, "sft"),
        "model": _model(config.model_name, None, config),
        "prompt": {"template": "alpaca", "answer": "free", "max_tokens": config.max_length},
        "data": _file(config),
        "stages": [stage],
    }


def _dpo(config: DPOTrainingConfig) -> dict[str, Any]:
    stage = {
        "trainer": "dpo",
        "epochs": config.num_epochs,
        "batch_size": config.batch_size * config.gradient_accumulation_steps,
        "max_tokens": config.max_length,
        "beta": config.beta,
        "optimizer": _optimizer(config),
    }
    return {
        **_common(config, "dpo"),
        "model": _model(config.base_model, config.sft_model_path, config),
        "prompt": {"template": "alpaca", "answer": "free", "max_tokens": config.max_prompt_length},
        "data": _file(config),
        "stages": [stage],
    }


def _grpo(config: GRPOConfig) -> dict[str, Any]:
    if config.pathway_db.lower() != "hallmark":
        raise InputError(
            "pathway_db",
            repr(config.pathway_db),
            "'hallmark', the table that ships",
            hint="for others write a recipe: dataset genelab with folder, contrast and databases",
        )
    stage: dict[str, Any] = {
        "trainer": "grpo",
        "prompts_per_step": config.batch_size * config.gradient_accumulation_steps,
        "generations": config.num_generations,
        "epochs": config.num_epochs,
        "iterations": config.num_iterations,
        "loss": config.loss_type,
        "beta": config.beta,
        "normalisation": "gdpo"
        if config.use_multi_reward and config.scale_rewards == "group"
        else config.scale_rewards,
        "optimizer": _optimizer(config),
    }
    if config.loss_type not in ("gspo", "cispo"):  # the others were clipped alike on both sides
        stage |= {"clip_low": 0.2, "clip_high": 0.2}
    model = _model(config.model_name, config.sft_model_path, config)
    gpu = has_gpu()
    common = _common(config, "grpo")
    wants_vllm = config.use_vllm or (gpu and importlib.util.find_spec("vllm") is not None)
    return {
        **common,
        "model": model,
        "prompt": {"template": "alpaca", "max_tokens": config.max_prompt_length},
        "data": [
            {"dataset": "genelab", "hold_out_tissues": list(config.hold_out_tissues or ())},
            {"dataset": "kmp", "split": "paraphrase"},
        ],
        "verifiers": _verifiers(config.active_verifiers, config.verifier_weights),
        "stages": [stage],
        "rollout": {
            "engine": "vllm" if wants_vllm else "transformers",
            "gpus": 0.5 if gpu else 0,
            "memory_fraction": 0.6,
            "max_completion_tokens": config.max_completion_length,
            "canary_tolerance": 0.1,
            "timeout_s": 1800,
        },
        "scorer": {} if gpu else {"cpus": 0},  # two cores are enough where there is no GPU, as in quickstart
        "learner": {
            **common["learner"],
            "gpus": 0.5 if gpu else 0,
            "gradient_checkpointing": config.gradient_checkpointing,
        },
        "evaluation": {"split": "test", "questions": 128},
        "cluster": {"backend": "ray"},
    }


def _verifiers(active: list[str] | None, weights: Mapping[str, float] | None) -> list[dict[str, Any]]:
    """Sections of a recipe; names and aliases may be mixed, but must name the same verifiers."""
    known = plugins.catalogue()

    def named(name: str, where: str) -> str:
        return known.get("verifier", name, where=where).record.name

    weight_of = {named(name, "verifier_weights"): weight for name, weight in (weights or WEIGHTS).items()}
    names = [named(name, "active_verifiers") for name in active] if active is not None else list(weight_of)
    # The default weights name all four; only those that a user wrote can be one too many.
    extra = sorted({*weight_of} - {*names}) if weights else []
    missing = [name for name in names if name not in weight_of]
    if extra or missing:
        problem = (
            f"a weight for {extra[0]!r}, which is not active" if extra else f"no weight for {missing[0]!r}"
        )
        raise InputError("verifier_weights", problem, "one weight for each active verifier")
    return [{"verifier": name, "weight": weight_of[name]} for name in names]
