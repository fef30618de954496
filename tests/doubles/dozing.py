"""Whole runs without Ray whose engine sleeps: scripted answers, and a model behind them for the canary."""

from __future__ import annotations

import json
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

from ray.exceptions import RayError
from safetensors.torch import load, save

from biorlhf import recipe as recipes
from biorlhf.actors import rollout
from biorlhf.actors.fetch import known
from biorlhf.engines.learning.learner import build_learner
from biorlhf.engines.samplers import build
from biorlhf.engines.samplers.scripted import ScriptedSampler
from biorlhf.engines.samplers.transformers import TransformersSampler
from biorlhf.errors import RunFailure
from biorlhf.runs import launch, pipeline
from biorlhf.runs.listener import Silence
from biorlhf.stage import Adapter
from biorlhf.workers.inline import inline_workers
from biorlhf.workers.turns import in_turn
from tiny_run import ANSWERS, write_tiny_run

STEPS = 4


def none_left(adapter, _):
    return save({name: tensor * 0 for name, tensor in load(adapter.tensors).items()})


def the_one_before(_, before):
    return before.tensors


def damaged(adapter, _):
    tensors = load(adapter.tensors)
    name = max(tensors, key=lambda name: float(tensors[name].abs().sum()) if "lora_B" in name else 0.0)
    return save({**tensors, name: -tensors[name]})


class Dozing(ScriptedSampler):
    """Serves what ``fault`` makes of the adapter that it is sent, from its wake ``at`` on; -1: always."""

    fault = staticmethod(lambda adapter, before: adapter.tensors)
    at = 0
    made: ClassVar[list[Any]] = []

    def __init__(self, spec):
        super().__init__(spec)
        self.inner, self.before = TransformersSampler(spec), None
        self.woken = self.asked = self.asked_with_fault = 0
        self.made.append(self)

    def load_adapter(self, adapter):
        self.woken += self.asleep
        super().load_adapter(adapter)
        tensors = self.fault(adapter, self.before) if self.faulty else adapter.tensors
        self.inner.load_adapter(Adapter(adapter.ref, tensors, adapter.config))
        self.before = adapter

    @property
    def faulty(self):
        return self.at < 0 or 0 < self.at <= self.woken

    def add(self, question, sampling):
        self.asked += 1
        self.asked_with_fault += self.faulty
        return super().add(question, sampling)

    def logprobs(self, prompt_ids, token_ids, policy=None):
        return self.inner.logprobs(prompt_ids, token_ids, policy)


class InThreads:
    """An engine of the fleet without Ray: the actor's own class, called from threads."""

    def __init__(self, recipe, place, name):
        self.name, self.worker = name, rollout.RolloutWorker(recipe.to_json())

    def ready(self):
        return self._call(self.worker.ready)

    def hold(self, policy):
        return self._call(self._hold, *policy)

    def _hold(self, adapter, *rest):
        try:
            # Where what is given cannot be fetched, Ray does not come as far as the method.
            if isinstance(adapter, BaseException):
                raise adapter
            return self.worker.hold(adapter, *rest)
        except RayError as error:
            raise known(error, self.name) from error

    def sleep(self):
        return self._call(self.worker.sleep)

    def put(self, tickets):
        self.worker.put(tickets)

    def take(self, tickets):
        return self._call(self.worker.take, tickets)

    def end(self):
        pass

    def _call(self, do, *args):
        future = Future()

        def called():
            try:
                future.set_result(do(*args))
            except Exception as error:
                future.set_exception(error)

        threading.Thread(target=called, daemon=True).start()
        return future


class Renewable:
    """A learner that can be made anew."""

    def __init__(self, recipe):
        self.recipe, self.renewed = recipe, -1
        self.renew()

    def renew(self):
        self.inner = build_learner(self.recipe, threads=1, on_gpu=False)
        self.renewed += 1

    def __getattr__(self, name):
        return getattr(self.inner, name)


class Run:
    """A run of an engine in this process, or of one in a fleet.

    ``sent`` makes of (an adapter, how many were sent before) what the fleet's engine is sent. ``folder`` is
    None where an error ended the run.
    """

    def __init__(
        self, place, monkeypatch, *, sleep=1, lag=0, fleet=False, rate=1e-2, fault=None, at=0, sent=None
    ):
        path = write_tiny_run(place, steps=STEPS, lora={"r": 16, "alpha": 32})
        (place / "script.json").write_text(json.dumps({"default": ANSWERS, "logprob": -1.0}))
        also = (f"rollout.sleep={sleep}", f"stages.0.lag={lag}", f"stages.0.optimizer.learning_rate={rate}")
        recipe = recipes.load(path, (*also, "stages.0.mask_truncated=false", "scorer.timeout_s=60"))
        self.fleet, self.sent, self.references = fleet, sent, []
        self.folder = self.error = None
        faults = {"fault": staticmethod(fault)} if fault else {}
        self.double = type("Double", (Dozing,), {"at": at, "made": [], **faults})
        monkeypatch.setattr(build, "build_sampler", self.double)
        monkeypatch.setattr(rollout, "build_sampler", self.double)
        monkeypatch.setattr(rollout, "RayEngine", InThreads)
        monkeypatch.setattr(rollout, "reference", self._reference)
        monkeypatch.setattr(rollout, "_given", lambda held: held)
        monkeypatch.setattr(launch, "start", self._start)
        try:
            self.folder = pipeline.run(recipe, Silence())
        except RunFailure as error:
            self.error = error

    @property
    def sampler(self):
        return self.double.made[-1]

    def _reference(self, adapter):
        self.references.append(adapter)
        return self.sent(adapter, len(self.references) - 1) if self.sent else adapter

    @contextmanager
    def _start(self, recipe, *, samples, address=None, lost=None, say=None):
        with inline_workers(recipe, samples=samples) as crew:
            if not self.fleet:
                yield crew
                return
            self.learner, rollouts = Renewable(recipe), rollout.RayRollouts(recipe, ["DEFAULT"])
            rollouts.wait()
            rollouts.watch(self.learner)
            seen = in_turn(self.learner, rollouts.sleep) if recipe.rollout.sleep else self.learner
            yield replace(crew, learner=seen, rollouts=rollouts, renew=self.learner.renew)
            rollouts.close()
