"""GRPO: sample a group of answers, score them, and make the better ones likelier than the worse.

DeepSeekMath, arXiv 2402.03300, algorithm 1; :func:`grpo_step` is that algorithm in its order.

Different from the paper, and why:

- The default loss is the token mean of DAPO (arXiv 2503.14476): a mean per answer makes long errors cheap.
- The default advantage normalises each verifier in its group before weighting (GDPO, arXiv 2601.05242), with
  a floor: a verifier of small variance is neither lost nor made loud.
- Groups without any advantage are replaced by those of other questions, a bounded number of times (DAPO draws
  without a bound). What no verifier scored has no reward, not a reward of zero, and trains nothing.
- Answers cut off by the length limit are left out of the loss (DAPO's overlong filter), as if they had not
  been in the batch; they still count in the group's mean. The penalty for length is a factor, so that rewards
  stay in [0, 1].
- Sampler and learner are different programs; a truncated importance weight corrects for it (see
  ``biorlhf.engines.losses.policy``) and the mismatch is watched.
- The KL reference is the policy that this stage started from, fixed for the stage.

What a recipe that says "batch 1 x 8 accumulation" means here: an update covers whole groups (a group is what
the baseline is taken over), so eight accumulated micro-batches of one prompt are ``prompts_per_step: 8``. How
many of them fit in one pass is the learner's ``token_budget`` and changes no number. ``minibatches`` cuts a
step's groups into several updates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
)

from biorlhf import PluginConfig, RunFailure, TrainerPlugin, hookimpl
from biorlhf.ahead import Ahead, Policies
from biorlhf.errors import PolicyMismatch, RecipeError
from biorlhf.reward.advantages import NORMALISATIONS, collect, overlong_factor
from biorlhf.seeds import seed_of
from biorlhf.stage import Stage, StepResult
from biorlhf.types import AdapterRef, Dataset, ScoredGroup, StepMetrics, TrainCompletion, TrainGroup
from biorlhf_plugins.trainers._draws import balanced_batch, batch_of, class_of, others, steps_per_epoch
from biorlhf_plugins.trainers._rollout_metrics import Judged, metrics_of
from biorlhf_plugins.trainers._sampling import Clock, sample_and_score
from biorlhf_plugins.trainers._watchdogs import Watch, alarms

#: Clip range where a recipe gives none, by loss: DAPO's; GSPO's paper; and a cap of 5 for CISPO.
CLIP = {"gspo": (3e-4, 4e-4), "cispo": (0.2, 4.0)}
CLIP_OTHERS = (0.2, 0.28)


class GrpoConfig(PluginConfig):
    """Settings of GRPO.

    Attributes:
        prompts_per_step: questions of one step; each is answered ``generations`` times.
        epochs: passes over the questions; ``steps``, where given, is the number of steps instead.
        draws: the questions of a step: ``shuffled``, each once an epoch, or ``balanced``: as many of each
            right answer (UP, DOWN, NS, MIXED, yes, no; all others are one) as far as there are any, those
            of a rare one again sooner.
        iterations: passes over one step's answers (mu in the paper); ``minibatches``: updates in each.
        clip_low, clip_high: the ratio is clipped to [1 - low, 1 + high]; by default what suits the loss.
        beta, kl: weight and estimator of the KL divergence to the policy that the stage started from.
        normalisation: what advantages are divided by; see :mod:`biorlhf.advantages`.
        std_floor: a smaller deviation counts as this one (group, batch and gdpo).
        lag: how many steps answers are sampled ahead of the learner, by the policy of as many steps before.
        importance_cap: largest weight pi_old/pi_sampler of a token; None: no correction.
        mask_truncated: leave answers that the length limit ended out of the loss.
        overlong_tokens: over how many tokens before the limit the reward falls to 0; 0: it does not.
        silent_groups: what to do with groups in which every advantage is zero.
        resample_tries: how often silent groups are replaced in one step.
        mismatch_alarm: mean KL between sampler and learner, in nats per token, above which the step warns;
            with a ``lag`` it holds the policies' own distance as well, and no step warns.
        collapse: what to do when for five steps nearly all answers are one and the same, one confidence is
            stated whatever is asked, or blocks cannot be read: ``warn``, ``stop`` the run, or nothing.
    """

    prompts_per_step: PositiveInt = 16
    # A single answer has nothing to be better than: its advantage would be 0.
    generations: Annotated[int, Field(ge=2)] = 16
    epochs: PositiveInt = 1
    steps: PositiveInt | None = None
    draws: Literal["shuffled", "balanced"] = "shuffled"
    iterations: PositiveInt = 1
    minibatches: PositiveInt = 1
    loss: Literal["grpo", "dr_grpo", "dapo", "bnpo", "gspo", "cispo"] = "dapo"
    clip_low: PositiveFloat | None = None
    clip_high: PositiveFloat | None = None
    # Not 0: some pull towards the stage's first policy keeps classes of answers from dying out.
    beta: NonNegativeFloat = 0.001
    kl: Literal["k1", "k2", "k3"] = "k3"
    normalisation: Literal["group", "batch", "none", "leave_one_out", "gdpo"] = "gdpo"
    std_floor: NonNegativeFloat = 0.05
    lag: Literal[0, 1, 2] = 0
    importance_cap: PositiveFloat | None = 2.0
    mask_truncated: bool = True
    overlong_tokens: NonNegativeInt = 0
    silent_groups: Literal["keep", "drop", "resample"] = "resample"
    resample_tries: PositiveInt = 2
    mismatch_alarm: PositiveFloat = 0.1
    collapse: Literal["warn", "stop", "off"] = "warn"

    @field_validator("importance_cap")
    @classmethod
    def _corrected(cls, cap: float | None, info: ValidationInfo) -> float | None:
        if cap is None and info.data.get("lag"):
            raise ValueError(
                f"null, but with lag: {info.data['lag']} what is learnt was answered by an older policy; "
                "a number (2.0) weights it, and lag: 0 needs no weight"
            )
        return cap

    def loss_settings(self) -> dict[str, Any]:
        """What the learner needs to know of this."""
        low, high = CLIP.get(self.loss, CLIP_OTHERS)
        return {
            "name": self.loss,
            "clip_low": self.clip_low or low,
            "clip_high": self.clip_high or high,
            "beta": self.beta,
            "kl": self.kl,
            "importance_cap": self.importance_cap,
            "iterations": self.iterations,
            "minibatches": self.minibatches,
            "entropy": True,
        }


class GrpoTrainer:
    """Group-relative policy optimisation; one step is one batch of questions."""

    needs_rollouts = True

    def __init__(self, config: GrpoConfig) -> None:
        self.config = config

    def total_steps(self, dataset: Dataset) -> int:
        per_epoch = steps_per_epoch(len(dataset.questions), self.config.prompts_per_step)
        # Without questions there is no step, whatever number the recipe asks for.
        if per_epoch == 0:
            return 0
        return self.config.steps or self.config.epochs * per_epoch

    def steps(self, stage: Stage) -> Iterator[StepResult]:
        config, total = self.config, self.total_steps(stage.dataset)
        watch = Watch.over(stage.dataset.questions, stage.before)
        policies = Policies(stage.policies, config.lag, stage.done_steps)
        questions = stage.dataset.questions
        classes = [class_of(q.ground_truth) for q in questions] if config.draws == "balanced" else ()
        prepare = partial(prepared, stage, config, classes)
        with Ahead(prepare, policies, total, beside=stage.beside, withdraw=stage.withdraw) as ahead:
            for step in range(stage.done_steps + 1, total + 1):
                result = grpo_step(stage, config, step, watch, ahead)
                policies.add(result.adapter)
                yield result
                # After the step was handed over, so that the record holds what ends the run.
                if config.collapse == "stop" and watch.collapsed:
                    raise RunFailure(f"stage {stage.name}, step {step}: {'; '.join(result.warnings)}")


@dataclass(frozen=True, slots=True)
class Answered:
    """One step's answers with their rewards, and the seconds that it took to get them."""

    groups_P: tuple[ScoredGroup, ...]
    seconds: Mapping[str, float]


def prepared(
    stage: Stage, config: GrpoConfig, classes: Sequence[str], step: int, policy: AdapterRef | None
) -> Answered:
    """The first half of algorithm 1: a step's questions, their answers by one policy, and the rewards.

    ``classes``: the class of each question where draws are balanced, nothing where they are not.
    """
    clock, size = Clock(), config.prompts_per_step
    if classes:
        asked = balanced_batch(step, classes, size, stage.seed)
    else:
        asked = batch_of(step, len(stage.dataset.questions), size, stage.seed)
    groups_P = sample_and_score(stage, config.generations, step, asked, clock, policy)
    if config.silent_groups == "resample":
        groups_P = replace_silent(stage, config, classes, step, (asked, groups_P), clock, policy)
    refuse_other_answers(stage, config, step, groups_P, policy)
    return Answered(groups_P, clock.seconds)


def grpo_step(
    stage: Stage, config: GrpoConfig, step: int, watch: Watch, ahead: Ahead[Answered]
) -> StepResult:
    """The second half: advantages, update, synchronisation. With a lag of 0 the first half is gone through
    here, by the policy of the step before; with one of k it is ahead, by a policy that is k steps older."""
    clock = Clock()
    with clock("wait_s") if config.lag else nullcontext():
        answered = ahead.take(step)
    judged = assign_credit(answered.groups_P, config, stage.max_completion_tokens)
    batch = list(train_groups(judged, config))
    with clock("update_s"):
        update = stage.learner.step(batch, config.loss_settings(), seed=seed_of(stage.seed, step, "update"))
    with clock("sync_s"):
        # Before the next step, or it would sample from the policy of the one before.
        if update.adapter is not None and stage.rollouts is not None:
            stage.rollouts.load_adapter(update.adapter)
    said = watch.metrics(judged.groups_P)
    values = {**update.metrics, **metrics_of(judged), **said, "trained_groups": float(len(batch))}
    values |= {**answered.seconds, **clock.seconds, **ahead.policies.behind(step)}
    return StepResult(
        metrics=StepMetrics(stage.name, step, values),
        groups=judged.groups_P,
        advantages=judged.credit.rows_P(len(scored.rewards) for scored in judged.groups_P),
        adapter=update.adapter.ref if update.adapter else None,
        warnings=(
            *alarms(values, config.mismatch_alarm, config.lag),
            *(() if config.collapse == "off" else watch.warnings(values)),
        ),
    )


def replace_silent(
    stage: Stage,
    config: GrpoConfig,
    classes: Sequence[str],
    step: int,
    first: tuple[Sequence[int], tuple[ScoredGroup, ...]],
    clock: Clock,
    policy: AdapterRef | None = None,
) -> tuple[ScoredGroup, ...]:
    """``first`` (questions and their groups), and for each silent group one of another question.

    What the other questions are is drawn anew for each try. Silent groups stay in the result: they count
    in the metrics, and train nothing.
    """
    wanted, used, groups_P = len(first[0]), set(first[0]), first[1]
    for attempt in range(config.resample_tries):
        silent_P = assign_credit(groups_P, config, stage.max_completion_tokens).silent_P
        missing = wanted - (len(groups_P) - sum(silent_P))
        draw = seed_of(stage.seed, step, "replace", attempt)
        fresh = others(missing, len(stage.dataset.questions), used, draw, classes)
        # No group is missing, or no question is left to ask.
        if not fresh:
            break
        groups_P += sample_and_score(stage, config.generations, step, fresh, clock, policy)
        used.update(fresh)
    return groups_P


def refuse_other_answers(
    stage: Stage, config: GrpoConfig, step: int, groups_P: Sequence[ScoredGroup], policy: AdapterRef | None
) -> None:
    """What would be learnt as something that it is not.

    Raises:
        PolicyMismatch: another policy than the one that was asked gave an answer.
        RecipeError: answers are to be ahead of the learner, and nothing says how likely they were.
    """
    for completion in (c for scored in groups_P for c in scored.group.completions):
        if policy is not None and completion.adapter.sha256 != policy.sha256:
            raise PolicyMismatch(
                f"stage {stage.name}, step {step}: asked of adapter version {policy.version}, answered by "
                f"version {completion.adapter.version} ({completion.adapter.sha256[:12]})"
            )
        if config.lag and completion.token_ids and not completion.logprobs:
            raise RecipeError(
                f"stages[{stage.index}].lag",
                f"{config.lag}, but this sampler reports no log-probabilities, by which answers of an older "
                "policy are weighted",
                "0, or another rollout.engine",
            )


def assign_credit(groups_P: tuple[ScoredGroup, ...], config: GrpoConfig, limit: int) -> Judged:
    """Rewards, shaped by length, and one advantage per completion."""
    factors_P = [
        [overlong_factor(len(c.token_ids), limit, config.overlong_tokens) for c in scored.group.completions]
        for scored in groups_P
    ]
    rewards = collect([scored.rewards for scored in groups_P], factors_P)
    normalise = NORMALISATIONS[config.normalisation]
    credit = normalise(rewards, config.std_floor)
    silent_P = credit.silent_P
    if config.silent_groups != "keep" and silent_P.any():
        # the deviation over the batch is that of the groups which are in it
        credit = normalise(rewards.without(silent_P), config.std_floor)
    return Judged(groups_P, rewards, credit, tuple(map(bool, silent_P)))


def train_groups(judged: Judged, config: GrpoConfig) -> Iterator[TrainGroup]:
    """What the learner trains on: silent groups only where they are kept, no truncated answer if masked."""
    for scored, advantages, silent in zip(
        judged.groups_P, judged.credit.advantages_P_G, judged.silent_P, strict=True
    ):
        completions = tuple(
            TrainCompletion(c.token_ids, float(advantage), c.logprobs or None)
            # Not strict: rows of advantages are as long as the largest group.
            for c, advantage in zip(scored.group.completions, advantages, strict=False)
            # An empty answer has no token that could carry a gradient.
            if c.token_ids and not (c.truncated and config.mask_truncated)
        )
        if completions and not (silent and config.silent_groups != "keep"):
            yield TrainGroup(scored.group.prompt_ids, completions)


@hookimpl
def biorlhf_trainers() -> Iterable[TrainerPlugin]:
    yield TrainerPlugin(
        name="grpo",
        summary="group-relative policy optimisation on rewards from verifiers",
        config=GrpoConfig,
        build=GrpoTrainer,
    )
