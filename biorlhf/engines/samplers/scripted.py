"""A sampler that answers from a file: for tests and for trying verifiers without a model's noise.

The file (``rollout.script``) is JSON: ``{"answers": {"<question id>": ["…", …]}, "default": ["…"]}``. Which
answer is given is drawn with the seed of the question, so that a run repeats exactly. It knows no
log-probabilities: completions carry none, and the canary is skipped.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from biorlhf.engines.models.load import load_tokenizer
from biorlhf.engines.samplers import arrays
from biorlhf.engines.samplers.contract import SamplerSpec
from biorlhf.engines.samplers.prompts import encode_prompt, encode_response
from biorlhf.errors import InputError, RunFailure
from biorlhf.seeds import seed_of
from biorlhf.stage import Adapter, Sampling
from biorlhf.types import AdapterRef, Completion, Group, Question


class ScriptedSampler:
    """Draws each completion from the answers scripted for its question."""

    def __init__(self, spec: SamplerSpec) -> None:
        script = spec.recipe.rollout.script
        if script is None:
            raise InputError("rollout.script", "missing", "a JSON file of answers for the scripted sampler")
        try:
            data = json.loads(Path(script).read_text(encoding="utf-8"))
            self.answers: dict[str, list[str]] = data.get("answers", {})
            self.default: list[str] = data.get("default", [])
        except (OSError, ValueError, AttributeError) as error:
            raise InputError("rollout.script", f"{script}: {error}", "a JSON file of answers") from None
        self.spec = spec
        self.tokenizer: Any = load_tokenizer(spec.recipe.model)
        self.ref: AdapterRef | None = None

    def encode(self, text: str) -> list[int]:
        return encode_prompt(self.tokenizer, self.spec.recipe.prompt, text)

    def load_adapter(self, adapter: Adapter) -> None:
        self.ref = adapter.ref

    def sample(self, questions: Sequence[Question], sampling: Sampling) -> Iterator[Group]:
        if self.ref is None:
            raise RunFailure("no adapter was loaded before sampling")
        for question in questions:
            draw = random.Random(seed_of(sampling.seed, question.id))
            options = self.answers.get(question.id) or self.default
            if not options:
                raise InputError("rollout.script", f"no answer for the question {question.id!r}")
            texts = [draw.choice(options) for _ in range(sampling.n)]
            completions = tuple(self._completion(text, sampling.max_tokens) for text in texts)
            yield Group(question, arrays.token_ids(self.encode(question.asked)), completions)

    def _completion(self, text: str, limit: int) -> Completion:
        assert self.ref is not None
        ids = encode_response(self.tokenizer, text)
        return Completion(text, arrays.token_ids(ids[:limit]), (), len(ids) > limit, self.ref)

    def logprobs(self, prompt_ids: Sequence[int], token_ids: Sequence[int]) -> list[float]:
        return []
