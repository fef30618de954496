"""How training groups become tensors: packed, with each prompt computed once; or padded, the plain way.

A packed micro-batch is one row of tokens. Each prompt stands in it once, its completions follow, and a
token attends to its own segment and to its prompt alone. The last token of a completion predicts nothing
and is left out. Axes as in ``biorlhf.types``; ``_S`` counts segments and ``_F`` the row's (fed) tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from biorlhf.types import TrainGroup


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of tokens in the row, and the part of the row that it continues (its prompt; may be empty)."""

    start: int
    length: int
    prefix_start: int = 0
    prefix_length: int = 0


@dataclass(frozen=True, slots=True)
class AttentionBlock:
    """Segments of like size, to be attended to in one call.

    Attributes:
        query_S_Q: index into the row of each query, padded with 0.
        key_S_K: index into the row of each key (prefix, then own segment), padded with 0.
        query_positions_S_Q, key_positions_S_K: positions in the text; padded keys stand at 2^30, so that
            "no later than the query" hides them. A padded query sees key 0 and its result is not used.
    """

    query_S_Q: Tensor
    key_S_K: Tensor
    query_positions_S_Q: Tensor
    key_positions_S_K: Tensor

    def mask(self, window: int | None = None) -> Tensor:
        """True where a query may look: ``_S x 1 x _Q x _K``. ``window`` counts the query itself."""
        distance = self.query_positions_S_Q.unsqueeze(-1) - self.key_positions_S_K.unsqueeze(-2)
        seen = distance >= 0
        if window is not None:
            seen &= distance < window
        return seen.unsqueeze(1)


@dataclass(frozen=True, slots=True)
class PackedRow:
    """One micro-batch for the model.

    Attributes:
        input_ids_F, position_ids_F: what the model is fed.
        segments: the attention, as runs of tokens; they follow one another and are the whole row.
        blocks: the same as dense calls; ``unblock_F`` finds each token in their joined results.
        predict_T: index into ``_F`` of the hidden state that predicts each completion token.
        target_T: the completion tokens; for an empty prompt all but the first, which nothing predicts.
        sequence_T: which completion each belongs to.
    """

    input_ids_F: Tensor
    position_ids_F: Tensor
    segments: tuple[Segment, ...]
    blocks: tuple[AttentionBlock, ...]
    unblock_F: Tensor
    predict_T: Tensor
    target_T: Tensor
    sequence_T: Tensor

    def to(self, device: torch.device) -> PackedRow:
        def move(x: Tensor) -> Tensor:
            return x.to(device, non_blocking=True)

        blocks = tuple(
            AttentionBlock(
                move(b.query_S_Q),
                move(b.key_S_K),
                move(b.query_positions_S_Q),
                move(b.key_positions_S_K),
            )
            for b in self.blocks
        )
        return PackedRow(
            move(self.input_ids_F),
            move(self.position_ids_F),
            self.segments,
            blocks,
            move(self.unblock_F),
            move(self.predict_T),
            move(self.target_T),
            move(self.sequence_T),
        )


def predicted(group: TrainGroup) -> list[int]:
    """Number of tokens of each completion that have a log-probability."""
    lost = 0 if group.prompt_ids else 1
    return [max(len(c.token_ids) - lost, 0) for c in group.completions]


def fed_tokens(group: TrainGroup) -> int:
    """Number of tokens that a packed group costs."""
    return len(group.prompt_ids) + sum(max(len(c.token_ids) - 1, 0) for c in group.completions)


def fill(sizes: Sequence[int], budget: int) -> list[list[int]]:
    """Indices of items put into as few bins of ``budget`` as first-fit decreasing finds, filled alike.

    Likeness keeps the largest bin, whose pass takes most memory, small. An item larger than the budget has
    a bin of its own. The order is fixed by the sizes alone.
    """
    order = sorted(range(len(sizes)), key=lambda i: (-sizes[i], i))
    bins = _first_fit(sizes, order, budget)
    alike: list[list[int]] = [[] for _ in bins]
    for index in order:
        min(alike, key=lambda items: sum(sizes[i] for i in items)).append(index)
    # Filling alike can break a budget that first fit keeps; then first fit's bins stand.
    if all(len(items) == 1 or sum(sizes[i] for i in items) <= budget for items in alike):
        bins = alike
    return [sorted(items) for items in bins]


def _first_fit(sizes: Sequence[int], order: Sequence[int], budget: int) -> list[list[int]]:
    bins: list[list[int]] = []
    free: list[int] = []
    for index in order:
        place = next((b for b, room in enumerate(free) if room >= sizes[index]), None)
        if place is None:
            bins.append([])
            free.append(budget)
            place = len(bins) - 1
        bins[place].append(index)
        free[place] -= sizes[index]
    return bins


def pack(groups: Sequence[TrainGroup]) -> PackedRow:
    """One row for a micro-batch of groups; completions are numbered 0 … N-1 through the groups in order."""
    ids: list[int] = []
    positions: list[int] = []
    segments: list[Segment] = []
    predict: list[int] = []
    target: list[int] = []
    sequence: list[int] = []
    number = 0

    def feed(tokens: Sequence[int], first_position: int) -> int:
        start = len(ids)
        ids.extend(tokens)
        positions.extend(range(first_position, first_position + len(tokens)))
        return start

    for group in groups:
        prompt = group.prompt_ids
        start = feed(prompt, 0)
        # With one completion, prompt and completion are one text: a single segment, and the same attention.
        alone = len(group.completions) == 1
        if prompt and not alone:
            segments.append(Segment(start, len(prompt)))
        for completion in group.completions:
            fed = completion.token_ids[:-1]
            own = feed(fed, len(prompt))
            if prompt and alone:
                segments.append(Segment(start, len(prompt) + len(fed)))
            elif fed:
                segments.append(Segment(own, len(fed), start, len(prompt)))
            if prompt and completion.token_ids:
                # The prompt stands in the row once, so its last token predicts the first token of every
                # completion.
                predict.append(start + len(prompt) - 1)
            predict.extend(range(own, own + len(fed)))
            targets = completion.token_ids if prompt else completion.token_ids[1:]
            target.extend(targets)
            sequence.extend([number] * len(targets))
            number += 1
    blocks, unblock = _blocks(segments, len(ids))
    as_tensor = torch.tensor
    return PackedRow(
        as_tensor(ids, dtype=torch.long),
        as_tensor(positions, dtype=torch.long),
        tuple(segments),
        blocks,
        unblock,
        as_tensor(predict, dtype=torch.long),
        as_tensor(target, dtype=torch.long),
        as_tensor(sequence, dtype=torch.long),
    )


def _blocks(segments: Sequence[Segment], tokens: int) -> tuple[tuple[AttentionBlock, ...], Tensor]:
    """Dense attention calls over segments of like size, and where each token's result lies in them."""
    unblock = torch.zeros(tokens, dtype=torch.long)
    blocks, done = [], 0
    for members in _alike(segments):
        # Dense blocks are padded to their longest segment, so segments of like size share one.
        queries = max(s.length for s in members)
        keys = max(s.prefix_length + s.length for s in members)
        block = AttentionBlock(
            torch.zeros(len(members), queries, dtype=torch.long),
            torch.zeros(len(members), keys, dtype=torch.long),
            torch.zeros(len(members), queries, dtype=torch.long),
            torch.full((len(members), keys), 2**30, dtype=torch.long),
        )
        for row, s in enumerate(members):
            own = torch.arange(s.start, s.start + s.length)
            whole = s.prefix_length + s.length
            block.query_S_Q[row, : s.length] = own
            block.query_positions_S_Q[row, : s.length] = torch.arange(s.prefix_length, whole)
            block.key_S_K[row, : s.prefix_length] = torch.arange(s.prefix_length) + s.prefix_start
            block.key_S_K[row, s.prefix_length : whole] = own
            block.key_positions_S_K[row, :whole] = torch.arange(whole)
            unblock[own] = done + row * queries + torch.arange(s.length)
        done += len(members) * queries
        blocks.append(block)
    return tuple(blocks), unblock


def _alike(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Segments sorted by size and cut where a call's longest would be a quarter longer than its shortest."""
    runs: list[list[Segment]] = []
    ordered = sorted(segments, key=lambda s: (s.prefix_length > 0, s.prefix_length + s.length, s.start))
    for segment in ordered:
        first = runs[-1][0] if runs else None
        whole = segment.prefix_length + segment.length
        if (
            first is not None
            and (first.prefix_length > 0) == (segment.prefix_length > 0)
            and 4 * whole <= 5 * (first.prefix_length + first.length)
        ):
            runs[-1].append(segment)
        else:
            runs.append([segment])
    return runs


@dataclass(frozen=True, slots=True)
class PaddedBatch:
    """One completion a row, padded at the right: the plain layout that packing is compared with."""

    input_ids_N_L: Tensor
    attention_mask_N_L: Tensor
    row_T: Tensor
    column_T: Tensor
    target_T: Tensor

    @property
    def sequence_T(self) -> Tensor:
        return self.row_T

    def to(self, device: torch.device) -> PaddedBatch:
        return PaddedBatch(*(getattr(self, name).to(device) for name in self.__slots__))


def pad(groups: Sequence[TrainGroup]) -> PaddedBatch:
    """A padded micro-batch; ``column_T`` is where each target is predicted, in the order of ``pack``."""
    rows = [(*g.prompt_ids, *c.token_ids) for g in groups for c in g.completions]
    prompts = [len(g.prompt_ids) for g in groups for _ in g.completions]
    length = max(max((len(row) for row in rows), default=1), 1)
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    mask = torch.zeros(len(rows), length, dtype=torch.long)
    places = [(n, t) for n, row in enumerate(rows) for t in range(max(prompts[n], 1), len(row))]
    for n, row in enumerate(rows):
        ids[n, : len(row)] = torch.tensor(row, dtype=torch.long)
        # An empty row keeps one visible place: a softmax over none is NaN.
        mask[n, : max(len(row), 1)] = 1
    row_T = torch.tensor([n for n, _ in places], dtype=torch.long)
    column_T = torch.tensor([t - 1 for _, t in places], dtype=torch.long)
    return PaddedBatch(ids, mask, row_T, column_T, ids[row_T, column_T + 1])
