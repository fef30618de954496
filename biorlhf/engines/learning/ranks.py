"""Several learners that update as one: what they exchange, and nothing else.

Each holds the whole adapter and takes a part of a batch's micro-batches. A micro-batch's loss is a sum
divided by counts of the *whole* batch, so the sum of the ranks' gradients is the gradient that one learner
alone would have, up to rounding, and replicas that add the same sum stay equal to the bit.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh

#: How long a rank waits for the others. Longer than any update: a dead one is noticed by its connection.
PATIENCE = timedelta(minutes=30)


class Ranks(Protocol):
    """The learners of a run, as one of them sees it. Every method but the attributes is collective: all ranks
    call it, in the same order."""

    rank: int
    size: int
    mesh: DeviceMesh | None
    """Over what a sharded base is dealt; None where each rank holds it whole."""

    def sum(self, values: Tensor) -> None:
        """Replace ``values`` by their sum over the ranks; all ranks get the same bits."""
        ...

    def gather(self, row: Any) -> list[Any]:
        """The JSON of every rank, by rank."""
        ...


class Alone:
    """A run with one learner."""

    rank, size = 0, 1
    mesh: DeviceMesh | None = None

    def sum(self, values: Tensor) -> None:
        """Nothing to add."""

    def gather(self, row: Any) -> list[Any]:
        return [row]


class Collective:
    """Ranks in processes of their own: gloo, and NCCL for what lies on a GPU."""

    def __init__(
        self, store: dist.Store, rank: int, size: int, host: str, *, on_gpu: bool, shards: bool = False
    ) -> None:
        self.rank, self.size = rank, size
        self.mesh = _mesh(store, rank, size, host, on_gpu) if shards else None
        self._plain: Any = _gloo(dist.PrefixStore("plain", store), rank, size, host)
        self._sums: Any = self._plain
        if on_gpu:
            nccl: Any = dist.ProcessGroupNCCL
            self._sums = nccl(dist.PrefixStore("sums", store), rank, size, nccl.Options())

    def sum(self, values: Tensor) -> None:
        self._sums.allreduce([values]).wait()

    def gather(self, row: Any) -> list[Any]:
        # As JSON and never as objects: what comes over a network is not unpickled.
        text = torch.frombuffer(bytearray(json.dumps(row).encode()), dtype=torch.uint8)
        sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        self._plain.allgather([sizes], [torch.tensor([len(text)])]).wait()
        padded = torch.zeros(max(int(size) for size in sizes), dtype=torch.uint8)
        padded[: len(text)] = text
        texts = [torch.empty_like(padded) for _ in range(self.size)]
        self._plain.allgather([texts], [padded]).wait()
        return [json.loads(bytes(t[: int(n)].tolist())) for t, n in zip(texts, sizes, strict=True)]


def _gloo(store: dist.Store, rank: int, size: int, host: str) -> Any:
    gloo: Any = dist.ProcessGroupGloo
    options = gloo._Options()
    # By the address that the cluster knows: gloo's own guess may be another network's interface.
    options._devices = [gloo.create_device(hostname=host)]
    options._timeout = PATIENCE
    return gloo(store, rank, size, options)


def _mesh(store: dist.Store, rank: int, size: int, host: str, on_gpu: bool) -> DeviceMesh:
    """All ranks in a row. FSDP2 asks for groups that torch knows by name: once a process."""
    dist.Backend.register_backend(
        "named_gloo", lambda inner, number, count, _: _gloo(inner, number, count, host), devices=["cpu"]
    )
    dist.init_process_group(
        "cpu:named_gloo,cuda:nccl" if on_gpu else "cpu:named_gloo",
        store=dist.PrefixStore("mesh", store),
        rank=rank,
        world_size=size,
        timeout=PATIENCE,
    )
    return init_device_mesh("cuda" if on_gpu else "cpu", (size,))


def open_store(host: str, size: int) -> tuple[dist.Store, int]:
    """The place where ranks find each other, on a port that the system picks; gives that port too."""
    # Bound here and to this address alone: a store that binds by itself listens on every interface.
    listening = socket.create_server((host, 0))
    port = listening.getsockname()[1]
    # The store closes the descriptor; without detach this object would close it a second time.
    store = dist.TCPStore(
        host, port, size, is_master=True, wait_for_workers=False, master_listen_fd=listening.detach()
    )
    return store, port


def join_store(host: str, port: int, size: int) -> dist.Store:
    """The store that rank 0 opened."""
    return dist.TCPStore(host, port, size, is_master=False, wait_for_workers=False)


def add_up(ranks: Ranks, parameters: Sequence[Tensor], loss: float) -> float:
    """Replace each parameter's gradient by its sum over the ranks; gives the sum of the losses.

    One exchange an update: the loss travels in front of the gradients, as one flat buffer.
    """
    # A rank without a micro-batch has no gradient, and adds zero.
    parts = [p.new_zeros(p.numel()) if p.grad is None else p.grad.flatten() for p in parameters]
    flat = torch.cat([parameters[0].new_tensor([loss]), *parts])
    ranks.sum(flat)
    for parameter, values in zip(parameters, flat[1:].split([p.numel() for p in parameters]), strict=True):
        parameter.grad = values.view_as(parameter)
    return float(flat[0])


def deal(sizes: Sequence[int], ranks: int) -> list[list[int]]:
    """Which micro-batches each rank takes: the largest first, to whoever has fewest tokens so far.

    Args:
        sizes: tokens of each micro-batch of the whole batch.
    """
    loads = [0] * ranks
    hands: list[list[int]] = [[] for _ in range(ranks)]
    # Ties go by number, so that every rank deals alike.
    for number in sorted(range(len(sizes)), key=lambda i: (-sizes[i], i)):
        rank = min(range(ranks), key=lambda r: (loads[r], r))
        loads[rank] += sizes[number]
        hands[rank].append(number)
    return [sorted(hand) for hand in hands]
