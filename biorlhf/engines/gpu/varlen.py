"""Attention of a packed row on a GPU: one call over segments of any lengths (FlashAttention-2, 2307.08691).

A segment's queries see its prompt's keys, gathered once for each completion, and its own up to themselves.
Nothing is padded, no mask is made, and a key head is not repeated for the queries that share it.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from biorlhf.engines.learning.packing import PackedRow

CAPABILITY = (8, 0)  # of the first cards that the kernel runs on


def suits(query: Tensor, dropout: float) -> bool:
    """Whether the kernel takes these: 16 bits, heads of whole multiples of 8 up to 256, an Ampere card."""
    return (
        query.is_cuda
        and query.dtype in (torch.bfloat16, torch.float16)
        and query.shape[-1] % 8 == 0
        and query.shape[-1] <= 256
        and not dropout
        and torch.cuda.get_device_capability(query.device) >= CAPABILITY
    )


@dataclass(frozen=True, slots=True)
class Lengths:
    """Where the segments begin among the queries and among the keys; ``key_K`` finds each key in the row."""

    queries: Tensor
    keys: Tensor
    longest_query: int
    longest_key: int
    key_K: Tensor | None

    @staticmethod
    def of(row: PackedRow, device: torch.device) -> Lengths:
        own = [s.length for s in row.segments]
        whole = [s.prefix_length + s.length for s in row.segments]
        index = None
        if own != whole:
            spans = [
                span
                for s in row.segments
                for span in (
                    torch.arange(s.prefix_start, s.prefix_start + s.prefix_length),
                    torch.arange(s.start, s.start + s.length),
                )
            ]
            index = torch.cat(spans).to(device)
        return Lengths(_starts(own, device), _starts(whole, device), max(own), max(whole), index)


def _starts(lengths: list[int], device: torch.device) -> Tensor:
    return F.pad(torch.tensor(lengths).cumsum(0), (1, 0)).to(device, torch.int32)


def attend(
    query: Tensor, key: Tensor, value: Tensor, lengths: Lengths, window: int | None, scale: float | None
) -> Tensor:
    """Of ``1 x heads x _F x size`` queries: ``1 x _F x heads x size``. ``window`` counts the query itself."""
    from torch.nn.attention.varlen import varlen_attn

    q, k, v = (x[0].transpose(0, 1).contiguous() for x in (query, key, value))
    if lengths.key_K is not None:
        k, v = (F.embedding(lengths.key_K, x.flatten(1)).view(-1, *x.shape[1:]) for x in (k, v))
    # torch 2.13, which is pinned, wants to be told of fewer key heads; 2.11, which was measured, cannot be.
    takes = inspect.signature(varlen_attn).parameters
    more: dict[str, Any] = {"enable_gqa": True} if "enable_gqa" in takes else {}
    result: Any = varlen_attn(
        q,
        k,
        v,
        lengths.queries,
        lengths.keys,
        lengths.longest_query,
        lengths.longest_key,
        scale=scale,
        # To the left and to the right of where a query stands, counted from both ends.
        window_size=(-1 if window is None else window - 1, 0),
        **more,
    )
    return result.unsqueeze(0)
