"""SFT: cross-entropy on given responses.

    for each batch of examples, in an order drawn for the epoch:
        L = -(1/T) sum over the response's tokens of log p(y_t | x, y_<t)

Different from the usual description: the mean is over the tokens of the whole batch, however it is packed
into micro-batches, so a long response counts for more than a short one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from pydantic import NonNegativeInt, PositiveInt

from biorlhf import Example, PluginConfig, TrainerPlugin, hookimpl
from biorlhf.seeds import seed_of
from biorlhf.stage import Stage, StepResult
from biorlhf.types import Dataset, StepMetrics, TrainCompletion, TrainGroup
from biorlhf_plugins.trainers._draws import batch_of, ends_epoch, epoch_of, others, steps_per_epoch
from biorlhf_plugins.trainers._texts import tokenized

# Nothing samples during SFT, so no weights travel after each update.
LOSS = {"name": "sft", "adapter": False}


class SftConfig(PluginConfig):
    """Settings of SFT.

    ``batch_size``: examples per optimizer update. ``loss_on``: the response alone, or all of the text.
    ``max_tokens``: longest text in tokens, prompt and response; what is longer is cut at its end.
    ``evaluation_examples``: of how many validation examples the loss is measured after each epoch; 0: none.
    """

    epochs: PositiveInt = 3
    batch_size: PositiveInt = 8
    loss_on: Literal["response", "all"] = "response"
    max_tokens: PositiveInt = 1024
    evaluation_examples: NonNegativeInt = 64


class SftTrainer:
    """Supervised fine-tuning; one step is one optimizer update."""

    needs_rollouts = False

    def __init__(self, config: SftConfig) -> None:
        self.config = config

    def total_steps(self, dataset: Dataset) -> int:
        return self.config.epochs * steps_per_epoch(len(dataset.examples), self.config.batch_size)

    def steps(self, stage: Stage) -> Iterator[StepResult]:
        groups = groups_of(stage.dataset.examples, stage, self.config)
        held_out = groups_of(self.held_out(stage), stage, self.config)
        for step in range(stage.done_steps + 1, self.total_steps(stage.dataset) + 1):
            started = time.monotonic()
            batch = [groups[i] for i in batch_of(step, len(groups), self.config.batch_size, stage.seed)]
            update = stage.learner.step(batch, LOSS, seed=seed_of(stage.seed, step, "update"))
            values = {
                **update.metrics,
                "epoch": float(epoch_of(step, len(groups), self.config.batch_size)),
                "examples": float(len(batch)),
                "update_s": time.monotonic() - started,
            }
            if held_out and ends_epoch(step, len(groups), self.config.batch_size):
                losses = stage.learner.evaluate(held_out, LOSS)
                values |= {f"eval_{name}": value for name, value in losses.items()}
            yield StepResult(StepMetrics(stage.name, step, values))

    def held_out(self, stage: Stage) -> list[Example]:
        """Some validation examples, the same after every epoch."""
        examples = stage.validation.examples if stage.validation else ()
        seed = seed_of(stage.seed, "evaluation")
        return [examples[i] for i in others(self.config.evaluation_examples, len(examples), set(), seed)]


def groups_of(examples: Sequence[Example], stage: Stage, config: SftConfig) -> list[TrainGroup]:
    """Examples as the learner trains on them."""
    pairs = [(example.asked, example.response) for example in examples]
    groups = tokenized(stage.learner, pairs, config.max_tokens)
    return [without_prompt(group) for group in groups] if config.loss_on == "all" else groups


def without_prompt(group: TrainGroup) -> TrainGroup:
    """All of the text is learnt; its first token has nothing before it to be predicted from, and stays."""
    text = (*group.prompt_ids, *group.completions[0].token_ids)
    return TrainGroup(text[:1], (TrainCompletion(text[1:]),))


@hookimpl
def biorlhf_trainers() -> Iterable[TrainerPlugin]:
    yield TrainerPlugin(
        name="sft",
        summary="supervised fine-tuning on prompt and response",
        config=SftConfig,
        build=SftTrainer,
    )
