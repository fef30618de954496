"""Engines that compute nothing: they take the time, and give the lengths, of a cluster's."""

from __future__ import annotations

import json
import statistics
import time

import pytest

from biorlhf.engines.samplers.contract import SamplerSpec
from biorlhf.engines.samplers.scripted import ScriptedSampler
from biorlhf.errors import InputError
from biorlhf.recipe import from_data
from biorlhf.stage import Sampling
from biorlhf.testing import Decoder, Pace, an_adapter, length_of
from biorlhf.types import Question
from tiny_model import write_tiny_model


def test_sequences_decode_side_by_side_each_token_as_long_as_their_number_makes_it():
    decoder = Decoder(Pace(((1, 1.0), (2, 1.5))))
    decoder.add("a", [3])
    decoder.add("b", [1, 5])
    passed, said = 0.0, []
    while decoder.running:
        wait_s = decoder.next_s()
        passed += wait_s
        said.append((passed, decoder.advance(wait_s)))
    # Three run: 2 s a token. Two are left for two tokens of 1.5 s, one for two more.
    assert said == [(2.0, []), (5.0, ["a"]), (7.0, ["b"])]


def test_what_is_added_on_the_way_takes_its_own_tokens():
    decoder = Decoder(Pace(((1, 1.0), (2, 1.0))))
    decoder.add("a", [4])
    assert decoder.advance(1.5) == []
    decoder.add("b", [1])
    assert decoder.advance(1.0) == ["b"]
    assert decoder.next_s() == pytest.approx(1.5)


def test_lengths_have_the_mean_and_the_limit_and_are_drawn_again_alike():
    lengths = [length_of(350, 0.5, 5000, 1, "question", n) for n in range(4000)]
    assert statistics.mean(lengths) == pytest.approx(350, rel=0.03)
    assert lengths == [length_of(350, 0.5, 5000, 1, "question", n) for n in range(4000)]
    assert max(length_of(350, 0.5, 400, 1, "question", n) for n in range(200)) == 400


def recipe_of(folder, **rollout):
    (folder / "script.json").write_text(json.dumps({"default": ["67 genes. Confidence: 90%", "6 genes"]}))
    return from_data(
        {
            "name": "tiny",
            "model": {"base": str(write_tiny_model(folder)), "dtype": "fp32"},
            "prompt": {"template": "plain", "answer": "free", "max_tokens": 64},
            "data": [{"dataset": "kmp"}],
            "stages": [{"trainer": "sft", "optimizer": {"learning_rate": 1e-3}}],
            "rollout": {"engine": "scripted", "script": str(folder / "script.json"), **rollout},
        }
    )


def test_a_recipe_gives_the_scripted_engine_a_pace_and_lengths(tmp_path):
    pace = {"token_s": [[1, 0.001], [8, 0.004]], "mean_tokens": 40, "spread": 0.5}
    sampler = ScriptedSampler(SamplerSpec(recipe_of(tmp_path, simulated=pace), 4, 1, on_gpu=False))
    sampler.load_adapter(an_adapter(0))
    asked = [Question(name, "How many?", {}) for name in "abc"]
    started = time.monotonic()
    groups = list(sampler.sample(asked, Sampling(n=4, max_tokens=64, seed=5)))
    took_s = time.monotonic() - started
    lengths = [len(c.token_ids) for group in groups for c in group.completions]
    assert len(set(lengths)) > 6
    # One after the other, with nothing beside it, the longest takes a millisecond a token at the least.
    assert took_s >= max(lengths) * 0.001
    assert {c.text for group in groups for c in group.completions} <= {"67 genes. Confidence: 90%", "6 genes"}
    again = list(sampler.sample(asked[::-1], Sampling(n=4, max_tokens=64, seed=5)))
    assert {g.question.id: g for g in again} == {g.question.id: g for g in groups}


@pytest.mark.parametrize(
    ("rollout", "message"),
    [
        ({"simulated": {"token_s": [[8, 0.01], [1, 0.02]]}}, "have to rise"),
        ({"simulated": {"token_s": [[1, 0.01], [2, 0.05]]}}, "have to rise"),
        ({"simulated": {}, "engine": "vllm"}, "the engine vllm has a pace of its own"),
        ({"actors": 2, "fewest": 3}, "3 is more than the 2 actors"),
        ({"actors": 2, "most": 1}, "1 is less than the 2 actors"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(tmp_path, rollout, message):
    with pytest.raises(InputError, match=message):
        recipe_of(tmp_path, **rollout)
