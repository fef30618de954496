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

from biorlhf.engines.cpu import fused as fused_cpu
from biorlhf.engines.cpu.products import linear
from biorlhf.engines.gpu import fused as fused_gpu
from biorlhf.engines.gpu import varlen
from biorlhf.engines.learning.packing import PackedRow, PaddedBatch
from biorlhf.engines.models.head import head_logits
from biorlhf.errors import InputError

ATTENTION = "biorlhf_packed"
PACKABLE = ("llama", "mistral", "qwen2", "qwen3")
CHUNK_LOGITS = {"cpu": 1 << 22, "cuda": 1 << 27}  # logits held at once: 16 MB in fp32, within a CPU's cache
ROWS = 2048  # predicted tokens whose logits are computed together


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
    fused_cpu.fuse(model, _packed_attention)
    fused_gpu.fuse(model, _packed_attention)


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
    masks: dict[Any, Any] = kwargs["packed_masks"]
    window = kwargs.get("sliding_window")
    if varlen.suits(query, dropout):
        if "lengths" not in masks:
            masks["lengths"] = varlen.Lengths.of(row, query.device)
        return varlen.attend(query, key, value, masks["lengths"], window, scaling), None
    # One pass shares its masks: tens of layers have the same window.
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
        # transformers hands keywords that it does not know on to the attention function.
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
    # In fp32 as TokenLogprobs is, so that packed and padded differ by the layers' rounding alone.
    logp = F.log_softmax(logits[batch.row_T, batch.column_T].float(), dim=-1)
    entropies = -(logp.exp() * logp).sum(-1).detach() if entropy else None
    return logp.gather(-1, batch.target_T.unsqueeze(-1)).squeeze(-1), entropies


class TokenLogprobs(torch.autograd.Function):
    """log softmax(h W')[y] per row, in tiles of rows by vocabulary, for a frozen W (``vocabulary x width``).

    The gradient of a row's value with respect to h is W[y] - softmax(h W') W: it does not depend on what
    comes after, so it is summed up while the softmax is at hand, and no logits are kept or computed again.
    The softmax runs over the tiles of a row with a running maximum (arXiv 1805.02867), in fp32.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, target: Tensor, entropy: bool
    ) -> tuple[Tensor, Tensor | None]:
        values = torch.empty(len(target), device=hidden.device)
        entropies = torch.empty(len(target), device=hidden.device) if entropy else None
        gradient = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        for start in range(0, len(target), ROWS):
            rows = slice(start, start + ROWS)
            tiles = _Tiles(hidden[rows], weight, bias, target[rows], entropy, gradient is not None)
            level = tiles.top + tiles.total.log()
            values[rows] = tiles.picked - level
            if entropies is not None:
                entropies[rows] = level - tiles.expected
            if gradient is not None:
                gradient[rows] = F.embedding(target[rows], weight) - tiles.mean.to(weight.dtype)
        if gradient is not None:
            ctx.save_for_backward(gradient)
        if entropies is not None:
            ctx.mark_non_differentiable(entropies)
        return values, entropies

    @staticmethod
    def backward(ctx: Any, grad_values: Tensor, _: Tensor | None) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * grad_values.unsqueeze(-1).to(gradient.dtype), None, None, None, None


class _Tiles:
    """Averages over the vocabulary for some rows (``_N``), by the weights w = exp(logit - top).

    ``top`` is a row's largest logit, ``total`` the sum of w, ``expected`` the mean logit, ``mean`` that of W
    (``_N x width``), ``picked`` the target's logit; all fp32.
    """

    def __init__(
        self, hidden: Tensor, weight: Tensor, bias: Tensor | None, target: Tensor, entropy: bool, mean: bool
    ) -> None:
        count, device = len(target), hidden.device
        self.top = torch.full((count,), torch.finfo(torch.float32).min, device=device)
        self.total, self.expected, self.picked = (torch.zeros(count, device=device) for _ in range(3))
        # In fp32 the mean logit is h times the mean of W, which saves a look at the logits.
        through_mean = entropy and weight.dtype == torch.float32 and bias is None
        self.mean = torch.zeros(count if mean or through_mean else 0, hidden.shape[-1], device=device)
        width = min(weight.shape[0], max(1, CHUNK_LOGITS[device.type] // count))
        for first in range(0, weight.shape[0], width):
            tile = weight[first : first + width]
            logits = head_logits(hidden, tile, None if bias is None else bias[first : first + width])
            weights, fade = self._add(logits, target - first, entropy and not through_mean)
            if len(self.mean):
                self.mean.mul_(fade.unsqueeze(-1)).add_(linear(weights.to(tile.dtype), tile.t()))
        if len(self.mean):
            self.mean /= self.total.unsqueeze(-1)
        self.expected = torch.linalg.vecdot(hidden, self.mean) if through_mean else self.expected / self.total

    def _add(self, logits: Tensor, target: Tensor, expected: bool) -> tuple[Tensor, Tensor]:
        """Take a tile in; gives its weights, and the factor that turns those before it into the new top's."""
        width = logits.shape[-1]
        here = (target >= 0) & (target < width)
        # gather takes no index outside the tile; what it reads for such a target is not used (`here`).
        chosen = logits.gather(-1, target.clamp(0, width - 1).unsqueeze(-1)).squeeze(-1)
        self.picked = torch.where(here, chosen, self.picked)
        top = torch.maximum(self.top, logits.amax(-1))
        fade = (self.top - top).exp()
        # The entropy needs the logits again; otherwise the tile is overwritten, without a second one in
        # memory.
        weights = (logits - top.unsqueeze(-1)).exp_() if expected else logits.sub_(top.unsqueeze(-1)).exp_()
        if expected:
            self.expected = self.expected * fade + torch.linalg.vecdot(weights, logits)
        self.total, self.top = self.total * fade + weights.sum(-1), top
        return weights, fade
