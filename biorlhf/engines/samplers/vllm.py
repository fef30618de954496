"""Sampling with vLLM, in this process, with the adapter applied or merged in place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from biorlhf.engines.cpu import first_calls
from biorlhf.engines.models.dequantised import dequantised_base
from biorlhf.engines.models.load import resolve_base
from biorlhf.engines.samplers import arrays
from biorlhf.engines.samplers.contract import SamplerSpec
from biorlhf.engines.samplers.engine_args import engine_args
from biorlhf.engines.samplers.prompts import encode_prompt
from biorlhf.errors import PolicyMismatch, ResourceError, RunFailure
from biorlhf.seeds import seed_of
from biorlhf.stage import Adapter, Sampling
from biorlhf.types import AdapterRef, Completion, Group, Question


def _set_environment(spec: SamplerSpec) -> None:
    """vLLM reads these when it is imported. One process, so that weights can be handed over in memory."""
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    os.environ["VLLM_NO_USAGE_STATS"] = "1"
    if not spec.on_gpu:
        os.environ["OMP_NUM_THREADS"] = str(spec.threads)  # Ray's own setting is the actor's CPUs
        os.environ["VLLM_CPU_OMP_THREADS_BIND"] = "nobind"
        os.environ.pop("VLLM_CPU_KVCACHE_SPACE", None)  # it would go before the recipe's


def _check_platform(spec: SamplerSpec) -> None:
    """vLLM takes the device that it was built for; the recipe says which that is to be.

    Raises:
        ResourceError: they differ.
    """
    from vllm.platforms import current_platform

    built_for = current_platform.device_type or "a GPU, and sees none"
    if built_for == ("cuda" if spec.on_gpu else "cpu"):
        return
    asked = f"rollout.gpus is {spec.recipe.rollout.gpus:g}, but the vLLM installed here is built for "
    raise ResourceError(
        "rollout.gpus",
        asked + ("a GPU" if built_for == "cuda" else "a CPU" if built_for == "cpu" else built_for),
        hint="install cluster/requirements-gpu.txt on a machine with a GPU"
        if spec.on_gpu
        else "set rollout.gpus (and learner.gpus) above 0, as `make run` does on a machine with a GPU; or "
        "install cluster/requirements-cpu.txt",
    )


class VllmSampler:
    """One vLLM engine. ``load_adapter`` swaps the policy; ``sample`` yields groups as they finish."""

    def __init__(self, spec: SamplerSpec) -> None:
        _set_environment(spec)
        first_calls.settle()
        from vllm import EngineArgs, LLMEngine

        self.spec = spec
        _check_platform(spec)
        model = spec.recipe.model
        device = "cuda" if spec.on_gpu else "cpu"
        self.base = (
            dequantised_base(model, device) if spec.dequantises else resolve_base(model.base, model.revision)
        )
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
        self._held: list[str] = []
        self._requests = 0

    def _engine_args(self) -> dict[str, Any]:
        args = engine_args(self.spec, str(self.base))
        if not self.spec.on_gpu:
            from biorlhf.engines.cpu import vllm_cpu

            args |= vllm_cpu.engine_args(args["dtype"])
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
        # Each worker merges for itself: with several GPUs they are processes of their own.
        self.engine.collective_rpc("merge_adapter", args=(str(self.base), adapter.tensors, adapter.config))

    def _apply(self, adapter: Adapter) -> None:
        from vllm.lora.request import LoRARequest

        with tempfile.TemporaryDirectory(prefix="biorlhf-adapter-") as folder:
            Path(folder, "adapter_model.safetensors").write_bytes(adapter.tensors)
            Path(folder, "adapter_config.json").write_bytes(adapter.config)
            held = self._held or self._digests()
            if not self.engine.add_lora(LoRARequest("policy", 1, folder, load_inplace=True)):
                raise RunFailure(f"vLLM did not load adapter version {adapter.ref.version}")
        self._held = self._digests()
        # One step moves few log-probabilities far enough to be seen; it moves these bytes.
        stale = any(now == before for now, before in zip(self._held, held, strict=True))
        if stale and (self.ref is None or self.ref.sha256 != adapter.ref.sha256):
            raise PolicyMismatch(
                f"adapter version {adapter.ref.version} did not arrive: the tensors that vLLM's kernels read "
                f"are those of before"
            )
        # vLLM holds the tensors now; a request only names them.
        self._lora = LoRARequest("policy", 1, folder)

    def _digests(self) -> list[str]:
        """Of the LoRA tensors where each worker's kernels read them."""
        return self.engine.collective_rpc("adapter_digest")

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
                yield Group(question, arrays.token_ids(ids), completions)

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

    def sleep(self) -> None:
        """Weights to the host's memory, and the cache away."""
        self.engine.sleep(level=1)

    def wake(self) -> None:
        """Weights back; what was cached is gone, and so may be the adapter: load it again."""
        self.engine.wake_up()

    def _add(self, ids: list[int], params: Any) -> str:
        self._requests += 1
        name = f"request-{self._requests}"
        self.engine.add_request(name, {"prompt_token_ids": ids}, params, lora_request=self._lora)
        return name


def _completion(output: Any, ref: AdapterRef) -> Completion:
    logprobs = [row[token].logprob for row, token in zip(output.logprobs, output.token_ids, strict=True)]
    ids = arrays.token_ids(output.token_ids)
    return Completion(output.text, ids, arrays.logprobs(logprobs), output.finish_reason == "length", ref)
