"""TRL's trainers on the same shape, batch and card. A part of check.py; gives rows."""

from __future__ import annotations

import importlib.util
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import correctness
import speed
import torch

WORD = "abcdefghijklmnopqrstuvwxyz "


def trl(check: Any) -> Iterator[dict[str, Any]]:
    """SFT, DPO and GRPO steps by TRL: PEFT, NF4, gradient checkpointing; nothing is generated."""
    if importlib.util.find_spec("trl") is None:
        yield {"skipped": "trl is not installed"}
        return
    from peft import LoraConfig, get_peft_model

    speed.clean(check)
    settings = LoraConfig(task_type="CAUSAL_LM", r=32, lora_alpha=64, target_modules="all-linear")
    model = get_peft_model(speed.large_model(check, "nf4"), settings)
    for kind, rows in (("sft", 4), ("dpo", 4), ("grpo", 4), ("sft", 16), ("grpo", 8)):
        speed.clean(check)
        with tempfile.TemporaryDirectory() as place:
            yield {"loss": kind, "rows_a_pass": rows, **_measured(check, kind, model, rows, Path(place))}


def _measured(check: Any, kind: str, model: Any, rows: int, place: Path) -> dict[str, Any]:
    from transformers import AutoTokenizer

    base = correctness.tiny(place / "tiny", "mistral")
    torch.manual_seed(0)
    groups, _ = speed.rows(check, kind)
    tokenizer = AutoTokenizer.from_pretrained(base)
    trainer = _trainer(check, kind, model, tokenizer, groups, rows, str(place))
    clock = _clock(check)
    trainer.add_callback(clock)
    trainer.train()
    answers = sum(len(c.token_ids) for g in groups for c in g.completions)
    row = {"step_s": round(min(clock.seconds), 3), "steps_s": [round(s, 3) for s in clock.seconds]}
    row["answer_tokens_a_second"] = round(answers / min(clock.seconds), 1)
    if check.device == "cuda":
        row["peak_gb"] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
    return row


def _clock(check: Any) -> Any:
    """Seconds of each step but the first, which warms up."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        def __init__(self) -> None:
            self.seconds: list[float] = []
            self.started = 0.0

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            speed.wait(check.device)
            self.started = time.perf_counter()

        def on_step_end(self, args: Any, state: Any, *_: Any, **__: Any) -> None:
            speed.wait(check.device)
            if state.global_step > 1:
                self.seconds.append(time.perf_counter() - self.started)
            elif check.device == "cuda":
                torch.cuda.reset_peak_memory_stats()

    return Clock()


def _trainer(check: Any, kind: str, model: Any, tokenizer: Any, groups: Any, rows: int, place: str) -> Any:
    """``rows`` of the batch, padded, are computed at once."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    answers = sum(len(g.completions) for g in groups)
    rows = min(rows, answers) // (2 if kind == "dpo" else 1)
    batch = len(groups) if kind != "grpo" else answers
    common: dict[str, Any] = {
        "output_dir": place,
        "max_steps": 3,
        "learning_rate": 1e-5,
        "per_device_train_batch_size": rows,
        "gradient_accumulation_steps": max(batch // rows, 1),
        "bf16": check.device == "cuda",
        "use_cpu": check.device == "cpu",
        "gradient_checkpointing": True,
        "report_to": [],
        "save_strategy": "no",
        "disable_tqdm": True,
        "seed": 1,
    }
    if kind == "grpo":
        return _grpo(model, tokenizer, groups, common)
    prompt, answer = len(groups[0].prompt_ids), len(groups[0].completions[0].token_ids)
    texts = [_texts(n, prompt, answer - 1) for n in range(3 * batch)]  # TRL adds the end
    if kind == "sft":
        rows_of = [{"prompt": p, "completion": a} for p, a, _ in texts]
        config = SFTConfig(**common, max_length=2048)
        return SFTTrainer(
            model=model, args=config, train_dataset=Dataset.from_list(rows_of), processing_class=tokenizer
        )
    pairs = [{"prompt": p, "chosen": a, "rejected": b} for p, a, b in texts]
    return DPOTrainer(
        model=model,
        args=DPOConfig(**common, max_length=2048),
        train_dataset=Dataset.from_list(pairs),
        processing_class=tokenizer,
    )


def _texts(seed: int, prompt: int, answer: int) -> tuple[str, str, str]:
    """A prompt and two answers of as many bytes, which are tokens here."""
    draw = random.Random(seed)
    made = ["".join(draw.choices(WORD, k=length - 1)) + "x" for length in (prompt, answer, answer)]
    return made[0], made[1], made[2]


def _grpo(model: Any, tokenizer: Any, groups: Any, common: dict[str, Any]) -> Any:
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    count = len(groups[0].completions)

    class Given(GRPOTrainer):
        """Learns from completions that are there: generation is not what is compared."""

        def _generate_and_score_completions(self, _: Any) -> dict[str, Any]:
            device = self.accelerator.device
            texts = [(g.prompt_ids, c) for g in groups for c in g.completions]
            prompts = torch.tensor([p for p, _ in texts], device=device)
            answers = torch.tensor([c.token_ids for _, c in texts], device=device)
            return {
                "prompt_ids": prompts,
                "prompt_mask": torch.ones_like(prompts),
                "completion_ids": answers,
                "completion_mask": torch.ones_like(answers),
                "advantages": torch.tensor([c.advantage for _, c in texts], device=device),
                "num_items_in_batch": torch.tensor(answers.numel(), device=device),
            }

    config = GRPOConfig(
        **common,
        num_generations=count,
        max_completion_length=len(groups[0].completions[0].token_ids),
        beta=0.0,
    )
    return Given(
        model=model,
        reward_funcs=lambda completions, **_: [0.0] * len(completions),
        args=config,
        train_dataset=Dataset.from_list([{"prompt": "x"}] * 64),
        processing_class=tokenizer,
    )
