"""The frozen layers of a base model dealt over several learners: each holds a part of every layer, and a pass
gathers one layer at a time (FSDP2, arXiv 2304.11277).

LoRA stays outside, whole and plain on every rank: summing its gradients, optimizer, clipping, checkpoint and
export are those of a learner that holds everything. So do embeddings, norm and output layer: the chunked
log-probabilities read the head's weight outside of any module's forward.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard

from biorlhf.engines.learning.microbatches import MicroBatch, build
from biorlhf.engines.learning.ranks import Ranks, deal
from biorlhf.errors import InputError
from biorlhf.types import TrainCompletion, TrainGroup


def shard(model: Any, mesh: DeviceMesh, device: torch.device) -> None:
    """Deal a transformers model's decoder layers over ``mesh``; all else goes to ``device`` whole.

    The model may come on the CPU: a device then holds one layer whole at a time, on top of its parts.

    Raises:
        InputError: the model does not say which of its modules are its layers.
    """
    kinds = set(getattr(model, "_no_split_modules", None) or ())
    layers = [module for module in model.modules() if type(module).__name__ in kinds]
    if not layers:
        kind = model.config.model_type
        raise InputError("learner.shard", f"true, but a model of type {kind!r} does not name its layers")
    for layer in layers:
        plain = {parameter for name, parameter in layer.named_parameters() if "lora_" in name}
        for parameter in plain:
            parameter.data = parameter.data.to(device)
        fully_shard(layer, mesh=mesh, ignored_params=plain)
    body = model.base_model
    # Of its own it deals nothing out; as the layers' root it has the next one gathered while one computes.
    fully_shard(body, mesh=mesh, ignored_params=set(body.parameters()))
    dealt = {id(p) for layer in layers for p in layer.parameters()}
    for tensor in (*model.parameters(), *model.buffers()):
        if id(tensor) not in dealt:
            tensor.data = tensor.data.to(device)


def dealt(micro: Sequence[MicroBatch], ranks: Ranks, *, packed: bool) -> dict[int, MicroBatch]:
    """One rank's micro-batches, by their number among all.

    Where layers are sharded a pass needs all ranks: those with fewer micro-batches make empty passes.
    """
    hands = deal([one.fed_tokens for one in micro], ranks.size)
    own = {number: micro[number] for number in hands[ranks.rank]}
    missing = max(map(len, hands)) - len(own) if ranks.mesh is not None else 0
    return own | {len(micro) + n: _empty(packed) for n in range(missing)}


def _empty(packed: bool) -> MicroBatch:
    """The least that goes through a model; it does not count."""
    (one,) = build([TrainGroup((0,), (TrainCompletion((0, 0)),))], 8, packed=packed)
    one.counts, one.fed_tokens, one.padded_tokens = False, 0, 0
    return one
