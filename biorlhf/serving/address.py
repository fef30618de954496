"""A model behind an OpenAI-compatible address, asked the same questions: ``http://host:8000/v1#model``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from biorlhf.errors import InputError, RunFailure
from biorlhf.recipe import Recipe
from biorlhf.runs.evaluation import sampling_of
from biorlhf.types import AdapterRef, Completion, Group, Question

AT_ONCE = 8
RETRIES = 3
NOT_OURS = AdapterRef(0, "served elsewhere")


def is_address(target: str) -> bool:
    return target.startswith(("http://", "https://"))


class Address:
    """A client for one model. The key is that of OPENAI_API_KEY; servers of one's own need none.

    Raises:
        InputError: the client's package is missing, nobody answers, or there is no such model.
    """

    def __init__(self, target: str, timeout_s: float) -> None:
        url, _, self.model = target.partition("#")
        try:
            import openai
        except ImportError:
            raise InputError(target, "the client for addresses is not installed",
                             hint="install biorlhf with its extra: biorlhf[api]") from None  # fmt: skip
        self.url, self.errors = url, openai
        key = os.environ.get("OPENAI_API_KEY") or "none"
        self.client: Any = openai.OpenAI(base_url=url, api_key=key, timeout=timeout_s, max_retries=RETRIES)
        self.limit_key = "max_tokens"
        self._choose()

    def _choose(self) -> None:
        try:
            names = [model.id for model in self.client.models.list()]
        except self.errors.APIStatusError as error:
            # Some servers list no models; the first question will tell whether the name is right.
            if error.status_code in (401, 403):
                raise InputError(self.url, f"refused: {error.message}", "a key in OPENAI_API_KEY") from None
            names = []
        except self.errors.APIError as error:
            raise InputError(self.url, f"nobody answers: {error}", "an address that ends in /v1") from None
        if not self.model and len(names) == 1:
            self.model = names[0]
        if not self.model or (names and self.model not in names):
            found = f"no model {self.model!r}" if self.model else "which of its models is not said"
            raise InputError(self.url, found, f"{self.url}#MODEL", choices=names[:40], name=self.model)

    def sample(self, recipe: Recipe, questions: Sequence[Question]) -> Iterator[Group]:
        """One group per question, in order, sampled as the recipe's evaluations sample."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            yield from threads.map(lambda question: self._group(recipe, question), questions)

    def _group(self, recipe: Recipe, question: Question) -> Group:
        sampling, prompt = sampling_of(recipe), recipe.prompt
        asked = f"{question.asked}\n{prompt.instruction}" if prompt.instruction else question.asked
        messages = [{"role": "system", "content": prompt.system}] if prompt.system else []
        messages.append({"role": "user", "content": asked})
        settings = {"temperature": sampling.temperature, "top_p": sampling.top_p, "seed": sampling.seed}
        # One call for each: not every server gives several answers at once.
        answers = tuple(
            self._completion(messages, {**settings, "seed": sampling.seed + number}, sampling.max_tokens)
            for number in range(sampling.n)
        )
        return Group(question, (), answers)

    def _completion(self, messages: Any, settings: dict[str, Any], limit: int) -> Completion:
        try:
            answer = self.client.chat.completions.create(
                model=self.model, messages=messages, **settings, **{self.limit_key: limit}
            )
        except self.errors.BadRequestError as error:
            # Newer models of some services know the limit by its other name alone.
            if self.limit_key == "max_tokens" and "max_completion_tokens" in str(error):
                self.limit_key = "max_completion_tokens"
                return self._completion(messages, settings, limit)
            raise InputError(self.url, f"refused a question: {error.message}") from None
        except self.errors.APIError as error:
            raise RunFailure(f"{self.url}: no answer after {RETRIES} retries: {error}") from None
        choice = answer.choices[0]
        text = choice.message.content or ""
        return Completion(text, (), (), choice.finish_reason == "length", NOT_OURS)
