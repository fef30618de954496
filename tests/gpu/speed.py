"""How fast the learner is on a device, with random weights. Parts of check.py; each gives rows."""

from __future__ import annotations

import contextlib
import gc
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import correctness
import torch
from torch.nn import functional as F

from biorlhf.engines.gpu import fused as fused_gpu
from biorlhf.engines.gpu import varlen
from biorlhf.engines.learning import policy as policies
from biorlhf.engines.learning.learner import Learner, LearnerSpec
from biorlhf.engines.models.lora import expand_scales
from biorlhf.types import TrainCompletion, TrainGroup

MISTRAL = {
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "max_position_embeddings": 32768,
    "vocab_size": 32768,
    "sliding_window": None,
    "tie_word_embeddings": False,
}
SMALL = {
    **MISTRAL,
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 512,
}


def never(*_: Any) -> bool:
    """In place of what is switched off. A mock would keep what it is called with: every layer's queries."""
    return False


def wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def seconds(device: str, call: Callable[[], Any], repeats: int = 5) -> float:
    """The best of some calls after one that warms up."""
    call()
    best = float("inf")
    for _ in range(repeats):
        wait(device)
        start = time.perf_counter()
        call()
        wait(device)
        best = min(best, time.perf_counter() - start)
    return best


def matrix_rate(check: Any) -> Iterator[dict[str, Any]]:
    """Of bf16 products as large as those of a 7B layer: of this rate shares are given."""
    size = 256 if check.quick else 8192
    a, b = (torch.randn(size, size, device=check.device, dtype=torch.bfloat16) for _ in range(2))
    taken = seconds(check.device, lambda: a @ b, 2 if check.quick else 20)
    rate = 2 * size**3 / taken / 1e12
    check.notes["tflops"] = rate
    yield {"size": size, "bf16_tflops": round(rate, 2)}


def large_model(check: Any, dtype: str) -> Any:
    """Mistral-7B's shape with random weights, on the device; linear layers in NF4 where asked for."""
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model("mistral", **(SMALL if check.quick else MISTRAL))
    compute = torch.bfloat16 if check.device == "cuda" else torch.float32
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(config, dtype=compute, attn_implementation="sdpa")
    for name, module in list(model.named_modules()):
        if isinstance(module, torch.nn.Linear) and dtype == "nf4" and name != "lm_head":
            parent = model.get_submodule(name.rpartition(".")[0])
            setattr(parent, name.rpartition(".")[2], _quantised(module, check.device, compute))
    for owner in model.modules():
        for name, tensor in list(owner._parameters.items()):
            if tensor is not None and tensor.is_meta:
                fresh = torch.empty(tensor.shape, device=check.device, dtype=compute)
                fresh = fresh.normal_(0, 0.02) if tensor.dim() > 1 else fresh.fill_(1.0)
                setattr(owner, name, torch.nn.Parameter(fresh, requires_grad=False))
    # Rotary tables are buffers, made anew: on the meta device they hold nothing.
    model.model.rotary_emb = type(model.model.rotary_emb)(config=config).to(check.device)
    expand_scales(model)
    return model.eval().requires_grad_(False)


def _quantised(layer: torch.nn.Linear, device: str, compute: torch.dtype) -> Any:
    from bitsandbytes.nn import Linear4bit, Params4bit

    with torch.device("meta"):  # otherwise it draws weights first, on the CPU
        made = Linear4bit(
            layer.in_features, layer.out_features, bias=False, compute_dtype=compute, quant_type="nf4"
        )
    weight = torch.randn(layer.out_features, layer.in_features, dtype=compute, device=device) * 0.02
    made.weight = Params4bit(
        weight.cpu() if device == "cpu" else weight,
        requires_grad=False,
        quant_type="nf4",
        compress_statistics=True,
    )
    return made.to(device)


def rows(check: Any, kind: str) -> tuple[list[TrainGroup], dict[str, Any]]:
    """A batch as the recipes have it: groups of answers, pairs, or texts."""
    small = check.quick
    vocabulary = 500 if small else 32000

    def ids(count: int) -> tuple[int, ...]:
        return tuple(torch.randint(10, vocabulary, (count,)).tolist())

    prompt, answer = (20, 12) if small else (400, 400)
    if kind == "sft":
        texts = [
            TrainGroup(ids(prompt // 4), (TrainCompletion(ids(answer)),)) for _ in range(4 if small else 32)
        ]
        return texts, {"name": "sft"}
    if kind == "dpo":
        pairs = [
            TrainGroup(ids(prompt // 4), (TrainCompletion(ids(answer)), TrainCompletion(ids(answer))))
            for _ in range(2 if small else 16)
        ]
        return pairs, correctness.DPO

    def sampled(number: int) -> TrainCompletion:
        return TrainCompletion(ids(answer), 1.0 if number % 2 else -1.0)

    groups = [TrainGroup(ids(prompt), tuple(map(sampled, range(4 if small else 16)))) for _ in range(2)]
    return groups, {**correctness.GRPO, "beta": 0.0}


def large_shape(
    check: Any,
    dtype: str,
    kinds: tuple[str, ...] = ("sft", "dpo", "grpo"),
    fused: bool = True,
    budget: int = 8192,
    checkpointing: bool | None = None,
) -> Iterator[dict[str, Any]]:
    """SFT, DPO and GRPO steps: tokens a second, share of the matrix rate, peak memory, kernels."""
    clean(check)
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as patches:
        base = correctness.tiny(Path(place) / "tiny", "mistral")
        model = large_model(check, dtype)
        patches.enter_context(mock.patch.object(policies.models, "load_base", return_value=model))
        if not fused:
            patches.enter_context(mock.patch.object(fused_gpu, "fuse", never))
            patches.enter_context(mock.patch.object(varlen, "suits", never))
        settings = {
            "token_budget": 256 if check.quick else budget,
            "gradient_checkpointing": checkpointing,
        }
        recipe = correctness.recipe_of(base, dtype, **settings)
        recipe = recipe.model_copy(update={"lora": recipe.lora.model_copy(update={"r": 32, "alpha": 64.0})})
        learner = Learner(LearnerSpec(recipe, torch.get_num_threads(), on_gpu=check.device == "cuda"))
        learner.begin_stage(0, 100)
        weights = sum(a.in_features * a.out_features for a in _linear(model))
        for kind in kinds:
            torch.manual_seed(0)
            groups, loss = rows(check, kind)
            yield _measured(check, learner, kind, groups, loss, weights)


def _measured(
    check: Any, learner: Learner, kind: str, groups: list[TrainGroup], loss: dict[str, Any], weights: int
) -> dict[str, Any]:
    loss = {**loss, "adapter": False}
    learner.step(groups, loss, seed=0)
    if check.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    took = []
    for seed in range(1 if check.quick else 2):
        wait(check.device)
        start = time.perf_counter()
        metrics = learner.step(groups, loss, seed=seed + 1).metrics
        wait(check.device)
        took.append(time.perf_counter() - start)
    taken = min(took)
    # Forward and back towards x through frozen weights; what checkpointing computes again is not counted.
    useful = 4 * weights * metrics["tokens"] / taken / 1e12
    rate = check.notes.get("tflops")
    answers = sum(len(c.token_ids) for g in groups for c in g.completions)
    row: dict[str, Any] = {
        "loss": kind,
        "step_s": round(taken, 3),
        "fed_tokens": int(metrics["tokens"]),
        "fed_tokens_a_second": round(metrics["tokens"] / taken, 1),
        "answer_tokens_a_second": round(answers / taken, 1),
        "tflops": round(useful, 2),
        "share_of_matrix_rate": round(useful / rate, 3) if rate else None,
    }
    if check.device == "cuda":
        row["peak_gb"] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
        row |= {name: round(metrics[name], 3) for name in metrics if name.startswith("time_")}
        row |= _kernels(lambda: learner.step(groups, loss, seed=3))
        one = seconds(check.device, lambda: learner.step(groups[:1], {**loss, "name": "sft"}, seed=4), 2)
        row["one_group_s"] = round(one, 3)
    return row


def _kernels(call: Callable[[], Any]) -> dict[str, Any]:
    """How many kernels a call launches, and the dearest of them with their milliseconds."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        call()
    table = [e for e in seen.key_averages() if e.device_type == torch.autograd.DeviceType.CUDA]
    table.sort(key=lambda e: -e.self_device_time_total)
    dearest = {e.key[:70]: [round(e.self_device_time_total / 1e3, 2), e.count] for e in table[:30]}
    whole = sum(e.self_device_time_total for e in table) / 1e3
    return {"kernels": sum(e.count for e in table), "kernels_ms": round(whole, 1), "dearest": dearest}


def _linear(model: Any) -> list[Any]:
    return [m for name, m in model.named_modules() if isinstance(m, torch.nn.Linear) and "lora" not in name]


def clean(check: Any) -> None:
    gc.collect()
    if check.device == "cuda":
        torch.cuda.empty_cache()


def micro(check: Any) -> Iterator[dict[str, Any]]:
    """Single operators forward and back, as they are and fused: how far apart, and how much faster."""
    tokens, width, inner = (64, 128, 256) if check.quick else (8192, 4096, 14336)
    dtype = torch.bfloat16 if check.device == "cuda" else torch.float32

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, device=check.device, dtype=dtype, requires_grad=True)

    weight = torch.ones(width, device=check.device, dtype=dtype)

    def norm(h: torch.Tensor) -> torch.Tensor:
        f = h.float()
        return weight * (f * torch.rsqrt(f.pow(2).mean(-1, keepdim=True) + 1e-5)).to(h.dtype)

    def swiglu(g: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        return F.silu(g) * u

    for name, plain, given in (
        ("rms_norm", norm, (drawn(tokens, width),)),
        ("swiglu", swiglu, (drawn(tokens, inner), drawn(tokens, inner))),
    ):
        ways: dict[str, Callable[..., Any]] = {"plain": plain}
        if check.device == "cuda":
            ways |= {"compiled": torch.compile(plain, dynamic=True), "liger": _liger(name, weight)}
        yield from _ways(check, name, ways, given)
    yield from _attention(check, drawn)


def _liger(name: str, weight: torch.Tensor) -> Callable[..., Any]:
    from liger_kernel.ops.rms_norm import LigerRMSNormFunction
    from liger_kernel.ops.swiglu import LigerSiLUMulFunction

    if name == "swiglu":
        # Its way back writes over what it was given.
        return lambda g, u: LigerSiLUMulFunction.apply(g.clone(), u.clone())
    return lambda h: LigerRMSNormFunction.apply(h, weight, 1e-5, 0.0, "llama", False)


def _ways(
    check: Any, name: str, ways: dict[str, Callable[..., Any]], given: tuple[torch.Tensor, ...]
) -> Iterator[dict[str, Any]]:
    """Each way's value and gradients against the first's, and its milliseconds forward and back."""
    first: list[torch.Tensor] = []
    towards = None
    for way, call in ways.items():
        try:
            value = call(*given)
            towards = torch.randn_like(value) if towards is None else towards
            results = [value.detach(), *torch.autograd.grad(value, given, towards)]
        except Exception as error:
            yield {"operator": name, "way": way, "error": f"{type(error).__name__}: {error}"[:300]}
            continue
        first = first or results
        apart = max(
            float((a.detach().float() - b.float()).norm() / b.float().norm())
            for a, b in zip(results, first, strict=True)
        )

        def both(call: Callable[..., Any] = call, towards: torch.Tensor = towards) -> None:
            torch.autograd.grad(call(*given), given, towards)

        taken = seconds(check.device, both, 2 if check.quick else 20)
        yield {
            "operator": name,
            "way": way,
            "ok": apart <= 0.02,
            "ms": round(1e3 * taken, 4),
            "apart": float(f"{apart:.2e}"),
        }


def _attention(check: Any, drawn: Callable[..., torch.Tensor]) -> Iterator[dict[str, Any]]:
    """A group of answers on one prompt: dense blocks, lengths, and FlexAttention over one row."""
    from biorlhf.engines.learning import forward
    from biorlhf.engines.learning.packing import pack

    count, prompt, answer, heads, kv, size = (
        (3, 8, 6, 4, 2, 16) if check.quick else (16, 400, 400, 32, 8, 128)
    )
    group = TrainGroup(
        tuple(range(prompt)), tuple(TrainCompletion(tuple(range(answer))) for _ in range(count))
    )
    row = pack([group]).to(torch.device(check.device))
    length = len(row.input_ids_F)
    given = tuple(drawn(1, number, length, size) for number in (heads, kv, kv))

    def attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return forward._packed_attention(None, q, k, v, None, packed_row=row, packed_masks={})[0]  # type: ignore[arg-type]

    def blocks(*given: torch.Tensor) -> torch.Tensor:
        with mock.patch.object(varlen, "suits", never):
            return attend(*given)

    flex = _flex(check, length, count, prompt, answer)
    yield from _ways(check, "attention", {"blocks": blocks, "lengths": attend, "flex": flex}, given)


def _flex(check: Any, length: int, count: int, prompt: int, answer: int) -> Callable[..., torch.Tensor]:
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    owner = torch.full((length,), -1, device=check.device)
    for number in range(count):
        start = prompt + number * (answer - 1)
        owner[start : start + answer - 1] = number

    def seen(b: Any, h: Any, i: Any, j: Any) -> Any:
        return (i >= j) & ((owner[j] == -1) | (owner[j] == owner[i]))

    flex: Any = flex_attention if check.device == "cpu" else torch.compile(flex_attention, dynamic=True)
    mask = create_block_mask(seen, None, None, length, length, device=check.device)
    return lambda q, k, v: flex(q, k, v, block_mask=mask, enable_gqa=True).transpose(1, 2)
