"""What runs in vLLM's worker processes, with doubles of its executor: one, and two in parallel."""

from __future__ import annotations

import copy
import hashlib
import json
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save

from biorlhf.engines.models.merging import base_tensors
from biorlhf.engines.samplers.contract import Held
from biorlhf.engines.samplers.served import ServedWeights
from biorlhf.engines.samplers.vllm import VllmSampler
from biorlhf.errors import PolicyMismatch
from biorlhf.stage import Adapter
from biorlhf.types import AdapterRef
from tiny_model import write_tiny_model

NAME = "model.layers.0.self_attn.q_proj"


def adapter_of(value, version=0):
    tensors = save(
        {
            f"base_model.model.{NAME}.lora_A.weight": torch.full((2, 64), value),
            f"base_model.model.{NAME}.lora_B.weight": torch.full((64, 2), 0.5),
        }
    )
    config = json.dumps({"r": 2, "lora_alpha": 4, "target_modules": ["q_proj"]}).encode()
    return Adapter(AdapterRef(version, hashlib.sha256(tensors).hexdigest()), tensors, config)


class Worker(ServedWeights):
    """One of vLLM's workers: its share of the weights, and LoRA tensors in their slots."""

    def __init__(self, rank, count):
        self.rank, self.count, self.weights = rank, count, {}
        layer = SimpleNamespace(
            lora_a_stacked=(torch.zeros(1, 1, 8, 64, dtype=torch.bfloat16),),
            lora_b_stacked=(torch.zeros(1, 1, 64 // count, 8, dtype=torch.bfloat16),),
        )
        manager = SimpleNamespace(_adapter_manager=SimpleNamespace(modules={NAME: layer}))
        self.model_runner = SimpleNamespace(lora_manager=manager)
        self.layer = layer

    def reload_weights(self, weights_iterator):
        for name, tensor in weights_iterator:
            self.weights[name] = tensor.chunk(self.count)[self.rank] if tensor.dim() > 1 else tensor


class Engine:
    """An engine whose executor sends each call to its workers as bytes, as between processes."""

    def __init__(self, count):
        self.workers = [Worker(rank, count) for rank in range(count)]
        self.arrives = True

    def collective_rpc(self, method, args=()):
        assert all(isinstance(value, str | bytes) for value in args)  # what goes to another process as it is
        sent = copy.deepcopy(args)
        return [getattr(worker, method)(*sent) for worker in self.workers]

    def add_lora(self, request):
        if self.arrives:
            for worker in self.workers:
                worker.layer.lora_b_stacked[0].add_(0.125)
        return True

    def reset_prefix_cache(self):
        return True

    def is_sleeping(self):
        return False


def sampler_of(count, *, merges, base=""):
    made = VllmSampler.__new__(VllmSampler)
    made.spec, made.base, made.engine = SimpleNamespace(merges=merges), base, Engine(count)
    made.held, made.served, made._digest, made._arrived, made._loads = Held(1), None, [], {}, 0
    made._woken = []
    return made


@pytest.mark.parametrize("count", [1, 2])
def test_each_worker_merges_the_adapter_into_its_share(tmp_path, count):
    base = write_tiny_model(tmp_path)
    sampler = sampler_of(count, merges=True, base=base)
    sampler.load_adapter(adapter_of(0.25))
    plain = dict(base_tensors(base))
    whole = torch.cat([worker.weights[f"{NAME}.weight"] for worker in sampler.engine.workers])
    assert torch.allclose(whole, plain[f"{NAME}.weight"] + 2 * 0.25 * 0.5 * 2)
    assert set(sampler.engine.workers[-1].weights) == set(plain)


@pytest.mark.parametrize("count", [1, 2])
def test_an_adapter_that_the_kernels_never_got_is_seen(monkeypatch, count):
    import sys
    import types

    request = types.ModuleType("vllm.lora.request")
    request.LoRARequest = lambda *_, **__: None
    for name in ("vllm", "vllm.lora"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "vllm.lora.request", request)
    sampler = sampler_of(count, merges=False)
    sampler.load_adapter(adapter_of(0.25))
    sampler.load_adapter(adapter_of(0.2500005, 1))
    sampler.engine.arrives = False
    sampler.load_adapter(adapter_of(0.2500005, 1))  # the same one again changes nothing
    with pytest.raises(PolicyMismatch, match="version 2 did not arrive"):
        sampler.load_adapter(adapter_of(0.2500010, 2))
