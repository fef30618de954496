"""A sampler that answers from a file: for tests and for trying verifiers without a model's noise.

The file (``rollout.script``) is JSON: ``{"answers": {"<question id>": ["…", …]}, "default": ["…"]}``. Which
answer is given is drawn with the seed of the question, so that a run repeats exactly. It knows no
log-probabilities: completions carry none, or ``"logprob": -1.0`` for every token where the file has that key;
the canary is skipped.

With ``rollout.simulated`` an answer has as many tokens, and takes as long, as that says: the engine sleeps,
as many of them on two cores as a cluster has. The tokens of its text are repeated up to that number.
"""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

from biorlhf.engines.models.load import load_tokenizer
from biorlhf.engines.samplers import arrays
from biorlhf.engines.samplers.contract import Held, SamplerSpec, Steps
from biorlhf.engines.samplers.prompts import encode_prompt, encode_response
from biorlhf.errors import InputError, RunFailure
from biorlhf.seeds import seed_of
from biorlhf.stage import Adapter, Sampling
from biorlhf.testing import Decoder, Pace, length_of
from biorlhf.types import AdapterRef, Completion, Group, Question

TICK_S = 0.05  # what is asked meanwhile waits no longer than this to be begun


class ScriptedSampler(Steps):
    """Draws each completion from the answers scripted for its question."""

    def __init__(self, spec: SamplerSpec) -> None:
        script = spec.recipe.rollout.script
        if script is None:
            raise InputError("rollout.script", "missing", "a JSON file of answers for the scripted sampler")
        try:
            data = json.loads(Path(script).read_text(encoding="utf-8"))
            self.answers: dict[str, list[str]] = data.get("answers", {})
            self.default: list[str] = data.get("default", [])
            self.logprob: float | None = data.get("logprob")
        except (OSError, ValueError, AttributeError) as error:
            raise InputError("rollout.script", f"{script}: {error}", "a JSON file of answers") from None
        self.spec = spec
        self.tokenizer: Any = load_tokenizer(spec.recipe.model)
        self.held: Held[None] = Held(1 + spec.recipe.lag)
        self.beside, self.asleep = True, False
        self._simulated = spec.recipe.rollout.simulated
        self._decoder = Decoder(Pace(self._simulated.token_s if self._simulated else ((1, 0.0),)))
        self._since = time.monotonic()
        self._asked = itertools.count()
        self._groups: dict[Hashable, Group] = {}
        self._done: list[Hashable] = []

    def encode(self, text: str) -> list[int]:
        return encode_prompt(self.tokenizer, self.spec.recipe.prompt, text)

    def sleep(self) -> None:
        self.asleep = True

    def load_adapter(self, adapter: Adapter) -> None:
        self.asleep = False
        self.held.add(adapter.ref, None)

    def add(self, question: Question, sampling: Sampling) -> Hashable:
        if self.asleep:
            raise RunFailure("asked while it sleeps")
        ref, _ = self.held.get(sampling.policy)
        draw = random.Random(seed_of(sampling.seed, question.id))
        options = self.answers.get(question.id) or self.default
        if not options:
            raise InputError("rollout.script", f"no answer for the question {question.id!r}")
        texts = [draw.choice(options) for _ in range(sampling.n)]
        completions = tuple(
            self._completion(text, (question.id, number), sampling, ref) for number, text in enumerate(texts)
        )
        # What ran until now ran without this one.
        self._done += self._pass()
        key = next(self._asked)
        self._groups[key] = Group(question, arrays.token_ids(self.encode(question.asked)), completions)
        lengths = [len(c.token_ids) for c in completions] if self._simulated else [0] * sampling.n
        self._decoder.add(key, lengths)
        return key

    def step(self) -> list[tuple[Hashable, Group]]:
        if not self._done:
            time.sleep(min(self._decoder.next_s(), TICK_S))
        done, self._done = self._done + self._pass(), []
        return [(key, self._groups.pop(key)) for key in done]

    def _pass(self) -> list[Hashable]:
        """What is complete after the time since this was asked last."""
        now = time.monotonic()
        passed, self._since = now - self._since, now
        return self._decoder.advance(passed)

    def _completion(
        self, text: str, which: tuple[str, int], sampling: Sampling, ref: AdapterRef
    ) -> Completion:
        ids, limit = encode_response(self.tokenizer, text), sampling.max_tokens
        if self._simulated is not None:
            mean, spread = self._simulated.mean_tokens, self._simulated.spread
            length = length_of(mean, spread, limit + 1, sampling.seed, *which)
            ids = list(itertools.islice(itertools.cycle(ids), length))
        kept = arrays.token_ids(ids[:limit])
        logprobs = () if self.logprob is None else arrays.logprobs([self.logprob] * len(kept))
        return Completion(text, kept, logprobs, len(ids) > limit, ref)

    def logprobs(
        self, prompt_ids: Sequence[int], token_ids: Sequence[int], policy: AdapterRef | None = None
    ) -> list[float]:
        return []
