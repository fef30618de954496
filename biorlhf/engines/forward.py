"""Log-probabilities of completions under a causal language model, from packed rows or padded batches.

Packed: the model's linear layers run once over a row of tokens, its attention over dense blocks (a segment's
queries against its prompt and itself), its output layer in chunks and only where a completion token is
predicted, so that no tensor of batch x length x vocabulary ever exists. Padded: the model as it comes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from biorlhf.engines.packing import PackedRow, PaddedBatch
from biorlhf.errors import InputError

ATTENTION = "biorlhf_packed"
PACKABLE = ("llama", "mistral", "qwen2", "qwen3")
CHUNK_LOGITS = {"cpu": 1 << 23, "cuda": 1 << 27}  # logits held at once: 32 MB in fp32, about a CPU's cache


def enable_packing(model: Any) -> None:
    """Have a transformers model attend by the blocks of a packed row.

    Raises:
        InputError: an architecture whose packed pass was not compared with the plain one. Others may scale
            their logits, cap their attention scores or mix tokens without attention.
    """
    kind = model.config.model_type
    if kind not in PACKABLE:
        raise InputError(
            "learner.packing",
            f"true, but packing is not known for models of type {kind!r}",
            choices=PACKABLE,
            name=kind,
            hint="set learner.packing: false",
        )
    from transformers import AttentionInterface

    AttentionInterface.register(ATTENTION, _packed_attention)
    model.set_attn_implementation(ATTENTION)


def _packed_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attention of a packed row: query ``1 x heads x _F x size``; gives ``1 x _F x heads x size``."""
    row: PackedRow = kwargs["packed_row"]
    masks: dict[int | None, list[Tensor]] = kwargs["packed_masks"]
    window = kwargs.get("sliding_window")
    if window not in masks:
        masks[window] = [block.mask(window) for block in row.blocks]
    heads, size = query.shape[1], query.shape[3]
    flat = [x[0].transpose(0, 1).reshape(x.shape[2], -1) for x in (query, key, value)]
    results = []
    for block, mask in zip(row.blocks, masks[window], strict=True):
        q, k, v = (
            # An embedding lookup is a gather whose backward is fast on a CPU.
            F.embedding(index, x).unflatten(-1, (-1, size)).transpose(1, 2)
            for index, x in zip((block.query_S_Q, block.key_S_K, block.key_S_K), flat, strict=True)
        )
        shared = heads // k.shape[1]
        if shared > 1 and q.is_cuda:  # the kernels that take a mask there want as many keys as queries
            k, v, shared = k.repeat_interleave(shared, 1), v.repeat_interleave(shared, 1), 1
        result = F.scaled_dot_product_attention(
            q, k, v, mask, dropout_p=dropout, scale=scaling, enable_gqa=shared > 1
        )
        results.append(result.transpose(1, 2).reshape(-1, heads * size))
    joined = F.embedding(row.unblock_F, results[0] if len(results) == 1 else torch.cat(results))
    return joined.view(1, -1, heads, size), None


def packed_logprobs(model: Any, row: PackedRow, *, entropy: bool = False) -> tuple[Tensor, Tensor | None]:
    """Log-probabilities of ``row.target_T`` in nats (``_T``, with gradient), and entropies if asked for.

    ``model`` is a transformers causal model on which :func:`enable_packing` was called.
    """
    if not len(row.target_T):
        empty = torch.zeros(0, device=row.target_T.device)
        return empty, empty if entropy else None
    hidden = model.base_model(
        input_ids=row.input_ids_F.unsqueeze(0),
        position_ids=row.position_ids_F.unsqueeze(0),
        use_cache=False,
        packed_row=row,
        packed_masks={},
    ).last_hidden_state[0]
    head = model.get_output_embeddings()
    values, entropies = TokenLogprobs.apply(
        F.embedding(row.predict_T, hidden), head.weight, head.bias, row.target_T, entropy
    )
    return values, entropies if entropy else None


def padded_logprobs(model: Any, batch: PaddedBatch, *, entropy: bool = False) -> tuple[Tensor, Tensor | None]:
    """The same numbers by the plain way: the whole model, all its logits, one softmax."""
    logits = model(
        input_ids=batch.input_ids_N_L, attention_mask=batch.attention_mask_N_L, use_cache=False
    ).logits
    logp = F.log_softmax(logits[batch.row_T, batch.column_T].float(), dim=-1)
    entropies = -(logp.exp() * logp).sum(-1).detach() if entropy else None
    return logp.gather(-1, batch.target_T.unsqueeze(-1)).squeeze(-1), entropies


class TokenLogprobs(torch.autograd.Function):
    """log softmax(h W')[y] per row, in chunks of rows, for a frozen W (``vocabulary x width``).

    The gradient of a row's value with respect to h is W[y] - softmax(h W') W: it does not depend on what
    comes after, so it is computed with the value, while the softmax is at hand, and no logits are kept or
    computed again. Arithmetic of the softmax is in fp32.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, target: Tensor, entropy: bool
    ) -> tuple[Tensor, Tensor | None]:
        count, vocabulary = len(target), weight.shape[0]
        values = torch.empty(count, device=hidden.device)
        entropies = torch.empty(count, device=hidden.device) if entropy else None
        gradient = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        chunk = max(1, CHUNK_LOGITS[hidden.device.type] // vocabulary)
        for start in range(0, count, chunk):
            rows = slice(start, start + chunk)
            logits = F.linear(hidden[rows], weight, bias).float()
            logits -= logits.amax(-1, keepdim=True)
            picked = logits.gather(-1, target[rows].unsqueeze(-1)).squeeze(-1)
            weights = logits.exp() if entropies is not None else logits.exp_()
            total = weights.sum(-1)
            values[rows] = picked - total.log()
            if entropies is not None:
                entropies[rows] = total.log() - torch.linalg.vecdot(weights, logits) / total
            if gradient is not None:
                mean = (weights.to(weight.dtype) @ weight).div_(total.unsqueeze(-1))
                gradient[rows] = F.embedding(target[rows], weight) - mean
        if gradient is not None:
            ctx.save_for_backward(gradient)
        if entropies is not None:
            ctx.mark_non_differentiable(entropies)
        return values, entropies

    @staticmethod
    def backward(ctx: Any, grad_values: Tensor, _: Tensor | None) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * grad_values.unsqueeze(-1).to(gradient.dtype), None, None, None, None
