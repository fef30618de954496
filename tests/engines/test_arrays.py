"""Arrays of ids and log-probabilities read like the tuples that they stand for, and travel as one piece."""

from __future__ import annotations

import pickle
import random
from dataclasses import replace

import pytest
import torch

from biorlhf.engines.learning.packing import pack
from biorlhf.engines.samplers import arrays
from biorlhf.types import AdapterRef, Completion, TrainGroup
from tiny_learner import groups

IDS = (5, 0, 31999, 7)


def received(message):
    return pickle.loads(message)  # noqa: S301  (as Ray does between its own processes)


def test_ids_read_like_a_tuple():
    ids = arrays.token_ids(IDS)
    assert ids == IDS
    assert ids == arrays.token_ids(IDS)
    assert ids != (5, 0)
    assert (len(ids), ids[-1], ids[1:], (*ids,)) == (4, 7, IDS[1:], IDS)
    assert hash(ids) == hash(IDS)
    assert not arrays.token_ids(())
    assert all(type(value) is int for value in ids)
    assert {Completion("a", ids, (), False, AdapterRef(0, "")): 1}


def test_log_probabilities_of_an_engine_come_through_to_the_bit():
    values = torch.log_softmax(torch.randn(50), 0).tolist()
    assert received(pickle.dumps(arrays.logprobs(values))) == tuple(values)


def test_a_message_holds_bytes_and_not_a_number_each():
    draw = random.Random(3)
    values = [draw.randrange(32000) for _ in range(1000)]
    sent = pickle.dumps(arrays.token_ids(values))
    assert len(sent) < 4 * 1000 + 200
    assert received(sent) == tuple(values)


@pytest.mark.parametrize("completions", [1, 3])
def test_the_learner_packs_arrays_as_it_packs_tuples(completions):
    batch = groups(count=3, completions=completions)

    def with_arrays(group: TrainGroup) -> TrainGroup:
        texts = tuple(
            replace(
                one,
                token_ids=arrays.token_ids(one.token_ids),
                sampler_logprobs=arrays.logprobs(one.sampler_logprobs),
            )
            for one in group.completions
        )
        return TrainGroup(arrays.token_ids(group.prompt_ids), texts)

    plain, packed = pack(batch), pack([with_arrays(group) for group in batch])
    for name in ("input_ids_F", "position_ids_F", "predict_T", "target_T", "sequence_T", "unblock_F"):
        assert torch.equal(getattr(plain, name), getattr(packed, name)), name
