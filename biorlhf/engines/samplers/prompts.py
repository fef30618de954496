"""From a question's text to token ids: the one function that the learner and every sampler call.

What the policy is trained on and what it is sampled from are therefore the same ids.
"""

from __future__ import annotations

from typing import Any

from biorlhf.errors import InputError
from biorlhf.ground_truth.forms import split_instruction
from biorlhf.recipe import Prompt

ALPACA = "### Instruction:\n{}\n\n### Response:\n"


def encode_prompt(tokenizer: Any, section: Prompt, text: str) -> list[int]:
    """Token ids of a question in the recipe's template, at most ``section.max_tokens`` long.

    Where it is too long, the question's own text loses tokens at the side that ``section.truncate``
    names; the template and the instructions after it stay whole. An empty question gives no ids: there is
    nothing to condition on, and a loss covers the whole response.

    Raises:
        InputError: the tokenizer has no chat template, or the template alone is longer than the limit.
    """
    if not text:
        return []
    text = as_text(tokenizer, text)
    # The instruction stands at the end, where cutting from the right would lose it.
    text, instruction = split_instruction(text)
    ids = _render(tokenizer, section, text, instruction)
    body = tokenizer(text, add_special_tokens=False)["input_ids"]
    keep = len(body)
    while len(ids) > section.max_tokens:
        # Tokens merge across a cut in another way, so the excess is measured again after each cut.
        keep -= len(ids) - section.max_tokens
        if keep <= 0:
            fixed = len(_render(tokenizer, section, ".", instruction))
            raise InputError(
                "prompt.max_tokens",
                f"{section.max_tokens}, but template and instruction alone take about {fixed} tokens",
                hint="raise prompt.max_tokens, or shorten prompt.system and prompt.instruction",
            )
        part = body[-keep:] if section.truncate == "left" else body[:keep]
        ids = _render(tokenizer, section, tokenizer.decode(part), instruction)
    return ids


def encode_response(tokenizer: Any, text: str) -> list[int]:
    """Token ids of a response, with the end token that tells a sampler to stop.

    Raises:
        InputError: the tokenizer has no end-of-sequence token.
    """
    if tokenizer.eos_token_id is None:
        raise InputError("model.base", "its tokenizer has no end-of-sequence token")
    # No special tokens: a tokenizer's beginning-of-text would stand in the middle, after the prompt.
    text = as_text(tokenizer, text)
    return [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]


def as_text(tokenizer: Any, text: str) -> str:
    """Control tokens of the tokenizer broken by a space of no width: in data they are text like any other.

    Left whole, one would end the answer in its middle, or open a turn that nobody took.
    """
    added = getattr(tokenizer, "added_tokens_decoder", {}).values()
    control = {token.content for token in added if token.special}
    for token in sorted(
        control | set(getattr(tokenizer, "all_special_tokens", ()) or ()), key=len, reverse=True
    ):
        if len(token) > 1 and token in text:
            text = text.replace(token, f"{token[0]}\u200b{token[1:]}")
    return text


def _render(tokenizer: Any, section: Prompt, text: str, instruction: str) -> list[int]:
    question = f"{text}\n{section.instruction}" if section.instruction else text
    question = f"{question}\n\n{instruction}" if instruction else question
    if section.template == "chat":
        return _chat(tokenizer, section.system, question)
    if section.template == "alpaca":
        question = ALPACA.format(question)
    if section.system:
        question = f"{section.system}\n\n{question}"
    ids = list(tokenizer(question)["input_ids"])
    if ids and ids[-1] == tokenizer.eos_token_id:  # some tokenizers close every text; a prompt stays open
        ids.pop()
    return ids


def _chat(tokenizer: Any, system: str | None, question: str) -> list[int]:
    if not getattr(tokenizer, "chat_template", None):
        raise InputError(
            "prompt.template",
            "'chat', but the tokenizer of model.base has no chat template",
            choices=("alpaca", "plain"),
            hint="set prompt.template: alpaca (or plain)",
        )
    messages = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": question})
    try:
        encoded = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=True, return_dict=True
        )
    except Exception as error:  # the template is the model's own program, and may raise anything
        raise InputError(
            "prompt.system" if system else "prompt.template",
            f"the chat template of model.base fails: {type(error).__name__}: {error}",
            hint="take prompt.system out, or write it into prompt.instruction" if system
            else "set prompt.template: alpaca (or plain)",
        ) from None  # fmt: skip
    return list(encoded["input_ids"])
