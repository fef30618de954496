"""TRL on the shared workload; runs in the peer's environment (requirements.txt).

    .venv-peer/bin/python tests/benches/peer/run_peer.py grpo --model FOLDER --steps 5 --generations 8

Prints one line of JSON: seconds of each step, what they did, peak memory. fp32, LoRA on all linear layers.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from typing import Any

import torch
import workload
from datasets import Dataset
from peft import LoraConfig
from transformers import TrainerCallback
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer


class StepClock(TrainerCallback):
    """Seconds from the beginning of a step to its end, generation included."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.started = 0.0

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self.started = time.perf_counter()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        now = time.perf_counter()
        self.seconds.append(now - self.started)
        self.started = now


def shared(steps: int, checkpointing: bool, folder: str) -> dict[str, Any]:
    return {
        "output_dir": folder,
        "max_steps": steps,
        "learning_rate": 1e-5,
        "bf16": False,
        "fp16": False,
        "use_cpu": not torch.cuda.is_available(),
        "gradient_checkpointing": checkpointing,
        "report_to": [],
        "save_strategy": "no",
        "logging_steps": 1,
        "disable_tqdm": True,
        "model_init_kwargs": {"dtype": torch.float32},
        "seed": 1,
    }


def lora(rank: int) -> LoraConfig:
    return LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")


def grpo(args: argparse.Namespace, common: dict[str, Any]) -> Any:
    rows = [{"prompt": [{"role": "user", "content": t.prompt}]} for t in workload.texts(64)]

    def reward(completions: list[Any], **_: Any) -> list[float]:
        return [workload.reward(c[0]["content"]) for c in completions]

    config = GRPOConfig(
        **common,
        per_device_train_batch_size=workload.GRPO_PROMPTS * args.generations,
        num_generations=args.generations,
        max_completion_length=workload.LIMIT,
        beta=workload.BETA,
        loss_type="dapo",
        temperature=1.0,
    )
    return GRPOTrainer(
        model=args.model,
        reward_funcs=reward,
        args=config,
        train_dataset=Dataset.from_list(rows),
        peft_config=lora(workload.GRPO_RANK),
    )


def sft(args: argparse.Namespace, common: dict[str, Any]) -> Any:
    rows = [
        {"prompt": workload.ALPACA.format(t.prompt), "completion": t.chosen}
        for t in workload.instructions(workload.SFT_BATCH * args.steps)
    ]
    config = SFTConfig(**common, per_device_train_batch_size=workload.SFT_BATCH, max_length=1024)
    return SFTTrainer(
        model=args.model,
        args=config,
        train_dataset=Dataset.from_list(rows),
        peft_config=lora(workload.SFT_RANK),
    )


def dpo(args: argparse.Namespace, common: dict[str, Any]) -> Any:
    rows = [
        {"prompt": workload.ALPACA.format(t.prompt), "chosen": t.chosen, "rejected": t.rejected}
        for t in workload.texts(workload.DPO_BATCH * args.steps)
    ]
    config = DPOConfig(**common, per_device_train_batch_size=workload.DPO_BATCH, beta=0.1)
    return DPOTrainer(
        model=args.model,
        args=config,
        train_dataset=Dataset.from_list(rows),
        peft_config=lora(workload.DPO_RANK),
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=["grpo", "sft", "dpo"])
    parser.add_argument("--model", required=True)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--generations", type=int, default=8)
    parser.add_argument("--checkpointing", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        common = shared(args.steps, args.checkpointing, folder)
        trainer = {"grpo": grpo, "sft": sft, "dpo": dpo}[args.task](args, common)
        clock = StepClock()
        trainer.add_callback(clock)
        trainer.train()
        history = trainer.state.log_history
    lengths = [row["completions/mean_length"] for row in history if "completions/mean_length" in row]
    print(
        json.dumps(
            {
                "side": "trl",
                "task": args.task,
                "generations": args.generations if args.task == "grpo" else None,
                "checkpointing": args.checkpointing,
                "seconds": clock.seconds,
                "mean_completion_tokens": lengths,
                "loss": [row["loss"] for row in history if "loss" in row],
                "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
                "threads": torch.get_num_threads(),
            }
        )
    )


if __name__ == "__main__":
    main()
