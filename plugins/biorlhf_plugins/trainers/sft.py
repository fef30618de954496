"""SFT: cross-entropy on given responses.

    for each batch of examples, in an order drawn for the epoch:
        L = -(1/T) sum over the response's tokens of log p(y_t | x, y_<t)

Different from the usual description: the mean is over the tokens of the whole batch, however it is packed
into micro-batches, so a long response counts for more than a short one.

``texts: own`` takes the policy's answers of the same step in place of the dataset's, and teaches of them how
sure to be, see ``_own_texts``: first what is true, then what of it is known. There tokens have weights w_t:

        L = -(1/W) sum of w_t log p(y_t | x, y_<t),   W = sum of w_t
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from biorlhf import Example, PluginConfig, TrainerPlugin, hookimpl
from biorlhf.seeds import seed_of
from biorlhf.stage import Stage, StepResult
from biorlhf.types import Dataset, ScoredGroup, StepMetrics, TrainCompletion, TrainGroup
from biorlhf_plugins.trainers._draws import batch_of, ends_epoch, epoch_of, others, steps_per_epoch
from biorlhf_plugins.trainers._own_texts import Confidence, train_groups
from biorlhf_plugins.trainers._rehearsal import figures_of, rehearsals, rehearsed
from biorlhf_plugins.trainers._sampling import Clock, sample_and_score
from biorlhf_plugins.trainers._texts import tokenized

LOSS = {"name": "sft"}


class SftConfig(PluginConfig):
    """Settings of SFT.

    ``texts``: the ``dataset``'s examples, or the policy's ``own`` answers: ``batch_size`` questions of a step
    are answered ``generations`` times each and learnt with another ``confidence``: the share of the ``group``
    that is right, or 95 % where this ``answer`` is right and 5 % where not. With them ``rehearse`` examples
    of the dataset are learnt up to their confidence, so that no figure is lost; or, with ``foreign_figures``,
    as sure, and with so many other figures in place of their own as hardly right. ``iterations``: passes
    over a step's texts; ``minibatches``: updates in each. ``steps``, where given, is their number.
    ``batch_size``: examples per optimizer update. ``loss_on``: the response alone, or all of the text.
    ``max_tokens``: longest text in tokens, prompt and response; what is longer is cut at its end.
    ``evaluation_examples``: of how many validation examples the loss is measured after each epoch; 0: none.
    """

    epochs: PositiveInt = 3
    batch_size: PositiveInt = 8
    texts: Literal["dataset", "own"] = "dataset"
    generations: Annotated[int, Field(ge=2)] = 8
    confidence: Confidence = "group"
    rehearse: NonNegativeInt = 0
    foreign_figures: NonNegativeInt = 0
    iterations: PositiveInt = 1
    minibatches: PositiveInt = 1
    steps: PositiveInt | None = None
    loss_on: Literal["response", "all"] = "response"
    max_tokens: PositiveInt = 1024
    evaluation_examples: NonNegativeInt = 64

    @model_validator(mode="after")
    def _fits_together(self) -> SftConfig:
        if self.texts == "dataset":
            defaults = {"rehearse": 0, "foreign_figures": 0, "confidence": "group"}
            for name, default in defaults.items():
                if getattr(self, name) != default:
                    raise ValueError(
                        f"{name} belongs to `texts: own`; the dataset's texts are learnt as they are"
                    )
        if self.foreign_figures and not self.rehearse:
            raise ValueError("foreign_figures are put into texts that are rehearsed: set rehearse, too")
        return self


class SftTrainer:
    """Supervised fine-tuning; one step is one optimizer update, or ``iterations`` × ``minibatches``."""

    def __init__(self, config: SftConfig) -> None:
        self.config = config
        self.needs_rollouts = config.texts == "own"

    def items(self, dataset: Dataset) -> int:
        """How many examples, or questions, make an epoch."""
        return len(dataset.questions if self.config.texts == "own" else dataset.examples)

    def total_steps(self, dataset: Dataset) -> int:
        per_epoch = steps_per_epoch(self.items(dataset), self.config.batch_size)
        return (self.config.steps or self.config.epochs * per_epoch) if per_epoch else 0

    def steps(self, stage: Stage) -> Iterator[StepResult]:
        config, items = self.config, self.items(stage.dataset)
        given = groups_of(stage.dataset.examples, stage, config) if config.texts == "dataset" else []
        held_out = groups_of(self.held_out(stage), stage, config)
        known = rehearsals(stage.learner, stage.dataset.examples) if config.rehearse else []
        figures = figures_of(known)
        # Where nothing samples, no weights travel after each update.
        updates = {"iterations": config.iterations, "minibatches": config.minibatches}
        loss = {**LOSS, **updates, "adapter": self.needs_rollouts}
        for step in range(stage.done_steps + 1, self.total_steps(stage.dataset) + 1):
            clock = Clock()
            groups: tuple[ScoredGroup, ...] = ()
            drawn = batch_of(step, items, config.batch_size, stage.seed)
            if config.texts == "own":
                groups = sample_and_score(stage, config.generations, step, drawn, clock)
                batch = train_groups(stage.learner, groups, config.confidence)
                if known:
                    again = [known[i] for i in batch_of(step, len(known), config.rehearse, stage.seed)]
                    draw = seed_of(stage.seed, step, "foreign figures")
                    batch += rehearsed(stage.learner, again, figures, config.foreign_figures, draw)
            else:
                batch = [given[i] for i in drawn]
            with clock("update_s"):
                update = stage.learner.step(batch, loss, seed=seed_of(stage.seed, step, "update"))
            if update.adapter is not None and stage.rollouts is not None:
                with clock("sync_s"):
                    stage.rollouts.load_adapter(update.adapter)
            values = {
                **update.metrics,
                "epoch": float(epoch_of(step, items, config.batch_size)),
                "examples": float(len(batch)),
                **clock.seconds,
            }
            if held_out and ends_epoch(step, items, config.batch_size):
                losses = stage.learner.evaluate(held_out, LOSS)
                values |= {f"eval_{name}": value for name, value in losses.items()}
            yield StepResult(
                StepMetrics(stage.name, step, values),
                groups=groups,
                adapter=update.adapter.ref if update.adapter else None,
            )

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
