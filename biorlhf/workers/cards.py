"""What a recipe takes of a GPU, part by part, and what of it fits cards of common sizes. Estimates say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from biorlhf.recipe import Recipe
from biorlhf.workers.crew import highest_rank
from biorlhf.workers.memory import BYTES, GIB, Shape

CARDS_GB = (24, 48, 80)
CONTEXT_GB = 0.6  # estimate: what CUDA takes in each process
GRAPHS_GB = 1.5  # estimate: vLLM's CUDA graphs
LOGITS, ROWS = 2**27, 2048  # most logits in a tile, and most rows of them (engines/learning/forward.py)
LARGEST_BUDGET = 65536
ENGINE_TOKENS, ENGINE_SEQUENCES = 16384, 1024  # engines/samplers/engine_args.py
# Activations of a layer for a token, in units of its width and inner width: while it goes backwards, and
# what it leaves for that where nothing is computed again. Both a little above what an H100 showed at 7B.
BACKWARD, KEPT = (9, 4), (8, 3)


@dataclass(frozen=True, slots=True)
class Need:
    """Gigabytes (2^30 bytes) of one process, by part."""

    parts: dict[str, float]

    @property
    def total(self) -> float:
        return sum(self.parts.values())

    @property
    def asleep(self) -> float:
        """What is left of an engine that gave back weights and cache."""
        return self.parts["cuda_graphs"] + self.parts["context"]

    @property
    def idle(self) -> float:
        """What a learner keeps while it computes nothing."""
        return self.total - self.parts["activations"]


def learner_need(recipe: Recipe, shape: Shape, budget: int | None = None) -> Need:
    """Of the learner, with micro-batches of ``budget`` tokens (the recipe's where it is None)."""
    tokens = budget or recipe.learner.token_budget
    trained = max(shape.lora_weights(s.lora or recipe.lora, (s.lora or recipe.lora).r) for s in recipe.stages)
    before = shape.lora_weights(recipe.lora, highest_rank(recipe)) - trained
    eight = all(stage.optimizer.eight_bit for stage in recipe.stages)
    dtype = recipe.model.dtype
    width = 2 if dtype != "fp32" else 4
    checkpointing = recipe.learner.gradient_checkpointing
    backward, all_kept = (tokens * width * (a * shape.width + b * shape.inner) for a, b in (BACKWARD, KEPT))
    logits = 2 * 4 * min(LOGITS, ROWS * shape.vocabulary)  # a tile of them, and its copy
    kept = (
        tokens * width * shape.width * shape.layers if checkpointing is not False else all_kept * shape.layers
    )
    # One layer's weights are expanded at a time.
    expanded = max(a * b for a, b in shape.linear.values()) * width if dtype == "nf4" else 0
    layers = shape.linear_weights * BYTES[dtype]
    if recipe.learner.shard:
        # A part of every layer, and two whole ones: the next is gathered while one computes.
        layers = layers / recipe.learner.actors + 2 * layers / shape.layers
    return _need(
        weights=layers + shape.other_weights * width + expanded,
        adapter=4 * (2 * trained + max(before, 0)),  # with its gradient, and what earlier stages left
        optimizer=trained * (2 if eight else 8),
        activations=kept + max(backward, logits),
        context=CONTEXT_GB * GIB,
    )


def engine_need(recipe: Recipe, shape: Shape) -> Need:
    """Of vLLM on one card, without its cache."""
    served = recipe.rollout.dtype or ("bf16" if recipe.model.dtype == "nf4" else recipe.model.dtype)
    cards = max(1, int(recipe.rollout.gpus))
    other = shape.other_weights * (4 if served == "fp32" else 2)
    merges = recipe.rollout.sync == "merged" or served == "fp32"
    adapter = 0 if merges else 2 * shape.lora_weights(recipe.lora, highest_rank(recipe))
    width = max(shape.width, 2 * shape.inner // cards)
    sampling = 3 * 4 * ENGINE_SEQUENCES * shape.vocabulary
    return _need(
        weights=(shape.linear_weights * BYTES[served] + other) / cards,
        adapter=adapter * recipe.adapter_slots / cards,
        activations=ENGINE_TOKENS * 2 * (2 * shape.width + width) + sampling,
        cuda_graphs=GRAPHS_GB * GIB,
        context=CONTEXT_GB * GIB,
    )


def sharing(recipe: Recipe, shape: Shape, card_gb: int) -> dict[str, Any]:
    """Learner and engine on one card: what both take together, what the larger of them takes beside the other
    that sleeps or idles (``rollout.sleep``), and what the card is for. The cache is that of one question's
    answers at full length: with more of it more questions are answered at once."""
    engine, learner = engine_need(recipe, shape), learner_need(recipe, shape)
    generations = max((int(s.settings.get("generations", 1)) for s in recipe.stages), default=1)
    tokens = recipe.prompt.max_tokens + generations * recipe.rollout.max_completion_tokens
    cached = engine.total + tokens * shape.cache_bytes / GIB / max(1, int(recipe.rollout.gpus))
    together = cached + learner.total
    turns = max(cached + learner.idle, learner.total + engine.asleep)
    if together <= card_gb:
        case = "both fit together"
    elif turns <= card_gb and not recipe.lag and recipe.rollout.gpus <= 1:
        case = "they fit in turns: rollout.sleep: 1 (a second GPU is faster)"
    elif max(cached, learner.total) <= card_gb:
        case = "a second GPU: learner.gpus: 1, rollout.gpus: 1"
    else:
        case = "too small"
    return {"together_gb": round(together, 1), "in_turns_gb": round(turns, 1), "case": case}


def _quantised(recipe: Recipe) -> Recipe:
    return recipe.model_copy(update={"rollout": recipe.rollout.model_copy(update={"dtype": "nf4"})})


def _need(**parts: float) -> Need:
    return Need({name: round(size / GIB, 2) for name, size in parts.items()})


def on_card(recipe: Recipe, shape: Shape, card_gb: int) -> dict[str, Any]:
    """How a recipe stands on a card: what fits, the cache in tokens, and the largest step without a queue.

    ``answers_at_once`` is the largest ``prompts_per_step x generations`` whose answers all have their place
    in the cache at full length; more of them wait for each other and need nothing else.
    """
    shared = recipe.learner.gpus < 1 and recipe.rollout.gpus < 1
    engine, learner = engine_need(recipe, shape), learner_need(recipe, shape)
    share = card_gb * recipe.rollout.memory_fraction
    cards = max(1, int(recipe.rollout.gpus))
    cache = max(0.0, share - engine.total)
    tokens = int(cache * GIB * cards / shape.cache_bytes)
    left = card_gb - share if shared else float(card_gb)
    room = float(card_gb)
    if recipe.rollout.sleep:
        left, room = card_gb - engine.asleep, card_gb - learner.idle
    fits = tokens >= recipe.rollout.max_completion_tokens + recipe.prompt.max_tokens and share <= room
    generations = max((int(s.settings.get("generations", 1)) for s in recipe.stages), default=1)
    # A group's answers share their prompt's part of the cache.
    each = recipe.rollout.max_completion_tokens + recipe.prompt.max_tokens / generations
    return {
        "card_gb": card_gb,
        "engine_share_gb": round(share, 1),
        "cache_tokens": tokens,
        "engine_fits": fits,
        "quantised_engine_gb": round(engine_need(_quantised(recipe), shape).total, 1),
        "learner_left_gb": round(left, 1),
        "learner_fits": learner.total <= left,
        "largest_token_budget": _largest_budget(recipe, shape, left),
        "largest_token_budget_keeping": _largest_budget(_keeping(recipe), shape, left),
        **sharing(recipe, shape, card_gb),
        "answers_at_once": min(int(tokens / each), ENGINE_SEQUENCES) if fits else 0,
    }


def _largest_budget(recipe: Recipe, shape: Shape, left_gb: float) -> int:
    """Tokens of a micro-batch that the learner's part of the card holds, in steps of 1,024; 0: none."""
    sizes = range(LARGEST_BUDGET, 0, -1024)
    return next((n for n in sizes if learner_need(recipe, shape, n).total <= left_gb), 0)


def _keeping(recipe: Recipe) -> Recipe:
    learner = recipe.learner.model_copy(update={"gradient_checkpointing": False})
    return recipe.model_copy(update={"learner": learner})
