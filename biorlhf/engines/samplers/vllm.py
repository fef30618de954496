"""Sampling with vLLM, in this process, with the adapter applied or merged in place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

from biorlhf.engines.cpu import first_calls
from biorlhf.engines.models.dequantised import dequantised_base
from biorlhf.engines.models.load import resolve_base
from biorlhf.engines.samplers import arrays
from biorlhf.engines.samplers.contract import Held, SamplerSpec, Steps
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


class VllmSampler(Steps):
    """One vLLM engine; ``sample`` yields groups as they finish.

    Adapters stand side by side, each under a name of its own, so that no cached prefix is shared by two of
    them. Where they are merged one is served at a time, and another when it is asked.
    """

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
        self.held: Held[Any] = Held(1 + spec.recipe.lag)  # an Adapter to merge, or vLLM's name for one
        self.served: AdapterRef | None = None  # of those that are merged
        self._digest: list[str] = []  # after the last load
        self._woken: list[str] = []  # after the last sleep
        self._arrived: dict[str, list[str]] = {}
        self._loads = self._requests = 0
        self._asked: dict[str, tuple[Question, list[int], AdapterRef]] = {}
        self._finished: list[Any] = []  # questions' outputs that came while something else was waited for

    def _engine_args(self) -> dict[str, Any]:
        args = engine_args(self.spec, str(self.base))
        if not self.spec.on_gpu:
            from biorlhf.engines.cpu import vllm_cpu

            args |= vllm_cpu.engine_args(args["dtype"])
        return args

    def encode(self, text: str) -> list[int]:
        return encode_prompt(self.tokenizer, self.spec.recipe.prompt, text)

    def sleep(self) -> None:
        if not self.engine.is_sleeping():
            # Weights, adapters among them, go to host memory; the cache is dropped.
            self.engine.sleep(level=1)

    def load_adapter(self, adapter: Adapter) -> None:
        if self.engine.is_sleeping():
            if not self.engine.wake_up():
                raise RunFailure("vLLM did not wake up")
            self._woken = [] if self.spec.merges else self._digests()
        if self.spec.merges:
            self.held.add(adapter.ref, adapter)
            # Even one of this name: what is loaded is then what is served.
            self.served = None
            self._serve(adapter.ref)
        else:
            self._apply(adapter)

    def _serve(self, policy: AdapterRef | None) -> tuple[AdapterRef, Any]:
        """A policy's name, and vLLM's own for it; one that has to be merged is served from now on."""
        ref, kept = self.held.get(policy)
        if not self.spec.merges:
            return ref, kept
        if ref != self.served:
            # Each worker merges for itself: with several GPUs they are processes of their own.
            self.engine.collective_rpc("merge_adapter", args=(str(self.base), kept.tensors, kept.config))
            self._forget_prefixes()
            self.served = ref
        return ref, None

    def _forget_prefixes(self) -> None:
        """Those in the cache were computed by the policy before."""
        if not self.engine.reset_prefix_cache():
            raise RunFailure("vLLM would not drop the prefix cache of the policy before")

    def _apply(self, adapter: Adapter) -> None:
        from vllm.lora.request import LoRARequest

        alone = self.held.count == 1
        self._loads = 1 if alone else self._loads + 1
        name = "policy" if alone else f"policy-{self._loads}"
        with tempfile.TemporaryDirectory(prefix="biorlhf-adapter-") as folder:
            Path(folder, "adapter_model.safetensors").write_bytes(adapter.tensors)
            Path(folder, "adapter_config.json").write_bytes(adapter.config)
            before = self._digest or self._digests()
            if not self.engine.add_lora(LoRARequest(name, self._loads, folder, load_inplace=alone)):
                raise RunFailure(f"vLLM did not load adapter version {adapter.ref.version}")
        self._digest = self._digests()
        self._refuse_other_bytes(adapter.ref, [before, self._woken or before], alone)
        # A slot that was left keeps its bytes: of several, any that was here before may be found there again.
        self._arrived = {**({} if alone else self._arrived), adapter.ref.sha256: self._digest}
        # vLLM holds the tensors now; a request only names them.
        gone = self.held.add(adapter.ref, LoRARequest(name, self._loads, folder))
        if alone:
            self._forget_prefixes()
            return
        for request in gone:
            self.engine.remove_lora(request.lora_int_id)

    def _refuse_other_bytes(self, ref: AdapterRef, before: list[list[str]], alone: bool) -> None:
        """One step moves few log-probabilities far enough to be seen; it moves what kernels read."""
        known = self._arrived.get(ref.sha256)
        if known is None:
            stale = any(now == then for each in before for now, then in zip(self._digest, each, strict=True))
        else:
            stale = alone and self._digest != known
        if stale:
            found = "those of before" if known is None else "other than when it was loaded before"
            raise PolicyMismatch(
                f"adapter version {ref.version} did not arrive: the tensors that vLLM's kernels read "
                f"are {found}"
            )

    def _digests(self) -> list[str]:
        """Of the LoRA tensors where each worker's kernels read them."""
        return self.engine.collective_rpc("adapter_digest")

    @property
    def beside(self) -> bool:
        return not self.spec.merges and self.held.count > 1

    def add(self, question: Question, sampling: Sampling) -> Hashable:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        ref, lora = self._serve(sampling.policy)
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
        key = self._add(ids, params, lora)
        self._asked[key] = (question, ids, ref)
        return key

    def step(self) -> list[tuple[Hashable, Group]]:
        finished, self._finished = self._finished or self._advance(), []
        groups: list[tuple[Hashable, Group]] = []
        for output in finished:
            question, ids, ref = self._asked.pop(output.request_id)
            completions = tuple(_completion(out, ref) for out in output.outputs)
            groups.append((output.request_id, Group(question, arrays.token_ids(ids), completions)))
        return groups

    def _advance(self) -> list[Any]:
        """One step of the engine; gives what is finished."""
        outputs: list[Any] = self.engine.step()
        return [output for output in outputs if output.finished]

    def logprobs(
        self, prompt_ids: Sequence[int], token_ids: Sequence[int], policy: AdapterRef | None = None
    ) -> list[float]:
        from vllm import SamplingParams

        _, lora = self._serve(policy)
        ids = [*prompt_ids, *token_ids]
        # vLLM scores a prompt only on the way to an answer; one token is the shortest.
        name = self._add(ids, SamplingParams(temperature=0.0, max_tokens=1, prompt_logprobs=0), lora)
        while True:
            finished = self._advance()
            # What else is finished is for the next step.
            self._finished += [output for output in finished if output.request_id != name]
            for output in finished:
                if output.request_id == name:
                    rows = output.prompt_logprobs[len(prompt_ids) :]
                    return [row[token].logprob for row, token in zip(rows, token_ids, strict=True)]

    def _add(self, ids: list[int], params: Any, lora: Any) -> str:
        self._requests += 1
        name = f"request-{self._requests}"
        self.engine.add_request(name, {"prompt_token_ids": ids}, params, lora_request=lora)
        return name


def _completion(output: Any, ref: AdapterRef) -> Completion:
    logprobs = [row[token].logprob for row, token in zip(output.logprobs, output.token_ids, strict=True)]
    ids = arrays.token_ids(output.token_ids)
    return Completion(output.text, ids, arrays.logprobs(logprobs), output.finish_reason == "length", ref)
