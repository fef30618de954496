"""The options of BioRLHF 0.3, by their names: one class for each way of training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from biorlhf.errors import InputError
from biorlhf.recipe.shipped import shipped

# Options that change nothing here, and why.
WITHOUT_EFFECT = {
    "logging_steps": "every step is logged in metrics.jsonl",
    "eval_steps": "a run evaluates before its first stage and after each",
    "log_completions": "every completion is kept in the run's rollouts/",
    "eval_batch_size": "the sampler makes its own batches",
    "generation_batch_size": "the sampler makes its own batches",
}


class Options(BaseModel):
    """Named options, checked when they are given and when they are assigned.

    Raises:
        InputError: an unknown option (with the nearest known), or a value of the wrong type or range.
    """

    # protected_namespaces: pydantic before 2.10 warns of fields whose names begin with "model_".
    model_config = ConfigDict(extra="forbid", validate_assignment=True, protected_namespaces=())

    def __init__(self, **options: Any) -> None:
        try:
            super().__init__(**options)
        except ValidationError as error:
            raise _refusal(type(self), error) from None

    def __setattr__(self, name: str, value: Any) -> None:
        try:
            super().__setattr__(name, value)
        except ValidationError as error:
            raise _refusal(type(self), error) from None

    @classmethod
    def from_json(cls, path: str | Path) -> Self:
        """The options of a JSON file. Raises ``InputError`` where it is missing or no JSON object."""
        if not Path(path).exists():
            raise _missing(Path(path))
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(str(path), f"cannot be read: {error}", "a JSON file of options") from None
        if not isinstance(data, dict):
            raise InputError(str(path), f"a {type(data).__name__}", "a JSON object of options")
        try:
            return cls(**data)
        except InputError as error:
            raise InputError(
                f"{path}: {error.where}", error.found, error.expected, choices=error.choices, name=error.name
            ) from None


def _missing(path: Path) -> InputError:
    near = [p.name for p in path.parent.glob("*.json")]
    copy = shipped("configs") / path.name  # outside a checkout there is no configs/ beside the user
    hint = f"a file of this name ships with biorlhf: {copy}" if copy.is_file() else ""
    return InputError(str(path), "cannot be read: no such file", choices=near, name=path.name, hint=hint)


def _refusal(cls: type[Options], error: ValidationError) -> InputError:
    first = error.errors()[0]
    name = str(first["loc"][0])
    if first["type"] in ("extra_forbidden", "no_such_attribute"):
        return InputError(cls.__name__, f"unknown option {name!r}", choices=cls.model_fields, name=name)
    return InputError(f"{cls.__name__}.{name}", f"{first['input']!r}: {first['msg']}")


class SFTTrainingConfig(Options):
    """Supervised fine-tuning on a file of texts."""

    model_name: str = "mistralai/Mistral-7B-v0.3"
    dataset_path: str = "kmp_sft_dataset.json"
    output_dir: str = "./biorlhf_sft_model"
    num_epochs: int = 3
    batch_size: int = 4
    gradient_accumulation_steps: int = 4
    learning_rate: float = 2e-4
    max_length: int = 1024
    warmup_ratio: float = 0.1
    weight_decay: float = 0.01
    lora_r: int = 64
    lora_alpha: float = 128
    lora_dropout: float = 0.05
    use_4bit: bool = True
    logging_steps: int = 10
    save_steps: int = 50
    eval_steps: int = 50
    save_total_limit: int = 3
    wandb_project: str = "biorlhf"
    wandb_run_name: str = "sft_training"
    use_wandb: bool = False
    test_size: float = 0.1
    seed: int = 42


class DPOTrainingConfig(Options):
    """Preference optimisation, from an SFT adapter that is merged into the base."""

    sft_model_path: str | None = "./biorlhf_sft_model"
    base_model: str = "mistralai/Mistral-7B-v0.3"
    dataset_path: str = "kmp_dpo_preferences.json"
    output_dir: str = "./biorlhf_dpo_model"
    num_epochs: int = 3
    batch_size: int = 2
    gradient_accumulation_steps: int = 4
    learning_rate: float = 5e-5
    beta: float = 0.1
    max_length: int = 1024
    max_prompt_length: int = 512
    warmup_ratio: float = 0.1
    lora_r: int = 16
    lora_alpha: float = 32
    lora_dropout: float = 0.05
    use_4bit: bool = True
    logging_steps: int = 5
    save_steps: int = 25
    eval_steps: int = 25
    save_total_limit: int = 2
    wandb_project: str = "biorlhf"
    wandb_run_name: str = "dpo_training"
    use_wandb: bool = False
    test_size: float = 0.1
    seed: int = 42


class GRPOConfig(Options):
    """GRPO with verifiers on GeneLab and KMP questions."""

    model_name: str = "mistralai/Mistral-7B-v0.3"
    sft_model_path: str | None = None
    output_dir: str = "./biogrpo_model"
    num_generations: int = 8
    beta: float = 0.04
    num_iterations: int = 1
    scale_rewards: Literal["group", "batch", "none"] = "group"
    loss_type: Literal["grpo", "dr_grpo", "dapo", "bnpo", "gspo", "cispo"] = "grpo"
    num_epochs: int = 1
    batch_size: int = 2
    eval_batch_size: int | None = None
    generation_batch_size: int | None = None
    gradient_accumulation_steps: int = 8
    learning_rate: float = 1e-6
    max_completion_length: int = 1024
    max_prompt_length: int = 512
    warmup_ratio: float = 0.1
    lora_r: int = 32
    lora_alpha: float = 64
    lora_dropout: float = 0.05
    verifier_weights: dict[str, float] | None = None
    active_verifiers: list[str] | None = None
    pathway_db: str = "hallmark"
    hold_out_tissues: list[str] | None = None
    seed: int = 42
    use_multi_reward: bool = False
    use_4bit: bool = True
    wandb_project: str = "biogrpo"
    wandb_run_name: str = "grpo_v1"
    use_wandb: bool = False
    logging_steps: int = 5
    save_steps: int = 50
    eval_steps: int = 50
    save_total_limit: int = 3
    log_completions: bool = True
    use_vllm: bool = False
    gradient_checkpointing: bool = True
    bf16: bool = True


BioGRPOConfig = GRPOConfig
