"""vLLM with a tiny model, in a process of its own for each way of syncing: vLLM's settings are for good."""

from __future__ import annotations

import functools
import os
import subprocess
import sys

import pytest

import tiny_model

pytestmark = pytest.mark.engine

SHARED = """
import sys, tempfile
from pathlib import Path
from biorlhf import Question
from biorlhf.engines.learning.learner import build_learner
from biorlhf.engines.samplers.contract import SamplerSpec
from tiny_model import write_tiny_model
from biorlhf.engines.samplers.engine_args import READ_AT_ONCE
from biorlhf.engines.samplers.vllm import VllmSampler
from biorlhf.recipe import Recipe
from biorlhf.stage import Sampling
from biorlhf.types import AdapterRef

folder, sync = sys.argv[1:]
tempfile.tempdir = folder
base = write_tiny_model(folder + "/tiny", hidden_size=128)
data = {
    "name": "tiny",
    "model": {"base": str(base), "dtype": "fp32"},
    "lora": {"r": 8, "alpha": 16},
    "prompt": {"template": "plain", "max_tokens": 100},
    "data": [{"dataset": "kmp"}],
    "rollout": {"max_completion_tokens": 4, "kv_cache_gb": 1, "sync": sync},
}


def recipe_at(rate):
    stage = {"trainer": "sft", "optimizer": {"learning_rate": rate}}
    return Recipe.model_validate({**data, "stages": [stage]})


recipe = recipe_at(1e-2)
"""

MANY_PROMPTS = """
print("== many prompts")
ref = AdapterRef(0, "0" * 64)
sampler.held.add(ref, None)
sampler.served = ref
asked = [Question(str(n), f"{n:05d} " + "x" * 90, {}) for n in range(2 * READ_AT_ONCE // 90)]
groups = list(sampler.sample(asked, Sampling(n=2, temperature=1.0, top_p=1.0, max_tokens=4, seed=1)))
print(len(asked), len({group.question.id for group in groups}), {len(group.completions) for group in groups})
"""

TWO_ADAPTERS = """
print("== two adapters")
sampler = VllmSampler(SamplerSpec(recipe, 8, 2, on_gpu=False))
learner = build_learner(recipe, threads=2, on_gpu=False)
learner.begin_stage(0, 10)
(text,) = learner.tokenize([("How many genes?", "1,234 in the heart")])
ids = text.prompt_ids, text.completions[0].token_ids
gaps, sums = [], []
for step in range(2):
    sampler.load_adapter(learner.adapter())
    ours, theirs = learner.logprobs(*ids), sampler.logprobs(*ids)
    gaps.append(max(abs(a - b) for a, b in zip(ours, theirs, strict=True)))
    sums.append(sum(theirs))
    learner.step([text], {"name": "sft"}, seed=step)
sampler.load_adapter(learner.adapter())
question = Question("q", "How many genes? " * 5, {})  # longer than the blocks that a group's answers share
(group,) = sampler.sample([question], Sampling(n=8, temperature=1.0, max_tokens=4))
sampled = [
    max(abs(a - b) for a, b in zip(c.logprobs, learner.logprobs(group.prompt_ids, c.token_ids), strict=True))
    for c in group.completions
]
left = list(Path(folder).glob("biorlhf-*"))
print(max(gaps) < 1e-3, sums[1] > sums[0] + 0.1, len({c.token_ids for c in group.completions}) > 1)
print(len(sampled), max(sampled) < 1e-3, left)
"""


SMALL_STEPS = """
print("== small steps")
from biorlhf.errors import PolicyMismatch
from biorlhf.workers.crew import Canary

learner = build_learner(recipe_at(5e-7), threads=2, on_gpu=False)
learner.begin_stage(0, 10)
canary = Canary("it", recipe.rollout.canary_tolerance)
(text,) = learner.tokenize([("How many genes?", "1,234 in the heart")])
ids = text.prompt_ids, text.completions[0].token_ids
seen = []
real = sampler.engine.add_lora, sampler.engine.collective_rpc
for step, arrives in enumerate((True, True, False, True)):
    sampler.engine.add_lora = real[0] if arrives else lambda request: True
    lost = lambda name, **rest: None if name == "merge_adapter" else real[1](name, **rest)
    sampler.engine.collective_rpc = real[1] if arrives else lost
    try:
        sampler.load_adapter(learner.adapter())
        canary.check(learner.logprobs(*ids), sampler.logprobs(*ids))
        seen.append("served")
    except PolicyMismatch as error:
        seen.append("arrive" in str(error))
    if step < 3:
        learner.step([text], {"name": "sft"}, seed=step)
print(seen)
"""


SLEEP = """
print("== sleep")
def emptied(worker):
    for module in worker.model_runner.lora_manager._adapter_manager.modules.values():
        for tensor in (*module.lora_a_stacked, *module.lora_b_stacked):
            tensor.zero_()

learner = build_learner(recipe_at(5e-7), threads=2, on_gpu=False)
learner.begin_stage(0, 10)
canary, seen = Canary("it", recipe.rollout.canary_tolerance), []
wake = sampler.engine.wake_up
def forgetful():
    woken = wake()
    sampler.engine.collective_rpc(emptied)
    return woken

def serve(adapter, wakes, arrives):
    sampler.sleep()
    sampler.sleep()
    slept = sampler.engine.is_sleeping()
    sampler.engine.wake_up = wakes
    sampler.engine.add_lora = real[0] if arrives else lambda request: True
    sampler.engine.collective_rpc = real[1] if arrives else lost
    try:
        sampler.load_adapter(adapter)
        canary.check(learner.logprobs(*ids), sampler.logprobs(*ids))
        (group,) = sampler.sample([question], Sampling(n=2, max_tokens=4))
        return f"{slept} served"
    except PolicyMismatch:
        return f"{slept} seen"

first = learner.adapter()
seen += [serve(first, wake, True), serve(first, wake, True)]
if sync == "adapter":
    # Gone while it slept: where it is loaded again all is well, where it is not, that is seen.
    seen += [serve(first, forgetful, True), serve(first, forgetful, False), serve(first, wake, True)]
learner.step([text], {"name": "sft"}, seed=1)
second = learner.adapter()
seen.append(serve(second, wake, False))
if sync == "adapter":
    seen.append(serve(second, forgetful, False))
seen.append(serve(second, wake, True))
print(*seen, sep=", ")
"""


SEVERAL = """
print("== several")
stages = [{"trainer": "grpo", "lag": 1, "optimizer": {"learning_rate": 1e-2}}]
recipe = Recipe.model_validate({**recipe.to_json(), "stages": stages})
sampler = VllmSampler(SamplerSpec(recipe, 8, 2, on_gpu=False))
learner = build_learner(recipe, threads=2, on_gpu=False)
learner.begin_stage(0, 10)
(text,) = learner.tokenize([("How many genes?", "1,234 in the heart")])
ids = text.prompt_ids, text.completions[0].token_ids
question = Question("q", "How many genes? " * 5, {})
saved, own, gaps = [], [], []

def gap(ours, theirs):
    return max(abs(a - b) for a, b in zip(ours, theirs, strict=True))

for step in range(4):
    saved.append(learner.checkpoint())
    own.append(learner.logprobs(*ids))
    sampler.load_adapter(learner.adapter())
    refs = list(sampler.held.by_ref)
    # The newest, the one before it, and the newest again: none has the cached prefixes of the other.
    for back in (0, 1, 0):
        if back < len(refs):
            ref = refs[-1 - back]
            gaps.append(gap(own[step - back], sampler.logprobs(*ids, ref)))
            (group,) = sampler.sample([question], Sampling(n=2, max_tokens=4, policy=ref))
            assert {c.adapter for c in group.completions} == {ref}
            learner.restore(saved[step - back], 0, 10)
            for c in group.completions:
                gaps.append(gap(c.logprobs, learner.logprobs(group.prompt_ids, c.token_ids)))
            learner.restore(saved[step], 0, 10)
    learner.step([text], {"name": "sft"}, seed=step)
apart = min(gap(a, b) for a, b in zip(own, own[1:]))
print(len(refs), max(gaps) < 1e-3 < apart)
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """Way of syncing -> case -> the lines that it printed: one start of an engine answers all cases."""

    @functools.cache
    def ran(
        sync: str, cases: str = TWO_ADAPTERS + MANY_PROMPTS + SMALL_STEPS + SLEEP
    ) -> dict[str, list[str]]:
        doubles = os.path.dirname(tiny_model.__file__)
        path = os.pathsep.join([doubles, *filter(None, [os.environ.get("PYTHONPATH")])])
        done = subprocess.run(
            [sys.executable, "-c", SHARED + cases, str(tmp_path_factory.mktemp(sync)), sync],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=540,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        parts = [part.splitlines() for part in done.stdout.split("== ")[1:]]
        return {part[0]: part[1:] for part in parts}

    return ran


@pytest.mark.parametrize("sync", ["adapter", "merged"])
def test_prompts_that_do_not_fit_one_step_are_all_answered(said, sync):
    assert said(sync)["many prompts"][-1] == "91 91 {2}"


@pytest.mark.parametrize("sync", ["adapter", "merged"])
def test_every_adapter_gives_what_the_learner_computes_and_leaves_no_file(said, sync):
    assert said(sync)["two adapters"][-2:] == ["True True True", "8 True []"]


@pytest.mark.parametrize("sync", ["adapter", "merged"])
def test_one_step_at_the_smallest_rate_that_never_arrives_is_seen(said, sync):
    assert said(sync)["small steps"][-1] == "['served', 'served', True, 'served']"


@pytest.mark.parametrize(
    ("sync", "gone"), [("adapter", ["served", "seen", "served"]), ("merged", [])], ids=["adapter", "merged"]
)
def test_an_engine_that_woke_serves_what_is_loaded_or_is_seen_not_to(said, sync, gone):
    expected = ["served", "served", *gone, *(["seen"] if gone else []), "seen", "served"]
    assert said(sync)["sleep"][-1] == ", ".join(f"True {word}" for word in expected)


@pytest.mark.parametrize("sync", ["adapter", "merged"])
def test_two_policies_are_served_side_by_side_each_by_its_own_weights(said, sync):
    assert said(sync, SEVERAL)["several"][-1] == "2 True"
