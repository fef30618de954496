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
    def merges(self) -> bool:
        """Whether adapters are merged into the served weights instead of applied beside them."""
        sync = self.recipe.rollout.sync
        return sync == "merged" or (sync == "auto" and not self.on_gpu)


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
