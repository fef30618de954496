"""What ``--dry-run`` says of GPUs: memory by part, what fits which card, and vLLM's word on the engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from biorlhf.recipe import Recipe
from biorlhf.workers import cards
from biorlhf.workers.crew import highest_rank
from biorlhf.workers.memory import config_of, shape_of

NO_VLLM = "vLLM is not installed here: its engine's configuration was not checked"


def gpu_plan(recipe: Recipe, *, samples: bool) -> dict[str, Any]:
    """Empty for a recipe without a GPU, or of a base whose shape is not known here."""
    shape = shape_of(recipe)
    if shape is None or not (recipe.learner.gpus or recipe.rollout.gpus):
        return {}
    plan: dict[str, Any] = {"learner_gb": cards.learner_need(recipe, shape).parts}
    if samples and recipe.rollout.engine == "vllm":
        plan["engine_gb"] = cards.engine_need(recipe, shape).parts
        plan["engine"] = _engine(recipe)
    plan["cards"] = [cards.on_card(recipe, shape, size) for size in cards.CARDS_GB]
    return plan


def _engine(recipe: Recipe) -> dict[str, Any]:
    """vLLM's validated configuration for these cards, or why it takes none."""
    from biorlhf.engines.samplers import engine_args, validated
    from biorlhf.engines.samplers.contract import SamplerSpec

    spec = SamplerSpec(recipe, highest_rank(recipe), 1, on_gpu=recipe.rollout.gpus > 0)
    asked = {
        "args": engine_args.engine_args(spec, "base"),
        "config": config_of(recipe),
        "gpus": max(1, int(recipe.rollout.gpus)),
        "card_gb": max(cards.CARDS_GB),
    }
    made = validated.check([asked])
    return {"note": NO_VLLM} if made is None else made[0]


def gpu_lines(plan: dict[str, Any]) -> Iterator[str]:
    """The plan for a person; nothing where there is none."""
    if not plan:
        return
    yield "memory of a GPU, in GB (computed; contexts, graphs and activations are estimates)"
    for who in ("learner", "engine"):
        parts = plan.get(f"{who}_gb")
        if parts:
            listed = ", ".join(f"{name.replace('_', ' ')} {size:g}" for name, size in parts.items())
            cache = ", and its cache" if who == "engine" else ""
            yield f"  {who}: {sum(parts.values()):.1f} = {listed}{cache}"
    for card in plan["cards"]:
        yield f"  on {card['card_gb']} GB: " + _card(card, sampling="engine_gb" in plan)
    if "engine" in plan:
        yield "engine, as vLLM validates it"
        for key, value in plan["engine"].items():
            yield f"  {key.replace('_', ' ')}: {value}"


def _card(card: dict[str, Any], *, sampling: bool) -> str:
    parts = []
    if sampling:
        parts.append(
            f"a cache of {card['cache_tokens']:,} tokens, at most {card['answers_at_once']} answers at once "
            f"(prompts_per_step x generations; more wait)"
            if card["engine_fits"]
            else f"the engine does not fit its share of {card['engine_share_gb']:g} GB (with "
            f"rollout.dtype: nf4 it takes {card['quantised_engine_gb']:g} GB and its cache)"
        )
    if sampling:
        sums = f"{card['together_gb']:g} GB together, {card['in_turns_gb']:g} GB in turns"
        parts.append(f"on one such GPU {sums}: {card['case']}")
    keeping = card["largest_token_budget_keeping"]
    faster = f", {keeping:,} with gradient_checkpointing: false" if keeping else ""
    left = f"{card['learner_left_gb']:g} GB left for it"
    most = f"token_budget up to {card['largest_token_budget']:,}{faster}"
    parts.append(f"the learner {'fits' if card['learner_fits'] else 'does not fit'} ({left}; {most})")
    return "; ".join(parts)
