"""Prompts to answers in this process, without Ray: a sampler that serves one policy."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biorlhf.errors import DataError, InputError
from biorlhf.ground_truth import check
from biorlhf.inputs.rows import JSON_LINES, no_file, parse_json, read_rows, read_text
from biorlhf.recipe import Recipe
from biorlhf.recipe.policy import Trained, serving
from biorlhf.runs.data import asked_in_form
from biorlhf.scoring.cores import cores
from biorlhf.stage import Sampling
from biorlhf.types import Group, Question

TEXT = (".txt",)


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt; ``row`` is what its file's line held beside it, and is written back.

    A row's ``instruction``, or its ``ground_truth`` where it is one of ours, says what form of answer is
    asked for, as in a dataset.
    """

    id: str
    text: str
    row: Mapping[str, Any]

    def question(self, answer: str) -> Question:
        """As training would ask it; ``answer`` is the recipe's ``prompt.answer``."""
        truth = _ground_truth(self.row.get("ground_truth"))
        question = Question(self.id, self.text, truth, instruction=self.row.get("instruction") or "")
        return asked_in_form(question, answer)


class Answerer:
    """Holds the model; meets one need: prompts in, groups of answers out.

    Args:
        chosen: the policy.
        engine: ``vllm``, ``transformers`` or ``scripted``; None: the recipe's.
        max_tokens: most tokens of an answer; None: the recipe's.

    Raises:
        InputError: the model cannot be loaded, or the engine is not installed.
    """

    def __init__(self, chosen: Trained, *, engine: str | None = None, max_tokens: int | None = None) -> None:
        from biorlhf.engines.models.export import adapter_of
        from biorlhf.engines.samplers.build import SamplerSpec, build_sampler

        recipe = serving(chosen)
        update: dict[str, Any] = {} if chosen.adapter else {"sync": "merged"}  # of nothing: no LoRA at all
        update |= {"engine": engine} if engine else {}
        update |= {"max_completion_tokens": max_tokens} if max_tokens else {}
        self.recipe = recipe.model_copy(update={"rollout": recipe.rollout.model_copy(update=update)})
        # Before the model is looked for: a missing package is the cheaper thing to learn.
        if self.recipe.rollout.engine == "vllm":
            _need_vllm()
        on_gpu = self.recipe.rollout.gpus > 0
        threads = cores()
        self.sampler = build_sampler(SamplerSpec(self.recipe, self.recipe.lora.r, threads, on_gpu=on_gpu))
        self.sampler.load_adapter(adapter_of(chosen))

    def sampling(
        self, *, n: int = 1, temperature: float | None = None, top_p: float | None = None, seed: int = 0
    ) -> Sampling:
        """As :func:`sampling`, of the policy that answers."""
        return sampling(self.recipe, n=n, temperature=temperature, top_p=top_p, seed=seed)

    def answer(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Group]:
        """One group per prompt, in the order in which they finish; its question has the prompt's id.

        What is drawn for a prompt depends on the seed and the prompt's id alone.
        """
        questions = [prompt.question(self.recipe.prompt.answer) for prompt in prompts]
        return self.sampler.sample(questions, sampling)


def sampling(
    recipe: Recipe,
    *,
    n: int = 1,
    temperature: float | None = None,
    top_p: float | None = None,
    seed: int = 0,
) -> Sampling:
    """How to sample; None is the recipe's rollout setting.

    Raises:
        InputError: a value out of range, or several greedy answers, which would be the same one.
    """
    rollout = recipe.rollout
    heat = rollout.temperature if temperature is None else temperature
    share = rollout.top_p if top_p is None else top_p
    if n < 1:
        raise InputError("--n", str(n), "1 or more")
    # "not >=": a NaN is no temperature either.
    if not 0 <= heat < math.inf:
        raise InputError("--temperature", str(heat), "0 (greedy) or more")
    if heat == 0 and n > 1:
        raise InputError("--n", f"{n} answers at temperature 0 are the same answer", "--temperature above 0")
    if not 0 < share <= 1:
        raise InputError("--top-p", str(share), "above 0, at most 1")
    return Sampling(n, rollout.max_completion_tokens, heat, share, seed)


def one(text: str, number: int = 0) -> Prompt:
    """A prompt without a file; its id follows from its text and number."""
    if not text.strip():
        raise InputError("prompt", "empty", "a question")
    digest = hashlib.sha256(f"{number}:{text}".encode()).hexdigest()[:12]
    return Prompt(digest, text.strip(), {})


def read_prompts(path: Path) -> list[Prompt]:
    """The prompts of a file: ``.txt`` holds one a line, ``.jsonl`` rows with ``prompt`` (or ``question``).

    Raises:
        DataError: a missing or empty file, another type, or a row without a prompt: with file and line.
    """
    if path.suffix.lower() not in TEXT + JSON_LINES:
        if path.is_dir():
            raise no_file(path, TEXT + JSON_LINES)
        raise DataError(str(path), f"a file of type {path.suffix!r}", choices=TEXT + JSON_LINES)
    if not path.is_file():
        raise no_file(path, TEXT + JSON_LINES)
    if path.suffix.lower() in TEXT:
        lines = enumerate(read_text(path).splitlines(), 1)
        prompts = [_text_row(number, line) for number, line in lines if line.strip()]
    else:
        prompts = [_json_row(number, *row) for number, row in enumerate(read_rows(path), 1)]
    if not prompts:
        raise DataError(str(path), "no prompt in it", "one a line")
    # The id seeds what is drawn, and answers are matched to their prompts by it.
    seen: dict[str, int] = {}
    for number, prompt in enumerate(prompts, 1):
        if prompt.id in seen:
            raise DataError(f"{path}: row {number}", f"id {prompt.id!r} is that of row {seen[prompt.id]} too")
        seen[prompt.id] = number
    return prompts


def _text_row(number: int, line: str) -> Prompt:
    return Prompt(str(number), line.strip(), {"id": str(number), "prompt": line.strip()})


def _json_row(number: int, where: str, row: dict[str, Any]) -> Prompt:
    text = row.get("prompt", row.get("question"))
    if not isinstance(text, str) or not text.strip():
        raise DataError(where, "no prompt", '{"prompt": "…"}, a text that is not empty')
    form = row.get("instruction")
    if form is not None and not isinstance(form, str):
        raise DataError(f"{where}: instruction", f"{form!r:.80}", "a text that asks for the answer's form")
    # A row's own id goes before its number.
    row = {"id": str(number), **row, "prompt": text}
    return Prompt(str(row["id"]), text, row)


def _ground_truth(value: Any) -> dict[str, Any]:
    """What ``score`` would read; {} where it would refuse: prompts may have columns of other people's."""
    try:
        return check(parse_json(value, "") if isinstance(value, str) else value, "")
    except DataError:
        return {}


def rows_of(prompt: Prompt, group: Group) -> list[dict[str, Any]]:
    """One row per answer: the prompt's own row, ``response``, ``response_tokens``, ``truncated``.

    With several answers, ``sample`` counts them and the id ends in it, so that ids stay unique; the rows
    can be given to ``biorlhf score`` where the prompt's row held a ground truth.
    """
    several = len(group.completions) > 1
    own = {"id": prompt.id, "prompt": prompt.text, **prompt.row}
    own.pop("instruction", None)
    if group.question.instruction:  # a scorer has to know what was asked for
        own["instruction"] = group.question.instruction
    rows = []
    for number, completion in enumerate(group.completions, 1):
        label = {"id": f"{own['id']}#{number}", "sample": number} if several else {}
        answer = {"response": completion.text.strip(), "response_tokens": len(completion.token_ids)}
        rows.append({**own, **label, **answer, "truncated": completion.truncated})
    return rows


def _need_vllm() -> None:
    import importlib.util

    if importlib.util.find_spec("vllm") is None:
        raise InputError("--engine", "vllm is not installed here", "--engine transformers")
