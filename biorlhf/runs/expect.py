"""What a run will take: hours, memory, disk. Rough, from the data's lengths and the model's size.

Speeds are those of the shipped quickstart on two cores; on a GPU nothing was measured, so no time is given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biorlhf.recipe import Recipe
from biorlhf.runs.pipeline import Prepared
from biorlhf.types import Example, Split
from biorlhf.workers.plan import Node, requests

CHARACTERS_PER_TOKEN = 3.5  # of English with figures; only the model's tokenizer knows better
BYTES = {"fp32": 4.0, "bf16": 2.0, "nf4": 0.56}  # per weight; NF4 with double quantisation
TRAIN_FLOPS_S, SAMPLE_FLOPS_S = 190e9, 45e9  # per core: a batch at once; token by token
OF_LONGEST = 0.6  # of the tokens that an answer may have, those that it has
PROCESS_GB = {"learner": 0.9, "rollout": 1.3, "scorer": 0.3, "driver": 0.9}  # beside weights: packages, Ray
GB = 1e9


@dataclass(frozen=True, slots=True)
class Shape:
    """A base model's size: its weights, what one rank of LoRA adds over all its linear layers, and how many
    numbers a token leaves behind for the backward pass in the layers and at the output."""

    parameters: float
    lora_per_rank: float
    inside: float
    vocabulary: int


# In a package of its own, as a GGUF file that only a conversion reads.
PACKAGED = {"smollm2-135m-instruct": {
    "hidden_size": 576, "num_hidden_layers": 30, "intermediate_size": 1536, "num_attention_heads": 9,
    "num_key_value_heads": 3, "vocab_size": 49152, "tie_word_embeddings": True,
}}  # fmt: skip


def shape_of(base: str) -> Shape | None:
    """From the model's config.json where it lies here, else from its name ("7B", "135m"); None: unknown."""
    config = PACKAGED.get(base.lower()) or _config(base)
    if config and {"hidden_size", "num_hidden_layers", "intermediate_size"} <= set(config):
        return _of_config(config)
    size = re.search(r"(\d+(?:\.\d+)?)\s*([bm])(?![a-z])", base.lower())
    if not size:
        return None
    parameters = float(size[1]) * (1e6 if size[2] == "m" else 1e9)
    # A transformer of L layers of width 128 L has 12 L (128 L)² weights.
    layers = (parameters / (12 * 128**2)) ** (1 / 3)
    return Shape(parameters, 18 * 128 * layers**2, 20 * 128 * layers**2, 32_000)


def _config(base: str) -> dict[str, Any] | None:
    path: Any = Path(base).expanduser() / "config.json"
    if not path.is_file() and base.count("/") == 1:
        try:
            from huggingface_hub import try_to_load_from_cache
        except ImportError:
            return None
        path = try_to_load_from_cache(base, "config.json")
    if not isinstance(path, str | Path) or not Path(path).is_file():
        return None
    loaded = json.loads(Path(path).read_text(encoding="utf-8"))
    return loaded if isinstance(loaded, dict) else None


def _of_config(config: dict[str, Any]) -> Shape:
    width, layers, inner = (
        int(config[key]) for key in ("hidden_size", "num_hidden_layers", "intermediate_size")
    )
    heads = int(config.get("num_attention_heads") or 1)
    # Grouped attention: keys and values are narrower than the queries.
    narrow = width * int(config.get("num_key_value_heads") or heads) // heads
    linear = [(width, width), (width, narrow), (width, narrow), (width, width)]
    linear += [(width, inner), (width, inner), (inner, width)]
    vocabulary = int(config.get("vocab_size") or 32_000)
    embeddings = vocabulary * width * (1 if config.get("tie_word_embeddings") else 2)
    parameters = layers * sum(a * b for a, b in linear) + embeddings
    inside = layers * (8 * width + 4 * inner)
    return Shape(float(parameters), float(layers * sum(a + b for a, b in linear)), float(inside), vocabulary)


def expected(prepared: Prepared, nodes: Sequence[Node]) -> dict[str, Any]:
    """``minutes``, ``memory_gb``, ``disk_gb`` (None where unknown), and notes on what they leave out."""
    recipe = prepared.recipe
    shape = shape_of(recipe.model.base)
    if shape is None:
        note = f"the size of {recipe.model.base} is not known before it is loaded"
        return {"minutes": None, "memory_gb": None, "disk_gb": None, "notes": [note]}
    on_gpu = recipe.learner.gpus > 0 or recipe.rollout.gpus > 0
    cores = max((node.get("CPU", 1) for node in nodes), default=1)
    notes = ["memory and time are rough, within a factor of two, and the time is that of an idle machine"]
    if on_gpu:
        notes.append("no time is given for GPUs: after its first steps a run says what is left")
    memory = _memory(recipe, shape, samples=prepared.samples)
    have = sum(node.get("memory", 0) for node in nodes) / GB
    if have and not on_gpu and sum(memory.values()) > have:
        notes.append(f"that is more than the {have:.0f} GB of memory there are: expect the run to be killed")
    return {
        "minutes": None if on_gpu else round(_seconds(prepared, shape, cores) / 60, 1),
        "memory_gb": {name: round(gb, 1) for name, gb in memory.items()},
        "disk_gb": round(_disk(recipe, shape), 2),
        "notes": notes,
    }


def _memory(recipe: Recipe, shape: Shape, *, samples: bool) -> dict[str, float]:
    """GB of each kind of process; on a GPU the weights lie there, and are counted alike."""
    lora = shape.lora_per_rank * recipe.lora.r * 4 / GB
    # The logits, their gradient and their softmax are in fp32 whatever the rest is in.
    inside = shape.inside * (0.1 if recipe.learner.gradient_checkpointing else 1)
    token = inside * (4 if recipe.model.dtype == "fp32" else 2) + 3 * 4 * shape.vocabulary
    widest = 1.2 * recipe.learner.token_budget * token / GB
    weights = shape.parameters / GB
    learner = PROCESS_GB["learner"] + weights * BYTES[recipe.model.dtype] + 4 * lora + widest
    memory = {"driver": PROCESS_GB["driver"], "learner": learner}
    if samples:
        served = recipe.rollout.dtype or ("bf16" if recipe.model.dtype == "nf4" else recipe.model.dtype)
        rollout = PROCESS_GB["rollout"] + weights * BYTES[served] + recipe.rollout.kv_cache_gb
        memory["rollout"] = recipe.rollout.actors * rollout
        memory["scorer"] = recipe.scorer.actors * PROCESS_GB["scorer"]
    return memory


def _disk(recipe: Recipe, shape: Shape) -> float:
    """GB of the run's folder (checkpoints hold the adapter and two moments), and of a model to download."""
    adapter = shape.lora_per_rank * max((s.lora or recipe.lora).r for s in recipe.stages) * 4
    kept = (recipe.store.keep_checkpoints + 1) * 3 * adapter + (len(recipe.stages) + 1) * adapter
    here = Path(recipe.model.base).exists() or recipe.model.base.lower() in PACKAGED
    fetched = 0.0 if here else 2 * shape.parameters
    return (kept + fetched) / GB + 0.02


def _seconds(prepared: Prepared, shape: Shape, cores: float) -> float:
    """On CPUs: what is learnt, and what is sampled token by token."""
    recipe = prepared.recipe
    learnt = sampled = 0.0
    for index, trainer in enumerate(prepared.trainers):
        steps, settings = prepared.total_steps(index), recipe.stages[index].settings
        if trainer.needs_rollouts:
            # GRPO counts a step's questions as prompts_per_step, the others as batch_size.
            questions = settings.get("prompts_per_step", settings.get("batch_size", 4))
            completions = steps * questions * settings.get("generations", 8)
            answers = completions * recipe.rollout.max_completion_tokens * OF_LONGEST
            each = tokens_a_text(prepared, 1 + settings.get("foreign_figures", 0))
            rehearsed = steps * settings.get("rehearse", 0) * each
            sampled += answers
            learnt += settings.get("iterations", 1) * (answers + rehearsed)
        else:
            learnt += settings.get("epochs", 1) * tokens_an_epoch(prepared)
    asked = len(prepared.questions) * recipe.evaluation.samples * (1 + len(recipe.stages))
    sampled += asked * recipe.rollout.max_completion_tokens * OF_LONGEST
    flops = shape.parameters * (6 * learnt / TRAIN_FLOPS_S + 2 * sampled / SAMPLE_FLOPS_S)
    started = 60.0 if requests(recipe, samples=prepared.samples) else 0.0
    return started + flops / cores


def tokens_an_epoch(prepared: Prepared) -> float:
    """About how many tokens one pass over the training texts has."""
    return tokens_a_text(prepared) * len(_texts(prepared))


def tokens_a_text(prepared: Prepared, responses: int = 1) -> float:
    """About how many tokens a training text has, with its prompt once; 0 where there are none."""
    texts = _texts(prepared)
    characters = sum(len(e.asked) + responses * len(e.response) for e in texts)
    return characters / CHARACTERS_PER_TOKEN / max(len(texts), 1)


def _texts(prepared: Prepared) -> list[Example]:
    return [e for e in prepared.dataset.examples if e.split == Split.TRAIN.value]
