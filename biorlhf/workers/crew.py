"""The workers of a run, whoever runs them: one learner, and where they are needed rollouts and scorers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from biorlhf.errors import InputError, PolicyMismatch
from biorlhf.recipe import Model, Recipe
from biorlhf.stage import Learner, Rollouts, Scorers


class ControlledLearner(Learner, Protocol):
    """The learner as the pipeline sees it: what a trainer sees, and stages and checkpoints besides."""

    def begin_stage(self, index: int, total_steps: int) -> None:
        """Set up stage ``index`` of the recipe: LoRA, optimizer, schedule, and the reference policy."""
        ...

    def checkpoint(self) -> Mapping[str, bytes]:
        """Everything that an exact resume needs, as files."""
        ...

    def restore(self, files: Mapping[str, bytes], index: int, total_steps: int) -> None:
        """Stand where :meth:`checkpoint` was called, in stage ``index``."""
        ...

    def logprobs(self, prompt_ids: Sequence[int], token_ids: Sequence[int]) -> list[float]: ...


@dataclass(frozen=True)
class Workers:
    """``rollouts`` and ``scorers`` are None where no stage and no evaluation samples.

    ``notes`` are what a person should know of how they started. ``beside``: rollouts and scorers work beside
    the learner, in processes of their own; ``withdraw`` has them give up what they were asked until then.
    ``renew`` makes the learner anew after ``LearnerLost``; None where nothing could be left to do so.
    """

    learner: ControlledLearner
    rollouts: Rollouts | None
    scorers: Scorers | None
    description: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    beside: bool = False
    withdraw: Callable[[], object] | None = None
    renew: Callable[[], object] | None = None


SEEN = 1e-5  # nats a token: changes below this are not compared


@dataclass
class Canary:
    """Watches that one sampler serves the learner's policy, by one text's log-probabilities on both sides.

    Their difference shows another policy, but not one small update: that moves them less than the rounding of
    two engines may. Each side's own *change* holds little of that rounding, so what changed since the last
    policy, and since the first, is compared as well: as far as the two sides' difference before lets it show.
    (SmolLM2 in fp32, one step at 5e-7: a change of 9.5e-5 nats a token, followed to within 9e-6, with a
    difference of 8e-6.)
    """

    who: str
    tolerance: float
    _before: list[tuple[Sequence[float], Sequence[float]]] = field(default_factory=list)

    def check(self, learner: Sequence[float], sampler: Sequence[float]) -> None:
        """``learner`` and ``sampler``: nats of the text's tokens, on each side, after a policy was sent.
        An empty ``sampler`` (scripted, or a policy with nothing to be held against) passes.

        Raises:
            PolicyMismatch: the sampler serves another policy, or still one of before.
        """
        if not sampler:
            return
        check_canary(learner, sampler, self.tolerance, self.who)
        for own_before, served_before in self._before:
            own = [now - then for now, then in zip(learner, own_before, strict=True)]
            served = [now - then for now, then in zip(sampler, served_before, strict=True)]
            moved, gap = _mean_size(own), _mean_size([a - b for a, b in zip(own, served, strict=True)])
            rounding = _mean_size([a - b for a, b in zip(own_before, served_before, strict=True)])
            if not gap <= max(SEEN, 4 * rounding, moved / 2):
                raise PolicyMismatch(
                    f"{self.who} does not follow the learner: since an earlier policy a fixed text moved by "
                    f"{moved:.2e} nats a token there and by {_mean_size(served):.2e} here, {gap:.2e} apart. "
                    f"The adapter did not arrive, or only a part of it."
                )
        # The first one stays: small steps that never arrive add up to one that is seen.
        self._before = [*self._before[:1], (learner, sampler)]


def _mean_size(values: Sequence[float]) -> float:
    return sum(map(abs, values)) / len(values)


def check_canary(learner: Sequence[float], sampler: Sequence[float], tolerance: float, who: str) -> None:
    """Compare one fixed text's log-probabilities between learner and sampler, token by token.

    Raises:
        PolicyMismatch: the mean absolute difference exceeds ``tolerance``.
    """
    # The mean and not the largest: one unlikely token moves far by rounding alone.
    gap = sum(abs(a - b) for a, b in zip(learner, sampler, strict=True)) / len(sampler)
    # "not <=": a NaN from either side has to fail.
    if not gap <= tolerance:
        raise PolicyMismatch(
            f"{who} does not serve the learner's policy: its log-probabilities of a fixed text differ by "
            f"{gap:.4f} nats a token on average (rollout.canary_tolerance is {tolerance}). Either the "
            f"adapter did not arrive, or the two use dtypes that differ by more than the tolerance."
        )


def highest_rank(recipe: Recipe) -> int:
    """The largest LoRA rank that a sampler will be sent: ranks add up over adapters that are merged."""
    total = highest = _merged_rank(recipe.model)
    for number, stage in enumerate(recipe.stages):
        rank = (stage.lora or recipe.lora).r
        fresh = number == 0 or stage.adapter == "merge"
        total = total + rank if fresh else max(total, rank)
        highest = max(highest, total)
    return highest


def _merged_rank(model: Model) -> int:
    """Rank of the adapter that the run starts from, where it is merged; the learner says if there is none."""
    if model.adapter is None or model.adapter_use != "merge":
        return 0
    folder = Path(model.adapter).expanduser()
    for config in (folder / "adapter_config.json", folder / "adapter" / "adapter_config.json"):
        if config.is_file():
            try:
                return int(json.loads(config.read_text(encoding="utf-8"))["r"])
            except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
                problem = f"{config} cannot be read: {type(error).__name__}: {error}"
                raise InputError("model.adapter", problem, "PEFT's settings, with a rank 'r'") from None
    return 0
