"""What vLLM is told of a recipe, as plain data: ``EngineArgs`` of vLLM 0.32 by name."""

from __future__ import annotations

import importlib.util
from typing import Any

from biorlhf.engines.samplers.contract import SamplerSpec
from biorlhf.errors import ResourceError

DTYPES = {"fp32": "float32", "bf16": "bfloat16", "nf4": "bfloat16"}
READ_AT_ONCE = 4096  # tokens of prompts that a step on a CPU reads
# A group's answers share their prompt's cache by whole blocks. vLLM takes blocks of 128 tokens on a CPU, more
# than most prompts have, and would then read a prompt once for each answer; its kernels allow 32.
SHARED_TOKENS = 32
LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)  # the ranks that vLLM reserves room for
# What vLLM gives its server on a large GPU. An engine that is called from Python gets 128 and 2,048.
GPU_SEQUENCES, GPU_TOKENS = 1024, 16384
BNB_PLUGIN = "vllm_bnb_plugin"


def engine_args(spec: SamplerSpec, base: str) -> dict[str, Any]:
    """The arguments of an engine that serves the folder ``base``; without those that need vLLM itself.

    Raises:
        ResourceError: what the recipe asks for cannot be served on this device.
    """
    recipe = spec.recipe
    args: dict[str, Any] = {
        "model": base,
        "trust_remote_code": recipe.model.trust_remote_code,
        # Never another format that may lie beside it, as Mistral's own: the learner reads this one.
        "config_format": "hf",
        "tokenizer_mode": "hf",
        "load_format": "safetensors",
        "dtype": DTYPES[spec.dtype],
        "max_model_len": recipe.prompt.max_tokens + recipe.rollout.max_completion_tokens + 1,
        "seed": recipe.seed,
        "enforce_eager": not spec.on_gpu,
        "disable_log_stats": True,
        "worker_extension_cls": "biorlhf.engines.samplers.served.ServedWeights",
    }
    if args["dtype"] == "bfloat16":
        # As the learner: logits rounded to 16 bits are wrong by more than an update changes them.
        args["hf_overrides"] = {"head_dtype": "float32"}
    args |= _on_gpu(spec, args) if spec.on_gpu else _on_cpu(spec, args)
    if not spec.merges:
        args["enable_lora"] = True
        args["max_loras"] = recipe.adapter_slots
        args["max_lora_rank"] = next(r for r in LORA_RANKS if r >= spec.max_lora_rank)
    return args


def _on_gpu(spec: SamplerSpec, args: dict[str, Any]) -> dict[str, Any]:
    rollout = spec.recipe.rollout
    if not spec.merges and spec.dtype == "fp32":
        raise ResourceError(
            "rollout.sync",
            "adapter, but vLLM's LoRA kernels on a GPU take 16 bits and the base is served in fp32",
            hint="set rollout.sync: merged (or auto), or rollout.dtype: bf16",
        )
    more: dict[str, Any] = {
        "gpu_memory_utilization": rollout.memory_fraction,
        "max_num_seqs": GPU_SEQUENCES,
        "max_num_batched_tokens": max(GPU_TOKENS, args["max_model_len"]),
    }
    if rollout.sleep:
        more["enable_sleep_mode"] = True
    if rollout.gpus > 1:
        more["tensor_parallel_size"] = int(rollout.gpus)
        # By itself vLLM would take Ray inside a Ray actor, and ask it for GPUs that the actor already holds.
        more["distributed_executor_backend"] = "mp"
    if spec.dtype == "nf4":
        _need_plugin(spec)
        more["quantization"] = "bitsandbytes"
        more["load_format"] = "bitsandbytes"
    return more


def _need_plugin(spec: SamplerSpec) -> None:
    if spec.merges:
        raise ResourceError(
            "rollout.sync",
            "merged, but weights of four bits would round an adapter away",
            hint="set rollout.sync: adapter (or auto), or leave rollout.dtype out",
        )
    if importlib.util.find_spec(BNB_PLUGIN) is None:
        raise ResourceError(
            "rollout.dtype",
            "nf4, for which vLLM needs the package vllm-bnb-plugin, which is not installed",
            hint="leave rollout.dtype out (the same weights in bf16), or install vllm-bnb-plugin",
        )


def _on_cpu(spec: SamplerSpec, args: dict[str, Any]) -> dict[str, Any]:
    if spec.dtype == "nf4":
        raise ResourceError(
            "rollout.dtype",
            "nf4: vLLM serves quantised weights on a GPU alone",
            hint="leave rollout.dtype out: the same weights, in fp32",
        )
    return {
        # A prompt that is cut between two steps makes vLLM rewind its request's random generator,
        # which a generator on a CPU refuses (vLLM 0.32): every prompt is read whole.
        "enable_chunked_prefill": False,
        "kv_cache_memory_bytes": round(spec.recipe.rollout.kv_cache_gb * 2**30),
        "block_size": SHARED_TOKENS,
        "max_num_batched_tokens": max(READ_AT_ONCE, args["max_model_len"]),
    }
