"""Learner actors on a Ray of their own, held against one learner in this process; prints JSON.

``python learners_on_ray.py BASE '[[2, true]]' few``: those of ``PLANS`` for each (actors, shard).
"""

from __future__ import annotations

import functools
import json
import sys

import ray
import torch

from biorlhf.actors.connection import connect
from biorlhf.actors.learner import RayLearners
from biorlhf.engines.learning.ranks import Alone
from ranks_at_work import BATCH, EVERY, gaps, one_step, settings
from tiny_learner import recipe_of, watched, weights

#: With dropout, so that actors are started once: all such plans, or each loss at its hardest.
ALL = [plan for plan in EVERY if plan[1]]
PLANS = {"all": ALL, "few": [plan for plan in ALL if plan[0] in ("sft", "dpo") or plan[2:] == (0.1, 2)]}


def watch(learner):
    learner.updates = watched(learner)


def outcome(learner):
    return learner.updates, weights(learner)


def on_all(learners, function):
    return ray.get([actor.__ray_call__.remote(function) for actor in learners.actors], timeout=60)


@functools.cache
def alone(base, plan):
    return one_step(base, plan, Alone())[0]


def through_plans(base, plans, actors, shard):
    """Plan -> ``gaps``: of each update the largest difference of a rank's gradients from one learner's, as a
    share of the largest of these; ``same``: whether all ranks have the same weights, to the bit."""
    section = {"actors": actors, "cpus": 0, "token_budget": 60, "shard": shard}
    recipe = recipe_of(base, lora={"dropout": plans[0][1]}, learner=section)
    learners, rows = RayLearners(recipe, ["DEFAULT"] * actors), {}
    learners.wait()
    learners.begin_stage(0, 10)
    start = dict(learners.checkpoint())
    for plan in plans:
        name, _, beta, iterations = plan
        learners.restore(start, 0, 10)
        on_all(learners, watch)
        learners.step(BATCH, settings(name, beta, iterations), seed=7)
        updates, held = zip(*on_all(learners, outcome), strict=True)
        differ = [gaps(alone(base, plan), own) for own in updates]
        same = all(torch.equal(held[0][name], other[name]) for other in held for name in other)
        rows[str(plan)] = {"gaps": [max(each) for each in zip(*differ, strict=True)], "same": same}
    learners.close()
    return rows


if __name__ == "__main__":
    connect(None, 60, 10**8)
    _, base, kinds, which = sys.argv
    print(json.dumps([through_plans(base, PLANS[which], *kind) for kind in json.loads(kinds)]))
