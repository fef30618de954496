"""Sampling with vLLM, in this process, with the adapter applied or merged in place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from biorlhf.engines.cpu import first_calls
from biorlhf.engines.models.load import resolve_base
from biorlhf.engines.samplers.contract import SamplerSpec
from biorlhf.engines.samplers.prompts import encode_prompt
from biorlhf.errors import ResourceError, RunFailure
from biorlhf.seeds import seed_of
from biorlhf.stage import Adapter, Sampling
from biorlhf.types import AdapterRef, Completion, Group, Question

DTYPES = {"fp32": "float32", "bf16": "bfloat16", "nf4": "bfloat16"}
READ_AT_ONCE = 4096  # tokens of prompts that a step on a CPU reads
# A group's answers share their prompt's cache by whole blocks. vLLM takes blocks of 128 tokens on a CPU, more
# than most prompts have, and would then read a prompt once for each answer; its kernels allow 32.
SHARED_TOKENS = 32
LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)  # the ranks that vLLM reserves room for


def _set_environment(spec: SamplerSpec) -> None:
    """vLLM reads these when it is imported. One process, so that weights can be handed over in memory."""
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    os.environ["VLLM_NO_USAGE_STATS"] = "1"
    if not spec.on_gpu:
        os.environ["OMP_NUM_THREADS"] = str(spec.threads)  # Ray's own setting is the actor's CPUs
        os.environ["VLLM_CPU_OMP_THREADS_BIND"] = "nobind"
        os.environ.pop("VLLM_CPU_KVCACHE_SPACE", None)  # it would go before the recipe's


class VllmSampler:
    """One vLLM engine. ``load_adapter`` swaps the policy; ``sample`` yields groups as they finish."""

    def __init__(self, spec: SamplerSpec) -> None:
        _set_environment(spec)
        first_calls.settle()
        from vllm import EngineArgs, LLMEngine

        recipe = spec.recipe
        self.spec = spec
        self.base = resolve_base(recipe.model.base, recipe.model.revision)
        try:
            self.engine = LLMEngine.from_engine_args(EngineArgs(**self._engine_args()))
        except ValueError as error:
            reason = " ".join(str(error).split())
            hint = "its cache is rollout.kv_cache_gb on a CPU, within rollout.memory_fraction on a GPU"
            raise ResourceError(
                "rollout", f"vLLM does not start: {reason}", hint=hint if "cache" in reason else ""
            ) from error
        self.tokenizer: Any = self.engine.get_tokenizer()
        self.ref: AdapterRef | None = None
        self._lora: Any = None
        self._requests = 0

    def _engine_args(self) -> dict[str, Any]:
        recipe, rollout = self.spec.recipe, self.spec.recipe.rollout
        dtype = rollout.dtype or recipe.model.dtype
        args: dict[str, Any] = {
            "model": str(self.base),
            "revision": recipe.model.revision,
            "trust_remote_code": recipe.model.trust_remote_code,
            "dtype": DTYPES[dtype],
            "max_model_len": recipe.prompt.max_tokens + rollout.max_completion_tokens + 1,
            "seed": recipe.seed,
            "enforce_eager": not self.spec.on_gpu,
            "disable_log_stats": True,
        }
        if self.spec.on_gpu:
            args["gpu_memory_utilization"] = rollout.memory_fraction
            args["tensor_parallel_size"] = max(1, int(rollout.gpus))
            if dtype == "nf4":
                args["quantization"] = "bitsandbytes"
        else:
            # A prompt that is cut between two steps makes vLLM rewind its request's random generator,
            # which a generator on a CPU refuses (vLLM 0.32): every prompt is read whole.
            args["enable_chunked_prefill"] = False
            args["kv_cache_memory_bytes"] = round(rollout.kv_cache_gb * 2**30)
            args["block_size"] = SHARED_TOKENS
            args["max_num_batched_tokens"] = max(READ_AT_ONCE, args["max_model_len"])
            from biorlhf.engines.cpu import vllm_cpu

            args |= vllm_cpu.engine_args(args["dtype"])
        if not self.spec.merges:
            args["enable_lora"] = True
            # One policy is served at a time.
            args["max_loras"] = 1
            args["max_lora_rank"] = next(r for r in LORA_RANKS if r >= self.spec.max_lora_rank)
        return args

    def encode(self, text: str) -> list[int]:
        return encode_prompt(self.tokenizer, self.spec.recipe.prompt, text)

    def load_adapter(self, adapter: Adapter) -> None:
        if self.spec.merges:
            self._merge(adapter)
        else:
            self._apply(adapter)
        # Cached prefixes were computed by the policy before this one.
        if not self.engine.reset_prefix_cache():
            raise RunFailure("vLLM would not drop the prefix cache of the policy before")
        self.ref = adapter.ref

    def _merge(self, adapter: Adapter) -> None:
        from biorlhf.engines.models.merging import merged_tensors

        tensors = merged_tensors(Path(self.base), adapter)
        self.engine.collective_rpc("reload_weights", kwargs={"weights_iterator": tensors})

    def _apply(self, adapter: Adapter) -> None:
        from vllm.lora.request import LoRARequest

        with tempfile.TemporaryDirectory(prefix="biorlhf-adapter-") as folder:
            Path(folder, "adapter_model.safetensors").write_bytes(adapter.tensors)
            Path(folder, "adapter_config.json").write_bytes(adapter.config)
            if not self.engine.add_lora(LoRARequest("policy", 1, folder, load_inplace=True)):
                raise RunFailure(f"vLLM did not load adapter version {adapter.ref.version}")
        # vLLM holds the tensors now; a request only names them.
        self._lora = LoRARequest("policy", 1, folder)

    def sample(self, questions: Sequence[Question], sampling: Sampling) -> Iterator[Group]:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        if self.ref is None:
            raise RunFailure("no adapter was loaded before sampling")
        ref, asked = self.ref, {}
        for question in questions:
            ids = self.encode(question.asked)
            params = SamplingParams(
                n=sampling.n,
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                max_tokens=sampling.max_tokens,
                seed=seed_of(sampling.seed, question.id),
                # Zero alternatives: vLLM still gives the sampled token's own.
                logprobs=0,
                # Groups are scored whole, so nothing is done with a part of one.
                output_kind=RequestOutputKind.FINAL_ONLY,
            )
            asked[self._add(ids, params)] = (question, ids)
        while asked:
            output: Any
            for output in self.engine.step():
                if not output.finished:
                    continue
                question, ids = asked.pop(output.request_id)
                completions = tuple(_completion(out, ref) for out in output.outputs)
                yield Group(question, tuple(ids), completions)

    def logprobs(self, prompt_ids: Sequence[int], token_ids: Sequence[int]) -> list[float]:
        from vllm import SamplingParams

        ids = [*prompt_ids, *token_ids]
        # vLLM scores a prompt only on the way to an answer; one token is the shortest.
        self._add(ids, SamplingParams(temperature=0.0, max_tokens=1, prompt_logprobs=0))
        while True:
            finished: list[Any] = [output for output in self.engine.step() if output.finished]
            if finished:
                rows = finished[0].prompt_logprobs[len(prompt_ids) :]
                return [row[token].logprob for row, token in zip(rows, token_ids, strict=True)]

    def _add(self, ids: list[int], params: Any) -> str:
        self._requests += 1
        name = f"request-{self._requests}"
        self.engine.add_request(name, {"prompt_token_ids": ids}, params, lora_request=self._lora)
        return name


def _completion(output: Any, ref: AdapterRef) -> Completion:
    token_ids = tuple(output.token_ids)
    logprobs = tuple(row[token].logprob for row, token in zip(output.logprobs, token_ids, strict=True))
    return Completion(output.text, token_ids, logprobs, output.finish_reason == "length", ref)
