"""The learner: one optimizer over one LoRA adapter, for any loss. SFT, DPO and GRPO are losses to it.

A step is: pack the groups into micro-batches, take log-probabilities (and where the loss needs them those of
the reference), let the loss turn them into a number, go backwards, and after the last micro-batch update.
Everything random is drawn from the seed that the step is given, so a step can be repeated exactly.

Where a run has several learners each takes a part of the micro-batches (see ``ranks``): all are called alike,
with the whole batch, and give the same answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from biorlhf.engines.cpu.memory import keep_freed_memory
from biorlhf.engines.learning import checkpoint, microbatches
from biorlhf.engines.learning.microbatches import MicroBatch, Part
from biorlhf.engines.learning.optimizers import build_optimizer, learning_rate
from biorlhf.engines.learning.policy import Policy
from biorlhf.engines.learning.ranks import Alone, Ranks, add_up
from biorlhf.engines.learning.sharding import dealt
from biorlhf.engines.learning.stopwatch import Stopwatch
from biorlhf.engines.losses.registry import (
    LOSSES,
    PREFERENCE_LOSSES,
    Sums,
    TokenBatch,
    Whole,
    check,
    combine,
    mean_of,
    needs_reference,
)
from biorlhf.engines.models.load import load_tokenizer
from biorlhf.engines.samplers.prompts import encode_prompt, encode_response
from biorlhf.errors import RunFailure
from biorlhf.recipe import Lora, Recipe
from biorlhf.seeds import seed_of
from biorlhf.stage import Adapter, Update
from biorlhf.types import TrainCompletion, TrainGroup


@dataclass(frozen=True, slots=True)
class LearnerSpec:
    """Plain data that a learner is built from. ``threads`` bounds its compute threads."""

    recipe: Recipe
    threads: int
    on_gpu: bool


class Learner:
    """Meets :class:`biorlhf.workers.crew.ControlledLearner`.

    Call :meth:`begin_stage` or :meth:`restore` first.
    """

    def __init__(self, spec: LearnerSpec) -> None:
        torch.set_num_threads(spec.threads)
        if not spec.on_gpu:
            keep_freed_memory()
        self.recipe = spec.recipe
        self.tokenizer: Any = load_tokenizer(spec.recipe.model)
        self.policy = Policy(spec.recipe, "cuda" if spec.on_gpu else "cpu")
        self.version = 0
        self.stage = 0
        self.done_steps = 0
        self.total_steps = 1
        self.optimizer: Any = None
        self.ranks: Ranks = Alone()

    def join_ranks(self, ranks: Ranks) -> None:
        """Become one of several that update as one; before the first stage, which sets up a sharded base."""
        self.ranks, self.policy.mesh = ranks, ranks.mesh

    def tokenize(self, pairs: Sequence[tuple[str, str]]) -> list[TrainGroup]:
        """(prompt, response) texts as groups of one completion, in the recipe's template."""
        return [
            TrainGroup(
                tuple(encode_prompt(self.tokenizer, self.recipe.prompt, prompt)),
                (TrainCompletion(tuple(encode_response(self.tokenizer, response))),),
            )
            for prompt, response in pairs
        ]

    def begin_stage(self, index: int, total_steps: int) -> None:
        """Set up stage ``index`` of the recipe: LoRA, optimizer, schedule, and the reference policy."""
        self.optimizer = None
        # The optimizer is dropped before the policy builds anew: it holds the last stage's tensors.
        self.policy.begin_stage(index, seed_of(self.recipe.seed, "lora", index, bits=63))
        self._ready(index, 0, total_steps)

    def _ready(self, index: int, done: int, total: int) -> None:
        self.stage, self.done_steps, self.total_steps = index, done, total
        section = self.recipe.stages[index].optimizer
        self.optimizer = build_optimizer(section, list(self.policy.parameters.values()))
        self.policy.give_back()

    def step(self, groups: Sequence[TrainGroup], loss: Mapping[str, Any], *, seed: int) -> Update:
        """One step: ``iterations`` passes over ``minibatches`` parts of the batch, an update for each.

        ``loss`` holds the settings of ``LOSSES[loss["name"]]``, and for the learner ``iterations`` (1),
        ``minibatches`` (1), ``entropy`` (whether to measure it) and ``adapter`` (whether the update carries
        it: True). Groups that cannot change anything (see ``microbatches.without_effect``) are counted and
        not computed.

        Raises:
            RunFailure: a loss or gradient is not finite; nothing was changed by that update.
        """
        check(loss)
        watch = Stopwatch(self.policy.device)
        iterations, cuts = int(loss.get("iterations", 1)), int(loss.get("minibatches", 1))
        batches = [self._prepare(part, loss) for part in microbatches.split(groups, cuts, seed)]
        with watch("reference"):
            self._fixed_logprobs(batches, loss, old=cuts > 1 and loss["name"] != "sft")
        results = []
        for iteration in range(iterations):
            for number, part in enumerate(batches):
                # The schedule counts steps; each of a step's updates stands at its own fraction of it.
                done = self.done_steps + (iteration * cuts + number) / (iterations * cuts)
                # No update without a gradient: AdamW would still decay the weights and follow its momentum.
                if part.of:
                    draw = seed_of(seed, iteration, number, bits=63)
                    results.append(self._update(part, loss, (done, draw), watch))
        self.done_steps += 1
        # A step is one row: of its updates' losses and norms the mean.
        metrics = self._metrics([sums for _, parts in results for sums in parts], batches)
        metrics |= mean_of([numbers for numbers, _ in results])
        metrics |= {f"time_{name}_s": seconds for name, seconds in watch.seconds.items()}
        self.policy.give_back()
        return Update(metrics, self.adapter() if results and loss.get("adapter", True) else None)

    def _prepare(self, groups: Sequence[TrainGroup], loss: Mapping[str, Any]) -> Part:
        # Counted before the rest is left out: a group without effect adds zero to a mean over all groups.
        whole = microbatches.count(groups, self.recipe.rollout.max_completion_tokens)
        effective = [group for group in groups if not microbatches.without_effect(group, loss)]
        return self._part(effective, whole, loss)

    def _part(self, groups: Sequence[TrainGroup], whole: Whole, loss: Mapping[str, Any]) -> Part:
        section, pairs = self.recipe.learner, loss["name"] in PREFERENCE_LOSSES
        micro = microbatches.build(groups, section.token_budget, packed=section.packing, whole=pairs)
        own = dealt(micro, self.ranks, packed=section.packing)
        return Part(whole, {n: m.to(self.policy.device) for n, m in own.items()}, len(micro))

    def _metrics(self, sums: Sequence[Sums], batches: Sequence[Part]) -> dict[str, float]:
        """The losses' metrics and the sizes of a step, over all ranks.

        ``tokens`` are those fed; ``tokens_saved``: share of the padded layout's that was not computed.
        """
        own = [m for part in batches for m in part.own.values()]
        fed, padded = sum(m.fed_tokens for m in own), sum(m.padded_tokens for m in own)
        rows = self.ranks.gather({"sums": sums, "fed": fed, "padded": padded})
        fed, padded = (sum(row[name] for row in rows) for name in ("fed", "padded"))
        values = combine(part for row in rows for part in row["sums"])
        values |= {"tokens": float(fed), "tokens_saved": 1 - fed / padded if padded else 0.0}
        if self.ranks.size > 1:
            values["idle_learners"] = float(sum(row["fed"] == 0 for row in rows))
        return values

    @torch.no_grad()
    def _fixed_logprobs(self, batches: Sequence[Part], loss: Mapping[str, Any], *, old: bool) -> None:
        """Fill in what does not change during the step: the reference's values and, where several updates
        are made before some tokens are seen for the first time, those of the policy as it is now."""
        self.policy.wrapped.eval()
        for micro in (m for part in batches for m in part.own.values()):
            if needs_reference(loss):
                micro.reference_T = self.policy.reference_logprobs(micro.tensors)
            if old:
                micro.old_T = self.policy.logprobs(micro.tensors)[0]

    def _update(
        self, part: Part, loss: Mapping[str, Any], place: tuple[float, int], watch: Stopwatch
    ) -> tuple[dict[str, float], list[Sums]]:
        """One optimizer update; ``place`` is the schedule's position in steps, and the seed for dropout."""
        done, draw = place
        self.optimizer.zero_grad(set_to_none=True)
        self.policy.training()
        total, sums, broken = 0.0, [], ""
        for number, batch in part.own.items():
            # Dropout draws from the global generator; seeded here, a step that is repeated after a crash
            # draws the same, and so does a run with more learners: the number is that among all of them.
            torch.manual_seed(seed_of(draw, number, bits=63))
            with watch("forward"):
                value, metrics = self._loss(batch, part.whole, loss)
            total += value.item()
            sums.append(metrics)
            if not math.isfinite(total):
                broken = broken or f"micro-batch {number + 1} of {part.of}"
                # Ranks that share a base's layers wait for each other in every pass.
                if self.ranks.mesh is None:
                    break
            with watch("backward"):
                value.backward()
        self.policy.wrapped.eval()
        if self.ranks.size > 1:
            with watch("ranks"):
                total = add_up(self.ranks, list(self.policy.parameters.values()), total)
        # Only now, when all ranks know: one that raised before would leave the others waiting.
        if not math.isfinite(total):
            raise self._not_finite(f"the loss of {broken or 'another learner'}", total)
        with watch("optimizer"):
            norm, rate = self._apply(done)
        self.version += 1
        return {"loss": total, "grad_norm": norm, "lr": rate}, sums

    def _loss(self, batch: MicroBatch, whole: Whole, loss: Mapping[str, Any]) -> tuple[Tensor, Sums]:
        values, entropy = self.policy.logprobs(batch.tensors, entropy=bool(loss.get("entropy")))
        if not batch.counts:
            return values.sum() * 0, {}
        if batch.old_T is None and torch.is_grad_enabled():
            batch.old_T = values.detach()  # the first pass over these tokens: the policy is still the old one
        tokens = TokenBatch(
            logprobs_T=values,
            sequence_T=batch.tensors.sequence_T,
            advantages_N=batch.advantages_N,
            group_tokens_N=batch.group_tokens_N,
            old_logprobs_T=batch.old_T,
            sampler_logprobs_T=batch.sampler_T,
            reference_logprobs_T=batch.reference_T,
            weights_T=batch.weights_T,
            entropy_T=entropy,
        )
        return LOSSES[loss["name"]](tokens, whole, loss)

    def _apply(self, done: float) -> tuple[float, float]:
        section = self.recipe.stages[self.stage].optimizer
        parameters = self.policy.parameters
        norm = torch.nn.utils.clip_grad_norm_(parameters.values(), section.max_grad_norm).item()
        if not math.isfinite(norm):
            bad = [n for n, p in parameters.items() if p.grad is not None and not p.grad.isfinite().all()]
            raise self._not_finite(f"the gradient of {bad[0] if bad else 'the adapter'}", norm)
        rate = learning_rate(section, done, self.total_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        return norm, rate

    def _not_finite(self, what: str, value: float) -> RunFailure:
        self.optimizer.zero_grad(set_to_none=True)
        return RunFailure(
            f"stage {self.recipe.stage_name(self.stage)}, step {self.done_steps + 1}: {what} is {value}. The "
            "adapter is as it was before this update; a lower learning rate, or a look at the batch, is next."
        )

    @torch.no_grad()
    def evaluate(self, groups: Sequence[TrainGroup], loss: Mapping[str, Any]) -> Mapping[str, float]:
        """``loss`` and the loss's metrics on a batch, without dropout and without an update."""
        check(loss)
        whole = microbatches.count(groups, self.recipe.rollout.max_completion_tokens)
        part = self._part(groups, whole, loss)
        total, sums = 0.0, []
        for batch in part.own.values():
            if needs_reference(loss):
                batch.reference_T = self.policy.reference_logprobs(batch.tensors)
            value, one = self._loss(batch, part.whole, loss)
            total += value.item()
            sums.append(one)
        rows = self.ranks.gather({"loss": total, "sums": sums})
        self.policy.give_back()
        metrics = combine(part for row in rows for part in row["sums"])
        return {**metrics, "loss": math.fsum(row["loss"] for row in rows)}

    @torch.no_grad()
    def logprobs(self, prompt_ids: Sequence[int], token_ids: Sequence[int]) -> list[float]:
        """Log-probabilities in nats of ``token_ids`` after ``prompt_ids``, under the policy as it is now."""
        group = TrainGroup(tuple(prompt_ids), (TrainCompletion(tuple(token_ids)),))
        section = self.recipe.learner
        (batch,) = microbatches.build([group], section.token_budget, packed=section.packing)
        return self.policy.logprobs(batch.to(self.policy.device).tensors)[0].tolist()

    def adapter(self) -> Adapter:
        """The adapter as it is now, with what earlier stages merged: it fits the recipe's base model.

        Raises:
            RunFailure: the learners of a run hold different ones, which must not happen.
        """
        adapter = self.policy.adapter(self.version)
        hashes = self.ranks.gather(adapter.ref.sha256)
        if len(set(hashes)) > 1:
            raise RunFailure(f"the learners disagree on adapter version {self.version}: {', '.join(hashes)}")
        return adapter

    def checkpoint(self) -> dict[str, bytes]:
        """Everything that an exact resume needs, as files."""
        tensors, numbers = checkpoint.optimizer_tables(self.optimizer)
        state = {
            "version": self.version,
            "stage": self.stage,
            "done_steps": self.done_steps,
            "lora": self.policy.section.model_dump(mode="json"),
            "optimizer": numbers,
        }
        return checkpoint.to_files({**self.policy.save(), "optimizer": tensors}, state)

    def restore(self, files: Mapping[str, bytes], index: int, total_steps: int) -> None:
        """Stand where :meth:`checkpoint` was called, in stage ``index``.

        Raises:
            RunFailure: the checkpoint is damaged, or is one of another stage.
        """
        tables, state = checkpoint.from_files(files)
        if state["stage"] != index:
            raise RunFailure(f"the checkpoint is one of stage {state['stage']}, not of stage {index}")
        self.optimizer = None
        # As in begin_stage: the old optimizer goes before another adapter is built.
        self.policy.load(tables, Lora.model_validate(state["lora"]), index)
        self._ready(index, state["done_steps"], total_steps)
        checkpoint.restore_optimizer(self.optimizer, tables["optimizer"], state["optimizer"])
        self.version = state["version"]


def build_learner(recipe: Recipe, *, threads: int, on_gpu: bool) -> Learner:
    """A learner that has no stage yet: call ``begin_stage`` or ``restore``."""
    return Learner(LearnerSpec(recipe, threads, on_gpu))
