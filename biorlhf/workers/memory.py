"""How much memory a recipe takes, part by part, from the shape of its base model: arithmetic, no torch.

What is counted exactly is counted (weights, adapters, optimizer, cache); what a device adds for itself
(contexts, graphs, workspaces) is an estimate, and named as one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biorlhf.recipe import Lora, Recipe
from biorlhf.workers.crew import highest_rank

GIB = 2**30
SMALLEST_STORE = GIB  # bytes of Ray's object store on this machine; its own default takes 30 % of memory
STORE_OF_UNKNOWN = 4 * GIB
#: Bytes of a weight. NF4: half a byte, and four for each block of 64 (`lora.expand_scales`).
BYTES = {"fp32": 4.0, "bf16": 2.0, "nf4": 0.5 + 4 / 64}
#: The shipped recipes' bases, so that their plan needs no network: keys of a transformers config.
KNOWN: dict[str, dict[str, Any]] = {
    "mistralai/mistral-7b-v0.3": {
        "architectures": ["MistralForCausalLM"],
        "model_type": "mistral",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 32768,
        "max_position_embeddings": 32768,
        "sliding_window": None,
        "tie_word_embeddings": False,
    },
    "smollm2-135m-instruct": {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "vocab_size": 49152,
        "max_position_embeddings": 8192,
        "tie_word_embeddings": True,
    },
}


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a causal model whose layers are attention and a gated feed-forward part."""

    width: int
    inner: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    tied: bool

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Shape:
        """From the keys of a transformers config."""
        width, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
        return cls(
            width=width,
            inner=int(config["intermediate_size"]),
            layers=int(config["num_hidden_layers"]),
            heads=heads,
            kv_heads=int(config.get("num_key_value_heads") or heads),
            head_size=int(config.get("head_dim") or width // heads),
            vocabulary=int(config["vocab_size"]),
            tied=bool(config.get("tie_word_embeddings", False)),
        )

    @property
    def linear(self) -> dict[str, tuple[int, int]]:
        """A layer's linear parts: name -> (in, out)."""
        queries, keys = self.heads * self.head_size, self.kv_heads * self.head_size
        return {
            "q_proj": (self.width, queries),
            "k_proj": (self.width, keys),
            "v_proj": (self.width, keys),
            "o_proj": (queries, self.width),
            "gate_proj": (self.width, self.inner),
            "up_proj": (self.width, self.inner),
            "down_proj": (self.inner, self.width),
        }

    @property
    def linear_weights(self) -> int:
        return self.layers * sum(a * b for a, b in self.linear.values())

    @property
    def other_weights(self) -> int:
        """Embeddings, output layer and norms, which NF4 leaves alone."""
        return (1 if self.tied else 2) * self.vocabulary * self.width + (2 * self.layers + 1) * self.width

    def lora_weights(self, section: Lora, rank: int) -> int:
        """Of an adapter of that rank on the layers that ``section`` names."""
        chosen = [
            size
            for name, size in self.linear.items()
            if section.targets == "all-linear" or name in section.targets
        ]
        return self.layers * rank * sum(a + b for a, b in chosen)

    @property
    def cache_bytes(self) -> int:
        """Of one token's keys and values in 16 bits."""
        return 2 * self.layers * self.kv_heads * self.head_size * 2


def config_of(recipe: Recipe) -> dict[str, Any] | None:
    """The base model's config: of its folder, of the hub's local cache, or as it is known here; else None."""
    base = recipe.model.base
    path = Path(base).expanduser() / "config.json"
    if not path.is_file() and base.count("/") == 1:
        try:
            from huggingface_hub import try_to_load_from_cache

            cached = try_to_load_from_cache(base, "config.json", revision=recipe.model.revision)
        except ImportError:
            cached = None  # the plan of a recipe is looked at where nothing heavy is installed, too
        path = Path(cached) if isinstance(cached, str) else path
    if path.is_file():
        return dict(json.loads(path.read_text(encoding="utf-8")))
    return KNOWN.get(base.lower())


def shape_of(recipe: Recipe) -> Shape | None:
    """The base model's shape, where it can be known without fetching anything."""
    config = config_of(recipe)
    try:
        return None if config is None else Shape.of(config)
    except KeyError:
        # A model of other parts: nothing is known of its size.
        return None


def checkpoint_bytes(recipe: Recipe, shape: Shape) -> int:
    """What a learner hands over at most, in fp32: adapter, its two moments, the reference's copy (four of a
    rank), and what earlier stages left."""
    rank = highest_rank(recipe)
    own = max((stage.lora or recipe.lora).r for stage in recipe.stages)
    return 4 * (shape.lora_weights(recipe.lora, own) * 4 + shape.lora_weights(recipe.lora, rank))


def object_store_bytes(recipe: Recipe) -> int:
    """For Ray's object store of a run on this machine: a checkpoint and two adapters at a time, twice over,
    and one adapter more for each step that rollouts are ahead.

    An object larger than the store cannot be handed over at all.
    """
    shape = shape_of(recipe)
    if shape is None:
        return STORE_OF_UNKNOWN
    adapter = 4 * shape.lora_weights(recipe.lora, highest_rank(recipe))
    return max(SMALLEST_STORE, 2 * checkpoint_bytes(recipe, shape) + (4 + recipe.lag) * adapter)
