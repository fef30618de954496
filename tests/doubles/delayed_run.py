"""``biorlhf run …`` whose rollout actors each answer after delays of their own: ``python delayed_run.py …``.

In the folder that DELAYS names an actor writes ``<process>.ready`` when it is there, and into
``<process>.answered`` a line for each question. While the folder holds a file ``hold`` none answers.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import ray

from biorlhf.actors import rollout
from biorlhf.cli import main

LONGEST_S = 0.4


class DelayedRolloutWorker(rollout.RolloutWorker):
    """Sent to its process by value: the code of the product is what it finds there."""

    def __init__(self, recipe: dict[str, Any]) -> None:
        super().__init__(recipe)
        notes, draw, step = Path(os.environ["DELAYS"]), random.Random(), self.serving.sampler.step
        name = str(os.getpid())

        def late() -> Any:
            time.sleep(draw.random() * LONGEST_S)
            while (notes / "hold").exists():
                time.sleep(0.02)
            done = step()
            with (notes / f"{name}.answered").open("a") as lines:
                lines.writelines(f"{group.question.id}\n" for _, group in done)
            return done

        sampler: Any = self.serving.sampler
        sampler.step = late
        (notes / f"{name}.ready").touch()


if __name__ == "__main__":
    rollout.RolloutActor = ray.remote(DelayedRolloutWorker)
    sys.argv.insert(1, "run")
    main()
