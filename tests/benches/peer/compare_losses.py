"""What TRL 1.16 computes on fixed tensors: losses, gradients and advantages, written as numbers only.

Runs in the peer's environment (requirements.txt beside this file), not in the project's:

    .venv-peer/bin/python tests/benches/peer/compare_losses.py tests/data/trl_losses.json

TRL's own ``_compute_loss``, ``compute_loss`` and ``_generate_and_score_completions`` run; only the model's
forward pass is replaced, by a table of per-token log-probabilities. The tests of the losses read the result.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from types import MethodType, SimpleNamespace
from typing import Any

import torch
import trl
from trl.trainer import dpo_trainer, grpo_trainer, sft_trainer

LENGTHS = (5, 2, 7, 1, 4, 3)  # tokens of six completions: two prompts with three each, or three pairs
WIDTH = max(LENGTHS)
GENERATIONS = 3
LIMIT = 16


def table(seed: int, low: float, high: float) -> torch.Tensor:
    """Fixed numbers, one per completion and position, fp32."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(len(LENGTHS), WIDTH, generator=generator) * (high - low) + low


MASK = torch.tensor([[int(t < n) for t in range(WIDTH)] for n in LENGTHS])
LOGPROBS = table(1, -3.0, -0.05)
OLD = LOGPROBS + table(2, -0.5, 0.5)
REFERENCE = LOGPROBS + table(3, -0.7, 0.7)
SAMPLER = OLD + table(4, -0.9, 0.9)
ADVANTAGES = torch.tensor([1.2, -0.7, 0.4, -1.1, 0.0, 0.9])
CAP = 1.5


class Accelerator:
    """One process, no device but the CPU."""

    device = torch.device("cpu")
    num_processes = 1
    process_index = 0
    sync_gradients = True

    def gather(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor

    gather_for_metrics = gather

    def reduce(self, tensor: torch.Tensor, reduction: str = "sum") -> torch.Tensor:
        return tensor

    def unwrap_model(self, model: Any) -> Any:
        return model


def metrics() -> dict[str, Any]:
    return {"train": defaultdict(list), "eval": defaultdict(list)}


def flat(rows: torch.Tensor) -> list[float]:
    """The values of real tokens, completion after completion."""
    return [float(value) for row, n in zip(rows, LENGTHS, strict=True) for value in row[:n]]


def policy_case(
    trl_type: str, *, level: str = "token", low: float, high: float, beta: float, cap: float | None
):
    """One GRPO-family loss over both prompts; bnpo: one prompt a micro-batch, as two accumulation steps."""
    logprobs = LOGPROBS.clone().requires_grad_(True)
    cuts = [slice(0, 3), slice(3, 6)] if trl_type == "bnpo" else [slice(0, 6)]
    total = torch.zeros(())
    for cut in cuts:
        trainer = SimpleNamespace(
            accelerator=Accelerator(),
            aux_loss_enabled=False,
            top_entropy_quantile=1.0,
            off_policy_mask_threshold=None,
            importance_sampling_level=level,
            beta=beta,
            loss_type=trl_type,
            epsilon_low=low,
            epsilon_high=high,
            args=SimpleNamespace(use_bias_correction_kl=False, delta=None, steps_per_generation=len(cuts)),
            use_vllm=cap is not None,
            vllm_importance_sampling_correction=True,
            max_completion_length=LIMIT,
            current_gradient_accumulation_steps=len(cuts),
            _entropy_bonus_enabled=False,
            model=SimpleNamespace(training=True),
            _metrics=metrics(),
            _get_per_token_logps_and_entropies=lambda *_, cut=cut, **__: (
                logprobs[cut],
                torch.zeros_like(logprobs[cut]),
                None,
            ),
        )
        inputs = {
            "prompt_ids": torch.zeros(6, 1, dtype=torch.long)[cut],
            "prompt_mask": torch.ones(6, 1, dtype=torch.long)[cut],
            "completion_ids": torch.zeros(6, WIDTH, dtype=torch.long)[cut],
            "completion_mask": MASK[cut],
            "advantages": ADVANTAGES[cut],
            "num_items_in_batch": MASK.sum(),
            "old_per_token_logps": OLD[cut],
            "ref_per_token_logps": REFERENCE[cut],
        }
        if cap is not None:
            inputs["importance_sampling_ratio"] = torch.exp((OLD - SAMPLER) * MASK).clamp(max=cap)[cut]
        total = total + grpo_trainer.GRPOTrainer._compute_loss(trainer, None, inputs)
    total.backward()
    return {"loss": float(total.detach()), "gradient": flat(logprobs.grad)}


def policy_cases() -> list[dict[str, Any]]:
    names = ["grpo", "dr_grpo", "dapo", "bnpo", "gspo", "cispo"]
    cases = []
    for name in names:
        for beta in (0.0, 0.04):
            for cap in (None, CAP):
                low, high = (0.02, 0.03) if name == "gspo" else (0.2, 0.28)
                peer = policy_case(
                    "grpo" if name == "gspo" else name,
                    level="sequence" if name == "gspo" else "token",
                    low=low,
                    # TRL's cispo takes the cap itself, the paper's epsilon is what lies above 1
                    high=1 + high if name == "cispo" else high,
                    beta=beta,
                    cap=cap,
                )
                settings = {
                    "name": name,
                    "clip_low": low,
                    "clip_high": high,
                    "beta": beta,
                    "kl": "k3",
                    "importance_cap": cap,
                }
                cases.append({"settings": settings, **peer})
    return cases


def outputs_of(logprobs: torch.Tensor, order: list[int]) -> SimpleNamespace:
    """What the fused head would return: 0 where there is no label."""
    picked = logprobs[order] * MASK[order]
    return SimpleNamespace(
        log_probs=picked,
        entropy=torch.zeros_like(picked),
        mean_logits=torch.zeros_like(picked),
        is_top1=torch.zeros_like(picked, dtype=torch.bool),
        label_mask=MASK[order].bool(),
    )


def preference_case(kinds: list[str], weights: list[float], beta: float, order: list[int]) -> dict[str, Any]:
    """``order``: the chosen completions, then the rejected ones."""
    logprobs = LOGPROBS.clone().requires_grad_(True)

    class Model(torch.nn.Module):
        is_gradient_checkpointing = False

        def __init__(self, values: torch.Tensor) -> None:
            super().__init__()
            self.values = values

        def forward(self, **_: Any) -> SimpleNamespace:
            return outputs_of(self.values, order)

    ids = torch.zeros(len(order), WIDTH + 1, dtype=torch.long)
    mask = torch.cat([torch.zeros(len(order), 1, dtype=torch.long), MASK[order]], dim=1)
    trainer = SimpleNamespace(
        accelerator=Accelerator(),
        model=Model(logprobs),
        ref_model=Model(REFERENCE),
        aux_loss_enabled=False,
        ld_alpha=None,
        precompute_ref_logps=False,
        args=SimpleNamespace(gradient_checkpointing_kwargs=None),
        f_divergence_type="reverse_kl",
        loss_types=kinds,
        loss_weights=weights,
        beta=beta,
        label_smoothing=0.0,
        use_weighting=False,
        _metrics=metrics(),
        _total_train_tokens=0,
        _tp_size=1,
    )
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "completion_mask": mask}
    loss = dpo_trainer.DPOTrainer._compute_loss(trainer, trainer.model, inputs, False)
    loss.backward()
    return {"loss": float(loss.detach()), "gradient": flat(logprobs.grad)}


def preference_cases() -> list[dict[str, Any]]:
    """Pairs (0, 1), (2, 3), (4, 5), chosen first. The SFT term is compared on one pair at a time: TRL
    averages it over the tokens of a batch, biorlhf over its pairs, and on one pair the two are the same."""
    everything = [0, 2, 4, 1, 3, 5]
    cases = []
    for kind in ("sigmoid", "ipo", "hinge"):
        for beta in (0.1, 0.7):
            settings = {"name": f"dpo_{kind}", "beta": beta, "label_smoothing": 0.0, "sft_term": 0.0}
            cases.append(
                {
                    "settings": settings,
                    "pairs": [0, 1, 2],
                    **preference_case([kind], [1.0], beta, everything),
                }
            )
        for pair in range(3):
            settings = {"name": f"dpo_{kind}", "beta": 0.1, "label_smoothing": 0.0, "sft_term": 0.3}
            order = [2 * pair, 2 * pair + 1]
            peer = preference_case([kind, "sft"], [1.0, 0.3], 0.1, order)
            cases.append({"settings": settings, "pairs": [pair], **peer})
    return cases


def supervised_case() -> dict[str, Any]:
    logprobs = LOGPROBS.clone().requires_grad_(True)
    order = list(range(len(LENGTHS)))

    def model(**_: Any) -> SimpleNamespace:
        return outputs_of(logprobs, order)

    trainer = SimpleNamespace(
        accelerator=Accelerator(),
        model=SimpleNamespace(training=True),
        aux_loss_enabled=False,
        compute_loss_func=None,
        label_smoother=None,
        args=SimpleNamespace(loss_type="nll", average_tokens_across_devices=False),
        _metrics=metrics(),
        _total_train_tokens=0,
        _tp_size=1,
        get_tp_size=lambda: 1,
    )
    trainer.accelerator.parallelism_config = None
    ids = torch.zeros(len(order), WIDTH + 1, dtype=torch.long)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids}
    loss = sft_trainer.SFTTrainer.compute_loss(trainer, model, inputs, num_items_in_batch=MASK.sum())
    loss.backward()
    return {"settings": {"name": "sft"}, "loss": float(loss.detach()), "gradient": flat(logprobs.grad)}


REWARDS = [  # two verifiers, two prompts with three completions; None: nobody scored it
    [[0.9, 0.2], [0.1, 0.4], [0.5, 0.9]],
    [[0.3, 0.8], [0.3, 0.6], [0.7, 0.1]],
]
REWARDS_WITH_NONE = [REWARDS[0], [[0.3, 0.8], [None, None], [0.7, 0.1]]]
WEIGHTS = [0.7, 0.3]


def advantage_case(rewards: list[Any], scale: str, aggregation: str) -> list[float]:
    rows = [row for group in rewards for row in group]
    trainer = SimpleNamespace(
        accelerator=Accelerator(),
        model=SimpleNamespace(training=True, is_gradient_checkpointing=False),
        environment_factories=None,
        environments=None,
        tools=None,
        _is_vlm=False,
        _tokenizer=SimpleNamespace(pad_token_id=0, eos_token_id=1),
        pad_to_multiple_of=None,
        mask_truncated_completions=False,
        args=SimpleNamespace(
            per_device_train_batch_size=6,
            steps_per_generation=1,
            gradient_accumulation_steps=1,
            gradient_checkpointing=False,
            gradient_checkpointing_kwargs=None,
        ),
        num_iterations=1,
        num_generations=GENERATIONS,
        use_vllm=False,
        vllm_importance_sampling_correction=False,
        beta=0.0,
        multi_objective_aggregation=aggregation,
        scale_rewards=scale,
        reward_weights=torch.tensor(WEIGHTS),
        reward_funcs=[None, None],
        reward_func_names=["first", "second"],
        _metrics=metrics(),
        _logs=defaultdict(list, rewards=defaultdict(list), extra=defaultdict(list)),
        _pending_extra_logs={},
        _pending_metrics={},
        log_multimodal=False,
        chat_template_kwargs={},
    )
    ids = [[2]] * len(rows)
    trainer._generate = lambda prompts: (ids, ids, None, [""] * len(rows), None, {}, None, None)
    trainer._calculate_rewards = lambda *_: torch.tensor(
        [[float("nan") if v is None else v for v in row] for row in rows]
    )
    function = MethodType(grpo_trainer.GRPOTrainer._generate_and_score_completions, trainer)
    return [float(a) for a in function([{"prompt": ""}] * len(rows))["advantages"]]


def advantage_cases() -> list[dict[str, Any]]:
    ways = {
        "group": ("group", "sum_then_normalize"),
        "batch": ("batch", "sum_then_normalize"),
        "none": ("none", "sum_then_normalize"),
        "gdpo": ("group", "normalize_then_sum"),
    }
    return [
        {"normalisation": name, "rewards": rewards, "advantages": advantage_case(rewards, *way)}
        for name, way in ways.items()
        for rewards in (REWARDS, REWARDS_WITH_NONE)
    ]


def main(path: str) -> None:
    result = {
        "trl": trl.__version__,
        "lengths": LENGTHS,
        "generations": GENERATIONS,
        "max_completion_tokens": LIMIT,
        "logprobs": flat(LOGPROBS),
        "old_logprobs": flat(OLD),
        "reference_logprobs": flat(REFERENCE),
        "sampler_logprobs": flat(SAMPLER),
        "advantages_N": ADVANTAGES.tolist(),
        "policy": policy_cases(),
        "preference": preference_cases(),
        "supervised": [supervised_case()],
        "weights": WEIGHTS,
        "advantages": advantage_cases(),
    }
    with open(path, "w", encoding="utf-8") as out:
        json.dump(result, out, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
