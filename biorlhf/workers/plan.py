"""What a recipe will ask a machine for, worked out without any of the heavy packages."""

from __future__ import annotations

import glob
import os
import shutil
from dataclasses import dataclass

from biorlhf.errors import ResourceError
from biorlhf.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Request:
    """One actor's share of a cluster."""

    name: str
    cpus: float
    gpus: float

    def bundle(self) -> dict[str, float]:
        """As a bundle of a placement group; empty where it asks for nothing and may run anywhere."""
        return {kind: value for kind, value in (("CPU", self.cpus), ("GPU", self.gpus)) if value}

    def __str__(self) -> str:
        return f"{self.name}: {self.cpus:g} CPU, {self.gpus:g} GPU"


def requests(recipe: Recipe, *, samples: bool) -> list[Request]:
    """The actors of a run: the learners, and where anything samples the rollout and scorer actors."""
    learner = recipe.learner
    names = ["learner"] if learner.actors == 1 else [f"learner {n + 1}" for n in range(learner.actors)]
    asked = [Request(name, learner.cpus, learner.gpus) for name in names]
    if samples:
        rollout, scorer = recipe.rollout, recipe.scorer
        asked += [Request(f"rollout {n + 1}", rollout.cpus, rollout.gpus) for n in range(rollout.actors)]
        asked += [Request(f"scorer {n + 1}", scorer.cpus, 0) for n in range(scorer.actors)]
    return asked


def refuse_without_gpu(asked: list[Request]) -> None:
    """Refuse at once, before anything heavy is loaded, what needs a GPU on a machine without a driver.

    Raises:
        ResourceError: what was asked for, and that there is no GPU here.
    """
    wanting = [request for request in asked if request.gpus]
    # Not by torch, which takes seconds to import. A container may have the device and no nvidia-smi.
    if wanting and not glob.glob("/dev/nvidia[0-9]*") and shutil.which("nvidia-smi") is None:
        raise ResourceError(
            "resources",
            f"the recipe asks for {sum(r.gpus for r in asked):g} GPU and {sum(r.cpus for r in asked):g} CPU "
            f"({'; '.join(map(str, asked))}); this machine has no NVIDIA GPU and {os.cpu_count()} CPU",
            hint="run it on a cluster (--address or RAY_ADDRESS), or look at the plan with --dry-run",
        )
