"""What a recipe will ask a machine for, worked out without any of the heavy packages."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from biorlhf.errors import ResourceError
from biorlhf.recipe import Recipe
from biorlhf.recipe.labels import in_words, matches
from biorlhf.scoring.cores import cores

Node = Mapping[str, Any]
"""What one machine has: ``CPU``, ``GPU``, and ``memory`` in bytes and ``labels`` where they are known."""


@dataclass(frozen=True, slots=True)
class Request:
    """One actor's share of a cluster."""

    name: str
    cpus: float
    gpus: float
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def bundle(self) -> dict[str, float]:
        """As a bundle of a placement group; empty where it asks for nothing and may run anywhere."""
        return {kind: value for kind, value in (("CPU", self.cpus), ("GPU", self.gpus)) if value}

    def __str__(self) -> str:
        where = f" ({in_words(self.labels)})" if self.labels else ""
        return f"{self.name}: {self.cpus:g} CPU, {self.gpus:g} GPU{where}"


def requests(recipe: Recipe, *, samples: bool) -> list[Request]:
    """The actors of a run: the learners, and where anything samples the rollout and scorer actors."""
    learner = recipe.learner
    names = ["learner"] if learner.actors == 1 else [f"learner {n + 1}" for n in range(learner.actors)]
    asked = [Request(name, learner.cpus, learner.gpus, learner.labels) for name in names]
    if samples:
        rollout, scorer = recipe.rollout, recipe.scorer
        each = rollout.cpus, rollout.gpus, rollout.labels
        asked += [Request(f"rollout {n + 1}", *each) for n in range(rollout.actors)]
        asked += [Request(f"scorer {n + 1}", scorer.cpus, 0) for n in range(scorer.actors)]
    return asked


def together(asked: Sequence[Request]) -> list[list[Request]]:
    """Which actors have one place: a learner, and rollout actors whose shares of a GPU it leaves room for.

    Two places of half a GPU each may be those of two GPUs, and of two nodes. Whoever shares none, or asks for
    nodes with other labels, is alone.
    """
    learners = [[request] for request in asked if request.name.startswith("learner")]
    others: list[list[Request]] = []
    for number, request in enumerate(asked[len(learners) :]):
        home = learners[number % len(learners)] if learners else []
        if home and request.name.startswith("rollout") and _share(*home, request):
            home.append(request)
        else:
            others.append([request])
    return [*learners, *others]


def _share(*actors: Request) -> bool:
    shares = [actor.gpus for actor in actors]
    alike = all(actor.labels == actors[0].labels for actor in actors)
    return all(shares) and round(sum(shares), 4) <= 1 and alike


def place_for(actors: Sequence[Request]) -> Request:
    """What those that have one place ask of it together."""
    name = " and ".join(actor.name for actor in actors)
    cpus, gpus = sum(actor.cpus for actor in actors), sum(actor.gpus for actor in actors)
    return Request(name, round(cpus, 4), round(gpus, 4), actors[0].labels)  # Ray knows four digits


def this_machine() -> Node:
    """CPUs, NVIDIA GPUs and memory of this machine."""
    # Not by torch, which takes seconds to import. A container may have the device and no nvidia-smi.
    gpus = len(glob.glob("/dev/nvidia[0-9]*")) or int(shutil.which("nvidia-smi") is not None)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    # A container's limit counts, not its host's memory; "max" is none.
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.is_file() else "max"
    memory = min(memory, int(text)) if text.isdigit() else memory
    # Ray labels a machine by the kind of its GPU, which only Ray knows.
    machine: dict[str, Any] = {"CPU": cores(), "GPU": gpus, "memory": memory}
    return machine if gpus else {**machine, "labels": {}}


def lacking(asked: Sequence[Request], nodes: Sequence[Node]) -> str:
    """What these machines together, or each alone, lack for the actors; empty where they all fit.

    Those who ask for nodes with certain labels are looked at once more, with such nodes alone.
    """
    if problem := _short(asked, nodes):
        return problem
    for words, labels in {in_words(r.labels): r.labels for r in asked if r.labels}.items():
        own = [request for request in asked if request.labels == labels]
        having = [node for node in nodes if matches(labels, node)]
        if not having:
            return f"{own[0].name} asks for a node with {words}, and {_labels_of(nodes, labels)}"
        if problem := _short(own, having):
            return f"{problem} on nodes with {words}"
    return ""


def _short(asked: Sequence[Request], nodes: Sequence[Node]) -> str:
    have = {kind: sum(node.get(kind, 0) for node in nodes) for kind in ("CPU", "GPU")}
    want = {"CPU": sum(r.cpus for r in asked), "GPU": sum(r.gpus for r in asked)}
    short = any(want[kind] > have[kind] for kind in have)
    # The sums may fit where no single node can hold one actor, or those that share a GPU.
    places = [place_for(actors) for actors in together(asked)]
    lonely = [
        r for r in places if not any(n.get("CPU", 0) >= r.cpus and n.get("GPU", 0) >= r.gpus for n in nodes)
    ]
    if not short and not lonely:
        return ""
    names = ", ".join(str(request) for request in asked)
    alone = f", and no single node fits {lonely[0]}" if lonely and not short else ""
    return f"the recipe asks for {amounts(want)} ({names}); there are {amounts(have)}{alone}"


def _labels_of(nodes: Sequence[Node], labels: Mapping[str, tuple[str, ...]]) -> str:
    """Which values nodes have of these labels; and where no node has one of them, which other labels."""
    known = [node["labels"] for node in nodes]
    for key in labels:
        if not any(key in each for each in known):
            # Every node has an id of its own, which nobody means.
            others = sorted({name for each in known for name in each} - {"ray.io/node-id"})
            return f"no node has the label {key}; there are {', '.join(others) or 'none'}"
    rows = {", ".join(f"{key}: {each.get(key, 'none')}" for key in labels) for each in known}
    return f"no node has that; there are {'; '.join(sorted(rows))}"


def amounts(resources: Mapping[str, float]) -> str:
    return " and ".join(
        f"{amount:g} {kind}" + ("s" if amount != 1 else "") for kind, amount in resources.items()
    )


def refuse_without_gpu(asked: list[Request]) -> None:
    """Refuse at once, before anything heavy is loaded, what needs a GPU on a machine without a driver.

    Raises:
        ResourceError: what was asked for, and that there is no GPU here.
    """
    machine = this_machine()
    if any(request.gpus for request in asked) and not machine["GPU"]:
        raise ResourceError(
            "resources",
            f"the recipe asks for {sum(r.gpus for r in asked):g} GPU and {sum(r.cpus for r in asked):g} CPU "
            f"({'; '.join(map(str, asked))}); this machine has no NVIDIA GPU and {machine['CPU']:g} CPU",
            hint="run it on a cluster (--address or RAY_ADDRESS), or look at the plan with --dry-run",
        )
