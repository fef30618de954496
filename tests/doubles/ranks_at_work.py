"""What each of several learners does in a test of ranks; a process of its own has to find it by its name."""

from __future__ import annotations

import functools
from itertools import product

import torch
from torch.distributed import PrefixStore

from biorlhf.engines.learning.ranks import Collective, join_store, open_store
from biorlhf.errors import RunFailure
from tiny_learner import DPO, GRPO, groups, largest_difference, make, watched, weights

LOSSES = {
    "sft": {"name": "sft"},
    "dpo": DPO,
    **{name: {**GRPO, "name": name} for name in ("grpo", "dr_grpo", "dapo", "bnpo", "gspo", "cispo")},
}
EVERY = [
    (name, dropout, beta, iterations)
    for name, dropout, beta, iterations in product(LOSSES, (0.0, 0.1), (0.0, 0.1), (1, 2))
    # SFT and DPO have neither a KL term of their own nor iterations.
    if name not in ("sft", "dpo") or (beta == 0.0 and iterations == 1)
]
BATCH = groups(count=6, completions=2, seed=3)


def some(turn):
    """A plan of each loss: every pair of a dropout, a KL and iterations is among them; which loss has which
    goes on by one with each ``turn``."""
    numbers = (0, 3, 5, 6)  # (0, 0, 1), (0, 0.1, 2), (0.1, 0, 2), (0.1, 0.1, 1)
    by_loss = [[plan for plan in EVERY if plan[0] == name] for name in LOSSES]
    return [plans[numbers[(n + turn) % 4] % len(plans)] for n, plans in enumerate(by_loss)]


#: Number of ranks -> the plans that they go through, with whole bases and with sharded ones.
PLANS = {2: (some(0), some(2)), 3: (some(0), some(1)), 4: (some(2), some(3))}


def settings(name, beta, iterations):
    return {**LOSSES[name], "iterations": iterations} | ({"beta": beta} if name not in ("sft", "dpo") else {})


@functools.cache
def learner_of(base, dropout):
    """A learner that is loaded once a process, and the checkpoint to begin again from."""
    learner = make(base, lora={"dropout": dropout}, learner={"token_budget": 60})
    return learner, learner.checkpoint()


def one_step(base, plan, ranks, learner_of=learner_of):
    """Each update's gradients, weights and metrics of one step under one plan."""
    name, dropout, beta, iterations = plan
    learner, start = learner_of(base, dropout)
    learner.join_ranks(ranks)
    learner.restore(start, 0, 10)
    updates = watched(learner)
    update = learner.step(BATCH, settings(name, beta, iterations), seed=7)
    evaluated = learner.evaluate(BATCH, settings(name, beta, iterations))
    return updates, weights(learner), dict(update.metrics), dict(evaluated)


def gaps(expected, own):
    """Of each update the largest difference of its gradients, as a share of the largest of them."""
    return [
        largest_difference(a, b) / max(gradient.abs().max().item() for gradient in a.values())
        for a, b in zip(expected, own, strict=True)
    ]


def work(base, rank, port, results, plans):
    """What one of ``plans[0]`` ranks does, in a process of its own; rank 0 says on which port it is found."""
    size, whole, dealt = plans
    torch.set_num_threads(1)
    store = open_store_at(port, size) if rank == 0 else join_store("127.0.0.1", port.value, size)
    ranks = Collective(store, rank, size, "127.0.0.1", on_gpu=False)
    answers = {plan: one_step(base, plan, ranks) for plan in whole}
    answers["failure"] = failure(base, ranks)
    answers["idle"] = idle(base, ranks)
    shards = Collective(PrefixStore("sharded", store), rank, size, "127.0.0.1", on_gpu=False, shards=True)
    answers |= sharded(base, shards, dealt)
    torch.save({str(k): v for k, v in answers.items()}, results / f"{size}-{rank}.pt")
    ranks.gather("done")


def open_store_at(port, size):
    store, port.value = open_store("127.0.0.1", size)
    return store


def sharded(base, ranks, plans):
    """The same with each layer's weights dealt over the ranks; and what of them this one holds."""

    @functools.cache
    def learner_of(base, dropout):
        section = {
            "token_budget": 60,
            "actors": ranks.size,
            "shard": True,
            "gradient_checkpointing": dropout > 0,
        }
        learner = make(base, lora={"dropout": dropout}, learner=section, ranks=ranks)
        return learner, learner.checkpoint()

    answers = {f"sharded {plan}": one_step(base, plan, ranks, learner_of) for plan in plans}
    learner, start = learner_of(base, 0.0)
    learner.restore(start, 0, 10)
    body = dict(learner.policy.model.named_parameters())
    local = {n: getattr(p, "_local_tensor", p).numel() for n, p in body.items() if "lora_" not in n}
    answers["held"] = {
        "layers": sum(n for name, n in local.items() if ".layers." in name),
        "all": sum(local.values()),
    }
    answers["plain"] = all(type(p) is torch.nn.Parameter for p in learner.policy.parameters.values())
    answers["logprobs"] = learner.logprobs((5, 6, 7), (8, 9))
    answers["sharded failure"] = failure(base, ranks, learner)
    return answers


def failure(base, ranks, learner=None):
    """A completion with an infinite advantage lies in one rank's part; every rank says the same."""
    learner = learner or make(base, learner={"token_budget": 60})
    learner.join_ranks(ranks)
    broken = [*groups(count=5, completions=2, seed=3), *groups(1, 2, seed=9, advantage=float("inf"))]
    before = weights(learner)
    try:
        learner.step(broken, GRPO, seed=7)
    except RunFailure as error:
        same = all(torch.equal(before[name], value) for name, value in weights(learner).items())
        return str(error), same
    return "no failure", False


def idle(base, ranks):
    """One group for several ranks: those without one add zero."""
    learner = make(base)
    learner.ranks = ranks
    update = learner.step(groups(count=1, completions=2, seed=3), GRPO, seed=7)
    return update.metrics["idle_learners"] if ranks.size > 1 else 0.0
