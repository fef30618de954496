"""What every sampler does, and the plain data that one is built from."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from biorlhf.errors import RunFailure
from biorlhf.recipe import Recipe
from biorlhf.stage import Adapter, Sampling
from biorlhf.types import AdapterRef, Group, Question

Kept = TypeVar("Kept")


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


class Held(Generic[Kept]):
    """What is kept of each of the newest policies, ``count`` of them; the oldest goes."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.by_ref: dict[AdapterRef, Kept] = {}

    def add(self, ref: AdapterRef, kept: Kept) -> list[Kept]:
        """Add a policy or make it the newest; gives what was kept of those that went."""
        gone = [self.by_ref.pop(ref)] if ref in self.by_ref else []
        self.by_ref[ref] = kept
        while len(self.by_ref) > self.count:
            gone.append(self.by_ref.pop(next(iter(self.by_ref))))
        return gone

    def get(self, ref: AdapterRef | None) -> tuple[AdapterRef, Kept]:
        """A policy (None: the newest) and what is kept of it.

        Raises:
            RunFailure: it is not held.
        """
        if not self.by_ref:
            raise RunFailure("no adapter was loaded before sampling")
        ref = ref or next(reversed(self.by_ref))
        if ref not in self.by_ref:
            held = ", ".join(str(other.version) for other in self.by_ref)
            raise RunFailure(f"adapter version {ref.version} is not held any more; held: {held}")
        return ref, self.by_ref[ref]


class Steps:
    """What is made of a sampler's single steps, and of one that has nothing to give back."""

    def sleep(self) -> None:
        """See :meth:`Sampler.sleep`."""

    def sample(self: Any, questions: Sequence[Question], sampling: Sampling) -> Iterator[Group]:
        """The groups of these questions, as they finish; nothing else may be running."""
        left = {self.add(question, sampling) for question in questions}
        while left:
            for key, group in self.step():
                left.discard(key)
                yield group


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
    """A model that can be sampled from, under each of the policies that it holds."""

    @property
    def beside(self) -> bool:
        """Whether policies may be loaded, and several be asked, while questions are being answered."""
        ...

    def add(self, question: Question, sampling: Sampling) -> Hashable:
        """Begin to answer a question beside those that run; gives a key of it."""
        ...

    def step(self) -> list[tuple[Hashable, Group]]:
        """Go on for a moment; gives what is complete by then, by key."""
        ...

    def sample(self, questions: Sequence[Question], sampling: Sampling) -> Iterator[Group]: ...

    def load_adapter(self, adapter: Adapter) -> None:
        """Hold this policy, the newest from now on. Wakes a sampler that sleeps."""
        ...

    def sleep(self) -> None:
        """Give back a GPU's memory until a policy is loaded; nothing may be running."""
        ...

    def logprobs(
        self, prompt_ids: Sequence[int], token_ids: Sequence[int], policy: AdapterRef | None = None
    ) -> list[float]:
        """Log-probabilities in nats of ``token_ids`` after ``prompt_ids``, under a policy (the newest)."""
        ...

    def encode(self, text: str) -> list[int]:
        """The token ids of a prompt, in the recipe's template."""
        ...
