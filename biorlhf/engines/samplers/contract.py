"""What every sampler does, and the plain data that one is built from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from biorlhf.recipe import Recipe
from biorlhf.stage import Adapter, Sampling
from biorlhf.types import Group, Question


@dataclass(frozen=True, slots=True)
class SamplerSpec:
    """Plain data that a sampler is built from. ``max_lora_rank`` is the largest rank it will be sent;
    ``threads`` bounds its compute threads; ``on_gpu`` says where it runs."""

    recipe: Recipe
    max_lora_rank: int
    threads: int
    on_gpu: bool

    @property
    def dtype(self) -> str:
        """In what the engine holds the base: ``fp32``, ``bf16``, or ``nf4`` where the recipe wants just that.

        An NF4 base is served dequantised unless ``rollout.dtype`` is nf4 itself: the learner's very weights,
        in the type that it expands them to.
        """
        asked = self.recipe.rollout.dtype
        if asked is None and self.recipe.model.dtype == "nf4":
            return "bf16" if self.on_gpu else "fp32"
        return asked or self.recipe.model.dtype

    @property
    def dequantises(self) -> bool:
        """Whether what is served is the NF4 base, expanded."""
        return self.recipe.model.dtype == "nf4" and self.dtype != "nf4"

    @property
    def merges(self) -> bool:
        """Whether adapters are merged into the served weights instead of applied beside them.

        vLLM's LoRA path is slow on a CPU, and on a GPU its kernels take 16 bits alone.
        """
        sync = self.recipe.rollout.sync
        return sync == "merged" or (sync == "auto" and (not self.on_gpu or self.dtype == "fp32"))


def carries_16_bits(recipe: Recipe) -> bool:
    """Whether adapters are given out in bf16: where learner and engine both compute in it, and would round
    them away to it. The learner's own, its optimizer and its checkpoints stay in fp32."""
    rollout, model = recipe.rollout, recipe.model
    served = SamplerSpec(recipe, 1, 1, on_gpu=rollout.gpus > 0).dtype
    halves = (
        served == "bf16" or (served == "nf4" and rollout.gpus > 0),
        # NF4 is expanded to fp32 on a CPU.
        model.dtype == "bf16" or (model.dtype == "nf4" and recipe.learner.gpus > 0),
    )
    return all(halves)


class Sampler(Protocol):
    """A model that can be sampled from, with one adapter at a time."""

    def sample(self, questions: Sequence[Question], sampling: Sampling) -> Iterator[Group]: ...

    def load_adapter(self, adapter: Adapter) -> None: ...

    def logprobs(self, prompt_ids: Sequence[int], token_ids: Sequence[int]) -> list[float]:
        """Log-probabilities in nats of ``token_ids`` after ``prompt_ids``, under the served policy."""
        ...

    def encode(self, text: str) -> list[int]:
        """The token ids of a prompt, in the recipe's template."""
        ...
