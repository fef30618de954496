"""DPO: raise the chosen response over the rejected one, against the policy that the stage started from.

    for each batch of pairs (x, y_w, y_l):
        d = log pi(y_w|x)/ref(y_w|x) - log pi(y_l|x)/ref(y_l|x)
        L = mean of -log sigmoid(beta d)                          (arXiv 2305.18290, equation 7)

Different from the paper: label smoothing, IPO and hinge in place of the sigmoid, and an SFT term on the
chosen response, each off by default; and a guard. DPO lowers the probability of chosen responses as well
where that widens the margin, and with an aggressive beta it destroys what was known. The guard watches

- the chosen side: log pi(y_w)/ref(y_w) per token, the mean over the batch. It is 0 at the stage's start;
- a probe: how many tokens of known texts (examples of the dataset) the policy still holds for likelier than
  all others together, against the policy that the stage started from.

Both compare with the start without remembering it, so an interrupted run goes on with the same guard.

``pairs: own`` takes the pairs from the policy's answers of the same step, see ``_own_pairs``: they teach how
sure to be, where the dataset's teach what is true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from biorlhf import PluginConfig, Preference, RunFailure, TrainerPlugin, hookimpl
from biorlhf.seeds import seed_of
from biorlhf.stage import Stage, StepResult
from biorlhf.types import Dataset, ScoredGroup, StepMetrics, TrainGroup
from biorlhf_plugins.trainers._draws import batch_of, ends_epoch, epoch_of, others, steps_per_epoch
from biorlhf_plugins.trainers._own_pairs import own_pairs
from biorlhf_plugins.trainers._sampling import Clock, sample_and_score
from biorlhf_plugins.trainers._texts import tokenized

PROBE = {"name": "probe"}


class DpoConfig(PluginConfig):
    """Settings of DPO.

    Attributes:
        epochs, batch_size: passes over the pairs, and pairs per optimizer update.
        pairs: those of the ``dataset``, or the policy's ``own``: ``batch_size`` questions of a step are
            answered ``generations`` times each; ``steps``, where given, is the number of steps.
        max_tokens: longest text in tokens, prompt and response; a longer response is cut at its end.
        loss: what is applied to the margin; ``beta`` scales it, ``label_smoothing`` is the share of pairs
            that are thought to be the wrong way round.
        sft_term: weight of -log pi(chosen) per token beside it (RPO).
        guard: what to do when knowledge is lost: ``warn``, ``stop`` the run, or nothing.
        chosen_fall: how far the chosen side may fall, in nats per token.
        probe_examples: how many examples of the dataset are probed; 0, or a dataset without: none.
        probe_every: probe after so many steps, and after the last.
        evaluation_pairs: of how many validation pairs the loss is measured after each epoch; 0: none.
        probe_loss: how much of the probe's token recall may be lost, as a share in [0, 1].
    """

    epochs: PositiveInt = 1
    batch_size: PositiveInt = 4
    pairs: Literal["dataset", "own"] = "dataset"
    generations: Annotated[int, Field(ge=2)] = 8
    steps: PositiveInt | None = None
    max_tokens: PositiveInt = 1024
    loss: Literal["sigmoid", "ipo", "hinge"] = "sigmoid"
    beta: PositiveFloat = 0.1
    # Below one half: there, both sides would be worth the same and nothing would be learnt.
    label_smoothing: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    sft_term: NonNegativeFloat = 0.0
    guard: Literal["warn", "stop", "off"] = "warn"
    chosen_fall: PositiveFloat = 0.5
    probe_examples: NonNegativeInt = 32
    probe_every: PositiveInt = 10
    evaluation_pairs: NonNegativeInt = 32
    probe_loss: Annotated[float, Field(gt=0, le=1)] = 0.1

    def loss_settings(self) -> dict[str, Any]:
        """What the learner needs to know of this."""
        return {
            "name": f"dpo_{self.loss}",
            # With the dataset's pairs nothing samples, so no weights travel after each update.
            "adapter": self.pairs == "own",
            "beta": self.beta,
            "label_smoothing": self.label_smoothing,
            "sft_term": self.sft_term,
        }


class DpoTrainer:
    """Direct preference optimisation; one step is one optimizer update."""

    def __init__(self, config: DpoConfig) -> None:
        self.config = config
        self.needs_rollouts = config.pairs == "own"

    def items(self, dataset: Dataset) -> int:
        """How many pairs, or questions, make an epoch."""
        return len(dataset.questions if self.config.pairs == "own" else dataset.preferences)

    def total_steps(self, dataset: Dataset) -> int:
        per_epoch = steps_per_epoch(self.items(dataset), self.config.batch_size)
        return (self.config.steps or self.config.epochs * per_epoch) if per_epoch else 0

    def steps(self, stage: Stage) -> Iterator[StepResult]:
        config, total, items = self.config, self.total_steps(stage.dataset), self.items(stage.dataset)
        given = pairs_of(stage.dataset.preferences, stage, config) if config.pairs == "dataset" else []
        probe, held_out = probe_of(stage, config), pairs_of(self.held_out(stage), stage, config)
        for step in range(stage.done_steps + 1, total + 1):
            clock = Clock()
            groups: tuple[ScoredGroup, ...] = ()
            drawn = batch_of(step, items, config.batch_size, stage.seed)
            if config.pairs == "own":
                groups = sample_and_score(stage, config.generations, step, drawn, clock)
                batch = own_pairs(groups)
            else:
                batch = [given[i] for i in drawn]
            with clock("update_s"):
                seed = seed_of(stage.seed, step, "update")
                update = stage.learner.step(batch, config.loss_settings(), seed=seed)
            if update.adapter is not None and stage.rollouts is not None:
                with clock("sync_s"):
                    stage.rollouts.load_adapter(update.adapter)
            values = {
                **update.metrics,
                "epoch": float(epoch_of(step, items, config.batch_size)),
                "pairs": float(len(batch)),
                **clock.seconds,
            }
            if held_out and ends_epoch(step, items, config.batch_size):
                losses = stage.learner.evaluate(held_out, config.loss_settings())
                values |= {f"eval_{name}": value for name, value in losses.items()}
            if probe and (step % config.probe_every == 0 or step == total):
                held = stage.learner.evaluate(probe, PROBE)
                values |= {f"probe_{name}": value for name, value in held.items() if name != "loss"}
            warnings = tuple(alarms(values, config))
            yield StepResult(
                StepMetrics(stage.name, step, values),
                groups=groups,
                adapter=update.adapter.ref if update.adapter else None,
                warnings=warnings,
            )
            # After the step was handed over, so that the record holds what raised the alarm.
            if warnings and config.guard == "stop":
                raise RunFailure(f"stage {stage.name}, step {step}: {'; '.join(warnings)}")

    def held_out(self, stage: Stage) -> list[Preference]:
        """Some validation pairs, the same after every epoch."""
        pairs = stage.validation.preferences if stage.validation else ()
        seed = seed_of(stage.seed, "evaluation")
        return [pairs[i] for i in others(self.config.evaluation_pairs, len(pairs), set(), seed)]


def pairs_of(items: Sequence[Preference], stage: Stage, config: DpoConfig) -> list[TrainGroup]:
    """One group per pair: the prompt, and (chosen, rejected) that share its computation."""
    chosen = tokenized(stage.learner, [(item.asked, item.chosen) for item in items], config.max_tokens)
    rejected = tokenized(stage.learner, [(item.asked, item.rejected) for item in items], config.max_tokens)
    return [
        TrainGroup(good.prompt_ids, (*good.completions, *bad.completions))
        for good, bad in zip(chosen, rejected, strict=True)
    ]


def probe_of(stage: Stage, config: DpoConfig) -> list[TrainGroup]:
    """Known texts, drawn once from the stage's seed; none where the guard is off."""
    examples = stage.dataset.examples
    if config.guard == "off":
        return []
    # From the stage's seed alone, so that the probe is the same after an interruption.
    drawn = others(config.probe_examples, len(examples), set(), seed_of(stage.seed, "probe"))
    pairs = [(examples[i].asked, examples[i].response) for i in drawn]
    return tokenized(stage.learner, pairs, config.max_tokens)


def alarms(values: Mapping[str, float], config: DpoConfig) -> Iterator[str]:
    """What the guard has to say of one step."""
    if config.guard == "off":
        return
    change = values.get("chosen_change", 0.0)
    if change < -config.chosen_fall:
        yield (
            f"the chosen responses lost {-change:.2f} nats per token since the stage began (chosen_fall = "
            f"{config.chosen_fall:g}): a higher beta, a lower learning rate or an sft_term holds them"
        )
    lost = values.get("probe_start_token_recall", 0.0) - values.get("probe_token_recall", 0.0)
    if lost > config.probe_loss:
        yield (
            f"the probe lost {lost:.1%} of its tokens since the stage began (probe_loss = "
            f"{config.probe_loss:.0%}): knowledge is being destroyed"
        )


@hookimpl
def biorlhf_trainers() -> Iterable[TrainerPlugin]:
    yield TrainerPlugin(
        name="dpo",
        summary="direct preference optimisation on chosen and rejected responses, with a guard",
        config=DpoConfig,
        build=DpoTrainer,
    )
