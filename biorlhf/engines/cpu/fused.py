"""A decoder layer on a CPU in few passes over memory: rowwise.py between the products, and nothing else.

Replaces the forward of a transformers model's norms, MLPs and attention, where packing is on, the weights are
in fp32 on a CPU and a compiler is there. Elsewhere the modules stay as transformers has them; that the two
give the same numbers is what the tests of packing compare.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from biorlhf.engines.cpu import rowwise
from biorlhf.engines.learning.packing import AttentionBlock, PackedRow
from biorlhf.engines.learning.windows import window_of
from biorlhf.engines.models.lora import project

#: Keys up to which a block's probabilities are kept for the way back; for longer ones they are not.
KEPT_KEYS = 384

Attend = Callable[..., tuple[Tensor, None]]


def fuse(model: Any, long_blocks: Attend) -> None:
    """Replace what can be replaced; ``long_blocks`` attends, as transformers calls it, to long texts."""
    config = model.config
    if not _suits(model) or rowwise.compiled() is None:
        return
    for module in model.modules():
        if hasattr(module, "variance_epsilon"):
            module.forward = types.MethodType(_norm, module)
        # Another activation, or dropout on attention, is none of rowwise.c's: those stay transformers' own.
        elif hasattr(module, "gate_proj") and config.hidden_act == "silu":
            module.forward = types.MethodType(_mlp, module)
        elif hasattr(module, "q_proj") and not config.attention_dropout:
            module.long_blocks = long_blocks
            module.forward = types.MethodType(_attention, module)


def _suits(model: Any) -> bool:
    norm = model.base_model.norm.weight
    return norm.device.type == "cpu" and norm.dtype == torch.float32


def _norm(self: Any, x: Tensor) -> Tensor:
    return rowwise.RmsNorm.apply(x, self.weight, self.variance_epsilon)


def _mlp(self: Any, x: Tensor) -> Tensor:
    return self.down_proj(rowwise.SwiGlu.apply(*project(x, (self.gate_proj, self.up_proj))))


def _attention(
    self: Any,
    hidden_states: Tensor,
    position_embeddings: tuple[Tensor, Tensor],
    packed_row: PackedRow,
    packed_masks: dict[Any, Any],
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attention of a packed row, with a row's heads side by side: no transposed copies."""
    query, key, value = (x[0] for x in project(hidden_states, (self.q_proj, self.k_proj, self.v_proj)))
    if hasattr(self, "q_norm"):
        query, key = (
            norm(x.unflatten(-1, (-1, self.head_dim))).flatten(-2)
            for norm, x in ((self.q_norm, query), (self.k_norm, key))
        )
    angles = [x[0] for x in position_embeddings]
    query, key = rowwise.Rotate.apply(query, *angles), rowwise.Rotate.apply(key, *angles)
    window = window_of(self)
    if max(block.key_S_K.shape[1] for block in packed_row.blocks) > KEPT_KEYS:
        heads = (x.unflatten(-1, (-1, self.head_dim)).transpose(0, 1)[None] for x in (query, key, value))
        shared = {"packed_row": packed_row, "packed_masks": packed_masks, "sliding_window": window}
        result, _ = self.long_blocks(self, *heads, None, scaling=self.scaling, **shared)
        result = result.flatten(-2)
    else:
        plan = packed_masks.get(("plan", window))
        if plan is None:
            heads_of_keys = key.shape[-1] // self.head_dim
            plan = packed_masks[("plan", window)] = Plan.of(packed_row, heads_of_keys, window)
        result = BlockAttention.apply(query, key, value, plan, self.scaling).unsqueeze(0)
    return self.o_proj(result), None


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the queries and keys of a row's blocks lie; ``_H`` counts key heads, ``_B`` all blocks' places.

    Attributes:
        heads: ``_H``.
        shapes: (segments, queries, keys) of each block; the blocks' places follow one another.
        query_B, key_B: index into the row's (token, key head) of each place (block, segment, key head, query
            or key).
        first, end: of each block, which keys each query sees (``_S x _Q``, int32); padding sees none.
        place_F_H: where each token's result lies among the queries' places.
    """

    heads: int
    shapes: tuple[tuple[int, int, int], ...]
    query_B: Tensor
    key_B: Tensor
    first: tuple[Tensor, ...]
    end: tuple[Tensor, ...]
    place_F_H: Tensor

    @staticmethod
    def of(row: PackedRow, heads: int, window: int | None) -> Plan:
        head = torch.arange(heads).view(1, heads, 1)
        queries = [(b.query_S_Q.unsqueeze(1) * heads + head) for b in row.blocks]
        keys = [(b.key_S_K.unsqueeze(1) * heads + head).flatten() for b in row.blocks]
        places, done = [], 0
        for block in queries:
            numbers = torch.arange(done, done + block.numel()).view(block.shape)
            places.append(numbers.transpose(1, 2).reshape(-1, heads))
            done += block.numel()
        seen = [_seen(block, window) for block in row.blocks]
        return Plan(
            heads,
            tuple((*b.query_S_Q.shape, b.key_S_K.shape[1]) for b in row.blocks),
            torch.cat([q.flatten() for q in queries]),
            torch.cat(keys),
            tuple(first for first, _ in seen),
            tuple(end for _, end in seen),
            torch.cat(places)[row.unblock_F],
        )

    def cut(self, queries: Tensor, keys: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Views of what stands at the places (``_B x width``), a pair for each block: a batch of
        (segment, key head) by queries or keys by width."""
        pairs, q, k = [], 0, 0
        for segments, asked, seen in self.shapes:
            batch = segments * self.heads
            pairs.append(
                (
                    queries[q : q + batch * asked].view(batch, asked, -1),
                    keys[k : k + batch * seen].view(batch, seen, -1),
                )
            )
            q, k = q + batch * asked, k + batch * seen
        return pairs


def _seen(block: AttentionBlock, window: int | None) -> tuple[Tensor, Tensor]:
    """A query at position p sees the keys 0 … p of its segment (or the last ``window`` of them)."""
    at = block.query_positions_S_Q
    real = at > 0
    real[:, 0] = True  # padding stands at position 0 as well, but never first
    end = torch.where(real, at + 1, 0)
    first = torch.zeros_like(end) if window is None else (end - window).clamp(min=0)
    return first.int().contiguous(), end.int().contiguous()


class BlockAttention(torch.autograd.Function):
    """softmax(scale q k') v of each block, by two products and a softmax over what a query sees.

    ``query`` is ``_F x (heads x size)``, ``key`` and ``value`` are ``_F x (key heads x size)``; the query
    heads that share a key head are computed together.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, plan: Plan, scale: float) -> Tensor:
        size = key.shape[-1] // plan.heads
        placed = _placed(query, key, value, plan)
        joined = torch.empty_like(placed[0])
        probabilities = []
        pieces = zip(plan.cut(placed[0], placed[1]), plan.cut(joined, placed[2]), strict=True)
        for ((q, k), (out, v)), shape, first, end in zip(
            pieces, plan.shapes, plan.first, plan.end, strict=True
        ):
            scores = torch.bmm(q.view(len(q), -1, size), k.transpose(1, 2))
            segments, queries, keys = shape
            shared = q.shape[-1] // size
            by_query = scores.view(segments, plan.heads, queries, shared, keys)
            rowwise.softmax_between(by_query, first, end, scale)
            torch.bmm(scores, v, out=out.view(len(q), -1, size))
            probabilities.append(scores)
        ctx.plan, ctx.scale = plan, scale
        ctx.save_for_backward(query, key, value, *probabilities)
        return F.embedding(plan.place_F_H, joined).flatten(-2)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, *probabilities = ctx.saved_tensors
        plan, scale, size = ctx.plan, ctx.scale, key.shape[-1] // ctx.plan.heads
        placed = _placed(query, key, value, plan)
        towards = F.embedding(plan.query_B, grad.reshape(len(_rows(query, plan)), -1))
        results = [torch.empty_like(x) for x in placed]
        pieces = zip(
            plan.cut(placed[0], placed[1]),
            plan.cut(towards, placed[2]),
            plan.cut(results[0], results[1]),
            plan.cut(results[0], results[2]),
            probabilities,
            strict=True,
        )
        for (q, k), (g, v), (dq, dk), (_, dv), p in pieces:
            q, g, dq = (x.view(len(q), -1, size) for x in (q, g, dq))
            torch.bmm(p.transpose(1, 2), g, out=dv)
            scores = torch.bmm(g, v.transpose(1, 2))
            rowwise.softmax_backward(scores, p, scale)
            torch.bmm(scores, k, out=dq)
            torch.bmm(scores.transpose(1, 2), q, out=dk)
        scatter = torch.ops.aten.embedding_dense_backward
        # A query stands at one place and its gradient is looked up; a prompt's key stands in several
        # segments, whose gradients add up.
        grad_query = F.embedding(plan.place_F_H, results[0]).view_as(query)
        grad_key, grad_value = (
            scatter(x, plan.key_B, key.numel() // size, -1, False).view_as(key) for x in results[1:]
        )
        return grad_query, grad_key, grad_value, None, None


def _rows(x: Tensor, plan: Plan) -> Tensor:
    """``_F x (heads x size)`` as one row for each token and key head."""
    return x.view(len(x) * plan.heads, -1)


def _placed(query: Tensor, key: Tensor, value: Tensor, plan: Plan) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values at the places of the blocks."""
    return (
        F.embedding(plan.query_B, _rows(query, plan)),
        F.embedding(plan.key_B, _rows(key, plan)),
        F.embedding(plan.key_B, _rows(value, plan)),
    )
