"""Sampling with transformers: for machines without vLLM, and where exact repetition matters.

One question at a time, seeded by the question, so that what it samples does not depend on how the
questions were spread over workers.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Hashable, Sequence
from typing import Any

import torch
from safetensors.torch import load as load_tensors

from biorlhf.engines.models import adapters, lora
from biorlhf.engines.models.head import keep_head_exact
from biorlhf.engines.models.load import load_base, load_tokenizer
from biorlhf.engines.models.merging import lora_deltas
from biorlhf.engines.samplers import arrays
from biorlhf.engines.samplers.contract import Held, SamplerSpec, Steps
from biorlhf.engines.samplers.prompts import encode_prompt
from biorlhf.errors import RunFailure
from biorlhf.recipe import Lora
from biorlhf.seeds import seed_of
from biorlhf.stage import Adapter, Sampling
from biorlhf.types import AdapterRef, Completion, Group, Question


class TransformersSampler(Steps):
    """A transformers model with the adapter merged into its weights; the base weights are kept beside.

    NF4 weights cannot take an adapter without rounding it away: there it stands beside them, as in training.
    """

    def __init__(self, spec: SamplerSpec) -> None:
        torch.set_num_threads(spec.threads)
        self.spec = spec
        self.tokenizer: Any = load_tokenizer(spec.recipe.model)
        dtype = spec.recipe.rollout.dtype
        section = spec.recipe.model.model_copy(update={"dtype": dtype} if dtype else {})
        self.model: Any = load_base(section, device="cuda" if spec.on_gpu else "cpu").eval()
        keep_head_exact(self.model)
        self.device = next(self.model.parameters()).device
        self.held: Held[Adapter] = Held(1 + spec.recipe.lag)
        self.served: AdapterRef | None = None
        self.beside = True
        self._asked: deque[tuple[Question, Sampling, AdapterRef]] = deque()
        self._added = 0
        self._clean: dict[str, torch.Tensor] = {}
        self._quantised = section.dtype == "nf4"
        self._wrapped: tuple[Lora, Any] | None = None

    def encode(self, text: str) -> list[int]:
        return encode_prompt(self.tokenizer, self.spec.recipe.prompt, text)

    def load_adapter(self, adapter: Adapter) -> None:
        self.held.add(adapter.ref, adapter)
        # Even one of this name: what is loaded is then what is served.
        self.served = None
        self._serve(adapter.ref)

    def _serve(self, policy: AdapterRef | None) -> AdapterRef:
        """Serve one of the policies that are held, and give its name."""
        ref, adapter = self.held.get(policy)
        if ref != self.served:
            if self._quantised:
                self._attach(adapter)
            else:
                self._merge(adapter)
            self.served = ref
        return ref

    def _attach(self, adapter: Adapter) -> None:
        tensors, config = load_tensors(adapter.tensors), json.loads(adapter.config)
        if not tensors:
            return
        section = Lora(
            r=config["r"],
            alpha=config["lora_alpha"],
            rslora=config.get("use_rslora", False),
            targets=tuple(config["target_modules"]),
        )
        # Layers of this shape are used again: only their tensors change from step to step.
        if self._wrapped is None or self._wrapped[0] != section:
            if self._wrapped is not None:
                self.model = self._wrapped[1].unload()
            self._wrapped = (section, lora.attach(self.model, section).eval())
        adapters.copy_into(lora.lora_parameters(self._wrapped[1]), tensors, "adapter")

    @torch.no_grad()
    def _merge(self, adapter: Adapter) -> None:
        parameters = dict(self.model.named_parameters())
        for name, (a, b, scale) in lora_deltas(adapter).items():
            if name not in parameters:
                raise RunFailure(f"the adapter has a tensor for {name}, which the base lacks")
            weight = parameters[name]
            # Added to the clean weights each time: taking the last adapter out again would leave its rounding
            # behind.
            clean = self._clean.setdefault(name, weight.detach().clone())
            delta = torch.mm(b.float(), a.float()).mul_(scale).to(weight.device)
            weight.copy_((clean.float() + delta).to(weight.dtype))

    def add(self, question: Question, sampling: Sampling) -> Hashable:
        ref, _ = self.held.get(sampling.policy)
        self._asked.append((question, sampling, ref))
        self._added += 1
        return self._added

    @torch.no_grad()
    def step(self) -> list[tuple[Hashable, Group]]:
        key = self._added - len(self._asked) + 1
        question, sampling, asked_of = self._asked.popleft()
        # Before each, for another policy may have been asked, or loaded, since the last one.
        ref = self._serve(asked_of)
        ids = self.encode(question.asked)
        # generate draws from the global generator and takes no other.
        torch.manual_seed(seed_of(sampling.seed, question.id))
        output = self.model.generate(
            torch.tensor([ids], device=self.device),
            attention_mask=torch.ones(1, len(ids), dtype=torch.long, device=self.device),
            generation_config=self._generation(sampling),
        )
        logprobs_G_T = _logprobs(torch.stack(output.logits, dim=1), output.sequences[:, len(ids) :])
        rows = output.sequences[:, len(ids) :].tolist()
        completions = tuple(
            self._completion(row, values.tolist(), sampling, ref)
            for row, values in zip(rows, logprobs_G_T, strict=True)
        )
        return [(key, Group(question, arrays.token_ids(ids), completions))]

    def _generation(self, sampling: Sampling) -> Any:
        from transformers import GenerationConfig

        greedy = sampling.temperature == 0
        return GenerationConfig(
            do_sample=not greedy,
            temperature=None if greedy else sampling.temperature,
            top_p=None if greedy else sampling.top_p,
            # GenerationConfig's own default keeps 50 tokens, and would sample from another distribution than
            # vLLM.
            top_k=None if greedy else 0,
            num_return_sequences=sampling.n,
            max_new_tokens=sampling.max_tokens,
            eos_token_id=self.tokenizer.eos_token_id,
            pad_token_id=self.tokenizer.pad_token_id or self.tokenizer.eos_token_id,
            # Not the scores, which come after temperature and top-p: the learner compares the policy's own
            # values.
            output_logits=True,
            return_dict_in_generate=True,
        )

    def _completion(
        self, row: list[int], logprobs: list[float], sampling: Sampling, ref: AdapterRef
    ) -> Completion:
        eos = self.tokenizer.eos_token_id
        # A row is padded to the longest of its group: its text ends at the first end token.
        ended = eos in row
        length = row.index(eos) + 1 if ended else len(row)
        text = self.tokenizer.decode(row[:length], skip_special_tokens=True)
        truncated = not ended and length >= sampling.max_tokens
        kept, values = arrays.token_ids(row[:length]), arrays.logprobs(logprobs[:length])
        return Completion(text, kept, values, truncated, ref)

    @torch.no_grad()
    def logprobs(
        self, prompt_ids: Sequence[int], token_ids: Sequence[int], policy: AdapterRef | None = None
    ) -> list[float]:
        self._serve(policy)
        ids = torch.tensor([[*prompt_ids, *token_ids]], device=self.device)
        logits = self.model(ids).logits[:, len(prompt_ids) - 1 : -1]
        return _logprobs(logits, ids[:, len(prompt_ids) :])[0].tolist()


def _logprobs(logits_N_T: torch.Tensor, ids_N_T: torch.Tensor) -> torch.Tensor:
    logits = logits_N_T.float()
    picked = logits.gather(-1, ids_N_T.unsqueeze(-1)).squeeze(-1)
    return picked - torch.logsumexp(logits, dim=-1)
